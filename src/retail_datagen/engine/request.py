"""What a job is asked to do, and whether it can be done at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date
from retail_datagen.engine.pool import available_cores
from retail_datagen.engine.source import Outline, Retailer, Source
from retail_datagen.schema.table import Table
from retail_datagen.sinks import Capabilities

_WORTH_WORKERS = 1_000_000
"""Rows below which starting workers takes longer than they save: about a second of work."""
_BY_CONFIG = "calendar.first and calendar.last in the config"


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What to generate. Days count from 1970-01-01 and both ends are included.

    `target` is a sink's URL or a plain folder; `facts` the folder where a sink without one of its
    own is remembered. No `tables` means all, no `workers` one for each core where that pays.
    `history_start` is for a new history that begins before `first_day`. `dimensions` reads master
    data for targets that take it, once the target is known to be the retailer's.
    """

    source: Source
    target: str
    facts: Path
    first_day: int
    last_day: int
    tables: tuple[str, ...] = ()
    format: str | None = None
    workers: int = 0
    chunk_days: int = 1
    history_start: int | None = None
    overwrite: bool = False
    dimensions: Callable[[], Iterable[tuple[Table, pa.Table]]] | None = None


def check_request(request: JobRequest) -> tuple[str, ...]:
    """The tables that are asked for. Raises UserError for what no master data could make right."""
    _check_order(request.first_day, request.last_day)
    if request.history_start is not None and request.history_start > request.first_day:
        raise UserError(
            f"start: the history cannot begin on {to_date(request.history_start)}, after "
            f"{to_date(request.first_day)}, which is asked for"
        )
    if request.workers < 0:
        raise UserError(f"workers: {request.workers} is not allowed; give 1 or more")
    if request.chunk_days < 1:
        raise UserError(f"chunk-days: {request.chunk_days} is not allowed; give 1 or more")
    _check_calendar(request, request.source, _BY_CONFIG)
    return choose_tables(request.tables, request.source)


def open_retailer(request: JobRequest) -> Retailer:
    """The retailer, able to do what is asked for. Raises UserError for days that it lacks."""
    retailer = request.source.open()
    why = "calendar.csv, and the first LaunchDate of products.csv"
    _check_calendar(request, retailer, why)
    return retailer


def count_workers(request: JobRequest, sink: Capabilities) -> int:
    """How many processes render, the job's own among them.

    No more than there are tasks; without a wish, one where more do not pay.
    """
    if not sink.parallel:
        return 1
    days = request.last_day - request.first_day + 1
    small = request.source.rows_per_day * days < _WORTH_WORKERS
    wanted = request.workers or (1 if small else available_cores())
    return max(1, min(wanted, -(-days // request.chunk_days)))


def choose_tables(asked: Iterable[str], outline: Outline) -> tuple[str, ...]:
    """The tables asked for, or all, in the retailer's order. Raises UserError for unknown ones."""
    names = set(asked)
    unknown = sorted(names - set(outline.tables))
    if unknown:
        raise UserError(
            f"tables: {', '.join(map(repr, unknown))} is not known; allowed are "
            f"{', '.join(outline.tables)}"
        )
    return tuple(name for name in outline.tables if not names or name in names)


def check_days(first: int | None, last: int | None, outline: Outline) -> None:
    """Raise UserError for first and last day, where given, out of order or of the calendar."""
    if first is not None and last is not None:
        _check_order(first, last)
    given = {field: day for field, day in (("start", first), ("end", last)) if day is not None}
    _check_allowed(given, outline, _BY_CONFIG)


def _check_order(first: int, last: int) -> None:
    if last < first:
        raise UserError(
            f"end: {to_date(last)} is before the start, {to_date(first)}; "
            "both are included, so the end may be the start or any later day"
        )


def _check_calendar(request: JobRequest, outline: Outline, why: str) -> None:
    """Raise UserError for days outside of what can be generated; `why` says what bounds it."""
    days = {"start": request.first_day, "end": request.last_day}
    if request.history_start is not None:
        days["start"] = request.history_start  # Not after the first day, so the tighter one.
    _check_allowed(days, outline, why)


def _check_allowed(days: Mapping[str, int], outline: Outline, why: str) -> None:
    allowed = outline.calendar
    for field, day in days.items():
        if day not in allowed:
            raise UserError(
                f"{field}: {to_date(day)} is outside of the calendar; allowed is "
                f"{to_date(allowed[0])} to {to_date(allowed[-1])} ({why})"
            )
