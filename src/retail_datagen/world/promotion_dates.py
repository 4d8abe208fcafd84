"""When a year's promotions run: one after the other all year, more of them towards Christmas."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from retail_datagen.core import calendar
from retail_datagen.core.rng import Stream

LEAST_DAYS, MOST_DAYS = 3, 14
_CHAIN_DAYS = 12
_BLACK_FRIDAY_SHARE = 10
"""One in so many promotions of a year belongs to the week of Black Friday, if they suffice."""
_BUSY_MONTHS = {10: 4, 11: 4}
"""Weight of a start in November and December; other months weigh 1."""
_BEFORE_HOLIDAY = 3
"""Weight of a start within the week before a holiday."""


class Dice:
    """Whole numbers from a stream, one at a time, for rows too few to draw as columns."""

    def __init__(self, stream: Stream, count: int) -> None:
        self._bits: Iterator[int] = iter(stream.u32(count).tolist())

    def below(self, bound: int) -> int:
        """A number in [0, bound)."""
        return (next(self._bits) * bound) >> 32

    def pick(self, weights: list[int]) -> int:
        """An index, by weight."""
        left = self.below(sum(weights))
        for index, weight in enumerate(weights):
            left -= weight
            if left < 0:
                return index
        raise AssertionError("the weights sum to more than what was drawn")


@dataclass(frozen=True, slots=True)
class Span:
    """Days (since 1970-01-01) of a promotion, both included. `kind` says why it is there."""

    first: int
    last: int
    kind: str


def spans(year: int, promotions: int, campaigns: int, country: str, dice: Dice) -> list[Span]:
    """The days of each promotion of a civil year: first those that follow each other."""
    start = calendar.to_day(date(year, 1, 1))
    days = calendar.to_day(date(year + 1, 1, 1)) - start
    links = min(promotions, campaigns, math.ceil(days / _CHAIN_DAYS))
    found = _chain(start, days, links, dice)
    rest = promotions - links
    friday = min(rest, promotions // _BLACK_FRIDAY_SHARE)
    found += [_black_friday(year, dice) for _ in range(friday)]
    weights = _weights(start, days, country)
    bounds = np.cumsum(weights)
    for _ in range(rest - friday):
        first = int(np.searchsorted(bounds, dice.below(int(bounds[-1])), side="right"))
        length = LEAST_DAYS + dice.below(MOST_DAYS - LEAST_DAYS + 1)
        first = min(first, days - length)
        found.append(Span(start + first, start + first + length - 1, "season"))
    return found


def _chain(start: int, days: int, links: int, dice: Dice) -> list[Span]:
    """Promotions from the first day of the year to the last, without a gap if they suffice."""
    bounds = [days * i // links for i in range(links + 1)]
    if days / links + 2 <= MOST_DAYS:
        bounds[1:-1] = [bound + dice.below(3) - 1 for bound in bounds[1:-1]]
    return [
        Span(start + low, start + min(high, low + MOST_DAYS) - 1, "chain")
        for low, high in pairwise(bounds)
    ]


def _black_friday(year: int, dice: Dice) -> Span:
    """Within the Monday before Black Friday to Cyber Monday; Black Friday is always in it."""
    friday = calendar.to_day(calendar.us_thanksgiving(year) + timedelta(days=1))
    return Span(friday - dice.below(5), friday + 2 + dice.below(2), "black_friday")


def _weights(start: int, days: int, country: str) -> list[int]:
    """How likely a promotion begins on each day of a year."""
    all_days = np.arange(start, start + days)
    weights = np.array([_BUSY_MONTHS.get(m, 1) for m in calendar.month(all_days).tolist()])
    year = calendar.to_date(start).year
    for holiday in calendar.holiday_names(country, year, year):
        row = calendar.to_day(holiday) - start
        weights[max(0, row - 7) : row] = np.maximum(weights[max(0, row - 7) : row], _BEFORE_HOLIDAY)
    return [int(weight) for weight in weights]
