"""How busy each day is: the profile's temporal factors as integers.

Factors count in parts per million of the average day of their civil year. Their mean over a whole
civil year is exactly 1, so `customers_per_day` is the mean of every year. Weather and flash sales
are drawn from the seed, one stream for each civil year.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from retail_datagen.config.errors import UserError
from retail_datagen.config.profile import NamedDay, Online, Temporal
from retail_datagen.core import calendar
from retail_datagen.core.arrays import I8, I64, Bool
from retail_datagen.core.rng import Stream, integer_weights

PPM = 1_000_000
_SCALE = 10_000_000
"""Base factors before they are shared out; times a year's ppm they stay below 2**63."""


@dataclass(frozen=True, slots=True)
class DayFactors:
    """One value for each day from `first_day` on, a day since 1970-01-01.

    `traffic_ppm` and `online_ppm` are the factors of stores and of online orders, 0 where closed.
    `named` is the index of the profile's named day, or -1.
    """

    first_day: int
    traffic_ppm: I64
    online_ppm: I64
    named: I8
    bad_weather: Bool
    flash_sale: Bool


def event_names(named: Sequence[NamedDay]) -> tuple[str, ...]:
    """A name for each named day: its rule, numbered where a rule serves more than once."""
    names: list[str] = []
    for index, day in enumerate(named):
        before = sum(other.rule == day.rule for other in named[:index])
        names.append(day.rule if before == 0 else f"{day.rule}_{before + 1}")
    return tuple(names)


def day_factors(
    temporal: Temporal, online: Online, seed: int, first: date, last: date
) -> DayFactors:
    """The factors of all days from `first` to `last`, both included.

    Raises UserError when the named days alone take more than the year has.
    """
    names = calendar.holiday_names(temporal.country, first.year, last.year)
    years = [
        _year(temporal, online, seed, year, names) for year in range(first.year, last.year + 1)
    ]
    skip = calendar.to_day(first) - calendar.to_day(date(first.year, 1, 1))
    rows = slice(skip, skip + calendar.to_day(last) - calendar.to_day(first) + 1)
    return DayFactors(
        calendar.to_day(first),
        np.concatenate([y.traffic_ppm for y in years])[rows],
        np.concatenate([y.online_ppm for y in years])[rows],
        np.concatenate([y.named for y in years])[rows],
        np.concatenate([y.bad_weather for y in years])[rows],
        np.concatenate([y.flash_sale for y in years])[rows],
    )


def _year(
    temporal: Temporal, online: Online, seed: int, year: int, names: Mapping[date, str]
) -> DayFactors:
    """The factors of one whole civil year, which average to 1."""
    days = calendar.days_between(date(year, 1, 1), date(year, 12, 31))
    month, weekday = calendar.month(days), calendar.weekday(days)
    named = named_index(temporal.named_days, year, names)
    free = named < 0
    bad = _drawn(seed, "weather", days, temporal.weather_share) & free
    flash = _drawn(seed, "flash_sale", days, temporal.flash_sale_share) & free

    base = _mean_one(temporal.months)[month] * _mean_one(temporal.weekdays)[weekday] // _SCALE
    for event, share, effect in (
        (bad, temporal.weather_share, temporal.weather_effect),
        (flash, temporal.flash_sale_share, temporal.flash_sale_effect),
    ):
        base = base * np.where(event, *_balanced(share, effect)) // PPM
    fixed = integer_weights([day.factor for day in temporal.named_days] + [0])[named]
    traffic = _fill(base, np.where(free, -1, fixed), "temporal.named_days", year)

    base = _mean_one(temporal.months)[month] * _mean_one(online.weekdays)[weekday] // _SCALE
    fixed = _online_named(temporal, online, named, year, names)
    online_ppm = _fill(base, fixed, "online.named_days", year)
    return DayFactors(int(days[0]), traffic, online_ppm, named, bad, flash)


def named_index(named: Sequence[NamedDay], year: int, names: Mapping[date, str]) -> I8:
    """For each day of a civil year the index of its named day, or -1.

    Where two name the same day, the shorter run wins, and the earlier in the list among equals.
    """
    start = calendar.to_day(date(year, 1, 1))
    index = np.full(calendar.to_day(date(year + 1, 1, 1)) - start, -1, dtype=np.int8)
    for position in sorted(range(len(named)), key=lambda p: (named[p].days, p), reverse=True):
        day = named[position]
        for found in calendar.named_days(day.rule, year, day.days, names):
            index[calendar.to_day(found) - start] = position
    return index


def _mean_one(weights: Sequence[float]) -> I64:
    """Relative weights as integers whose mean is `_SCALE`."""
    mean = math.fsum(weights) / len(weights)
    return integer_weights([weight / mean for weight in weights], _SCALE)


def _drawn(seed: int, name: str, days: I64, share: float) -> Bool:
    """Which days of a year have an event that a share of all days has."""
    drawn = Stream(seed, name, int(days[0])).u32(len(days)) < np.uint64(round(share * 2**32))
    return np.asarray(drawn, dtype=np.bool_)


def _balanced(share: float, effect: float) -> tuple[int, int]:
    """The factors (ppm) of days with and without an event: their expected mean is 1."""
    without = (1 - share * effect) / (1 - share) if share < 1 else 1.0
    return round(effect * PPM), round(without * PPM)


def _online_named(
    temporal: Temporal, online: Online, named: I8, year: int, names: Mapping[date, str]
) -> I64:
    """Online factors (ppm) of the days that `online` names, or -1.

    Those that are named for stores too have the same days; others have one day, and yield where
    both name it.
    """
    start = calendar.to_day(date(year, 1, 1))
    fixed = np.full(len(named), -1, dtype=np.int64)
    for_stores = {day.rule for day in temporal.named_days}
    for rule, factor in online.named_days.items():
        if rule not in for_stores:
            for found in calendar.named_days(rule, year, 1, names):
                fixed[calendar.to_day(found) - start] = round(factor * PPM)
    for position, day in enumerate(temporal.named_days):
        if day.rule in online.named_days:
            fixed[named == position] = round(online.named_days[day.rule] * PPM)
    return fixed


def _fill(base: I64, fixed: I64, field: str, year: int) -> I64:
    """Factors (ppm) of a year with mean exactly 1: `fixed` where >= 0, the rest as `base` shares.

    The rest gets what the fixed days leave, by largest remainder. Raises UserError when they leave
    nothing.
    """
    free = fixed < 0
    taken = int(fixed[~free].sum())
    left = len(base) * PPM - taken
    total = int(base[free].sum())
    if left < 0 or (left > 0 and total == 0):
        raise UserError(
            f"{field}: the named days of {year} take {taken / PPM:g} average days of its "
            f"{len(base)}, and nothing else can balance them; allowed are factors that leave "
            "the other days more than 0"
        )
    result = fixed.copy()
    shares = base[free] * left // max(total, 1)
    rest = base[free] * left - shares * total
    first = np.argsort(-rest, kind="stable")[: left - int(shares.sum())]
    shares[first] += 1
    result[free] = shares
    return result
