"""Employees: they walk the aisles with a reader, and bring what has run low from the stockroom."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from retail_datagen.core.arrays import F64, I64
from retail_datagen.store.simulation.clock import Clock
from retail_datagen.store.simulation.items import Items
from retail_datagen.store.simulation.settings import MODES
from retail_datagen.store.simulation.shoppers import MOST as SHOPPERS
from retail_datagen.store.simulation.walk import Script, Stop, Walkers
from retail_datagen.store.simulation.walkways import Walkways

MOST: Final = max(mode.employees for mode in MODES.values())
_SPEED: Final = 100.0
_SCANNING: Final = 0.4
"""The share of that speed at which one walks along shelves with a reader."""
_CARRIED: Final = 40
"""Items that one brings at once."""
_FETCH_MS: Final = 20_000
_SHELVE_MS: Final = 2_000
_REST_MS: Final = 5_000

Errand = Generator[Stop, None, int]
"""Stops, and at which node it ended."""


@dataclass(frozen=True, slots=True, eq=False)
class Shelved:
    """New items of products (positions), each with its place; they are to be booked now."""

    products: I64
    x: F64
    y: F64
    zone: I64


class Staff:
    """Everybody who works there. Give `on_duty` and `go_on` once a step, and take `done`."""

    def __init__(self, clock: Clock, ways: Walkways, items: Items, walkers: Walkers) -> None:
        self._clock = clock
        self._ways = ways
        self._items = items
        self._walkers = walkers
        self._shifts: list[Script | None] = [None] * MOST
        self._wanted = 0
        self.done: list[Shelved] = []

    @property
    def on_floor(self) -> int:
        return int(self._walkers.here[SHOPPERS:].sum())

    def on_duty(self, number: int) -> None:
        """So many shall work; who is too many leaves at the end of an errand."""
        self._wanted = number
        for i in range(number):
            if self._shifts[i] is None:
                room = self._ways.stockroom
                x, y = float(self._ways.x[room]), float(self._ways.y[room])
                self._walkers.enter(SHOPPERS + i, i + 1, x, y, _SPEED, self._clock.now)
                self._shifts[i] = self._shift(i)

    def go_on(self, place: int) -> None:
        """Whoever is at this place of the walkers has done a stop: on to the next, or home."""
        i = place - SHOPPERS
        shift = self._shifts[i]
        stop = next(shift, None) if shift is not None else None
        if stop is None:
            self._shifts[i] = None
            self._walkers.leave(place)
        else:
            self._walkers.send(place, stop)

    def _shift(self, i: int) -> Script:
        """Round and round the aisles; after each, what is due is brought."""
        ways = self._ways
        at = ways.stockroom
        aisle = i * ways.number_of_aisles // max(self._wanted, 1)
        while i < self._wanted:
            aisle = (aisle + 1) % ways.number_of_aisles
            at = yield from self._patrol(at, aisle)
            due, number = self._take_on(aisle)
            if len(due):
                at = yield from self._restock(at, due, number)
        yield from self._go(at, ways.stockroom)

    def _patrol(self, at: int, aisle: int) -> Errand:
        start, end = self._nearest_first(at, aisle)
        yield from self._go(at, start)
        yield Stop(float(self._ways.x[end]), float(self._ways.y[end]), _REST_MS, _SCANNING)
        return end

    def _take_on(self, aisle: int) -> tuple[I64, I64]:
        """Products to bring and how many of each: those of this aisle first, one load."""
        items = self._items
        low = items.below_threshold()
        low = low[np.argsort(items.usual_aisle[low] != aisle, kind="stable")]
        number = np.maximum(items.optimal[low] - items.on_hand[low] - items.coming[low], 1)
        fits = np.cumsum(number) <= _CARRIED
        fits[:1] = True
        low, number = low[fits], np.minimum(number[fits], _CARRIED)
        items.coming[low] += number
        return low, number

    def _restock(self, at: int, products: I64, number: I64) -> Errand:
        ways, items = self._ways, self._items
        yield from self._go(at, ways.stockroom)
        at = ways.stockroom
        yield Stop(float(ways.x[at]), float(ways.y[at]), _FETCH_MS)
        for i in np.argsort(items.usual_aisle[products], kind="stable").tolist():
            product, pieces = int(products[i]), int(number[i])
            aisle = int(items.usual_aisle[product])
            start, _ = self._nearest_first(at, aisle)
            yield from self._go(at, start)
            x, y = items.usual_x[product : product + 1], items.usual_y[product : product + 1]
            share = float(ways.along(aisle, x, y)[0])
            yield Stop(*ways.point(aisle, share), _SHELVE_MS * pieces)
            places = items.places_for(product, pieces)
            self.done.append(Shelved(np.full(pieces, product, dtype=np.int64), *places))
            at = start
            yield Stop(float(ways.x[at]), float(ways.y[at]))
        return at

    def _nearest_first(self, at: int, aisle: int) -> tuple[int, int]:
        one, two = self._ways.aisles[aisle].tolist()
        nearer = self._ways.length[at, one] <= self._ways.length[at, two]
        return (one, two) if nearer else (two, one)

    def _go(self, start: int, end: int) -> Iterator[Stop]:
        for node in self._ways.route(start, end):
            yield Stop(float(self._ways.x[node]), float(self._ways.y[node]))
