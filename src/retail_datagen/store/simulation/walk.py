"""Everybody's steps at once: who walks where, who has arrived, who still stands and waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from retail_datagen.core.arrays import F64, I64, Bool


@dataclass(frozen=True, slots=True)
class Stop:
    """Go to (x, y) in cm, at a share of one's `pace`, and stay there for `wait` ms."""

    x: float
    y: float
    wait: int = 0
    pace: float = 1.0


Script = Iterator[Stop]
"""Somebody's errand: goes on when the stop that it gave last is done."""


class Walkers:
    """People by place: shoppers first, then employees. x, y in cm; speed in cm/s; times in ms."""

    def __init__(self, places: int) -> None:
        self.x: F64 = np.zeros(places)
        self.y: F64 = np.zeros(places)
        self.here: Bool = np.zeros(places, dtype=np.bool_)
        self.who: I64 = np.zeros(places, dtype=np.int64)
        self._speed: F64 = np.zeros(places)
        self._pace: F64 = np.ones(places)
        self._to_x: F64 = np.zeros(places)
        self._to_y: F64 = np.zeros(places)
        self._wait: I64 = np.zeros(places, dtype=np.int64)
        self._arrived: Bool = np.zeros(places, dtype=np.bool_)
        self._until: I64 = np.zeros(places, dtype=np.int64)

    def enter(self, place: int, who: int, x: float, y: float, speed: float, now: int) -> None:
        """Somebody appears, ready for a first stop."""
        self.x[place] = self._to_x[place] = x
        self.y[place] = self._to_y[place] = y
        self.here[place] = self._arrived[place] = True
        self.who[place], self._speed[place], self._until[place] = who, speed, now

    def leave(self, place: int) -> None:
        self.here[place] = False

    def send(self, place: int, stop: Stop) -> None:
        """Give somebody the next stop."""
        self._to_x[place], self._to_y[place], self._wait[place] = stop.x, stop.y, stop.wait
        self._pace[place] = stop.pace
        self._arrived[place] = False

    def move(self, seconds: float, now: int) -> list[int]:
        """Everybody walks for so long, up to `now`; the places of those who are done waiting."""
        walking = self.here & ~self._arrived
        dx, dy = self._to_x - self.x, self._to_y - self.y
        left = np.sqrt(dx * dx + dy * dy)
        stride = self._speed * self._pace * seconds
        there = walking & (left <= stride)
        under_way = walking & ~there
        share = stride / np.where(left > 0, left, 1.0)
        self.x = np.where(under_way, self.x + dx * share, np.where(there, self._to_x, self.x))
        self.y = np.where(under_way, self.y + dy * share, np.where(there, self._to_y, self.y))
        self._arrived |= there
        self._until = np.where(there, now + self._wait, self._until)
        ready = self.here & self._arrived & (self._until <= now)
        done: list[int] = np.flatnonzero(ready).tolist()
        return done
