"""Shoppers: they come, walk some aisles, look at things, take some, pay, and now and then do not.

A shopper's visit is a script that reads like one; `Walkers` moves everybody at once. What comes of
it is noted in `done` for the run to book: here nobody knows of books.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from retail_datagen.core.arrays import I64
from retail_datagen.core.rng import Stream
from retail_datagen.store.simulation.clock import TICK_MS, Clock
from retail_datagen.store.simulation.events import AisleWalked, Handled
from retail_datagen.store.simulation.items import CARRIED_OFF, IN_BASKET, ON_SHELF, Items
from retail_datagen.store.simulation.settings import MODES, Mode
from retail_datagen.store.simulation.walk import Script, Stop, Walkers
from retail_datagen.store.simulation.walkways import Walkways

MOST: Final = max(mode.most_shoppers for mode in MODES.values())
"""Places for shoppers, whatever the mode: it may change while they walk."""
_ALL: Final = 1 << 32
_PAY_MS: Final = (15_000, 30_000)
_PAY_MS_AN_ITEM: Final = 1_000
_HOUR_MS: Final = 3_600_000
_BY_HOUR: Final = (
    0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.3, 0.4, 0.6, 0.85, 1.1, 1.4,
    1.5, 1.35, 1.2, 1.2, 1.3, 1.5, 1.4, 1.1, 0.8, 0.5, 0.3, 0.25,
)  # fmt: skip
"""Arrivals by hour of the day, against the average: lunch and after work; a few at any hour."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkout:
    """A shopper paid for items, by identifier."""

    shopper: int
    items: I64


Deed = AisleWalked | Handled | Checkout


