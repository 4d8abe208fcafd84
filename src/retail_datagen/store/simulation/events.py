"""What a simulation tells: typed events, columns as arrays. It prints and stores nothing itself.

`at` is the simulated clock, `items` and `products` are the books' identifiers, `tags` RFID tags.
What stands in the books is told after it does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retail_datagen.core.arrays import F64, I16, I64, Bool

Texts = NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class Positions:
    """Where everybody stands: after every step. Numbers of shoppers and employees are their own."""

    at: int
    who: I64
    employee: Bool
    x: F64
    y: F64


@dataclass(frozen=True, slots=True, eq=False)
class AisleWalked:
    """A shopper enters an aisle: how many items are within reach, and what becomes of them."""

    at: int
    shopper: int
    aisle: int
    within_reach: int
    leaving: int
    put_back: int


@dataclass(frozen=True, slots=True, eq=False)
class Handled:
    """A shopper picked an item up, or put it back."""

    at: int
    shopper: int
    item: int
    tag: str
    picked_up: bool


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """What a reader read in one cycle: dBm in tenths, distance in cm; x, y is where it stood."""

    at: int
    reader: str
    x: float
    y: float
    items: I64
    tags: Texts
    rssi: I16
    distance: I16


@dataclass(frozen=True, slots=True, eq=False)
class Missing:
    """Items that were not read as often as it takes to call them missing."""

    at: int
    items: I64
    tags: Texts


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Missing items that were read again."""

    at: int
    items: I64
    tags: Texts


@dataclass(frozen=True, slots=True, eq=False)
class Sale:
    """A basket was paid for. Prices in cents."""

    at: int
    shopper: int
    basket: str
    items: I64
    tags: Texts
    products: I64
    prices: I64


@dataclass(frozen=True, slots=True, eq=False)
class StockChanged:
    """Products whose number on hand changed, by how much, and why: sale, restock or stolen.

    `basket` is the one that was paid for, if one was.
    """

    at: int
    reason: str
    products: I64
    change: I64
    on_hand: I64
    basket: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class SnapshotTaken:
    """The stock of every product was noted."""

    at: int
    products: int
    on_hand: int


Event = (
    Positions
    | AisleWalked
    | Handled
    | Detections
    | Missing
    | Found
    | Sale
    | StockChanged
    | SnapshotTaken
)
Listener = Callable[[Event], None]
