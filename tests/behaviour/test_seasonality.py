"""Which hours of a day are busy, and which are open."""

from __future__ import annotations

from datetime import date

from retail_datagen.behaviour import seasonality
from retail_datagen.config.profile import Temporal
from retail_datagen.core import calendar

PPM = 1_000_000
FLAT = (1.0,) * 48


def test_half_hours_follow_the_kind_of_day_and_the_opening_hours() -> None:
    of = Temporal(
        months=(1.0,) * 12,
        weekdays=(1.0,) * 7,
        half_hours=(1.0, 3.0) * 24,
        half_hours_weekend=FLAT,
        half_hours_online=FLAT,
    )
    saturday, monday = calendar.to_day(date(2024, 6, 8)), calendar.to_day(date(2024, 6, 10))
    assert set(seasonality.half_hour_weights(of, saturday).tolist()) == {PPM}
    assert seasonality.half_hour_weights(of, monday).tolist()[:2] == [PPM, 3 * PPM]
    assert seasonality.open_half_hours(8, 21).tolist() == [16 <= h < 42 for h in range(48)]
    assert seasonality.open_half_hours(0, 24).all()
    assert seasonality.opening_hours(8, 21, 3, 2) == (5, 23)
    assert seasonality.opening_hours(2, 23, 3, 2) == (0, 24)
