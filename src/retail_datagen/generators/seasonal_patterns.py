"""How busy each moment is: the published API's temporal patterns, for one time or for columns.

    >>> from datetime import datetime
    >>> patterns = CompositeTemporalPatterns(seed=42)
    >>> patterns.get_overall_multiplier(datetime(2024, 12, 25))
    0.0

A multiplier of 1 is an average moment: the day's factor averages to 1 over a civil year, the
hour's over the opening hours of a standard store on that day. Closed is 0. Times are the store's
own; a time zone, where given, is ignored. Columns are `datetime64` arrays, answers float64 arrays.
"""

from __future__ import annotations

from datetime import date, datetime
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retail_datagen.behaviour.hours import (
    HALF_HOUR_SECONDS,
    HALF_HOURS,
    open_half_hours,
    opening_hours,
)
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import NamedDay, Profile, StoreFormat
from retail_datagen.core import calendar
from retail_datagen.core.arrays import F64, I64, Bool
from retail_datagen.world.day_factors import PPM, DayFactors, day_factors, event_names

Times = NDArray[np.datetime64]


class SeasonalPatterns:
    """The months of the profile, relative to the mean month."""

    def __init__(self, profile: Profile) -> None:
        months = np.array(profile.temporal.months)
        self._months: F64 = months / months.mean()

    def get_seasonal_multipliers(self, times: Times) -> F64:
        """The factor of each time's month."""
        return np.asarray(self._months[calendar.month(_days(times))])

    def get_seasonal_multiplier(self, when: datetime) -> float:
        """The factor of a month: 1.8 times an average month in December."""
        return float(self.get_seasonal_multipliers(_column(when))[0])


class TemporalPatterns:
    """The weekdays of the profile, and the half hours of a day in a standard store."""

    def __init__(self, profile: Profile) -> None:
        self._temporal = profile.temporal
        self._format = standard_format(profile)
        weekdays = np.array(profile.temporal.weekdays)
        self._weekdays: F64 = weekdays / weekdays.mean()

    def get_weekday_multipliers(self, times: Times) -> F64:
        """The factor of each time's weekday, relative to the mean weekday."""
        return np.asarray(self._weekdays[calendar.weekday(_days(times))])

    def get_hourly_multipliers(self, times: Times, named: NDArray[Any] | None = None) -> F64:
        """The factor of each time's half hour; 0 while the store is closed.

        `named` are the profile's named days (-1 for none), which may have longer hours.
        """
        days = _days(times)
        seconds = times.astype("M8[s]").astype(np.int64) - days * calendar.DAY_SECONDS
        weekend = (calendar.weekday(days) >= 5).astype(np.int64)
        event = np.full(len(days), -1) if named is None else named
        return np.asarray(self._half_hours[weekend, event, seconds // HALF_HOUR_SECONDS])

    def get_weekday_multiplier(self, when: datetime) -> float:
        """The factor of a weekday: 0.7 on a Monday, 1.4 on a Saturday."""
        return float(self.get_weekday_multipliers(_column(when))[0])

    def get_hourly_multiplier(self, when: datetime) -> float:
        """The factor of a half hour on a day with usual hours; 0 while the store is closed."""
        return float(self.get_hourly_multipliers(_column(when))[0])

    @cached_property
    def _half_hours(self) -> F64:
        """Factors [weekday or weekend, named day or (last) none, half hour]."""
        events: list[NamedDay | None] = [*self._temporal.named_days, None]
        table = np.zeros((2, len(events), HALF_HOURS))
        for weekend, weights in enumerate(
            (self._temporal.half_hours, self._temporal.half_hours_weekend)
        ):
            for row, event in enumerate(events):
                opens, closes = opening_hours(
                    np.array([self._format.open_hour]),
                    np.array([self._format.close_hour]),
                    event.opens_earlier if event else 0,
                    event.closes_later if event else 0,
                )
                is_open = open_half_hours(int(opens[0]), int(closes[0]))
                table[weekend, row] = np.where(is_open, weights, 0.0)
                mean = table[weekend, row].sum() / is_open.sum()
                table[weekend, row] /= mean or 1.0
        return table


class EventPatterns:
    """Named days, weather and flash sales of each civil year, drawn from the seed."""

    def __init__(self, profile: Profile, seed: int) -> None:
        self._profile = profile
        self._seed = seed
        self._years: dict[int, DayFactors] = {}
        self._names = event_names(profile.temporal.named_days)

    def get_event(self, when: datetime) -> str | None:
        """The name of the day, such as `black_friday`; None for an ordinary one."""
        named = int(self.get_named(_column(when))[0])
        return self._names[named] if named >= 0 else None

    def get_named(self, times: Times) -> I64:
        """The row of each time's day in the profile's named days, or -1."""
        days = _days(times)
        named = np.empty(len(days), dtype=np.int64)
        for rows, factors in self._by_year(days):
            named[rows] = factors.named[days[rows] - factors.first_day]
        return named

    def get_day_multipliers(self, times: Times) -> F64:
        """The factor of each time's day, in average days of its civil year.

        Month, weekday, weather and flash sales make it; on a named day its own factor replaces
        them.
        """
        days = _days(times)
        found = np.empty(len(days))
        for rows, factors in self._by_year(days):
            found[rows] = factors.traffic_ppm[days[rows] - factors.first_day] / PPM
        return found

    def get_day_multiplier(self, when: datetime) -> float:
        """The factor of a day: 3.5 on Black Friday, 0 when stores are closed."""
        return float(self.get_day_multipliers(_column(when))[0])

    def _by_year(self, days: I64) -> list[tuple[Bool, DayFactors]]:
        years = calendar.year(days)
        return [(years == year, self._factors(int(year))) for year in np.unique(years)]

    def _factors(self, year: int) -> DayFactors:
        if year not in self._years:
            temporal, online = self._profile.temporal, self._profile.online
            first, last = date(year, 1, 1), date(year, 12, 31)
            self._years[year] = day_factors(temporal, online, self._seed, first, last)
        return self._years[year]


class CompositeTemporalPatterns:
    """All temporal patterns together, of the default profile or of one that is given."""

    def __init__(self, seed: int = 42, profile: Profile | None = None) -> None:
        chosen = profile or RetailConfig(seed=seed).load_profile()
        self.seasonal = SeasonalPatterns(chosen)
        self.temporal = TemporalPatterns(chosen)
        self.events = EventPatterns(chosen, seed)

    def get_overall_multipliers(self, times: Times) -> F64:
        """How busy each time is: the factor of its day times that of its half hour."""
        times = np.atleast_1d(np.asarray(times, dtype="M8[s]"))
        day = self.events.get_day_multipliers(times)
        hour = self.temporal.get_hourly_multipliers(times, self.events.get_named(times))
        return day * hour

    def get_overall_multiplier(self, when: datetime) -> float:
        """How busy a moment is: 1 for an average one, 0 while stores are closed."""
        return float(self.get_overall_multipliers(_column(when))[0])


def standard_format(profile: Profile) -> StoreFormat:
    """The profile's first format of standard size, else its most frequent one."""
    for store_format in profile.formats:
        if store_format.size_class == "standard":
            return store_format
    return max(profile.formats, key=lambda f: f.share)


def _column(when: datetime) -> Times:
    return np.array([when.replace(tzinfo=None)], dtype="M8[s]")


def _days(times: Times) -> I64:
    return np.asarray(times.astype("M8[D]").astype(np.int64))
