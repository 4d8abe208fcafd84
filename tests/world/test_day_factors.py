"""Day factors: exact means, named days, weather and flash sales."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import NamedDay, Online, Temporal
from retail_datagen.core import calendar
from retail_datagen.world.day_factors import PPM, DayFactors, day_factors, event_names

FLAT = (1.0,) * 48
ONLINE = Online()
weights = st.floats(0.05, 10, allow_nan=False)


def temporal(**changed: object) -> Temporal:
    """Flat hours, no events; what a test is about is given."""
    values: dict[str, object] = {
        "months": (1.0,) * 12,
        "weekdays": (1.0,) * 7,
        "half_hours": FLAT,
        "half_hours_weekend": FLAT,
        "half_hours_online": FLAT,
        "weather_share": 0.0,
        "flash_sale_share": 0.0,
    }
    return Temporal.model_validate(values | changed)


def factors(of: Temporal, year: int = 2024, seed: int = 42) -> DayFactors:
    return day_factors(of, ONLINE, seed, date(year, 1, 1), date(year, 12, 31))


def on(found: DayFactors, day: date) -> float:
    return float(found.traffic_ppm[calendar.to_day(day) - found.first_day]) / PPM


SUPERCENTER = RetailConfig().load_profile().temporal


@pytest.mark.parametrize("seed", [1, 42])
def test_the_mean_of_every_year_is_exactly_one(seed: int) -> None:
    found = day_factors(SUPERCENTER, ONLINE, seed, date(2015, 1, 1), date(2035, 12, 31))
    days = np.arange(found.first_day, found.first_day + len(found.traffic_ppm))
    for year in range(2015, 2036):
        mine = calendar.year(days) == year
        assert found.traffic_ppm[mine].sum() == mine.sum() * PPM
        assert found.online_ppm[mine].sum() == mine.sum() * PPM


@settings(max_examples=40, deadline=None)
@given(
    months=st.tuples(*[weights] * 12),
    weekdays=st.tuples(*[weights] * 7),
    share=st.floats(0, 0.5),
    effect=st.floats(0.5, 1),
    factor=st.floats(0, 10),
    year=st.integers(1971, 2099),
    seed=st.integers(0, 2**63 - 1),
)
def test_the_mean_is_one_whatever_the_profile(
    months: tuple[float, ...],
    weekdays: tuple[float, ...],
    share: float,
    effect: float,
    factor: float,
    year: int,
    seed: int,
) -> None:
    named = [{"rule": "black_friday", "factor": factor, "days": 4}]
    of = temporal(
        months=months,
        weekdays=weekdays,
        weather_share=share,
        weather_effect=effect,
        flash_sale_share=share / 2,
        named_days=named,
    )
    found = factors(of, year, seed)
    assert found.traffic_ppm.sum() == len(found.traffic_ppm) * PPM
    assert (found.traffic_ppm >= 0).all()
    assert (found.traffic_ppm[found.named == 0] == round(factor * PPM)).all()


def test_named_days_have_their_factor_whatever_month_weekday_and_weather() -> None:
    for year in range(2015, 2036):
        found = factors(SUPERCENTER, year)
        assert on(found, calendar.us_thanksgiving(year) + timedelta(days=1)) == 3.5
        assert on(found, date(year, 12, 25)) == 0
        assert {on(found, date(year, 12, day)) for day in range(15, 25)} == {2.0}
        assert not (found.bad_weather & (found.named >= 0)).any()
        assert not (found.flash_sale & (found.named >= 0)).any()


def test_other_days_are_as_month_and_weekday_say() -> None:
    months = (0.7, 0.75, 0.85, 0.87, 0.92, 0.92, 0.93, 1.0, 0.86, 0.9, 1.5, 1.8)
    weekdays = (0.70, 0.85, 0.85, 0.90, 1.20, 1.40, 1.10)
    named = [{"rule": "black_friday", "factor": 3.5}]
    found = factors(temporal(months=months, weekdays=weekdays, named_days=named))
    days = np.arange(found.first_day, found.first_day + 366)
    free = found.named < 0
    plain = np.array(months)[calendar.month(days)] * np.array(weekdays)[calendar.weekday(days)]
    ratio = found.traffic_ppm[free] / plain[free]
    assert ratio.max() / ratio.min() - 1 < 1e-5


def test_weather_and_flash_sales_have_their_share_and_effect() -> None:
    of = temporal(
        weather_share=0.2, weather_effect=0.9, flash_sale_share=0.1, flash_sale_effect=1.2
    )
    found = day_factors(of, ONLINE, 7, date(2015, 1, 1), date(2035, 12, 31))
    assert abs(found.bad_weather.mean() - 0.2) < 0.015
    assert abs(found.flash_sale.mean() - 0.1) < 0.012
    year = slice(0, 365)
    bad, flash = found.bad_weather[year], found.flash_sale[year]
    fair = found.traffic_ppm[year][~bad & ~flash]
    fair_factor, calm_factor = (1 - 0.2 * 0.9) / 0.8, (1 - 0.1 * 1.2) / 0.9
    assert np.ptp(fair) <= 1
    wet = found.traffic_ppm[year][bad & ~flash] / fair[0]
    assert wet == pytest.approx(0.9 / fair_factor, rel=1e-5)
    sale = found.traffic_ppm[year][~bad & flash] / fair[0]
    assert sale == pytest.approx(1.2 / calm_factor, rel=1e-5)


def test_a_year_is_the_same_whichever_years_are_asked_for() -> None:
    one = factors(SUPERCENTER, 2024)
    first = date(2023, 3, 4)
    some = day_factors(SUPERCENTER, ONLINE, 42, first, date(2024, 12, 31))
    assert some.first_day == calendar.to_day(first)
    assert some.traffic_ppm[-366:].tolist() == one.traffic_ppm.tolist()
    assert some.online_ppm[-366:].tolist() == one.online_ppm.tolist()
    assert some.flash_sale[-366:].tolist() == one.flash_sale.tolist()


def test_weather_follows_the_seed() -> None:
    assert factors(SUPERCENTER, seed=1).bad_weather.tolist() != (
        factors(SUPERCENTER, seed=2).bad_weather.tolist()
    )


def test_the_shorter_run_wins_a_day_that_two_rules_name() -> None:
    named = [
        {"rule": "before_christmas", "factor": 2.0, "days": 20},
        {"rule": "before_christmas", "factor": 3.0, "days": 2},
        {"rule": "thanksgiving", "factor": 0.5, "days": 2},
        {"rule": "black_friday", "factor": 4.0},
        {"rule": "christmas_day", "factor": 0.1},
        {"rule": "christmas_day", "factor": 0.2},
    ]
    of = temporal(named_days=named)
    found = factors(of)
    assert on(found, date(2024, 12, 22)) == 2.0
    assert on(found, date(2024, 12, 23)) == 3.0
    assert on(found, date(2024, 11, 28)) == 0.5
    assert on(found, date(2024, 11, 29)) == 4.0
    assert on(found, date(2024, 12, 25)) == 0.1
    assert event_names(of.named_days) == (
        "before_christmas",
        "before_christmas_2",
        "thanksgiving",
        "black_friday",
        "christmas_day",
        "christmas_day_2",
    )


def test_named_days_that_take_the_whole_year_are_refused() -> None:
    named = [{"rule": "before_christmas", "factor": 10.0, "days": 60}]
    with pytest.raises(UserError, match=r"temporal\.named_days: .*2024 take 600 average days"):
        factors(temporal(named_days=named))


def online_on(found: DayFactors, day: date) -> float:
    return float(found.online_ppm[calendar.to_day(day) - found.first_day]) / PPM


def test_online_shops_never_close_and_peak_on_cyber_monday() -> None:
    named = [
        NamedDay(rule="black_friday", factor=1.5),
        NamedDay(rule="cyber_monday", factor=1.1),
        NamedDay(rule="christmas_day", factor=0),
    ]
    found = factors(temporal(months=SUPERCENTER.months, named_days=named))
    assert (found.online_ppm > 0).all()
    assert online_on(found, date(2024, 11, 29)) == 3.5
    assert online_on(found, date(2024, 12, 2)) == 3.5
    assert on(found, date(2024, 12, 2)) == 1.1


@pytest.mark.parametrize("stores_too", [False, True])
def test_online_factors_of_named_days_are_the_profiles(stores_too: bool) -> None:
    of = temporal(named_days=[NamedDay(rule="cyber_monday", factor=1.2)] if stores_too else [])
    online = Online(named_days={"cyber_monday": 4.25, "christmas_day": 0})
    found = day_factors(of, online, 42, date(2023, 1, 1), date(2024, 12, 31))
    assert online_on(found, date(2023, 11, 27)) == 4.25
    assert online_on(found, date(2024, 12, 2)) == 4.25
    assert online_on(found, date(2024, 12, 25)) == 0
    ordinary = online_on(found, date(2023, 11, 24))
    assert 0.9 < ordinary < 1.1
    assert found.online_ppm[:365].sum() == 365 * PPM
    assert found.online_ppm[365:].sum() == 366 * PPM


def test_online_factors_last_as_long_as_the_run_of_the_stores() -> None:
    of = temporal(named_days=[NamedDay(rule="before_christmas", factor=2.0, days=10)])
    online = Online(named_days={"before_christmas": 1.75, "black_friday": 2.0})
    found = day_factors(of, online, 42, date(2024, 1, 1), date(2024, 12, 31))
    assert {online_on(found, date(2024, 12, day)) for day in range(15, 25)} == {1.75}
    assert online_on(found, date(2024, 12, 14)) < 1.2


def test_online_factors_can_be_overridden_one_by_one() -> None:
    profile = RetailConfig(overrides={"online.named_days.cyber_monday": 5}).load_profile()
    assert profile.online.named_days == {"black_friday": 3.5, "cyber_monday": 5}
    with pytest.raises(UserError, match=r"online\.named_days\.cyber_monday"):
        RetailConfig(overrides={"online.named_days.cyber_monday": -1}).load_profile()


def test_online_days_that_take_the_whole_year_are_refused() -> None:
    of = temporal(named_days=[NamedDay(rule="before_christmas", factor=1.0, days=60)])
    online = Online(named_days={"before_christmas": 8})
    with pytest.raises(UserError, match=r"online\.named_days: .*2024 take 480 average days"):
        day_factors(of, online, 42, date(2024, 1, 1), date(2024, 12, 31))
