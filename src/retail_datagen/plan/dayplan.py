"""The day plan: all that a day's tables need to know of the days before, and no row of them.

Times are seconds since the day's midnight, places and products are rows of the world.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from retail_datagen.behaviour.journeys import Converts
from retail_datagen.core.arrays import I16, I32, I64, U8, U16
from retail_datagen.core.pack import flatten, pack, restore, unpack


@dataclass(frozen=True, slots=True)
class Lost:
    """Demand that met an empty shelf: [losses].

    `row` is that of the drawn line, `on_hand` the units left, `restocked` the second of the next
    inflow that was known by the evening (beyond 86,400: tomorrow), or -1.
    """

    row: I32
    on_hand: I32
    restocked: I32


@dataclass(frozen=True, slots=True)
class Shipments:
    """Trucks of a day from DC to store, by departure: [shipments], with their lines.

    `lines` counts each one's rows of `product` and `units`: [shipment lines].
    """

    dc: I16
    store: I32
    truck: I32
    scheduled: I32
    loading: I32
    departed: I32
    arrived: I32
    unloading: I32
    completed: I32
    lines: I32
    product: U16
    units: I32

    def __len__(self) -> int:
        return len(self.dc)

    def of_line(self) -> I64:
        """The shipment of each line: [shipment lines]."""
        return np.repeat(np.arange(len(self.dc)), self.lines)


@dataclass(frozen=True, slots=True)
class Supplies:
    """Supplier deliveries of a day to DCs, by time: [supplies]."""

    dc: I16
    product: U16
    units: I32
    second: I32


@dataclass(frozen=True, slots=True)
class ReturnsDue:
    """Sold lines that come back today: [returns], with what their receipt said.

    `sold_day` counts from 1970, `sold_second` from its midnight; `number` is the receipt's in
    its store that day; `price` is cents per unit.
    """

    sold_day: I32
    sold_second: I32
    store: I32
    number: I32
    line: U8
    customer: I32
    product: U16
    units: U8
    price: I32


@dataclass(frozen=True, slots=True)
class Reorders:
    """Orders of the evening's review: [reorders], by store and product. Priority 0 … 2."""

    store: I32
    product: U16
    on_hand: I32
    reorder_point: I32
    units: I32
    priority: U8


@dataclass(frozen=True, slots=True)
class Counts:
    """How many trace numbers each kind of event takes that day, in the order they are given."""

    receipts: int
    orders: int
    shipments: int
    supplies: int
    dc_handling: int
    store_handling: int
    returns: int
    foot_traffic: int
    ble_pings: int
    impressions: int
    stockouts: int
    reorders: int
    price_changes: int

    @property
    def total(self) -> int:
        return sum(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, slots=True)
class DayPlan:
    """One day's plan: `first_trace` and `first_order` number its first trace and online order."""

    day: int
    first_trace: int
    first_order: int
    counts: Counts
    converts: Converts
    lost_lines: Lost
    lost_order_lines: Lost
    lost_handling: Lost
    lost_dc_handling: Lost
    shipments: Shipments
    supplies: Supplies
    returns: ReturnsDue
    reorders: Reorders

    def to_bytes(self) -> bytes:
        return pack(flatten(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> DayPlan:
        """Raises ValueError when the bytes are damaged."""
        return restore(cls, unpack(data))


def first_traces(plan: DayPlan) -> Counts:
    """The first trace number of each kind of event: one block after the other, as counted."""
    number, firsts = plan.first_trace, []
    for field in fields(Counts):
        firsts.append(number)
        number += getattr(plan.counts, field.name)
    return Counts(*firsts)
