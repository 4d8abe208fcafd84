"""What every product costs on a day, and how demand answers.

A price is a function of the day alone: the master price, two steps of inflation a year on dates
of the product's own, and the deepest discount among seasonal markdown and promotions.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I16, I64, U8, Bool
from retail_datagen.core.calendar import month_of
from retail_datagen.core.rng import mix
from retail_datagen.world.model import World

_STEP_DAYS = 182
_DEEPEST = 60


@dataclass(frozen=True, slots=True)
class PriceList:
    """Prices of one day, per product, in cents. `promotion` is a row of the world's or -1."""

    price: I64
    regular: I64
    percent: I16
    promotion: I16
    demand: I64
    """Demand at this price, in thousandths of that at the regular price."""


REASONS = ("INFLATION", "PROMO_START", "PROMO_END", "MARKDOWN_START", "MARKDOWN_END")


@dataclass(frozen=True, slots=True)
class PriceChanges:
    """Prices that differ from the day before: [changes] by product row, in cents.

    `reason` is a row of `REASONS`; `promotion` the one that begins or ends, or -1.
    """

    product: I64
    old: I64
    new: I64
    reason: U8
    promotion: I16

    def __len__(self) -> int:
        return len(self.product)


class Pricing:
    """Price lists of one retailer whose history began on `history_start`."""

    def __init__(self, world: World, profile: Profile, history_start: int) -> None:
        self._products = world.products
        self._promotions = world.promotions
        self._history_start = history_start
        self._step = round(profile.inflation_percent * 100 / 2)
        self._phase = (mix(world.products.product_id, salt=11) % np.uint64(_STEP_DAYS)).astype(
            np.int64
        )
        by_name = {c.name: c for c in profile.categories}
        categories = [by_name[name] for name in world.categories]
        self._markdown = np.array(
            [
                [c.markdown_percent if month in c.markdown_months else 0 for month in range(1, 13)]
                for c in categories
            ],
            dtype=np.int16,
        )
        answers = np.array([_answers(c.elasticity) for c in categories], dtype=np.int64)
        self._answers: I64 = answers

    def on(self, day: int) -> PriceList:
        """The price list of a day (days since 1970-01-01)."""
        products = self._products
        steps = (day + self._phase) // _STEP_DAYS - (
            self._history_start + self._phase
        ) // _STEP_DAYS
        regular = (products.price * (10_000 + self._step * steps) + 5_000) // 10_000
        percent = self._markdown[products.category, month_of(day)]
        promotion = np.full(len(percent), -1, dtype=np.int16)
        sold = products.launch_day <= day
        for row in self._promotions.running(day):
            better = sold & self._covers(int(row)) & (self._promotions.percent[row] > percent)
            percent = np.where(better, self._promotions.percent[row], percent)
            promotion[better] = row
        price = np.maximum((regular * (100 - percent.astype(np.int64)) + 50) // 100, 1)
        demand = self._answers[products.category, np.minimum(percent, _DEEPEST)]
        return PriceList(price, regular, percent.astype(np.int16), promotion, demand)

    def changes(self, day: int) -> PriceChanges:
        """What changes at a day's midnight; on the first day, what differs from master data."""
        now = self.on(day)
        first = day == self._history_start
        before = self._before_history() if first else self.on(day - 1)
        rows = np.flatnonzero(now.price != before.price)
        starts = (now.promotion != before.promotion) & (now.promotion >= 0)
        ends = (now.promotion != before.promotion) & (now.promotion < 0)
        deeper, shallower = now.percent > before.percent, now.percent < before.percent
        reason = np.select([starts, ends, deeper, shallower], [1, 2, 3, 4], 0)
        promotion = np.where(starts, now.promotion, np.where(ends, before.promotion, -1))
        return PriceChanges(
            rows,
            before.price[rows],
            now.price[rows],
            reason[rows].astype(np.uint8),
            promotion[rows].astype(np.int16),
        )

    def _before_history(self) -> PriceList:
        """Master prices: what is in force until the first day."""
        price = self._products.price
        none = np.zeros(len(price), dtype=np.int16)
        return PriceList(price, price, none, none - np.int16(1), np.full(len(price), 1000))

    def _covers(self, row: int) -> Bool:
        promotions = self._promotions
        if promotions.subcategory[row] >= 0:
            covered: Bool = self._products.subcategory == promotions.subcategory[row]
        else:
            covered = self._products.category == promotions.category[row]
        return covered


def _answers(elasticity: float) -> list[int]:
    """Demand in thousandths at 0 … 60 percent off: (price ratio) ** -elasticity.

    Only multiplication and square root, which IEEE 754 rounds alike on every CPU.
    """
    answers = []
    for percent in range(_DEEPEST + 1):
        ratio = 100 / (100 - percent)
        factor = 1.0
        for _ in range(int(elasticity)):
            factor *= ratio
        if elasticity % 1:
            factor *= sqrt(ratio)
        answers.append(round(factor * 1000))
    return answers
