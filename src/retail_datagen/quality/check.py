"""What a check is: a rule about a history, and the SQL that finds the rows that break it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Source(Enum):
    """What a check may need besides tables; the value says so to people."""

    JOURNAL = "_job/partitions.jsonl"
    HEADER = "_job/job.json"
    PROFILE = "a packaged profile in _job/job.json"
    MASTER = "master data (--master)"


@dataclass(frozen=True, slots=True)
class Check:
    """One rule. `offending` is a query whose rows are the violations; its columns are shown.

    `needs` names tables (facts, master data, helpers), the first being the one whose rows are
    checked. Days that not all fact tables of `needs` have are left out, unless `aligned` is off.
    Tables of `whole` must have every day since the history began, those of `unbroken` every day
    from their first to their last.
    """

    name: str
    meaning: str
    needs: tuple[str, ...]
    offending: str
    whole: tuple[str, ...] = ()
    unbroken: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    aligned: bool = True


@dataclass(frozen=True, slots=True)
class Helper:
    """A table that several checks read, made from others when the first check asks for it."""

    name: str
    needs: tuple[str, ...]
    query: str


class Status(Enum):
    PASSED = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to show: their columns and values."""

    columns: tuple[str, ...] = ()
    values: tuple[tuple[object, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a check found. `checked` and `violations` are rows, `first` some of the violations.

    `lacks` names what a skipped check needs; `note` says so, or why a failed one could not look.
    """

    check: Check
    status: Status
    checked: int = 0
    violations: int = 0
    first: Rows = Rows()
    note: str = ""
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """The results of all checks on the facts in a folder."""

    folder: str
    rows: int
    results: tuple[Result, ...]

    def with_status(self, status: Status) -> tuple[Result, ...]:
        return tuple(r for r in self.results if r.status is status)

    @property
    def violations(self) -> int:
        return sum(r.violations for r in self.results)

    @property
    def passed(self) -> bool:
        """Whether no check failed; skipped ones count neither way."""
        return not self.with_status(Status.FAILED)
