"""What wrote a store's books: runs, each of which covers a span, and may be taken back whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from retail_datagen.store.database import models as m

Progress = Callable[[str, int, int], None]
"""Is told what is done, and how much of how much. May raise to stop: nothing is written then."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Earlier backfills that are taken back whole: how many, and the days from the first's first
    to the last's last; empty for none."""

    runs: int = 0
    first_day: str = ""
    last_day: str = ""

    def __str__(self) -> str:
        return f"the past of {self.first_day} to {self.last_day}" if self.runs else "nothing"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backfill wrote. `missed` purchases found nothing left to buy."""

    first_day: str
    last_day: str
    purchases: int
    restocked: int
    snapshots: int
    replaced: Replaced
    missed: int


def replaced_of(runs: Sequence[Any]) -> Replaced:
    """What rows of runs cover."""
    if not runs:
        return Replaced()
    first, end = min(run.first_at for run in runs), max(run.last_at for run in runs)
    last = end - timedelta(microseconds=1)
    return Replaced(len(runs), f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}")


def note_run(
    connection: Connection, kind: str, params: dict[str, Any], first: datetime, end: datetime
) -> int:
    """A finished run that covers `first` to `end`: its id."""
    now = datetime.now()
    row = {"kind": kind, "started_at": now, "ended_at": now, "first_at": first, "last_at": end}
    done = connection.execute(insert(m.runs).values(**row, params=json.dumps(params)))
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])
