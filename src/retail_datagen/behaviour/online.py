"""Online orders of a day: who orders what, from which node, and when it is picked and delivered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from retail_datagen.behaviour.assortment import Shelves, category_of
from retail_datagen.behaviour.hours import Hours
from retail_datagen.behaviour.shoppers import Shoppers
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I32, I64, U8, U16, Bool
from retail_datagen.core.calendar import DAY_SECONDS, month_of
from retail_datagen.core.rng import Stream, integer_weights, lookup, slots
from retail_datagen.world.model import World

MODES: Final = ("SHIP_FROM_DC", "SHIP_FROM_STORE", "BOPIS")
DC, STORE, PICKUP = 0, 1, 2
SLOWEST_DAYS = 8
"""An order is delivered at the latest so many days after it was placed.

A DC sends what the store, because it stays closed, would not hand over or ship in time.
"""
_TOO_LATE = (SLOWEST_DAYS + 1) * DAY_SECONDS
_HOUR = 3_600
_MOST_LINES = 15


@dataclass(frozen=True, slots=True)
class Orders:
    """Online orders of a day by time: [orders].

    `node` is a row of the DCs (mode DC) or of the stores, `speed` one of the profile's speeds.
    Times are seconds since the order day's midnight, so those of later days exceed 86,400;
    `shipped` is -1 for pick-up.
    """

    second: I32
    customer: I32
    mode: U8
    node: I32
    speed: U8
    tender_bits: U16
    coupon_bits: U16
    lines: U8
    picked: I32
    shipped: I32
    delivered: I32

    def __len__(self) -> int:
        return len(self.second)


@dataclass(frozen=True, slots=True)
class OrderLines:
    """Lines that the orders of a day ask for: [lines]; `order` is a row of `Orders`."""

    order: I32
    product: U16
    quantity: U8

    def __len__(self) -> int:
        return len(self.order)


class OnlineShop:
    """Draws the online orders of a day."""

    def __init__(
        self,
        world: World,
        profile: Profile,
        hours: Hours,
        mission_share: Callable[[int], I64],
        seed: int,
    ) -> None:
        self._seed = seed
        self._hours = hours
        self._customers = world.customers
        self.shoppers = Shoppers(world.customers, profile.online)
        self._speed = lookup(integer_weights([s.weight for s in profile.online.speeds]), 8)
        self._days = np.array([s.days for s in profile.online.speeds], dtype=np.int64)
        self._dc_of_store = world.stores.dc
        self._mode = lookup(
            integer_weights([profile.online.modes.get(m, 0.0) for m in MODES]),
            8,
        ).astype(np.uint8)
        self._missions = [lookup(mission_share(month) // 1000, 8) for month in range(12)]
        ratio = (profile.online.lines_mean - 1) / profile.online.lines_mean
        weight, weights = 1.0, []
        for _ in range(_MOST_LINES):
            weights.append(weight)
            weight *= ratio
        sizes = slots(integer_weights(weights, 1_000_000), 1 << 12)
        self._lines = np.repeat(np.arange(1, _MOST_LINES + 1, dtype=np.uint8), sizes)

    def draw(self, day: int, count: int, shelves: Shelves) -> tuple[Orders, OrderLines]:
        """`count` orders of the day and their lines; a customer orders once a day at most."""
        stream = Stream(self._seed, "online", day)
        times = np.sort(self.times(stream, count))
        customer = self.shoppers.pick(stream, day, count)
        bits = stream.u64(count).view(np.uint16).reshape(-1, 4)
        mode = self._mode[bits[:, 0] >> np.uint16(8)]
        store = self._customers.stores[customer, 0]
        lines = self.sizes(bits[:, 1])
        speed = self._speed[bits[:, 0] & np.uint16(0xFF)].astype(np.uint8)
        picked, shipped, delivered, too_late = self._fulfil(day, times, mode, store, speed, stream)
        mode[too_late] = DC
        node = np.where(mode == DC, self._dc_of_store[store].astype(np.int32), store)
        orders = Orders(
            times,
            customer,
            mode,
            node,
            speed,
            bits[:, 2],
            bits[:, 3],
            lines,
            picked,
            shipped,
            delivered,
        )
        return orders, self.lines_of(day, customer, lines, shelves, stream)

    def sizes(self, bits: U16) -> U8:
        """Lines of a basket, by 16 random bits each."""
        sizes: U8 = self._lines[bits >> np.uint16(4)]
        return sizes

    def times(self, stream: Stream, count: int) -> I32:
        """Seconds of the day at which somebody shops online, in no order."""
        bits = stream.u32(count)
        half_hour = self._hours.online[bits & np.uint32(0xFFF)].astype(np.int64)
        within = (bits >> np.uint32(12)).astype(np.int64) * 1800 >> 20
        seconds: I32 = (half_hour * 1800 + within).astype(np.int32)
        return seconds

    def lines_of(
        self, day: int, customer: I32, lines: U8, shelves: Shelves, stream: Stream
    ) -> OrderLines:
        """So many `lines` for each `customer`'s basket; `order` is a row of these."""
        order = np.repeat(np.arange(len(customer), dtype=np.int32), lines)
        mission = self._missions[month_of(day)][stream.u8(len(customer))][order]
        bits = stream.u64(len(order)).view(np.uint16).reshape(-1, 4)
        category = category_of(shelves.online, mission, bits[:, 0])
        segment = self._customers.segment[customer[order]]
        product = shelves.product(segment, category, bits[:, 1])
        quantity = 1 + (bits[:, 2] > 52_000).astype(np.uint8) + (bits[:, 2] > 63_000)
        return OrderLines(order, product, quantity.astype(np.uint8))

    def _fulfil(
        self, day: int, second: I32, mode: U8, store: I32, speed: U8, stream: Stream
    ) -> tuple[I32, I32, I32, Bool]:
        """Seconds since the order day's midnight of picking, shipping (-1: none), delivery.

        DCs pick around the clock; stores pick while they are open, else after the next opening.
        Where that is too late for delivery within `SLOWEST_DAYS`, the last of what is returned is
        true, and the times are those of a DC.
        """
        count = len(second)
        ready = second.astype(np.int64) + _HOUR + stream.below(count, 5 * _HOUR)
        picked = self._when_open(day, ready, store, mode != DC, stream)
        packing = _HOUR + stream.below(count, 5 * _HOUR)
        days = stream.below(count, self._days[speed])
        at_door = 8 * _HOUR + stream.below(count, 12 * _HOUR)

        def carried(picked: I64) -> I64:
            return ((picked + packing) // DAY_SECONDS + 1 + days) * DAY_SECONDS + at_door

        handed = picked + 1800 + stream.below(count, 4 * _HOUR)
        handed = self._when_open(day, handed, store, mode == PICKUP, stream)
        too_late = np.where(mode == PICKUP, handed, carried(picked)) >= _TOO_LATE
        picked = np.where(too_late, ready, picked)
        collected = (mode == PICKUP) & ~too_late
        return (
            picked.astype(np.int32),
            np.where(collected, -1, picked + packing).astype(np.int32),
            np.where(collected, handed, carried(picked)).astype(np.int32),
            too_late,
        )

    def _when_open(self, day: int, seconds: I64, store: I32, needed: Bool, stream: Stream) -> I64:
        """`seconds` moved, where `needed`, to soon after the store is open next.

        They become `_TOO_LATE` where it stays closed for longer than anybody may wait.
        """
        spread = 60 + stream.below(len(seconds), 2 * _HOUR)
        waiting = needed.copy()
        where = np.where(needed, store, 0)
        for later in range(SLOWEST_DAYS + 1):
            hours = self._hours.on(day + later)
            if not waiting.any() or not hours.is_open:
                continue
            opens = later * DAY_SECONDS + hours.opens[where].astype(np.int64)
            closes = later * DAY_SECONDS + hours.closes[where].astype(np.int64)
            soon = np.minimum(opens + spread, closes - 1)
            seconds = np.where(waiting & (seconds < opens), soon, seconds)
            waiting &= seconds >= closes
        return np.where(waiting, _TOO_LATE, seconds)
