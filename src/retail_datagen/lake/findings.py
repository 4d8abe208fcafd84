"""What checks of a lake are called, what they count, and what they find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Check:
    """A rule about a lake. `deep` ones read the files; `excused_by` are the switches of a mess
    (duplicates, late_arrivals …) that break it on purpose.
    """

    name: str
    meaning: str
    deep: bool = True
    excused_by: tuple[str, ...] = ()


_DUPLICATES, _LATE, _ORPHANS = "duplicates", "late_arrivals", "orphaned_keys"
_ROWS_MOVE = (_DUPLICATES, _LATE, _ORPHANS)

CHECKS: Final = (
    Check("manifest", "every manifest can be read and names its own partition", False),
    Check("files", "the files that manifests name are there, with their bytes", False),
    Check("strays", "no data lies there that no manifest names", False),
    Check("success", "every partition has its _SUCCESS", False),
    Check("history", "all partitions have the same config_hash", False),
    Check("expected", "no partition is missing", False),
    Check("sha256", "files have the sha256 of their manifest"),
    Check("rows", "files can be read and have the rows of their manifest"),
    Check(
        "schema",
        "files have the columns and types that are declared",
        excused_by=("broken_dates", "schema_drift"),
    ),
    Check("event_times", "the first and last event time are those of the manifest"),
    Check("ids", "identifiers are their prefix and digits", excused_by=(_ORPHANS,)),
    Check("unique", "no key is there twice", excused_by=(_DUPLICATES, _LATE)),
    Check("sequence", "identifiers run on without a gap over all days", excused_by=(_LATE,)),
    Check("own_day", "rows lie in the partition of their own day", excused_by=(_LATE,)),
    Check("parents", "rows belong to one of the same day", excused_by=(_LATE, _ORPHANS)),
    Check("members", "customers and products are in their tables", excused_by=(_ORPHANS,)),
    Check("signup", "nothing happens before its customer's signup_date", excused_by=(_ORPHANS,)),
    Check("cart_total", "carts cost what their items do, emptied ones aside", True, _ROWS_MOVE),
    Check("order_total", "orders cost what their items do", True, _ROWS_MOVE),
    Check("return_total", "returns refund what their items do", True, _ROWS_MOVE),
    Check("return_order", "returns are of an order, and of its customer", True, _ROWS_MOVE),
    Check("return_window", "returns come 0 to 60 days after their order", True, _ROWS_MOVE),
    Check(
        "return_items", "returned items were bought in that order, and as many", True, _ROWS_MOVE
    ),
    Check("refund_of_order", "no order is refunded more than was paid", True, _ROWS_MOVE),
    Check("refund_of_item", "no item is refunded more than was paid", True, _ROWS_MOVE),
)
"""In the order of the report."""

REPAIRABLE: Final = frozenset(
    {"manifest", "files", "strays", "success", "sha256", "rows", "schema", "event_times"}
)
"""Checks of a partition by itself: making it again puts right what they find."""


@dataclass(frozen=True, slots=True)
class Violation:
    """What breaks a check: how often in a partition (its folder; else a table), and one case."""

    check: str
    partition: str
    count: int
    example: str


@dataclass(slots=True)
class Findings:
    """What was looked at, by check (partitions, files or rows), and what broke the rules."""

    checked: Counter[str] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)

    def look(
        self, check: str, partition: str, checked: int, broken: int = 0, example: str = ""
    ) -> None:
        """Count what was checked, and note a violation where something is `broken`."""
        self.checked[check] += checked
        if broken:
            self.violations.append(Violation(check, partition, broken, example))

    def merge(self, other: Findings) -> None:
        self.checked.update(other.checked)
        self.violations += other.violations


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found: `note` says why it was skipped."""

    check: Check
    checked: int
    violations: int
    note: str = ""

    @property
    def skipped(self) -> bool:
        return bool(self.note)


@dataclass(frozen=True, slots=True)
class LakeReport:
    """The results of all checks on a lake. Rows and bytes are those of its manifests.

    `unknown` are tables that nothing declares: only their manifests and files were checked.
    """

    url: str
    deep: bool
    partitions: int
    rows: int
    bytes: int
    outcomes: tuple[Outcome, ...]
    violations: tuple[Violation, ...]
    unknown: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing broke a rule; skipped checks count neither way."""
        return not self.violations

    @property
    def count(self) -> int:
        """How many violations there are."""
        return sum(violation.count for violation in self.violations)

    def of(self, check: str) -> tuple[Violation, ...]:
        """The violations of a check."""
        return tuple(v for v in self.violations if v.check == check)


def outcomes(findings: Findings, deep: bool, mess: Iterable[str]) -> tuple[Outcome, ...]:
    """One for each check; those that the lake's mess breaks on purpose are skipped."""
    broken: Counter[str] = Counter()
    for violation in findings.violations:
        broken[violation.check] += violation.count
    found = []
    for check in CHECKS:
        excuse = sorted(set(check.excused_by) & set(mess))
        note = f"the lake has {', '.join(excuse)}" if excuse else ""
        if not note and not findings.checked[check.name] and not broken[check.name]:
            note = "nothing to check" if deep or not check.deep else "reads files"
        found.append(Outcome(check, findings.checked[check.name], broken[check.name], note))
    return tuple(found)
