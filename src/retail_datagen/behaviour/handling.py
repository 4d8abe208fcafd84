"""What happens to stock besides trade: shrink, damage and the corrections of a count."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I32, I64, U8, Ints
from retail_datagen.core.order import stable_order
from retail_datagen.core.rng import Stream, lookup
from retail_datagen.world.model import World

_HOUR = 3600
_DC_OPENS, _DC_OPEN_FOR = 6 * _HOUR, 14 * _HOUR
"""When DCs count, from 6 to 20."""
_DC_SHARE = 0.02
"""Adjustments in DCs per adjustment in stores: pallets are counted, shelves are pilfered."""
_STORE_MOST, _DC_MOST = 2, 12
"""Most units that one correction moves; each number up to it is equally likely."""


class Kind(IntEnum):
    SHRINK = 0
    DAMAGE = 1
    COUNT_DOWN = 2
    COUNT_UP = 3


@dataclass(frozen=True, slots=True)
class Handling:
    """Stock corrections of a day by time: [corrections] at rows of places and products."""

    place: I32
    product: I32
    units: I32
    second: I32
    kind: U8

    def __len__(self) -> int:
        return len(self.place)

    def outflow(self) -> I64:
        """Rows that take stock away."""
        return np.flatnonzero(self.kind != Kind.COUNT_UP)

    def inflow(self) -> I64:
        """Rows that find stock."""
        return np.flatnonzero(self.kind == Kind.COUNT_UP)


class StockHandling:
    """Draws corrections in proportion to the units that a day sells."""

    def __init__(self, world: World, profile: Profile, units_per_day: float, seed: int) -> None:
        supply = profile.supply
        self._seed = seed
        self._store = lookup(world.stores.traffic.astype(np.int64), 20)
        self._product = lookup(world.products.popularity.astype(np.int64), 20)
        self._launch = world.products.launch_day
        self._dcs = len(world.dcs.dc_id)
        self._opens = world.stores.open_hour.astype(np.int64) * _HOUR
        self._open_for = world.stores.close_hour.astype(np.int64) * _HOUR - self._opens
        shares = [
            supply.shrink_share,
            supply.damage_share,
            supply.count_adjustment_share / 2,
            supply.count_adjustment_share / 2,
        ]
        self._daily = [round(units_per_day * share * 1000) for share in shares]

    def in_stores(self, day: int, traffic_ppm: int) -> Handling:
        """Corrections in stores on a day of that traffic, between opening and closing."""
        stream = Stream(self._seed, "handling.stores", day)
        kind = self._kinds(stream, traffic_ppm, 2 / (1 + _STORE_MOST))
        store = self._store[stream.u32(len(kind)) >> np.uint32(12)]
        second = self._opens[store] + stream.below(len(kind), self._open_for[store])
        return self._draw(day, stream, kind, store, second, _STORE_MOST)

    def in_dcs(self, day: int, traffic_ppm: int) -> Handling:
        """Corrections in DCs: fewer, and of more units each."""
        stream = Stream(self._seed, "handling.dcs", day)
        kind = self._kinds(stream, traffic_ppm, _DC_SHARE)
        dc = stream.below(len(kind), self._dcs)
        second = _DC_OPENS + stream.below(len(kind), _DC_OPEN_FOR)
        return self._draw(day, stream, kind, dc, second, _DC_MOST)

    def _kinds(self, stream: Stream, traffic_ppm: int, share: float) -> I64:
        chance = stream.u16(len(self._daily)).astype(np.int64)
        expected = [round(d * share) * traffic_ppm // 1_000_000 for d in self._daily]
        counts = [
            (e + int(c) * 1000 // 65536) // 1000 for e, c in zip(expected, chance, strict=True)
        ]
        return np.repeat(np.arange(len(counts)), counts)

    def _draw(
        self, day: int, stream: Stream, kind: I64, place: Ints, second: I64, most: int
    ) -> Handling:
        """Corrections by time; a count finds nothing of what is yet to be launched."""
        count = len(kind)
        product = self._product[stream.u32(count) >> np.uint32(12)]
        units = 1 + stream.below(count, most)
        order = stable_order(second)
        order = order[self._launch[product[order]] <= day]
        return Handling(
            place.astype(np.int32)[order],
            product.astype(np.int32)[order],
            units.astype(np.int32)[order],
            second.astype(np.int32)[order],
            kind.astype(np.uint8)[order],
        )
