"""The shop's day plan: the retailer's own, and what the shop cannot know from one day alone."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from retail_datagen.core.pack import flatten, pack, restore, unpack
from retail_datagen.plan.dayplan import DayPlan

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
U16 = NDArray[np.uint16]


@dataclass(frozen=True, slots=True)
class Standing:
    """Who the day's customers were to the shop when they ordered: [orders].

    `tier` is a row of TIERS or `NO_TIER`, `value` one of VALUES.
    """

    tier: U8
    value: U8
    reactivated: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Returned:
    """Returns of a day by time: [returns], and their items, one after the other: [return items].

    `order_day` and `order` say which order it was, by day and number in the history; `second`
    counts from the day's midnight. Per item: what one unit cost, and what was paid for those
    `units` after discount, in cents.
    """

    order_day: I32
    order: I64
    customer: I32
    channel: U8
    second: I32
    bits: NDArray[np.uint32]
    items: U8
    product: U16
    units: U8
    price: I32
    cost: I32
    paid: I32

    def __len__(self) -> int:
        return len(self.order)

    @classmethod
    def none(cls) -> Returned:
        nothing = np.zeros(0, dtype=np.int32)
        few = nothing.astype(np.uint8)
        return cls(
            order_day=nothing,
            order=nothing.astype(np.int64),
            customer=nothing,
            channel=few,
            second=nothing,
            bits=nothing.astype(np.uint32),
            items=few,
            product=nothing.astype(np.uint16),
            units=few,
            price=nothing,
            cost=nothing,
            paid=nothing,
        )

    def of_item(self) -> I64:
        """The return of each item: [return items]."""
        return np.repeat(np.arange(len(self.items)), self.items)

    def take(self, rows: I64) -> Returned:
        """Those returns, in that order, with their items."""
        sizes = self.items.astype(np.int64)[rows]
        begins = (np.cumsum(self.items.astype(np.int64)) - self.items)[rows]
        ends = np.cumsum(sizes)
        item = np.arange(int(ends[-1]) if len(ends) else 0)
        item = item + np.repeat(begins - (ends - sizes), sizes)
        per_item = ("product", "units", "price", "cost", "paid")
        return Returned(
            *(getattr(self, f.name)[item if f.name in per_item else rows] for f in fields(self))
        )

    def and_then(self, later: Returned) -> Returned:
        return Returned(
            *(np.concatenate([getattr(self, f.name), getattr(later, f.name)]) for f in fields(self))
        )


@dataclass(frozen=True, slots=True)
class ShopPlan:
    """One day of the shop: how many `carts` it has, and in `first_…` the number of the day's first
    cart, return and item of each.
    """

    day: int
    retail: DayPlan
    carts: int
    first_cart: int
    first_cart_item: int
    first_order_item: int
    first_return: int
    first_return_item: int
    standing: Standing
    returned: Returned

    @property
    def last_cart(self) -> int:
        """The number of the last cart until that evening; 0 before the first."""
        return self.first_cart + self.carts - 1

    @property
    def last_order(self) -> int:
        return self.retail.first_order + self.retail.counts.orders - 1

    @property
    def last_return(self) -> int:
        return self.first_return + len(self.returned) - 1

    def to_bytes(self) -> bytes:
        return pack(flatten(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> ShopPlan:
        """Raises ValueError when the bytes are damaged."""
        return restore(cls, unpack(data))
