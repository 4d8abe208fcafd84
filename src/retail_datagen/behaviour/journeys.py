"""Who comes to which store on a day, when, and with what in mind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.behaviour.hours import OpeningHours, arrival_seconds, table_offset
from retail_datagen.behaviour.missions import Habits
from retail_datagen.core.arrays import I16, I32, I64, U8, U16, Bool
from retail_datagen.core.order import stable_order
from retail_datagen.core.rng import Stream, lookup, mix
from retail_datagen.world.model import World

_STORE_BITS = 20
_ROTATION = (0, 0, 0, 0, 0, 0, 0, 1, 1, 2)
"""Of ten days a customer belongs to his nearest store on seven, to the next on two, then one."""


@dataclass(frozen=True, slots=True)
class Converts:
    """Customers whom an impression sends to the store today: [converts] customer, promotion."""

    customer: I32
    promotion: I16


@dataclass(frozen=True, slots=True)
class Visits:
    """Shoppers of a day, one row each, by time: [visits].

    `second` is the time at the till, in seconds of the day; `entered` that of the entrance.
    `lines` is what they mean to buy. `promotion` is the row that brought them, or -1.
    """

    store: I32
    second: I32
    entered: I32
    customer: I32
    segment: U8
    behaviour: U8
    mission: U8
    lines: U8
    promotion: I16

    def __len__(self) -> int:
        return len(self.store)


@dataclass(frozen=True, slots=True)
class _Members:
    """Customers by store: [customers]; those of store s are from `first[s]` to `first[s + 1]`."""

    customer: I32
    first: I64


class Footfall:
    """Spreads a day's shoppers over stores and customers.

    Customers of a store are taken by a permutation of those who belong to it that day, so that
    nobody shops twice within hours as long as the store has more customers than visits.
    """

    def __init__(self, world: World, habits: Habits, seed: int) -> None:
        stores = world.stores
        self._seed = seed
        self._habits = habits
        self._store_of = lookup(stores.traffic.astype(np.int64), _STORE_BITS)
        self._segment = world.customers.segment.astype(np.uint8)
        self._primary = world.customers.stores[:, 0]
        self._count = len(stores.store_id)
        self._stores_of = world.customers.stores
        self._members: dict[int, _Members] = {}

    def draw(self, day: int, buyers: int, hours: OpeningHours, converts: Converts) -> Visits:
        """The day's buyers, `buyers` of them and the converts beside, in order of time."""
        store, customer = self._assign(day, buyers, "visits", skip=np.zeros(self._count, np.int64))
        fresh = self._not_among(converts, customer)
        store = np.concatenate([store, self._primary[converts.customer[fresh]]])
        customer = np.concatenate([customer, converts.customer[fresh]])
        promotion = np.full(len(store), -1, dtype=np.int16)
        promotion[buyers:] = converts.promotion[fresh]
        times = Stream(self._seed, "visits.time", day).u32(len(store))
        second = arrival_seconds(hours.arrivals, table_offset(hours, store), times)
        order = stable_order(second)
        store, customer, second = store.take(order), customer.take(order), second.take(order)
        return self._minded(day, store, customer, second, promotion[order], hours)

    def browsers(self, day: int, visits: Visits, count: int, hours: OpeningHours) -> Visits:
        """`count` shoppers who buy nothing: other customers than the buyers of that store."""
        bought = np.bincount(visits.store, minlength=self._count)
        store, customer = self._assign(day, count, "browsers", skip=bought)
        times = Stream(self._seed, "browsers.time", day).u32(count)
        second = arrival_seconds(hours.arrivals, table_offset(hours, store), times)
        order = stable_order(second)
        nothing = np.full(count, -1, dtype=np.int16)
        return self._minded(
            day, store[order], customer[order], second[order], nothing, hours, "browsers"
        )

    def _assign(self, day: int, count: int, stream: str, skip: I64) -> tuple[I32, I32]:
        """Stores in ascending order and their customers, passing over `skip` per store."""
        bits = Stream(self._seed, f"{stream}.store", day).u32(count)
        drawn: U16 = self._store_of.take(bits >> np.uint32(32 - _STORE_BITS))
        counts = np.bincount(drawn, minlength=self._count)
        store = np.repeat(np.arange(self._count, dtype=np.int32), counts)
        rank = np.arange(count) - np.repeat(np.cumsum(counts) - counts - skip, counts)
        belongs = self._members_on(day)
        first, members = belongs.first, belongs.customer
        size = np.diff(first)
        stride, start = self._steps(day)
        size_of = np.repeat(np.maximum(size, 1), counts)
        position = (rank * stride + np.repeat(start, counts)) % size_of
        position += np.repeat(first[:-1], counts)
        customer = members.take(np.minimum(position, len(members) - 1))
        return store, customer

    def _members_on(self, day: int) -> _Members:
        """To which store each customer belongs on a day; after ten days it begins anew."""
        shift = day % len(_ROTATION)
        if shift not in self._members:
            numbers = np.arange(len(self._primary), dtype=np.int64)
            turn = (mix(numbers, salt=23) % np.uint64(len(_ROTATION))).astype(np.int64)
            choice = np.array(_ROTATION)[(turn + shift) % len(_ROTATION)]
            store = self._stores_of[numbers, choice].astype(np.int64)
            size = np.bincount(store, minlength=self._count)
            self._members[shift] = _Members(
                stable_order(store).astype(np.int32), np.concatenate([[0], np.cumsum(size)])
            )
        return self._members[shift]

    def _steps(self, day: int) -> tuple[int, I64]:
        """Today's permutation: a prime stride above any store's size, and a start per store."""
        bits = Stream(self._seed, "visits.customer", day).u32(self._count + 1)
        prime = _PRIMES[int(bits[0]) % len(_PRIMES)]
        return prime, bits[1:].astype(np.int64)

    def _not_among(self, converts: Converts, customers: I32) -> Bool:
        seen = np.zeros(len(self._primary), dtype=np.bool_)
        seen[customers] = True
        return ~seen[converts.customer]

    def _minded(
        self,
        day: int,
        store: I32,
        customer: I32,
        second: I32,
        promotion: I16,
        hours: OpeningHours,
        stream: str = "visits",
    ) -> Visits:
        segment = self._segment[customer]
        bits = Stream(self._seed, f"{stream}.mind", day).u64(len(store))
        behaviour, mission, lines, seconds = self._habits.decide(day, segment, bits)
        entered = np.maximum(second - seconds, hours.opens[store])
        return Visits(
            store, second, entered, customer, segment, behaviour, mission, lines, promotion
        )


_PRIMES = (
    1_000_000_007,
    1_000_000_009,
    1_000_000_021,
    1_000_000_033,
    1_000_000_087,
    1_000_000_093,
    1_000_000_097,
    1_000_000_103,
    1_000_000_123,
    1_000_000_181,
    1_000_000_207,
    1_000_000_223,
    1_000_000_241,
    1_000_000_271,
    1_000_000_289,
    1_000_000_297,
)
