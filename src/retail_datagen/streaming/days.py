"""A retailer's days as they are needed: planned in order, rendered whole, let go row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from retail_datagen.core.calendar import DAY_SECONDS, to_day
from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.planning import PlanWalk, window
from retail_datagen.engine.source import Plan, Retailer
from retail_datagen.schema import Table
from retail_datagen.schema.stamps import instants, row_instants
from retail_datagen.sinks import Progress


def midnight(day: int, zone: str) -> int:
    """The instant, in milliseconds UTC, at which a business day begins."""
    return int(instants(np.array([day * DAY_SECONDS]), zone)[0])


def local_time(instant: int, zone: str) -> datetime:
    """The business's wall clock at an instant, without a zone."""
    return (
        datetime.fromtimestamp(instant / 1000, UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    )


def local_day(instant: int, zone: str) -> int:
    """The business day, since 1970, in which an instant lies."""
    return to_day(local_time(instant, zone).date())


class Days:
    """Any day of a history, planned when it is first asked for."""

    def __init__(self, retailer: Retailer, store: JobStore, history_start: int) -> None:
        self.history_start = history_start
        self.retailer = retailer
        self._store = store
        self._ready: set[tuple[str, int]] = set()
        longest = max((t.lookback_days for t in retailer.tables.values()), default=0)
        self._render = retailer.render(history_start, lru_cache(longest + 2)(self._plan))

    def table(self, name: str, day: int) -> Table:
        """How a table is declared on a day."""
        return self.retailer.tables[name].on(day)

    def rows(self, name: str, day: int) -> pa.Table:
        """One day of a table. Raises UserError where planning does."""
        self._ensure(name, day)
        return self._render(name, day)

    def _ensure(self, name: str, day: int) -> None:
        if (name, day) in self._ready:
            return
        days = window(self.retailer, self.history_start, day, [name])
        walk = PlanWalk(self._store, self.retailer, self.history_start, days)
        while walk.remaining:
            walk.step()
        self._ready = {ready for ready in self._ready if ready[1] >= day - 1} | {(name, day)}

    def _plan(self, day: int) -> Plan:
        return self.retailer.read_plan(self._store.plans.read(day))


class DayInHand:
    """One day of a feed: its rows, when each is due, and which have not gone yet."""

    def __init__(
        self, days: Days, names: Iterable[str], day: int, zone: str, held: Mapping[str, Progress]
    ) -> None:
        self.day = day
        self.begins, self.ends = midnight(day, zone), midnight(day + 1, zone)
        self.tables = {name: days.table(name, day) for name in names}
        self.rows = {name: days.rows(name, day) for name in self.tables}
        self.left_out: set[str] = set()
        # Rows are in order already; that none waits for one behind it must hold whatever comes.
        self._due = {
            name: np.maximum.accumulate(row_instants(table, day, self.rows[name], zone))
            for name, table in self.tables.items()
        }
        self._todo = {
            name: held.get(name, Progress(name, day)).lacks(rows.num_rows)
            for name, rows in self.rows.items()
        }

    @property
    def next_due(self) -> int | None:
        """When the next row is due, if any is left."""
        due = [self._due[name][todo[0][0]] for name, todo in self._todo.items() if todo]
        return int(min(due)) if due else None

    def take(self, until: int | None) -> list[tuple[str, int, int]]:
        """The ranges of rows that are due by then, or all, by table; they count as gone."""
        taken = []
        for name, todo in self._todo.items():
            due = self._due[name]
            reached = len(due) if until is None else int(np.searchsorted(due, until, side="right"))
            taken += [(name, a, min(b, reached)) for a, b in todo if a < reached]
            self._todo[name] = tuple((max(a, reached), b) for a, b in todo if b > reached)
        return taken

    def last_due(self, taken: Iterable[tuple[str, int, int]]) -> int:
        """When the last of these rows, some at least, was due."""
        return int(max(self._due[name][end - 1] for name, _, end in taken))

    def leave_out(self, until: int) -> None:
        """What is due by then does not go."""
        self.left_out |= {name for name, _, _ in self.take(until)}
