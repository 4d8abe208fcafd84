"""What the engine needs of a retailer: plans in order, rendered days in any order, an identity.

The job, its store and its workers know only these protocols; `engine.retail` fulfils them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import pyarrow as pa

from retail_datagen.core.calendar import month_of
from retail_datagen.schema.table import Table


class Plan(Protocol):
    """A planned day, small enough to keep: what rendering cannot know by itself."""

    @property
    def day(self) -> int: ...

    def to_bytes(self) -> bytes: ...


class Planner(Protocol):
    """Walks the days in order."""

    @property
    def next_day(self) -> int: ...

    def step(self) -> Plan:
        """Plan `next_day` and go on to the following one."""
        ...

    def save(self) -> bytes:
        """All that is needed to go on with `next_day`."""
        ...


_DRIFT_MONTHS = range(6, 12)
LoadPlan = Callable[[int], Plan]
Render = Callable[[str, int], pa.Table]
"""One day of one table: (table, day) -> rows. Pure, whatever the order of calls."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What a history is made from; two that differ must not share a target.

    `settings` are the content-shaping settings by dotted path, to say what differs.
    """

    version: str
    config: str
    master: str
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A table that can be rendered, and how many earlier days' plans that takes.

    `drifted` is how it is declared in the second half of a year, where that differs.
    """

    table: Table
    lookback_days: int
    drifted: Table | None = None

    def on(self, day: int) -> Table:
        """How the table is declared on a day."""
        return self.drifted if self.drifted and month_of(day) in _DRIFT_MONTHS else self.table


class Outline(Protocol):
    """What can be generated at all, known without master data."""

    @property
    def tables(self) -> Mapping[str, Rendered]: ...

    @property
    def calendar(self) -> range:
        """The days that can be generated."""
        ...

    @property
    def rows_per_day(self) -> int:
        """Rows of an average day, roughly: to decide whether workers are worth their start."""
        ...


class Retailer(Outline, Protocol):
    """An opened retailer: master data in memory."""

    @property
    def source(self) -> Source:
        """What workers open: this retailer, without reading its master data again."""
        ...

    @property
    def identity(self) -> Identity: ...

    def planner(self, history_start: int, state: bytes | None) -> Planner:
        """A planner at `history_start`, or at what `Planner.save` gave."""
        ...

    def read_plan(self, data: bytes) -> Plan:
        """The plan whose `to_bytes` gave `data`."""
        ...

    def render(self, history_start: int, load_plan: LoadPlan) -> Render:
        """How to render any day, given the plans of its window."""
        ...

    def traffic(self, day: int) -> float:
        """How busy a day is, relative to others: for estimates only."""
        ...


class Source(Outline, Protocol):
    """How to open a retailer; picklable, so that workers open their own."""

    def open(self) -> Retailer:
        """Master data in memory, made first where there is none."""
        ...
