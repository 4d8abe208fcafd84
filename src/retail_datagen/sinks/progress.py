"""What of a day a target holds, as targets that remember it by themselves write it down."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date

from retail_datagen.core.calendar import to_date, to_day


@dataclass(frozen=True, slots=True)
class PartitionRecord:
    """A written partition: one day of one table. `path` is relative to the sink's root."""

    table: str
    day: int
    path: str
    rows: int
    bytes: int
    sha256: str


Ranges = tuple[tuple[int, int], ...]
"""Rows of a day, counted from its first; ends are exclusive. Sorted, disjoint, never touching."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Which rows of one day of a table are there; `record` once all of them are."""

    table: str
    day: int
    held: Ranges = ()
    record: PartitionRecord | None = None

    @property
    def is_whole(self) -> bool:
        return self.record is not None

    def plus(self, first: int, end: int) -> Progress:
        """With rows `first` to `end` (exclusive) there as well."""
        return replace(self, held=merged([*self.held, (first, end)]))

    def lacks(self, rows: int) -> Ranges:
        """What is not there of a day that has so many rows."""
        return () if self.is_whole else complement(self.held, rows)

    def to_json(self) -> str:
        record = asdict(self.record) if self.record else None
        day = to_date(self.day).isoformat()
        told = {"table": self.table, "day": day, "held": self.held, "record": record}
        return json.dumps(told, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Progress:
        """Raises ValueError, KeyError or TypeError for what `to_json` did not write."""
        raw = json.loads(text)
        record = PartitionRecord(**raw["record"]) if raw["record"] else None
        held = tuple((int(first), int(end)) for first, end in raw["held"])
        return cls(raw["table"], to_day(date.fromisoformat(raw["day"])), held, record)


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same rows with ranges that overlap or touch made one."""
    found: list[tuple[int, int]] = []
    for first, end in sorted(ranges):
        if first >= end:
            continue
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((first, end))
    return tuple(found)


def complement(held: Ranges, rows: int) -> Ranges:
    """Those of `rows` rows that `held` leaves out."""
    edges = [0, *(edge for pair in held for edge in pair), rows]
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return tuple((first, end) for first, end in pairs if first < end)
