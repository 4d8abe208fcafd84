"""Which hours of a day are busy: the profile's half-hour factors and the opening hours.

How busy a day is stands in the world's calendar; `world.day_factors` makes it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retail_datagen.config.profile import Temporal
from retail_datagen.core import calendar
from retail_datagen.core.rng import integer_weights

I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

HALF_HOURS = 48


def half_hour_weights(temporal: Temporal, day: int) -> I64:
    """Relative arrivals in stores for each of the 48 half hours of a day, before closing hours."""
    weekend = int(calendar.weekday(np.array([day]))[0]) >= 5
    return integer_weights(temporal.half_hours_weekend if weekend else temporal.half_hours)


def opening_hours(
    open_hour: int, close_hour: int, opens_earlier: int = 0, closes_later: int = 0
) -> tuple[int, int]:
    """A store's hours on a day that may have longer ones; never beyond the day itself."""
    return max(0, open_hour - opens_earlier), min(24, close_hour + closes_later)


def open_half_hours(open_hour: int, close_hour: int) -> Bool:
    """Which of the 48 half hours lie within the opening hours."""
    half_hours = np.arange(HALF_HOURS)
    return (half_hours >= 2 * open_hour) & (half_hours < 2 * close_hour)
