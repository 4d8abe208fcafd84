"""What the simulation asks of a store's books: stock to open with, and entries in batches.

Every call is one transaction: it is in the books when it returns, or not at all. Times are
milliseconds since 1970, local wall clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from retail_datagen.core.arrays import F64, I16, I64, Bool
from retail_datagen.store.simulation.events import Texts


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """The stock to open with. Items are those present and placed, by ascending identifier."""

    product_id: I64
    price: I64
    threshold: I64
    optimal: I64
    """Per product: price in cents; below the threshold staff restock up to the optimal level."""
    item_id: I64
    tag: Texts
    product: I64
    """Per item: the position of its product above."""
    x: F64
    y: F64
    zone: I64
    unplaced: int = 0
    """Items that are present but have no place: nobody can reach or read them."""
    latest: int = 0
    """The latest instant in the books; the clock may not begin before it."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """Readings to keep, one of an item at most."""

    items: I64
    at: int
    reader: str
    rssi: I16
    """In tenths of dBm."""
    distance: I16
    """In cm."""


@dataclass(frozen=True, slots=True, eq=False)
class Restocked:
    """New items, in the order they were asked for; identifiers ascend."""

    items: I64
    tags: Texts


class Books(Protocol):
    """The store's books."""

    def open(self) -> Opening:
        """Read the stock. Raises UserError where there is none, saying what to run."""

    def sell(self, items: I64, at: int, basket: str) -> Bool:
        """Book a sale; which of the items were still there to be sold."""

    def steal(self, items: I64, at: int) -> Bool:
        """Book items as stolen; which of them were still there."""

    def restock(self, products: I64, x: F64, y: F64, zone: I64, at: int) -> Restocked:
        """Book one new item for each of `products` (identifiers), at its place."""

    def see(self, seen: Sequence[Seen]) -> None:
        """Keep readings, no item twice, and when each was seen last."""

    def snapshot(self, at: int) -> int:
        """Note the stock of every product at `at`; the number of products noted."""
