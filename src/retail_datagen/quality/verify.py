"""Runs the checks on the files of a history."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from retail_datagen.quality.catalog import checks, helpers
from retail_datagen.quality.check import Check, Report, Result, Source, Status
from retail_datagen.quality.database import Database
from retail_datagen.quality.files import History, find_history
from retail_datagen.world.master import MASTER_TABLES

EXAMPLES = 5
_MASTER = {*(table.name for table in MASTER_TABLES), "master_files"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far verification is: `done` of `total` checks, `doing` the next."""

    done: int
    total: int
    doing: str


Listener = Callable[[Progress], None]


def verify(
    folder: Path,
    master: Path | None = None,
    first: int = EXAMPLES,
    listener: Listener | None = None,
) -> Report:
    """Check the history in `folder`: the folder with the fact tables, or the one above it.

    `master` is the folder of master data, by default the one beside or in `folder`; `first` is how
    many offending rows of a check are kept. Raises UserError when there is nothing to check.
    """
    history = find_history(folder, master)
    tell = listener or _tell_nobody
    todo = checks()
    tell(Progress(0, len(todo), "reading the files"))
    with (
        tempfile.TemporaryDirectory(prefix="retail-datagen-verify-") as workspace,
        Database.of(history, Path(workspace)) as database,
    ):
        run = Run(history, database, first)
        results = []
        for done, check in enumerate(todo):
            tell(Progress(done, len(todo), check.name))
            results.append(run.result(check))
        tell(Progress(len(todo), len(todo), ""))
        rows = sum(database.rows(name) for name in database.days)
    return Report(str(history.facts), rows, tuple(results))


class Run:
    """One verification over an open database."""

    def __init__(self, history: History, database: Database, first: int) -> None:
        self._history, self._database, self._first = history, database, first
        self._start = database.history_start
        self._last = max((max(days) for days in database.days.values()), default=None)

    def result(self, check: Check) -> Result:
        """What the check finds, or why it cannot look."""
        tables = tables_of(check.needs)
        lacking = self._lacking(check, tables)
        if lacking:
            note = f"needs {', '.join(lacking)}"
            return Result(check, Status.SKIPPED, note=note, lacks=tuple(lacking))
        facts = [name for name in tables if name in self._database.days]
        days = self._common_days(check, facts)
        partial = [n for n in facts if n not in check.whole and self._database.days[n] != days]
        counted = check.needs[0]
        checked = self._database.rows(counted, days if counted in partial else None)
        try:
            return self._ask(check, checked, partial if check.aligned else [], days)
        except duckdb.Error as error:
            note = str(error).splitlines()[0]
            return Result(check, Status.FAILED, checked, 1, note=f"cannot be read: {note}")

    def _ask(self, check: Check, checked: int, partial: list[str], days: frozenset[date]) -> Result:
        for name in _helpers_of(check.needs):
            self._database.make(helpers()[name])
        if partial:
            self._database.align(partial, days)
        try:
            count, rows = self._database.ask(check.offending, self._first)
        finally:
            if partial:
                self._database.unalign(partial)
        status = Status.FAILED if count else Status.PASSED
        return Result(check, status, checked, count, rows)

    def _lacking(self, check: Check, tables: tuple[str, ...]) -> list[str]:
        """What the check needs and the files do not have, in words."""
        origin, found = self._history.origin, []
        if Source.JOURNAL in check.sources and self._history.journal is None:
            found.append(Source.JOURNAL.value)
        if Source.HEADER in check.sources and origin is None:
            found.append(Source.HEADER.value)
        if Source.PROFILE in check.sources and not self._database.rows("words"):
            found.append(Source.PROFILE.value)
        missing = [name for name in tables if not self._database.has(name)]
        if self._history.master is None and (
            Source.MASTER in check.sources or _MASTER.intersection(missing)
        ):
            found.append(Source.MASTER.value)
            missing = [name for name in missing if name not in _MASTER]
        found += missing
        if found:
            return found
        for name in check.whole:
            if self._start is None:
                return ["the first day of the history"]
            if not self._has_every_day(name, self._start):
                found.append(f"every day of {name} since {self._start}")
        for name in check.unbroken:
            if not self._has_every_day(name, min(self._database.days[name])):
                found.append(f"every day of {name}")
        return found

    def _has_every_day(self, table: str, start: date) -> bool:
        days = self._database.days[table]
        last = self._last or start
        return len(days) == (last - start).days + 1 and min(days) == start

    def _common_days(self, check: Check, facts: Iterable[str]) -> frozenset[date]:
        """The days that all those tables have; `whole` ones have every day anyway."""
        sets = [self._database.days[name] for name in facts if name not in check.whole]
        return frozenset.intersection(*sets) if sets else frozenset()


def tables_of(needs: Iterable[str]) -> tuple[str, ...]:
    """The tables that names stand for: themselves, and those that helpers are made from."""
    found: dict[str, None] = {}
    for name in needs:
        inner = tables_of(helpers()[name].needs) if name in helpers() else (name,)
        found |= dict.fromkeys(inner)
    return tuple(found)


def _helpers_of(needs: Iterable[str]) -> list[str]:
    """The helpers among names, each after those that it is made from."""
    found: dict[str, None] = {}
    for name in needs:
        if name in helpers():
            found |= dict.fromkeys([*_helpers_of(helpers()[name].needs), name])
    return list(found)


def _tell_nobody(progress: Progress) -> None:
    """For callers who do not listen."""
