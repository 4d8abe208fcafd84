"""Which sold lines come back, when, why and in what condition."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.behaviour.hours import Hours, arrival_seconds, table_offset
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import F64, I32, I64, U8, U16, Bool
from retail_datagen.core.rng import Stream, integer_weights, lookup
from retail_datagen.world.model import World

_HIGHEST_RATE = 0.6
"""Chosen: of no category do nearly all lines come back, whatever its odds."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How the day's returns come in: [returns] second of the day, row of the reasons, condition."""

    second: I32
    reason: U8
    damaged: Bool


class ReturnHabits:
    """Chances of a return by category, scaled so that the profile's share of lines comes back."""

    def __init__(
        self, world: World, profile: Profile, hours: Hours, shares: F64, seed: int
    ) -> None:
        self._seed, self._hours = seed, hours
        by_name = {c.name: c for c in profile.categories}
        odds = [by_name[name].returns for name in world.categories]
        rates = integer_weights(_rates(odds, list(shares), profile.returns.share), 1 << 16)
        self._odds = rates.astype(np.int32)[world.products.category]
        days = profile.returns.max_days
        self._delay = lookup(np.arange(days, 0, -1, dtype=np.int64), 16)
        self.reasons = tuple(profile.returns.reasons)
        self._reason = lookup(integer_weights(list(profile.returns.reasons.values())), 8)
        self._damaged = round(profile.returns.damaged_share * (1 << 16))

    def choose(self, day: int, product: U16) -> tuple[I64, I32]:
        """Rows of the day's sold lines that will come back, and the day on which they do."""
        bits = Stream(self._seed, "returns.choose", day).u32(len(product))
        rows = np.flatnonzero((bits >> np.uint32(16)).astype(np.int32) < self._odds[product])
        delay = 1 + self._delay[bits[rows] & np.uint32(0xFFFF)].astype(np.int32)
        return rows, self._hours.next_open(day + delay)

    def arrive(self, day: int, store: I32) -> Arrivals:
        """Time, reason and condition of the returns due at `store` (rows) on an open day."""
        stream = Stream(self._seed, "returns.arrive", day)
        hours = self._hours.on(day)
        second = arrival_seconds(hours.arrivals, table_offset(hours, store), stream.u32(len(store)))
        bits = stream.u32(len(store))
        reason = self._reason[bits & np.uint32(0xFF)].astype(np.uint8)
        return Arrivals(second, reason, (bits >> np.uint32(16)) < self._damaged)


def _rates(odds: list[float], shares: list[float], mean: float) -> list[float]:
    """Rates proportional to `odds`, none above the highest, whose share-weighted mean is `mean`."""
    low, high = 0.0, 1000.0
    rates = [0.0 for _ in odds]
    for _ in range(60):
        scale = (low + high) / 2
        rates = [min(o * scale, _HIGHEST_RATE) for o in odds]
        reached = sum(r * s for r, s in zip(rates, shares, strict=True))
        low, high = (scale, high) if reached < mean else (low, scale)
    return rates
