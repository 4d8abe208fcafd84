"""Which product a basket line becomes: category by mission, then product by shopper and price."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retail_datagen.behaviour.pricing import PriceList
from retail_datagen.config.parts import SEGMENTS
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import F64, I64, U16, Bool, Ints
from retail_datagen.core.calendar import month_of
from retail_datagen.core.rng import integer_weights, slots
from retail_datagen.world.model import World

CATEGORY_BITS = 14
_LEAST_PRODUCT_BITS, _MOST_PRODUCT_BITS = 12, 16
_SLOTS_PER_PRODUCT = 16


@dataclass(frozen=True, slots=True)
class Shelves:
    """Lookup tables of one day, flat.

    `categories[mission << 14 | bits]` gives a category, likewise `online`;
    `products[(segment * n_categories + category) << product_bits | bits]` gives a product.
    """

    categories: U16
    online: U16
    products: U16
    product_bits: int

    def product(self, segment: Ints, category: Ints, bits: U16) -> U16:
        """The product that each one's 16 random bits choose in a category, by segment."""
        categories = (len(self.products) >> self.product_bits) // len(SEGMENTS)
        shelf = segment.astype(np.int64) * categories + category
        spare = np.uint16(16 - self.product_bits)
        chosen: U16 = self.products.take((shelf << self.product_bits) | (bits >> spare))
        return chosen


def category_of(table: U16, mission: Ints, bits: U16) -> U16:
    """The category that each one's 16 random bits choose by mission, in such a table."""
    wide = mission.astype(np.int64) << CATEGORY_BITS
    chosen: U16 = table.take(wide | (bits >> np.uint16(16 - CATEGORY_BITS)))
    return chosen


