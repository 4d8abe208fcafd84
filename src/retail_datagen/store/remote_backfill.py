"""A past for a store that is served: its server writes it, as a job that is watched from here."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any, Final

from retail_datagen.config.errors import UserError
from retail_datagen.store.backfill import Backfill
from retail_datagen.store.http import StoreClient
from retail_datagen.store.runs import Progress, Replaced, Summary

_ASK_SECONDS: Final = 0.2
_POLLS: Final = 5
_STEPS: Final = 1000


def backfill_on(server: StoreClient, wanted: Backfill, progress: Progress) -> Summary:
    """Have the days written, and wait for it; `progress` is told how far in thousandths.

    Raises UserError with the server's reason where they are not written, and where it does not
    answer any more: its job goes on then. Who interrupts cancels the job: nothing is written then.
    """
    asked = {
        "days": wanted.days,
        "density": wanted.density,
        "seed": wanted.seed,
        "replace": wanted.replace,
        "until": None if wanted.today is None else wanted.today.isoformat(),
    }
    job = server.ask("POST", "/analytics/backfill", asked)
    try:
        return _summary(_ended(server, job, progress))
    except (KeyError, TypeError, ValueError):
        raise server.answers_strangely("/analytics/backfill") from None


def _ended(server: StoreClient, job: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """The job when it has ended."""
    path = f"/jobs/{job['id']}"
    try:
        while job["state"] in ("queued", "running"):
            progress("backfill", round(job["progress"] * _STEPS), _STEPS)
            time.sleep(_ASK_SECONDS)
            job = server.ask("GET", path, tries=_POLLS)
    except KeyboardInterrupt:  # JobStopped is one
        # The interruption is what is told, whether or not the server hears of it.
        with suppress(UserError):
            server.ask("POST", f"{path}/cancel")
        raise
    except UserError as error:
        raise UserError(f"{error}; the server's job may go on: {server.url}{path} tells") from None
    return job


def _summary(job: dict[str, Any]) -> Summary:
    if job["state"] != "done":
        raise UserError(str(job["message"] or f"the server's job is {job['state']}"))
    result: dict[str, Any] = job["result"]
    return Summary(**result | {"replaced": Replaced(**result["replaced"])})
