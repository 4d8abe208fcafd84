"""What is to be planned: the days that have no plan yet, in order; and the walk that plans them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date
from retail_datagen.engine.jobstore import Damaged, JobStore
from retail_datagen.engine.source import Outline, Plan, Planner, Retailer

STATE_EVERY_DAYS = 16
"""Days that a killed job plans again at most; saving costs about as much as planning a day."""


Lacking = tuple[int, tuple[str, ...]]
"""A day, and those of its tables that are still to be made."""


def lacking(
    days: Iterable[int], tables: Sequence[str], finished: Collection[tuple[str, int]]
) -> list[Lacking]:
    """The days of which tables are to be made, with those; `finished` are (table, day)."""
    return [
        (day, those)
        for day in days
        if (those := tuple(table for table in tables if (table, day) not in finished))
    ]


def window(outline: Outline, history_start: int, day: int, tables: Iterable[str]) -> range:
    """The days whose plans it takes to render these tables of a day, itself included."""
    back = max(outline.tables[name].lookback_days for name in tables)
    return range(max(history_start, day - back), day + 1)


def needed(outline: Outline, history_start: int, todo: Iterable[Lacking]) -> set[int]:
    """The days whose plans it takes to make all that is lacking."""
    return {d for day, tables in todo for d in window(outline, history_start, day, tables)}


class PlanWalk:
    """Walks from the last state to the last day whose plan is missing.

    Each plan goes on file, and the planner's state now and then.
    """

    def __init__(
        self, store: JobStore, retailer: Retailer, history_start: int, needed: Iterable[int]
    ) -> None:
        self._store = store
        self._retailer = retailer
        self._latest: Plan | None = None
        wanted = set(needed)
        missing = store.plans.missing(wanted)
        self._ready = wanted.difference(missing)
        self._planner: Planner | None = None
        self._until = missing[-1] if missing else history_start - 1
        self._unsaved = 0
        if missing:
            self._planner = retailer.planner(history_start, store.state_before(missing[0]))

    @property
    def remaining(self) -> int:
        """How many days are left to plan."""
        return self._until + 1 - self._planner.next_day if self._planner else 0

    def has(self, days: Iterable[int]) -> bool:
        """Whether all of these days are planned."""
        return all(day in self._ready for day in days)

    def step(self) -> int:
        """Plan one more day, put its plan on file and return the day."""
        assert self._planner, "nothing is left to plan"
        plan = self._planner.step()
        self._keep(plan.day, plan.to_bytes())
        self._latest = plan
        self._ready.add(plan.day)
        self._unsaved += 1
        done = plan.day >= self._until
        if done or self._unsaved >= STATE_EVERY_DAYS:
            self._store.save_state(self._planner.next_day, self._planner.save())
            self._unsaved = 0
        if done:
            self._planner = None
        return plan.day

    def plan(self, day: int) -> Plan:
        """The plan of a planned day: the latest is still in memory."""
        if self._latest and self._latest.day == day:
            return self._latest
        return self._retailer.read_plan(self._store.plans.read(day))

    def _keep(self, day: int, data: bytes) -> None:
        try:
            known = self._store.plans.read(day)
        except (OSError, Damaged):
            self._store.plans.write(day, data)
            return
        if known != data:
            raise UserError(
                f"planning {to_date(day)} again gives another plan than the one in "
                f"{self._store.plans.path(day)}: the program or its libraries have changed; start "
                "anew with --overwrite, or go on with what the history was begun with"
            )
