"""Distances and places near the edges of the map, where numbers jump and people do not."""

from __future__ import annotations

import numpy as np
import pytest

from retail_datagen.world.geometry import METRES_PER_DEGREE, metres, moved, nearest

EAST, WEST = 179_900_000, -179_900_000


def place(value: int) -> np.ndarray:
    return np.array([value])


@pytest.mark.parametrize(("one", "other"), [(EAST, WEST), (WEST, EAST)])
def test_the_date_line_parts_nobody(one: int, other: int) -> None:
    away = metres(place(0), place(one), place(0), place(other))
    assert away[0] == pytest.approx(METRES_PER_DEGREE * 0.2, abs=2)


def test_the_nearest_may_be_across_the_date_line() -> None:
    latitude, longitude = np.zeros(3, dtype=np.int64), np.array([0, 170_000_000, WEST])
    assert nearest(place(0), place(EAST), latitude, longitude).tolist() == [2]


def test_nobody_moves_off_the_map() -> None:
    directions = np.arange(1024)
    for latitude in (-90_000_000, 90_000_000, 89_999_000):
        for longitude in (-180_000_000, 0, 179_999_999):
            distance = np.full(1024, 50_000)
            lat, lon = moved(latitude, longitude, distance, directions)
            assert np.abs(lat).max() <= 90_000_000
            assert lon.min() >= -180_000_000
            assert lon.max() < 180_000_000


def test_who_moves_across_the_date_line_is_as_far_away_as_he_went() -> None:
    lat, lon = moved(place(-17_000_000), place(EAST), place(40_000), place(0))
    assert lon[0] < 0
    away = metres(place(-17_000_000), place(EAST), lat, lon)
    assert away[0] == pytest.approx(40_000, rel=0.01)
