"""What shoppers put into their baskets: one row per line, drawn a whole day at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.behaviour.assortment import Shelves, category_of
from retail_datagen.behaviour.journeys import Visits
from retail_datagen.behaviour.missions import Habits
from retail_datagen.behaviour.pricing import PriceList
from retail_datagen.config.parts import SEGMENTS
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I32, U8, U16
from retail_datagen.core.rng import Stream, integer_weights, mix
from retail_datagen.world.model import World


@dataclass(frozen=True, slots=True)
class Lines:
    """Basket lines that shoppers want, grouped by visit in order: [lines].

    `visit` is a row of the day's `Visits`, `product` one of the world's products.
    """

    visit: I32
    product: U16
    quantity: U8

    def __len__(self) -> int:
        return len(self.visit)


class Baskets:
    """Fills baskets from the day's shelves."""

    def __init__(self, world: World, profile: Profile, habits: Habits, seed: int) -> None:
        self._seed = seed
        self._quantity = habits.quantity
        loyalty = integer_weights([profile.segments[s].loyalty for s in SEGMENTS], 1 << 16)
        self._loyal = np.minimum(loyalty, 0xFFFF).astype(np.uint16)

    def draw(self, day: int, visits: Visits, shelves: Shelves, prices: PriceList) -> Lines:
        """The lines of all visits; a converted shopper's first line is of his promotion."""
        visit = np.repeat(np.arange(len(visits), dtype=np.int32), visits.lines)
        bits = Stream(self._seed, "lines", day).u64(len(visit)).view(np.uint16).reshape(-1, 4)
        segment = visits.segment.take(visit)
        category = category_of(shelves.categories, visits.mission.take(visit), bits[:, 0])
        taste = self._tastes(visits, visit, segment, category, bits)
        product = shelves.product(segment, category, taste)
        behaviour = visits.behaviour.take(visit).astype(np.int64)
        quantity = self._quantity.take((behaviour << 8) | (bits[:, 2] & np.uint16(0xFF)))
        self._promoted(day, visits, visit, product, prices)
        return Lines(visit, product, quantity)

    def _tastes(
        self,
        visits: Visits,
        visit: I32,
        segment: U8,
        category: U16,
        bits: U16,
    ) -> U16:
        """Bits that choose the product; a loyal shopper's are his own in every visit."""
        taste = bits[:, 1].copy()
        loyal = np.flatnonzero(bits[:, 3] < self._loyal.take(segment))
        usual = visits.customer.take(visit.take(loyal)).astype(np.int64) * 1024 + category.take(
            loyal
        )
        taste[loyal] = (mix(usual, salt=37) >> np.uint64(48)).astype(np.uint16)
        return taste

    def _promoted(
        self,
        day: int,
        visits: Visits,
        visit: I32,
        product: U16,
        prices: PriceList,
    ) -> None:
        converted = np.flatnonzero(visits.promotion >= 0)
        if not len(converted):
            return
        first = np.searchsorted(visit, converted)
        bits = Stream(self._seed, "lines.promoted", day)
        for promotion in np.unique(visits.promotion[converted]):
            offered = np.flatnonzero(prices.promotion == promotion)
            theirs = first[visits.promotion[converted] == promotion]
            product[theirs] = offered[bits.below(len(theirs), len(offered))]
