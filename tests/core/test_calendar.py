"""Civil and retail dates, holidays and named days."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_datagen.config.errors import UserError
from retail_datagen.core import calendar

DATES = st.dates(date(1971, 1, 1), date(2100, 12, 31))


@given(DATES)
def test_fields_are_those_of_the_standard_library(day: date) -> None:
    days = np.array([calendar.to_day(day)])
    assert calendar.to_date(int(days[0])) == day
    assert calendar.weekday(days).tolist() == [day.weekday()]
    assert calendar.year(days).tolist() == [day.year]
    assert calendar.month(days).tolist() == [day.month - 1]
    assert calendar.iso_week(days).tolist() == [day.isocalendar().week]


@pytest.mark.parametrize(
    ("retail_year", "start", "weeks"),
    [
        (2012, date(2012, 1, 29), 53),
        (2017, date(2017, 1, 29), 53),
        (2018, date(2018, 2, 4), 52),
        (2022, date(2022, 1, 30), 52),
        (2023, date(2023, 1, 29), 53),
        (2024, date(2024, 2, 4), 52),
        (2025, date(2025, 2, 2), 52),
    ],
)
def test_retail_years_are_those_that_the_nrf_publishes(
    retail_year: int, start: date, weeks: int
) -> None:
    first, following = calendar.retail_year_start(np.array([retail_year, retail_year + 1]))
    assert calendar.to_date(first) == start
    assert following - first == 7 * weeks


@given(DATES)
def test_a_retail_year_begins_on_a_sunday_and_its_days_count_on(day: date) -> None:
    days = calendar.days_between(day, day + timedelta(days=400))
    retail = calendar.retail_dates(days)
    starts = np.flatnonzero(np.diff(retail.year)) + 1
    assert (calendar.weekday(days[starts]) == 6).all()
    assert (retail.week[starts] == 1).all()
    assert set(np.diff(retail.week).tolist()) <= {0, 1, -51, -52}
    assert ((retail.period - 1) // 3 + 1 == retail.quarter).all()


def test_periods_have_four_five_and_four_weeks() -> None:
    weeks = calendar.retail_dates(calendar.days_between(date(2024, 2, 4), date(2025, 2, 1)))
    lengths = np.bincount(weeks.period)[1:] // 7
    assert lengths.tolist() == [4, 5, 4] * 4
    long_year = calendar.retail_dates(calendar.days_between(date(2023, 1, 29), date(2024, 2, 3)))
    assert (np.bincount(long_year.period)[1:] // 7).tolist() == [4, 5, 4] * 3 + [4, 5, 5]
    assert long_year.week[-1] == 53


def test_thanksgiving_is_when_the_holidays_package_says() -> None:
    kept = holidays.country_holidays("US", years=range(2015, 2036))
    for year in range(2015, 2036):
        assert kept[calendar.us_thanksgiving(year)] == "Thanksgiving Day"


@pytest.mark.parametrize(
    ("rule", "days", "first", "last"),
    [
        ("thanksgiving", 1, date(2024, 11, 28), date(2024, 11, 28)),
        ("black_friday", 1, date(2024, 11, 29), date(2024, 11, 29)),
        ("black_friday", 3, date(2024, 11, 29), date(2024, 12, 1)),
        ("cyber_monday", 1, date(2024, 12, 2), date(2024, 12, 2)),
        ("before_christmas", 10, date(2024, 12, 15), date(2024, 12, 24)),
        ("christmas_day", 1, date(2024, 12, 25), date(2024, 12, 25)),
        ("christmas_day", 60, date(2024, 12, 25), date(2024, 12, 31)),
        ("new_years_day", 1, date(2024, 1, 1), date(2024, 1, 1)),
        ("independence_day", 1, date(2024, 7, 4), date(2024, 7, 4)),
    ],
)
def test_a_rule_names_its_days(rule: str, days: int, first: date, last: date) -> None:
    found = calendar.named_days(rule, 2024, days, calendar.holiday_names("US", 2024, 2024))
    assert (found[0], found[-1]) == (first, last)
    assert len(found) == (last - first).days + 1


def test_a_country_keeps_its_own_holidays() -> None:
    names = calendar.holiday_names("IN", 2024, 2024)
    assert calendar.named_days("independence_day", 2024, 1, names) == (date(2024, 8, 15),)


def test_an_unknown_country_is_an_error_that_names_the_field() -> None:
    with pytest.raises(UserError, match=r"temporal\.country: .*'XX'"):
        calendar.holiday_names("XX", 2024, 2024)


def test_an_unknown_rule_is_an_error() -> None:
    with pytest.raises(ValueError, match="easter"):
        calendar.named_days("easter", 2024)
