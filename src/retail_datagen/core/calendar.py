"""Days and dates: civil fields, the retail 4-5-4 calendar, holidays and the days named after rules.

A day is the number of days since 1970-01-01. Functions over many days take and return arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from retail_datagen.config.errors import UserError
from retail_datagen.core.arrays import I64 as I64

EPOCH = date(1970, 1, 1)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
DAY_SECONDS = 86_400


def to_day(value: date) -> int:
    """The day number of a date."""
    return value.toordinal() - EPOCH.toordinal()


def to_date(day: int) -> date:
    """The date of a day number."""
    return date.fromordinal(int(day) + EPOCH.toordinal())


def day_of(field: str, text: str) -> int:
    """The number of a day that a user wrote as YYYY-MM-DD. Raises UserError that names `field`."""
    try:
        if len(text) != len("2024-01-30"):
            raise ValueError(text)
        return to_day(date.fromisoformat(text))
    except ValueError:
        raise UserError(
            f"{field}: {text!r} is not a day; write it as YYYY-MM-DD, such as 2024-01-30"
        ) from None


def days_between(first: date, last: date) -> I64:
    """All days from `first` to `last`, both included."""
    return np.arange(to_day(first), to_day(last) + 1, dtype=np.int64)


def weekday(days: I64) -> I64:
    """0 for Monday to 6 for Sunday."""
    return (np.asarray(days, dtype=np.int64) + 3) % 7


def year(days: I64) -> I64:
    """The civil year."""
    return days.astype("M8[D]").astype("M8[Y]").astype(np.int64) + 1970


def month(days: I64) -> I64:
    """The civil month, 0 for January to 11 for December."""
    return days.astype("M8[D]").astype("M8[M]").astype(np.int64) % 12


def month_of(day: int) -> int:
    """The civil month of one day, 0 for January to 11 for December."""
    return to_date(day).month - 1


def iso_week(days: I64) -> I64:
    """The ISO 8601 week, 1 to 53: that of the Thursday of the same week."""
    thursday = days - weekday(days) + 3
    first = thursday.astype("M8[D]").astype("M8[Y]").astype("M8[D]").astype(np.int64)
    return (thursday - first) // 7 + 1


@dataclass(frozen=True, slots=True)
class RetailDates:
    """The retail calendar's fields, one of each for each day; numbers begin with 1."""

    year: I64
    quarter: I64
    period: I64
    week: I64


_PERIOD_OF_WEEK = np.repeat(np.arange(1, 13), [4, 5, 4] * 3 + [4, 5, 5])
"""The 53rd week, in the years that have one, belongs to the last period."""


def retail_year_start(years: I64) -> I64:
    """The Sunday after the Saturday that is closest to 31 January.

    Source: the National Retail Federation's 4-5-4 calendar.
    """
    january = (np.asarray(years, dtype=np.int64) - 1970).astype("M8[Y]").astype("M8[D]")
    end = january.astype(np.int64) + 30
    return end + (5 - weekday(end) + 3) % 7 - 3 + 1


def retail_dates(days: I64) -> RetailDates:
    """Retail year, quarter, period and week of each day."""
    civil = year(days)
    retail = np.where(days >= retail_year_start(civil), civil, civil - 1)
    week = (days - retail_year_start(retail)) // 7
    period = _PERIOD_OF_WEEK[week]
    return RetailDates(retail, (period - 1) // 3 + 1, period, week + 1)


def holiday_names(country: str, first_year: int, last_year: int) -> dict[date, str]:
    """The public holidays of those years. Raises UserError when the country is not known."""
    import holidays  # its calendars take longer to import than most days to generate

    try:
        found = holidays.country_holidays(country, years=range(first_year, last_year + 1))
    except NotImplementedError:
        raise UserError(
            f"temporal.country: no calendar of holidays for {country!r}; allowed are the "
            "ISO 3166 codes that the `holidays` package knows, such as US, CA or GB"
        ) from None
    return dict(sorted(found.items()))


def us_thanksgiving(civil_year: int) -> date:
    """The fourth Thursday of November."""
    first = date(civil_year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 21)


def _kept(names: Mapping[date, str], name: str, otherwise: date) -> date:
    """The day of that year on which a holiday is kept, or `otherwise` where it is not."""
    for day, found in names.items():
        if day.year == otherwise.year and name in found.split("; "):
            return day
    return otherwise


def named_days(
    rule: str, civil_year: int, days: int = 1, names: Mapping[date, str] | None = None
) -> tuple[date, ...]:
    """The dates in a civil year that a rule names, in order.

    A run of `days` begins on the named day; `before_christmas` ends with 24 December instead.
    `names` are the country's holidays (see `holiday_names`); Black Friday and Cyber Monday follow
    the United States' Thanksgiving everywhere. A run that leaves the year is cut. Raises
    ValueError for an unknown rule.
    """
    kept = names or {}
    match rule:
        case "thanksgiving":
            first = _kept(kept, "Thanksgiving Day", us_thanksgiving(civil_year))
        case "black_friday":
            first = us_thanksgiving(civil_year) + timedelta(days=1)
        case "cyber_monday":
            first = us_thanksgiving(civil_year) + timedelta(days=4)
        case "before_christmas":
            first = date(civil_year, 12, 24) - timedelta(days=days - 1)
        case "christmas_day":
            first = date(civil_year, 12, 25)
        case "new_years_day":
            first = date(civil_year, 1, 1)
        case "independence_day":
            first = _kept(kept, "Independence Day", date(civil_year, 7, 4))
        case _:
            raise ValueError(f"no rule {rule!r} for a named day")
    run = (first + timedelta(days=step) for step in range(days))
    return tuple(day for day in run if day.year == civil_year)
