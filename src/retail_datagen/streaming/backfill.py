"""The backfill: a feed's history into targets that remember what they hold, each event once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.events import JobSummary, Listener
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.source import Source
from retail_datagen.sinks import StreamOptions, open_sink, redacted
from retail_datagen.world.dimensions import read_dimensions

DAYS_A_MONTH = 30
MOST_MONTHS = 600


@dataclass(frozen=True, slots=True)
class Backfill:
    """What to send: days (since 1970, both included) of a source's tables, into one target.

    No `tables` means all. `facts` is where this machine keeps its notes, `master` the folder whose
    tables go to databases, too, so that facts can be joined with them.
    """

    source: Source
    target: str
    options: StreamOptions
    facts: Path
    first_day: int
    last_day: int
    tables: tuple[str, ...] = ()
    overwrite: bool = False
    master: Path | None = None


def run_backfill(backfill: Backfill, listeners: Sequence[Listener] = ()) -> JobSummary:
    """Send what the target lacks. Raises UserError and JobStopped as the engine's jobs do."""
    with closing(open_sink(backfill.target, options=backfill.options)) as sink:
        request = JobRequest(
            source=backfill.source,
            target=redacted(backfill.target),
            facts=backfill.facts,
            first_day=backfill.first_day,
            last_day=backfill.last_day,
            tables=backfill.tables,
            workers=1,
            overwrite=backfill.overwrite,
            dimensions=partial(read_dimensions, backfill.master) if backfill.master else None,
        )
        return run_job(request, listeners, sink)


def months_until_yesterday(months: int, zone: str) -> tuple[int, int]:
    """First and last day of so many months of 30 days, which end with the business's yesterday."""
    if not 1 <= months <= MOST_MONTHS:
        raise UserError(f"months: {months} is not allowed; give 1 to {MOST_MONTHS}")
    last = to_day((datetime.now(ZoneInfo(zone)) - timedelta(days=1)).date())
    return last + 1 - months * DAYS_A_MONTH, last
