"""Parameters that many routes have."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Query

from retail_datagen.service.problems import Problem
from retail_datagen.service.settings import MOST_PAGE
from retail_datagen.store.analytics.window import MOST_DAYS

Days = Annotated[
    int, Query(ge=1, le=MOST_DAYS, description="So many whole days, and the last one so far.")
]
Limit = Annotated[int, Query(ge=1, le=MOST_PAGE, description="At most so many.")]
Until = Annotated[
    datetime | None, Query(description="The store's wall clock; else now, or its latest entry.")
]
_EARLIEST, _LATEST = datetime(1980, 1, 1), datetime(2200, 1, 1)


def wall_clock(until: datetime | None) -> datetime | None:
    """As the store has times: without a zone. Raises Problem (422)."""
    if until is None:
        return None
    try:
        plain = until if until.tzinfo is None else until.astimezone().replace(tzinfo=None)
    except (ValueError, OverflowError):
        plain = _LATEST
    if not _EARLIEST <= plain < _LATEST:
        raise Problem(422, "until: give a time from 1980 to 2199", "until")
    return plain
