"""Checks within a day: keys, parents, customers and products, sums. Pure functions of columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retail_datagen.core.calendar import DAY_SECONDS, I64, to_date
from retail_datagen.lake.columns import MISSING, RUNNING, Columns
from retail_datagen.lake.findings import Findings
from retail_datagen.lake.rules import (
    DATED_DIGITS,
    NUMBERED,
    SIGNUP,
    TIMED,
    TOTALS,
    Numbered,
    Rulebook,
    Timed,
    Total,
    id_form,
)
from retail_datagen.partitions.layout import Partition


@dataclass(frozen=True, slots=True)
class Index:
    """Where keys stand: in a range without gaps by counting, else by search."""

    keys: I64
    """Ascending, none twice."""
    order: NDArray[np.int64] | None
    """The rows of the keys; None where they were ascending already."""

    @classmethod
    def of(cls, keys: I64) -> Self:
        """Of a key column; of one that is there twice, the first row counts."""
        if len(keys) < 2 or bool((np.diff(keys) > 0).all()):
            return cls(keys, None)
        distinct, rows = np.unique(keys, return_index=True)
        return cls(distinct, rows.astype(np.int64))

    def find(self, wanted: I64) -> I64:
        """The row of each key, -1 where there is none."""
        if not len(self.keys):
            return np.full(len(wanted), -1, dtype=np.int64)
        first, last = int(self.keys[0]), int(self.keys[-1])
        if last - first + 1 == len(self.keys):
            inside = (wanted >= first) & (wanted <= last)
            at = np.where(inside, wanted - first, 0)
        else:
            at = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
            inside = self.keys[at] == wanted
        return np.where(inside, at if self.order is None else self.order[at], -1)


@dataclass(frozen=True, slots=True)
class Members:
    """The rows of a table of no day: which keys there are, and since when, where that is known."""

    index: Index
    since: I64 | None

    def since_when(self, keys: I64) -> I64:
        """The time (seconds) from which each key is known; MISSING where it always was."""
        if self.since is None or not len(self.since):
            return np.full(len(keys), MISSING, dtype=np.int64)
        rows = self.index.find(keys)
        return np.where(rows >= 0, self.since[rows], MISSING)


def check_day(
    rules: Rulebook,
    members: Mapping[str, Members],
    day: int,
    tables: Mapping[str, Columns],
) -> Findings:
    """The checks that need one day only, of the tables that could be read."""
    work = _Day(rules, members, day, tables, Findings())
    for table in tables:
        work.unique(table)
    work.parents()
    work.members_known()
    for timed in TIMED:
        work.own_day(timed)
        work.signup(timed)
    for total in TOTALS:
        work.total(total)
    return work.findings


@dataclass(frozen=True, slots=True)
class _Day:
    rules: Rulebook
    members: Mapping[str, Members]
    day: int
    tables: Mapping[str, Columns]
    findings: Findings

    def _columns(self, table: str, *names: str) -> tuple[I64, ...] | None:
        """Columns of a table that is held to rules, or None where one could not be read."""
        found = self.tables.get(table)
        if found is None or not self.rules.has(table) or any(n not in found for n in names):
            return None
        return tuple(found[name] for name in names)

    def _look(self, check: str, table: str, broken: NDArray[np.bool_], example: str) -> None:
        """`example` is a format with the position of the first broken row's values filled in."""
        folder = Partition.of_day(table, self.day).folder
        self.findings.look(check, folder, len(broken), int(broken.sum()), example)

    def unique(self, table: str) -> None:
        declared = self.rules.tables[table].key
        key = self._columns(table, *declared)
        if key is None or len(key) != 1:
            return
        twice = len(key[0]) - len(Index.of(key[0]).keys)
        folder = Partition.of_day(table, self.day).folder
        example = ""
        if twice:
            values, counts = np.unique(key[0], return_counts=True)
            example = f"{declared[0]} {values[counts.argmax()]} {counts.max()} times"
        self.findings.look("unique", folder, len(key[0]), twice, example)

    def parents(self) -> None:
        for rule in self.rules.parents:
            child = self._columns(rule.table, rule.column)
            parent = self._columns(rule.parent, rule.key)
            if child and parent:
                given = child[0] != MISSING
                lost = given & (Index.of(parent[0]).find(child[0]) < 0)
                example = f"{rule.column} {_first(child[0], lost)} is not in {rule.parent}"
                self._look("parents", rule.table, lost, example)

    def members_known(self) -> None:
        for rule in self.rules.members:
            child = self._columns(rule.table, rule.column)
            if child and rule.parent in self.members:
                given = child[0] != MISSING
                lost = given & (self.members[rule.parent].index.find(child[0]) < 0)
                example = f"{rule.column} {_first(child[0], lost)} is not in {rule.parent}"
                self._look("members", rule.table, lost, example)

    def own_day(self, rule: Timed) -> None:
        times = self._columns(rule.table, rule.column)
        if times:
            days = times[0] // DAY_SECONDS
            astray = days != self.day
            seen = _first(days, astray)
            example = f"{rule.column} on {to_date(seen)}" if astray.any() else ""
            self._look("own_day", rule.table, astray, example)
        for numbered in NUMBERED if times else ():
            if numbered.table == rule.table:
                self._dated(numbered)

    def _dated(self, rule: Numbered) -> None:
        """Identifiers that have a date have that of their day."""
        ids = self._columns(rule.table, rule.column)
        declared = self.rules.tables[rule.table].column(rule.column)
        if ids and id_form(declared)[1] == DATED_DIGITS:
            date = f"{to_date(self.day):%Y%m%d}"
            astray = (ids[0] != MISSING) & (ids[0] // RUNNING != int(date))
            example = f"{rule.column} {_first(ids[0], astray)}"
            self._look("own_day", rule.table, astray, example)

    def signup(self, rule: Timed) -> None:
        columns = self._columns(rule.table, rule.customer, rule.column)
        if columns and SIGNUP[0] in self.members:
            customer, times = columns
            early = times < self.members[SIGNUP[0]].since_when(customer)
            example = f"{rule.customer} {_first(customer, early)}"
            self._look("signup", rule.table, early, example)

    def total(self, rule: Total) -> None:
        rows = self._columns(rule.table, rule.key, rule.total)
        lines = self._columns(rule.lines, rule.key, *rule.line_columns)
        emptied = self._columns(rule.table, rule.unless[0]) if rule.unless[0] else ()
        if rows is None or lines is None or emptied is None:
            return
        key, total = rows
        at = Index.of(key).find(lines[0])
        there = at >= 0
        amounts = line_amounts(rule, lines[1:])[there]
        # Cents of a day are exact as floats.
        sums = np.bincount(at[there], weights=amounts, minlength=len(key)).astype(np.int64)
        wrong = sums != total
        if emptied:
            wrong &= emptied[0] == 0
        example = f"{rule.key} {_first(key, wrong)}: {rule.total} {money(_first(total, wrong))}, "
        example += f"its items {money(_first(sums, wrong))}"
        self._look(rule.check, rule.table, wrong, example)


def line_amounts(rule: Total, columns: tuple[I64, ...]) -> I64:
    """What each line costs, in cents."""
    if rule.amount:
        return columns[0]
    gross: I64 = columns[0] * columns[1]
    return gross - columns[2] if rule.less else gross


def money(cents: int) -> str:
    """`-12.34`."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def _first(values: NDArray[np.int64], chosen: NDArray[np.bool_]) -> int:
    """The first chosen value; 0 where none is."""
    return int(values[int(chosen.argmax())]) if chosen.any() else 0
