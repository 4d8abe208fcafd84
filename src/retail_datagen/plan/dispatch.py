"""The night's dispatch: which orders tomorrow's trucks take, within what places can hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.core.arrays import I32, I64, Bool
from retail_datagen.core.order import stable_order
from retail_datagen.core.rng import Stream
from retail_datagen.plan.dayplan import Shipments
from retail_datagen.plan.replenish import HIGH, URGENT, OrderBook, grouped_within
from retail_datagen.world.logistics import CASES_PER_TRUCK
from retail_datagen.world.model import World

_MINUTE = 60
_HOUR = 3600
_FIRST_CALL = 3 * _HOUR
"""Chosen: loading begins at night, so that most trucks arrive in the morning."""
_KM_PER_HOUR = 65
"""Chosen: a truck's mean over highway and town, stops included."""
_LONGEST_TRIP = 10 * _HOUR
"""Chosen: even the truck called last is unloaded by the evening."""
_WAITS_DAYS = 2
"""Chosen: an order that missed two trucks is urgent enough for a half-empty one."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Tomorrow's shipments and the orders that wait for another truck."""

    shipments: Shipments
    taken: OrderBook
    waiting: OrderBook


@dataclass(frozen=True, slots=True)
class _Loads:
    """One truckload each, for one store and one temperature: [loads].

    Per order line: the load that it is `of_line`, and the units `filled` up to and with it.
    """

    store: I64
    cold: I64
    units: I64
    urgency: I64
    of_line: I64
    filled: I64


