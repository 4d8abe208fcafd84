"""Which hours are open: whole hours, half hours and days of longer hours."""

from __future__ import annotations

import numpy as np
import pytest

from retail_datagen.behaviour.hours import open_half_hours, opening_hours


def test_half_hours_lie_between_opening_and_closing() -> None:
    assert open_half_hours(8, 21).tolist() == [16 <= half < 42 for half in range(48)]
    assert open_half_hours(0, 24).all()


@pytest.mark.parametrize(
    ("usual", "longer"), [((8, 21), (5, 23)), ((2, 23), (0, 24)), ((0, 24), (0, 24))]
)
def test_longer_hours_stay_within_the_day(usual: tuple[int, int], longer: tuple[int, int]) -> None:
    opens, closes = opening_hours(np.array([usual[0]]), np.array([usual[1]]), 3, 2)
    assert (opens[0], closes[0]) == longer
