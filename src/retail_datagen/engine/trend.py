"""From a few sampled days to the days between and after them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from statistics import fmean

_LEVEL = 4
"""Samples at an end whose mean goes on beyond it."""
Traffic = Callable[[int], float]


class Trend:
    """What a quantity is on any day, drawn through sampled days.

    It follows how busy days are where that explains the samples better than nothing does:
    receipts do, marketing does not.
    """

    def __init__(self, samples: Mapping[int, float], traffic: Traffic) -> None:
        """`samples` are values by day, at least one; `traffic` is above 0."""
        self._days = sorted(samples)
        self._traffic = traffic
        busy = {day: samples[day] / traffic(day) for day in self._days}
        self._follows = self._misses(busy, follows=True) <= self._misses(samples, follows=False)
        self._level = busy if self._follows else samples

    def at(self, day: int) -> float:
        """The value on a day, sampled or not."""
        return self._expected(self._level, self._days, day) * self._scale(day, self._follows)

    def _misses(self, level: Mapping[int, float], follows: bool) -> float:
        """How far samples lie from the line between those before and after them."""
        inner = self._days[1:-1]
        return sum(
            abs(level[day] - self._expected(level, [d for d in self._days if d != day], day))
            * self._scale(day, follows)
            for day in inner
        )

    def _scale(self, day: int, follows: bool) -> float:
        return self._traffic(day) if follows else 1.0

    @staticmethod
    def _expected(level: Mapping[int, float], days: list[int], day: int) -> float:
        if day > days[-1]:
            return fmean(level[d] for d in days[-_LEVEL:])
        if day < days[0]:
            return fmean(level[d] for d in days[:_LEVEL])
        after = days[bisect_left(days, day)]
        if after == day:
            return level[day]
        before = days[bisect_left(days, day) - 1]
        share = (day - before) / (after - before)
        return level[before] * (1 - share) + level[after] * share


def spread(days: range, count: int) -> list[int]:
    """At most `count` of the days, two at least: the first two, the last, and some between."""
    if len(days) <= max(count, 2):
        return list(days)
    steps = max(count - 2, 1)
    first, last = days[1], days[-1]
    return [days[0], *(first + (last - first) * i // steps for i in range(steps + 1))]