class Assortment:
    """Builds the day's `Shelves` from what never changes about the retailer."""

    def __init__(self, world: World, profile: Profile, mission_share: Callable[[int], I64]) -> None:
        products = world.products
        self._category = products.category.astype(np.int64)
        self._launch = products.launch_day
        count = len(world.categories)
        self._first = np.searchsorted(self._category, np.arange(count + 1))
        by_name = {c.name: c for c in profile.categories}
        most = int(np.diff(self._first).max()) * _SLOTS_PER_PRODUCT
        self._product_bits = min(max(most.bit_length(), _LEAST_PRODUCT_BITS), _MOST_PRODUCT_BITS)
        row = {name: i for i, name in enumerate(world.categories)}
        self._season = np.array(
            [integer_weights(by_name[n].season, 1000) for n in world.categories], dtype=np.int64
        ).T
        self._online = integer_weights([by_name[n].online for n in world.categories], 1000)
        self._mission_share = mission_share
        missions = np.zeros((len(profile.missions), count), dtype=np.int64)
        for number, mission in enumerate(profile.missions.values()):
            for name, weight in mission.categories.items():
                if name in row:
                    missions[number, row[name]] = round(weight * 1000)
        self._missions = missions
        rank = _price_rank(world)
        tilts = [profile.segments[s].price_tilt for s in SEGMENTS]
        self._taste = np.array(
            [
                products.popularity * np.array([1000 + round(800 * t * r) for r in rank])
                for t in tilts
            ],
            dtype=np.int64,
        )
        self._promo_response = integer_weights(
            [profile.segments[s].promo_response for s in SEGMENTS], 1000
        )

    def shelves(self, day: int, prices: PriceList) -> Shelves:
        """The lookup tables of a day at its prices; products count from their launch."""
        answer = np.where(self._launch <= day, prices.demand, 0)
        response = np.where(prices.promotion >= 0, self._promo_response[:, None], np.int64(1000))
        weights = self._taste * (answer * response // 1000) // 1000
        demand, available = self._demand(day, prices)
        online = _never_empty(demand * self._online // 1000, available)
        return Shelves(
            _tables(demand, CATEGORY_BITS),
            _tables(online, CATEGORY_BITS),
            self._product_table(weights, self._launch <= day),
            self._product_bits,
        )

    def category_shares(self, day: int, prices: PriceList) -> F64:
        """Expected share of basket lines per category, all missions together."""
        demand, _ = self._demand(day, prices)
        by_mission = (
            demand / demand.sum(axis=1)[:, None] * self._mission_share(month_of(day))[:, None]
        )
        shares: F64 = by_mission.cumsum(axis=0)[-1]
        shares /= shares.cumsum()[-1]
        return shares

    def product_shares(self, day: int, prices: PriceList) -> F64:
        """Expected share of all basket lines per product, all segments alike."""
        weights = self._taste.cumsum(axis=0)[-1] * np.where(self._launch <= day, prices.demand, 0)
        total = np.maximum(np.add.reduceat(weights, self._first[:-1]), 1)
        category = self.category_shares(day, prices)
        shares: F64 = weights * (category / total)[self._category]
        return shares

    def _demand(self, day: int, prices: PriceList) -> tuple[I64, Bool]:
        """Weights [missions x categories] of a day, and which categories hold anything."""
        sold = self._launch <= day
        answers = np.add.reduceat(
            self._taste[0] * np.where(sold, prices.demand, 0), self._first[:-1]
        )
        neutral = np.add.reduceat(np.where(sold, self._taste[0], 0), self._first[:-1])
        lift = answers // np.maximum(neutral, 1)
        demand = self._missions * self._season[month_of(day)] // 1000 * lift // 1000
        return _never_empty(demand, neutral > 0), neutral > 0

    def _product_table(self, weights: I64, sold: Bool) -> U16:
        """[segments x categories x 2**bits] products, by weight within each category.

        Where a segment wants nothing of a category, all that is sold there is alike to it.
        """
        size = 1 << self._product_bits
        filled = np.add.reduceat(weights, self._first[:-1], axis=1)
        excess = int(filled.max()).bit_length() + self._product_bits - 63
        if excess > 0:
            weights = weights >> excess
            filled = np.add.reduceat(weights, self._first[:-1], axis=1)
        empty = (filled == 0)[:, self._category]
        none_yet = ~np.logical_or.reduceat(sold, self._first[:-1])[self._category]
        weights = np.where(empty, sold | none_yet, weights)
        ends = np.cumsum(weights, axis=1)
        starts = np.concatenate([np.zeros((len(weights), 1), np.int64), ends], axis=1)
        base = starts[:, self._first[:-1]]
        total = starts[:, self._first[1:]] - base
        bounds = (ends - base[:, self._category]) * size // total[:, self._category]
        share = np.diff(bounds, axis=1, prepend=0)
        share[:, self._first[:-1]] = bounds[:, self._first[:-1]]
        rows = np.arange(weights.shape[1], dtype=np.uint16)
        table: U16 = np.repeat(np.tile(rows, len(weights)), share.ravel())
        return table


def _price_rank(world: World) -> list[float]:
    """-1 (cheapest) … 1 (dearest) of each product within its category."""
    products = world.products
    ranks = np.zeros(len(products.price))
    for category in range(len(world.categories)):
        rows = np.flatnonzero(products.category == category)
        order = np.lexsort((products.product_id[rows], products.price[rows]))
        if len(rows) > 1:
            ranks[rows[order]] = 2 * np.arange(len(rows)) / (len(rows) - 1) - 1
    return [float(r) for r in ranks]


def _never_empty(demand: I64, available: NDArray[Any]) -> I64:
    """Missions whose categories hold nothing yet shop anything that there is."""
    hollow = demand.sum(axis=1) == 0
    return np.where(hollow[:, None], available.astype(np.int64), demand)


def _tables(weights: I64, bits: int) -> U16:
    numbers = np.arange(weights.shape[1], dtype=np.uint16)
    return np.concatenate([np.repeat(numbers, slots(row, 1 << bits)) for row in weights])
