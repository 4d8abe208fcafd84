"""What the shop remembers from day to day: numbers, what customers spent, returns under way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retail_datagen.core.pack import flatten, pack, restore, unpack
from retail_datagen.ecom.plan import Returned

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
NEVER = -(2**31)
"""In place of the day of a customer's last order."""


@dataclass(frozen=True, slots=True)
class TierChanges:
    """Tiers earned so far, by day: [changes]. The new tier holds from `day` on."""

    customer: I32
    day: I32
    tier: U8


@dataclass(frozen=True, slots=True)
class ShopState:
    """The shop between two days. Per customer: cents spent, last order's day, tier."""

    next_cart: int
    next_cart_item: int
    next_order_item: int
    next_return: int
    next_return_item: int
    spent: I64
    last_order: I32
    tier: U8
    changes: TierChanges
    due: I32
    awaited: Returned

    def to_bytes(self) -> bytes:
        return pack(flatten(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> ShopState:
        """Raises ValueError when the bytes are damaged."""
        return restore(cls, unpack(data))


def opening_state(initial_tier: U8) -> ShopState:
    """The shop before its first day, with the tiers that customers sign up with: [customers]."""
    none = np.zeros(0, dtype=np.int32)
    return ShopState(
        next_cart=1,
        next_cart_item=1,
        next_order_item=1,
        next_return=1,
        next_return_item=1,
        spent=np.zeros(len(initial_tier), dtype=np.int64),
        last_order=np.full(len(initial_tier), NEVER, dtype=np.int32),
        tier=initial_tier,
        changes=TierChanges(none, none, none.astype(np.uint8)),
        due=none,
        awaited=Returned.none(),
    )
