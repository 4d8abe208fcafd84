"""The day plan of a feed: the retailer's own, and what of stock and tiers one day does not tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from retail_datagen.core.arrays import I32, U8
from retail_datagen.core.pack import flatten, pack, restore, unpack
from retail_datagen.ecom.planner import ShopPlanner
from retail_datagen.ecom.state import TierChanges
from retail_datagen.plan.dayplan import DayPlan
from retail_datagen.plan.planner import Planner


@dataclass(frozen=True, slots=True)
class Risen:
    """Tiers that hold from this day on, and what they were before: [customers that rose].

    `customer` is a row of the world's.
    """

    customer: I32
    before: U8
    after: U8

    @classmethod
    def nobody(cls) -> Self:
        none = np.zeros(0, dtype=np.int32)
        return cls(none, none.astype(np.uint8), none.astype(np.uint8))

    @classmethod
    def on(cls, day: int, changes: TierChanges, initial: U8) -> Self:
        """Those of a day, out of all `changes` until then; `initial` are the first tiers."""
        tier = initial.copy()
        earlier, now = np.flatnonzero(changes.day < day), np.flatnonzero(changes.day == day)
        tier[changes.customer[earlier]] = changes.tier[earlier]  # in order of days: the last stays
        customer = changes.customer[now]
        return cls(customer, tier[customer], changes.tier[now])


@dataclass(frozen=True, slots=True)
class EventPlan:
    """`dawn` is what stores hold when the day begins, less what is promised to online orders:

    units, [stores * products], or empty where no event of the feed tells stock. `risen` is empty
    where none tells tiers.
    """

    day: int
    retail: DayPlan
    dawn: I32
    risen: Risen

    def to_bytes(self) -> bytes:
        return pack(flatten(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> EventPlan:
        """Raises ValueError when the bytes are damaged."""
        return restore(cls, unpack(data))


class EventPlanner:
    """The retailer's planner, which also notes the stock of each dawn if `with_stock`.

    `shop` plans the web shop on top of that same planner, where events tell tiers.
    """

    def __init__(self, retail: Planner, with_stock: bool, shop: ShopPlanner | None = None) -> None:
        self._retail, self._shop = retail, shop
        self._with_stock = with_stock

    @property
    def next_day(self) -> int:
        return self._retail.next_day

    def step(self) -> EventPlan:
        """Plan the next day."""
        day, shop = self.next_day, self._shop
        dawn = self._retail.state.store_stock if self._with_stock else np.zeros(0, dtype=np.int32)
        if shop is None:
            return EventPlan(day, self._retail.step(), dawn, Risen.nobody())
        risen = Risen.on(day, shop.state.changes, shop.initial)
        return EventPlan(day, shop.step().retail, dawn, risen)

    def save(self) -> bytes:
        return self._shop.save() if self._shop else self._retail.save()
