"""The published API's temporal patterns, one moment at a time and as columns."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import numpy as np
import pytest

from retail_datagen.config.models import RetailConfig
from retail_datagen.generators.seasonal_patterns import (
    CompositeTemporalPatterns,
    EventPatterns,
    SeasonalPatterns,
    TemporalPatterns,
    standard_format,
)

PROFILE = RetailConfig().load_profile()
PATTERNS = CompositeTemporalPatterns(seed=42)


def test_the_published_snippet_runs() -> None:
    patterns = CompositeTemporalPatterns(seed=42)
    assert patterns.get_overall_multiplier(datetime(2024, 12, 25)) == 0.0


def test_a_multiplier_is_the_days_factor_times_the_hours() -> None:
    friday = datetime(2024, 11, 29, 12, 10)
    assert PATTERNS.events.get_event(friday) == "black_friday"
    assert PATTERNS.events.get_day_multiplier(friday) == 3.5
    hours = [
        PATTERNS.get_overall_multiplier(datetime(2024, 11, 29) + timedelta(minutes=30 * half))
        for half in range(48)
    ]
    is_open = [hour for hour in hours if hour > 0]
    assert sum(is_open) / len(is_open) == pytest.approx(3.5)


def test_doors_are_closed_at_night_and_open_longer_on_black_friday() -> None:
    usual = standard_format(PROFILE)
    rule = next(day for day in PROFILE.temporal.named_days if day.rule == "black_friday")
    early = usual.open_hour - rule.opens_earlier
    tuesday, friday = datetime(2024, 6, 4), datetime(2024, 11, 29)
    assert PATTERNS.get_overall_multiplier(tuesday.replace(hour=usual.open_hour)) > 0
    assert PATTERNS.get_overall_multiplier(tuesday.replace(hour=usual.open_hour - 1)) == 0
    assert PATTERNS.get_overall_multiplier(tuesday.replace(hour=usual.close_hour)) == 0
    assert PATTERNS.get_overall_multiplier(friday.replace(hour=early)) > 0
    assert PATTERNS.get_overall_multiplier(friday.replace(hour=early - 1, minute=59)) == 0


def test_columns_say_what_single_moments_say() -> None:
    start = np.datetime64("2023-12-20T00:00:00")
    times = start + np.arange(0, 3_000_000, 7_777).astype("m8[s]")
    expected = [PATTERNS.get_overall_multiplier(time.item()) for time in times]
    assert PATTERNS.get_overall_multipliers(times).tolist() == expected


def test_a_year_of_days_averages_to_one() -> None:
    for year in (2023, 2024):
        days = np.arange(f"{year}-01-01", f"{year + 1}-01-01", dtype="M8[D]")
        assert PATTERNS.events.get_day_multipliers(days).mean() == pytest.approx(1, abs=1e-12)


def test_months_and_weekdays_are_the_published_ones() -> None:
    seasonal, temporal = SeasonalPatterns(PROFILE), TemporalPatterns(PROFILE)
    january = seasonal.get_seasonal_multiplier(datetime(2024, 1, 10))
    assert seasonal.get_seasonal_multiplier(datetime(2024, 12, 1)) / january == pytest.approx(
        1.8 / 0.7
    )
    monday = temporal.get_weekday_multiplier(datetime(2024, 6, 3))
    assert monday == pytest.approx(0.70)
    assert temporal.get_weekday_multiplier(datetime(2024, 6, 7)) == pytest.approx(1.20)
    assert temporal.get_weekday_multiplier(datetime(2024, 6, 8)) == pytest.approx(1.40)
    noon = temporal.get_hourly_multiplier(datetime(2024, 6, 4, 12, 15))
    assert noon > 1.2 * temporal.get_hourly_multiplier(datetime(2024, 6, 4, 15))
    assert temporal.get_hourly_multiplier(datetime(2024, 6, 4, 18)) > 1.2
    assert temporal.get_hourly_multiplier(datetime(2024, 6, 4, 2)) == 0


def test_seed_and_profile_decide() -> None:
    days = np.arange("2024-01-01", "2025-01-01", dtype="M8[D]")
    one, other = EventPatterns(PROFILE, 1), EventPatterns(PROFILE, 2)
    assert (one.get_day_multipliers(days) != other.get_day_multipliers(days)).any()
    assert one.get_event(datetime(2024, 6, 4)) is None
    overridden = RetailConfig(overrides={"temporal.named_days.black_friday.factor": 5.0})
    patterns = CompositeTemporalPatterns(42, overridden.load_profile())
    assert patterns.events.get_day_multiplier(datetime(2024, 11, 29)) == 5.0


def test_a_time_zone_does_not_move_the_wall_clock() -> None:
    noon = datetime(2024, 6, 4, 12, 15)
    east = noon.replace(tzinfo=timezone(timedelta(hours=9)))
    assert PATTERNS.get_overall_multiplier(east) == PATTERNS.get_overall_multiplier(noon)
