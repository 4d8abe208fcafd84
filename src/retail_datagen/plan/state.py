"""What one day hands to the next: stock, orders under way, returns and customers to come."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from retail_datagen.core.arrays import I16, I32, I64, Bool
from retail_datagen.core.pack import flatten, pack, restore, unpack
from retail_datagen.plan.dayplan import ReturnsDue, Shipments
from retail_datagen.plan.replenish import OrderBook, SupplierOrders


@dataclass(frozen=True, slots=True)
class AwaitedReturns:
    """Sold lines that will come back, and the day on which they do: [returns]."""

    due: I32
    lines: ReturnsDue

    def split(self, day: int) -> tuple[ReturnsDue, AwaitedReturns]:
        """(those due on `day`, the others)."""
        today = self.due == day
        now, later = np.flatnonzero(today), np.flatnonzero(~today)
        return _pick(self.lines, now), AwaitedReturns(self.due[later], _pick(self.lines, later))

    def and_then(self, due: I32, lines: ReturnsDue) -> AwaitedReturns:
        joined = (
            np.concatenate([getattr(self.lines, f.name), getattr(lines, f.name)])
            for f in fields(ReturnsDue)
        )
        return AwaitedReturns(np.concatenate([self.due, due]), ReturnsDue(*joined))


@dataclass(frozen=True, slots=True)
class Announced:
    """Customers who will answer an impression: [customers] day, customer, promotion."""

    due: I32
    customer: I32
    promotion: I16

    def where(self, chosen: Bool) -> Announced:
        return Announced(self.due[chosen], self.customer[chosen], self.promotion[chosen])

    def and_then(self, later: Announced) -> Announced:
        return Announced(
            np.concatenate([self.due, later.due]),
            np.concatenate([self.customer, later.customer]),
            np.concatenate([self.promotion, later.promotion]),
        )


@dataclass(frozen=True, slots=True)
class Promised:
    """Units on hand that stores pick for online orders on a later day: [days and stores]."""

    day: I32
    store: I32
    units: I32

    def after(self, day: int) -> Promised:
        """Those that are still to be picked on the evening of `day`."""
        chosen = self.day > day
        return Promised(self.day[chosen], self.store[chosen], self.units[chosen])

    def and_then(self, later: Promised) -> Promised:
        return Promised(
            np.concatenate([self.day, later.day]),
            np.concatenate([self.store, later.store]),
            np.concatenate([self.units, later.units]),
        )

    def by_store(self, stores: int) -> I64:
        """Units of each of so many stores."""
        units = np.zeros(stores, dtype=np.int64)
        np.add.at(units, self.store, self.units.astype(np.int64))
        return units


@dataclass(frozen=True, slots=True)
class State:
    """The retailer between two days; `day` is the next one. Stock is units per cell, flat.

    Stock excludes what is promised: ordered online but not picked, loaded for tomorrow.
    """

    day: int
    next_trace: int
    next_order: int
    store_stock: I32
    dc_stock: I32
    store_on_order: I32
    dc_on_order: I32
    book: OrderBook
    suppliers: SupplierOrders
    shipments: Shipments
    returns: AwaitedReturns
    announced: Announced
    promised: Promised

    def to_bytes(self) -> bytes:
        return pack(flatten(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> State:
        """Raises ValueError when the bytes are damaged."""
        return restore(cls, unpack(data))


def no_shipments() -> Shipments:
    none = np.zeros(0, dtype=np.int32)
    return Shipments(
        dc=none.astype(np.int16),
        store=none,
        truck=none,
        scheduled=none,
        loading=none,
        departed=none,
        arrived=none,
        unloading=none,
        completed=none,
        lines=none,
        product=none.astype(np.uint16),
        units=none,
    )


def no_returns() -> AwaitedReturns:
    none = np.zeros(0, dtype=np.int32)
    few = none.astype(np.uint8)
    lines = ReturnsDue(none, none, none, none, few, none, none.astype(np.uint16), few, none)
    return AwaitedReturns(none, lines)


def nobody_announced() -> Announced:
    none = np.zeros(0, dtype=np.int32)
    return Announced(none, none, none.astype(np.int16))


def nothing_promised() -> Promised:
    none = np.zeros(0, dtype=np.int32)
    return Promised(none, none, none)


def _pick(lines: ReturnsDue, rows: I64) -> ReturnsDue:
    return ReturnsDue(*(getattr(lines, f.name).take(rows) for f in fields(ReturnsDue)))
