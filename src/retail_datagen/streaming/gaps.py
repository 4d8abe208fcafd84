"""What a target lacks of a history: days that are missing, and days that are there in part."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date
from retail_datagen.engine.jobstore import Header
from retail_datagen.engine.lock import JobLock
from retail_datagen.engine.request import check_days, choose_tables
from retail_datagen.engine.target import job_folder
from retail_datagen.sinks import Progress, RememberingSink, StreamOptions, open_sink, redacted
from retail_datagen.sinks.place import is_there
from retail_datagen.streaming.feed import Chosen


@dataclass(frozen=True, slots=True)
class Gap:
    """Days, both included, that these tables lack alike.

    `held` are the rows that are there of a single day, as ranges; without any, all is missing.
    """

    first_day: int
    last_day: int
    tables: tuple[str, ...]
    held: tuple[tuple[int, int], ...] = ()

    @property
    def is_partial(self) -> bool:
        return bool(self.held)


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a target holds of a history: its first day, the days looked at, and what lacks."""

    history_start: int
    first_day: int
    last_day: int
    gaps: tuple[Gap, ...]

    @property
    def is_empty(self) -> bool:
        """Whether no day was looked at: the history begins today, or later."""
        return self.last_day < self.first_day


def find_gaps(
    chosen: Chosen,
    target: str,
    options: StreamOptions,
    today: int,
    asked: tuple[int | None, int | None] = (None, None),
    tables: Sequence[str] = (),
) -> Coverage:
    """Look for gaps from the history's first day to yesterday, or in the days that are asked for.

    Raises UserError for days that the history cannot have, and for a target that remembers nothing,
    holds no such history, or is written to right now by a job of this machine.
    """
    names = choose_tables(tables, chosen.source)
    check_days(*asked, chosen.source)
    with closing(open_sink(target, options=options)) as opened:
        if not opened.capabilities.remembers:
            raise UserError(
                f"to: {redacted(target)} does not remember what it holds, so it cannot be asked; "
                "allowed are kafka: and databases"
            )
        sink, facts = cast(RememberingSink, opened), chosen.config.paths.facts
        # What is not there would be made by being asked.
        header, progress = _told_by(sink, facts) if is_there(target) else (None, {})
    if header is None:
        raise UserError(
            f"to: {redacted(target)} holds no history of the feed {options.feed!r}; choose another "
            "--feed, or begin one with backfill"
        )
    _check_rate(header, chosen, redacted(target))
    start = header.history_start
    latest = max([today - 1, *(day for _, day in progress if day > today)])
    first, last = _days(asked, start, latest)
    gaps = [gap for day in range(first, last + 1) for gap in _of_day(day, names, progress)]
    return Coverage(start, first, last, tuple(_merged(gaps)))


def _days(asked: tuple[int | None, int | None], start: int, latest: int) -> tuple[int, int]:
    """First and last day to look at in a history that goes from `start` to `latest`, if that far.

    Raises UserError for days that are asked for and outside of it.
    """
    for field, day in zip(("start", "end"), asked, strict=True):
        if day is not None and day < start:
            raise UserError(
                f"{field}: {to_date(day)} is before the history, which begins on {to_date(start)}; "
                "give that day or a later one"
            )
    first, last = asked
    if first is not None and last is None and first > latest:
        raise UserError(
            f"start: {to_date(first)} is after {to_date(latest)}, the last day that is looked at; "
            "give an earlier day, or --end too"
        )
    return start if first is None else first, latest if last is None else last


def _told_by(
    sink: RememberingSink, facts: Path
) -> tuple[Header | None, dict[tuple[str, int], Progress]]:
    """What a target says of itself, while no job of this machine writes there."""
    folder = job_folder(sink, facts)
    assert folder, "what remembers lasts"
    folder.mkdir(parents=True, exist_ok=True)
    lock = JobLock(folder, sink.where, sink.elsewhere)
    try:
        header, progress = sink.read_header(), dict(sink.progress())
    finally:
        lock.release()
    return None if header is None else Header.from_json(header), progress


def _check_rate(header: Header, chosen: Chosen, where: str) -> None:
    """Raise UserError where the hub was thinned to another number of events."""
    made_with = header.identity.settings.get("events_per_hour")
    asked = chosen.events_per_hour
    if made_with is not None and asked is not None and float(made_with) != asked:
        raise UserError(
            f"events-per-hour: the history in {where} was made with {float(made_with):g} an hour, "
            f"not {asked:g}; give --events-per-hour {float(made_with):g}"
        )


def _of_day(day: int, names: Sequence[str], progress: dict[tuple[str, int], Progress]) -> list[Gap]:
    missing, partial = [], []
    for name in names:
        known = progress.get((name, day))
        if known is None or not (known.is_whole or known.held):
            missing.append(name)
        elif not known.is_whole:
            partial.append(Gap(day, day, (name,), known.held))
    return [Gap(day, day, tuple(missing))] * bool(missing) + partial


def _merged(gaps: Sequence[Gap]) -> list[Gap]:
    """Days that lack the same tables and follow each other are one gap."""
    found: list[Gap] = []
    for gap in gaps:
        last = found[-1] if found else None
        joins = last and not (last.held or gap.held) and last.tables == gap.tables
        if last and joins and last.last_day + 1 == gap.first_day:
            found[-1] = Gap(last.first_day, gap.last_day, gap.tables)
        else:
            found.append(gap)
    return found
