"""When shops are open and when people come: opening seconds and arrival tables of a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I32, I64, U16, U32, Bool, Ints
from retail_datagen.core.rng import integer_weights, lookup
from retail_datagen.world.model import World

HALF_HOURS = 48
HALF_HOUR_SECONDS = 1800
_BITS = 12


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """One day's hours: per store in seconds of the day, and arrivals as lookup tables.

    `arrivals[hours_class[store] << 12 | bits]` gives a half hour of the day. A closed day has
    `is_open` false and nothing else to say.
    """

    is_open: bool
    opens: I32
    closes: I32
    hours_class: I64
    arrivals: U16


class Hours:
    """Opening hours of every store and the shape of its day."""

    def __init__(self, world: World, profile: Profile) -> None:
        self._calendar = world.calendar
        self._open = world.stores.open_hour.astype(np.int64)
        self._close = world.stores.close_hour.astype(np.int64)
        temporal = profile.temporal
        self._weekday = integer_weights(temporal.half_hours, 1000)
        self._weekend = integer_weights(temporal.half_hours_weekend, 1000)
        self.online = lookup(integer_weights(temporal.half_hours_online, 1000), _BITS)
        self._cache: dict[tuple[bool, int, int], OpeningHours] = {}
        closed = world.calendar.traffic_ppm == 0
        rows = np.arange(len(closed))
        until = np.where(closed, len(closed), rows)
        self._next_open = np.minimum.accumulate(until[::-1])[::-1]

    def is_open(self, day: int) -> bool:
        """Whether stores open on a day; no day after the calendar's last is known to be closed."""
        if self._is_after(day):
            return True
        return bool(self._calendar.traffic_ppm[self._calendar.row(day)] > 0)

    def next_open(self, days: Ints) -> I32:
        """The first day, from each of `days` on, on which stores open."""
        row = days - self._calendar.first_day
        known = np.append(self._next_open, len(self._next_open))
        found = np.maximum(known[np.minimum(row, len(self._next_open))], row)
        opens: I32 = (found + self._calendar.first_day).astype(np.int32)
        return opens

    def _is_after(self, day: int) -> bool:
        return day >= self._calendar.first_day + len(self._calendar.traffic_ppm)

    def on(self, day: int) -> OpeningHours:
        """The hours of a day (days since 1970-01-01); after the calendar's last, ordinary ones."""
        earlier = later = 0
        if not self._is_after(day):
            row = self._calendar.row(day)
            earlier = int(self._calendar.opens_earlier[row])
            later = int(self._calendar.closes_later[row])
        if not self.is_open(day):
            none = np.zeros(len(self._open), dtype=np.int32)
            return OpeningHours(False, none, none, none.astype(np.int64), lookup(self._weekday, 4))
        return self._ordinary(day, earlier, later)

    def _ordinary(self, day: int, earlier: int, later: int) -> OpeningHours:
        """The hours of a weekday or weekend, that many hours longer."""
        weekend = (day + 3) % 7 >= 5
        key = (weekend, earlier, later)
        if key not in self._cache:
            self._cache[key] = self._build(weekend, earlier, later)
        return self._cache[key]

    def _build(self, weekend: bool, earlier: int, later: int) -> OpeningHours:
        opens, closes = opening_hours(self._open, self._close, earlier, later)
        shape = self._weekend if weekend else self._weekday
        kinds, hours_class = np.unique(opens * 25 + closes, return_inverse=True)
        tables = []
        for kind in kinds:
            first, last = divmod(int(kind), 25)
            is_open = open_half_hours(first, last)
            weights = np.where(is_open, shape, 0)
            tables.append(lookup(weights if weights.any() else is_open.astype(np.int64), _BITS))
        return OpeningHours(
            True,
            (opens * 3600).astype(np.int32),
            (closes * 3600).astype(np.int32),
            hours_class.astype(np.int64),
            np.concatenate(tables),
        )


def opening_hours(opens: Ints, closes: Ints, earlier: int, later: int) -> tuple[Ints, Ints]:
    """Whole hours at which stores open and close on a day of longer hours, within the day."""
    return np.maximum(opens - earlier, 0), np.minimum(closes + later, 24)


def open_half_hours(opens: int, closes: int) -> Bool:
    """Which of the 48 half hours of a day lie between two whole hours."""
    half_hours = np.arange(HALF_HOURS)
    return (half_hours >= 2 * opens) & (half_hours < 2 * closes)


def arrival_seconds(half_hour_table: U16, offset: Any, bits: U32) -> I32:
    """Seconds of the day, one for each 32 random bits, by an arrivals table.

    `offset` is where each one's table begins within `half_hour_table`, a multiple of 4,096.
    """
    half_hour = half_hour_table[offset + (bits >> np.uint32(32 - _BITS)).astype(np.int64)]
    within = ((bits & np.uint32(0xFFFFF)).astype(np.int64) * HALF_HOUR_SECONDS) >> 20
    seconds: I32 = (half_hour.astype(np.int64) * HALF_HOUR_SECONDS + within).astype(np.int32)
    return seconds


def table_offset(hours: OpeningHours, stores: NDArray[Any]) -> I64:
    """Where each store's arrivals table begins, for `arrival_seconds`."""
    offset: I64 = hours.hours_class[stores] << _BITS
    return offset