class Shoppers:
    """All who shop. Give `arrive` and `go_on` once a step, and take what is in `done`."""

    def __init__(
        self, seed: int, clock: Clock, ways: Walkways, items: Items, walkers: Walkers
    ) -> None:
        self._clock = clock
        self._ways = ways
        self._items = items
        self._walkers = walkers
        self._visits: list[Script | None] = [None] * MOST
        self._till_free = [0] * len(ways.tills)
        self._arrivals = Stream(seed, "store.shoppers.arrivals")
        self._habits = Stream(seed, "store.shoppers.habits")
        self._choice = Stream(seed, "store.shoppers.choice")
        self._honesty = Stream(seed, "store.shoppers.honesty")
        self._pauses = Stream(seed, "store.shoppers.pauses")
        self.visitors = 0
        self.turned_away = 0
        self.done: list[Deed] = []

    @property
    def inside(self) -> int:
        return int(self._walkers.here[:MOST].sum())

    def arrive(self, mode: Mode, disappearance: float) -> None:
        """Let in who comes in this step: some at the opening, then by chance."""
        opening = self._clock.now - self._clock.began <= TICK_MS
        coming = mode.at_opening if opening else self._by_chance(mode)
        for _ in range(coming):
            if self.inside < mode.most_shoppers:
                self._enter(mode, disappearance)
            else:
                self.turned_away += 1

    def go_on(self, place: int) -> None:
        """Whoever is at this place of the walkers has done a stop: on to the next, or out."""
        visit = self._visits[place]
        stop = next(visit, None) if visit is not None else None
        if stop is None:
            self._visits[place] = None
            self._walkers.leave(place)
        else:
            self._walkers.send(place, stop)

    def _by_chance(self, mode: Mode) -> int:
        share = _BY_HOUR[self._clock.hour] if mode.by_hour else 1.0
        chance = round(mode.per_hour * share * _ALL * TICK_MS / _HOUR_MS)
        return int(int(self._arrivals.u32(1)[0]) < chance)

    def _enter(self, mode: Mode, disappearance: float) -> None:
        place = self._visits.index(None)
        self.visitors += 1
        ways, number = self._ways, self.visitors
        x, y = float(ways.x[ways.entrance]), float(ways.y[ways.entrance])
        speed = _between(self._habits, mode.speed)
        self._walkers.enter(place, number, x, y, float(speed), self._clock.now)
        self._visits[place] = self._visit(place, number, mode, disappearance)

    def _visit(self, place: int, number: int, mode: Mode, disappearance: float) -> Script:
        """In, along some aisles, to the till with what is to be paid for, and out."""
        at = self._ways.entrance
        basket: list[int] = []
        hidden: list[int] = []
        for aisle, start, end in self._tour(at, _between(self._habits, mode.aisles)):
            yield from self._go(at, start)
            yield from self._walk(place, number, aisle, end, mode, disappearance, basket, hidden)
            at = end
        if basket:
            which = min(range(len(self._till_free)), key=self._till_free.__getitem__)
            yield from self._go(at, self._ways.tills[which])
            at = self._ways.tills[which]
            yield Stop(float(self._ways.x[at]), float(self._ways.y[at]), self._pay(which, basket))
            self.done.append(Checkout(number, np.array(basket, dtype=np.int64)))
        yield from self._go(at, self._ways.entrance)
        if hidden:
            self._items.state[self._items.rows(np.array(hidden, dtype=np.int64))] = CARRIED_OFF

    def _tour(self, at: int, number: int) -> list[tuple[int, int, int]]:
        """Aisles to walk, each with the ends to begin and to end at; always the nearest next."""
        ways = self._ways
        number = min(number, ways.number_of_aisles)
        left = set(self._habits.permutation(ways.number_of_aisles)[:number].tolist())
        tour = []
        while left:
            ends = [(a, *ways.aisles[a].tolist()) for a in sorted(left)]
            ways_in = [e for a, one, two in ends for e in ((a, one, two), (a, two, one))]
            here = at
            aisle, start, at = min(ways_in, key=lambda e: float(ways.length[here, e[1]]))
            left.remove(aisle)
            tour.append((aisle, start, at))
        return tour

    def _go(self, start: int, end: int) -> Iterator[Stop]:
        for node in self._ways.route(start, end):
            yield Stop(float(self._ways.x[node]), float(self._ways.y[node]))

    def _walk(
        self,
        place: int,
        number: int,
        aisle: int,
        end: int,
        mode: Mode,
        disappearance: float,
        basket: list[int],
        hidden: list[int],
    ) -> Iterator[Stop]:
        """One walk of an aisle: of all items within reach, chance says what is looked at."""
        items, ways = self._items, self._ways
        reachable = items.within_reach(aisle)
        chance = self._choice.u32(len(reachable))
        take = round(disappearance * _ALL)
        touch = min(take + round(take * mode.put_back), _ALL)
        touched = chance < np.uint64(touch)
        rows, taken = reachable[touched], chance[touched] < np.uint64(take)
        self.done.append(
            AisleWalked(
                self._clock.now,
                number,
                aisle,
                len(reachable),
                int(taken.sum()),
                len(rows) - int(taken.sum()),
            )
        )
        items.claimed[rows] = True
        along = ways.along(aisle, items.x[rows], items.y[rows])
        backwards = int(ways.aisles[aisle][0]) == end
        order = np.argsort(-along if backwards else along, kind="stable")
        ids = items.id[rows]
        for i in order.tolist():
            item = int(ids[i])
            x, y = ways.point(aisle, float(along[i]))
            yield Stop(x, y)
            if not self._pick_up(place, number, item):
                continue
            yield Stop(x, y, _between(self._pauses, mode.look))
            if not taken[i]:
                self._put_back(number, item)
            elif self._is_stolen(mode):
                hidden.append(item)
            else:
                basket.append(item)
        yield Stop(float(ways.x[end]), float(ways.y[end]))

    def _is_stolen(self, mode: Mode) -> bool:
        return int(self._honesty.u32(1)[0]) < round(mode.stolen * _ALL)

    def _pick_up(self, place: int, number: int, item: int) -> bool:
        items, row = self._items, self._items.row(item)
        if row == len(items) or items.id[row] != item or items.state[row] != ON_SHELF:
            return False  # the books let it go meanwhile
        items.claimed[row] = False
        items.state[row] = IN_BASKET
        items.holder[row] = place
        self.done.append(Handled(self._clock.now, number, item, str(items.tag[row]), True))
        return True

    def _put_back(self, number: int, item: int) -> None:
        items, row = self._items, self._items.row(item)
        items.state[row] = ON_SHELF
        self.done.append(Handled(self._clock.now, number, item, str(items.tag[row]), False))

    def _pay(self, till: int, basket: list[int]) -> int:
        """Milliseconds until it is paid for at a till, those who wait there before included."""
        now = self._clock.now
        takes = _between(self._pauses, _PAY_MS) + _PAY_MS_AN_ITEM * len(basket)
        self._till_free[till] = max(self._till_free[till], now) + takes
        return self._till_free[till] - now


def _between(stream: Stream, bounds: tuple[int, int]) -> int:
    """Uniform between two bounds, both included."""
    return bounds[0] + int(stream.below(1, bounds[1] - bounds[0] + 1)[0])