class Dispatcher:
    """Fills trucks from a DC's orders. One truck makes one trip a day to one store.

    Every DC has trucks of both kinds, and each holds four of the largest case packs: the world's
    reader sees to that.
    """

    def __init__(self, world: World, seed: int) -> None:
        self._world, self._seed = world, seed
        self._products = len(world.products.product_id)
        dcs = len(world.dcs.dc_id)
        fleet = world.trucks.dc.astype(np.int64) * 2 + world.trucks.refrigerated
        self._fleet = [np.flatnonzero(fleet == kind) for kind in range(2 * dcs)]
        capacity = world.trucks.capacity
        smallest = np.array([int(capacity[trucks].min()) for trucks in self._fleet])
        largest = np.array([int(capacity[trucks].max()) for trucks in self._fleet])
        most = smallest // CASES_PER_TRUCK
        self.most_units: I64 = most.reshape(dcs, 2).min(axis=1)[world.stores.dc]
        self._load_size = largest - most
        self._least_load = smallest // 10
        self._capacity = capacity.astype(np.int64)
        self._fleet = [t[np.argsort(-capacity[t], kind="stable")] for t in self._fleet]

    def dispatch(self, day: int, book: OrderBook, dc_stock: I32, room: I64) -> Dispatch:
        """Shipments of `day` from the orders of the evening before.

        `dc_stock` is units per DC cell, `room` the units each store can still take.
        """
        taken = self._available(book, dc_stock, room)
        rows = np.flatnonzero(taken)
        loads = self._load(book, rows)
        truck = self._trucks(loads)
        carrier = truck[loads.of_line]
        leaves = (carrier >= 0) & (loads.filled <= self._capacity[carrier])
        taken[rows[~leaves]] = False
        rows, of_line = rows[leaves], loads.of_line[leaves]
        shipments = self._time(day, loads, truck, book, rows, of_line)
        return Dispatch(shipments, book.where(taken), book.where(~taken))

    def _available(self, book: OrderBook, dc_stock: I32, room: I64) -> Bool:
        """Orders that DC stock, DC throughput and the store's room allow."""
        store = book.cell // self._products
        product = book.cell - store * self._products
        dc = self._world.stores.dc[store].astype(np.int64)
        rank = _rank(book)
        fits = np.ones(len(store), dtype=np.bool_)
        limits = [
            (dc * self._products + product, dc_stock.astype(np.int64)),
            (dc, self._world.dcs.throughput),
            (store, room),
        ]
        for group, limit in limits:
            rows = np.flatnonzero(fits)
            fits[rows] = grouped_within(group[rows], rank[rows], book.units[rows], limit)
        return fits

    def _load(self, book: OrderBook, rows: I64) -> _Loads:
        """Packs the orders of a store and temperature into loads for the largest truck there."""
        store = book.cell[rows] // self._products
        product = book.cell[rows] - store * self._products
        cold = self._world.products.refrigerated[product].astype(np.int64)
        group = store * 2 + cold
        order = stable_order((group << 6) | _rank(book)[rows])
        served, units = group[order], book.units[rows][order].astype(np.int64)
        running = np.cumsum(units)
        before = np.concatenate([[0], running])[np.searchsorted(served, served)]
        size = self._load_size[self._world.stores.dc[served // 2].astype(np.int64) * 2 + served % 2]
        number = (running - before - 1) // size
        key = served * 1024 + np.minimum(number, 1023)
        first = np.flatnonzero(np.diff(key, prepend=-1))
        load_of = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(key))))
        start = np.concatenate([[0], running])[first][load_of]
        of_line, filled = np.empty((2, len(rows)), dtype=np.int64)
        of_line[order], filled[order] = load_of, running - start
        waited = (book.age[rows] >= _WAITS_DAYS) * HIGH
        urgency = np.maximum(book.priority[rows], waited)[order].astype(np.int64)
        if not len(first):
            none = np.zeros(0, dtype=np.int64)
            return _Loads(none, none, none, none, of_line, filled)
        return _Loads(
            served[first] // 2,
            served[first] % 2,
            np.add.reduceat(units, first),
            np.maximum.reduceat(urgency, first),
            of_line,
            filled,
        )

    def _trucks(self, loads: _Loads) -> I64:
        """The truck of each load, or -1 where it is too small to go or no truck is left.

        The urgent go first; among those that go, the largest load has the largest truck.
        """
        kind = self._world.stores.dc[loads.store].astype(np.int64) * 2 + loads.cold
        worth = (loads.units >= self._least_load[kind]) | (loads.urgency >= HIGH)
        truck = np.full(len(kind), -1, dtype=np.int64)
        rows = np.flatnonzero(worth)
        order = rows[
            np.lexsort((loads.store[rows], -loads.units[rows], -loads.urgency[rows], kind[rows]))
        ]
        served = kind[order]
        place = np.arange(len(order)) - np.searchsorted(served, served)
        for fleet, trucks in enumerate(self._fleet):
            going = order[(served == fleet) & (place < len(trucks))]
            by_size = going[np.argsort(-loads.units[going], kind="stable")]
            truck[by_size] = trucks[: len(by_size)]
        return truck

    def _time(
        self, day: int, loads: _Loads, truck: I64, book: OrderBook, rows: I64, of_line: I64
    ) -> Shipments:
        """Departure to completion of the loads that go, in order of their departure."""
        going = np.flatnonzero(truck >= 0)
        stream = Stream(self._seed, "shipments", day)
        count = len(going)
        scheduled = _FIRST_CALL + stream.below(count, 2 * _HOUR)
        order = np.lexsort((loads.store[going], loads.cold[going], truck[going], scheduled))
        going, scheduled = going[order], scheduled[order]
        store = loads.store[going]
        km = self._world.stores.dc_km[store].astype(np.int64)
        loading = scheduled + 20 * _MINUTE + stream.below(count, 40 * _MINUTE)
        departed = loading + 20 * _MINUTE + stream.below(count, 40 * _MINUTE)
        speed = 80 + stream.below(count, 40)
        trip = np.minimum(15 * _MINUTE + km * _HOUR * speed // (_KM_PER_HOUR * 100), _LONGEST_TRIP)
        arrived = departed + trip
        unloading = arrived + 5 * _MINUTE + stream.below(count, 15 * _MINUTE)
        completed = unloading + 15 * _MINUTE + stream.below(count, 45 * _MINUTE)
        position = np.full(len(truck), -1, dtype=np.int64)
        position[going] = np.arange(count)
        line_order = np.lexsort((book.cell[rows], position[of_line]))
        cell = book.cell[rows][line_order]
        return Shipments(
            dc=self._world.stores.dc[store].astype(np.int16),
            store=store.astype(np.int32),
            truck=truck[going].astype(np.int32),
            scheduled=scheduled.astype(np.int32),
            loading=loading.astype(np.int32),
            departed=departed.astype(np.int32),
            arrived=arrived.astype(np.int32),
            unloading=unloading.astype(np.int32),
            completed=completed.astype(np.int32),
            lines=np.bincount(position[of_line], minlength=count).astype(np.int32),
            product=(cell % self._products).astype(np.uint16),
            units=book.units[rows][line_order],
        )


def _rank(book: OrderBook) -> I64:
    """Who is served first: the urgent, then the oldest."""
    return (URGENT - book.priority.astype(np.int64)) * 16 + 15 - book.age
