"""The day plan of a feed: the retailer's own, and what stores held at dawn where events tell stock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.core.arrays import I32
from retail_datagen.core.pack import flatten, pack, restore, unpack
from retail_datagen.plan.dayplan import DayPlan
from retail_datagen.plan.planner import Planner


@dataclass(frozen=True, slots=True)
class EventPlan:
    """`dawn` is what stores hold when the day begins, less what is promised to online orders:

    units, [stores * products], or empty where no event of the feed tells stock.
    """

    day: int
    retail: DayPlan
    dawn: I32

    def to_bytes(self) -> bytes:
        return pack(flatten(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> EventPlan:
        """Raises ValueError when the bytes are damaged."""
        return restore(cls, unpack(data))


class EventPlanner:
    """The retailer's planner, which also notes the stock of each dawn if `with_stock`."""

    def __init__(self, retail: Planner, with_stock: bool) -> None:
        self._retail = retail
        self._with_stock = with_stock

    @property
    def next_day(self) -> int:
        return self._retail.next_day

    def step(self) -> EventPlan:
        """Plan the next day."""
        dawn = self._retail.state.store_stock if self._with_stock else np.zeros(0, dtype=np.int32)
        retail = self._retail.step()
        return EventPlan(retail.day, retail, dawn)

    def save(self) -> bytes:
        return self._retail.save()
