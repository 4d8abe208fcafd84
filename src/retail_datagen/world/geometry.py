"""Distances between places in whole metres, with integers only.

The flat-earth formula at the mean latitude is within two percent of the great circle inside a
country, and gives the same metre on every CPU.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retail_datagen.core.arrays import I64

_BLOCK = 256
METRES_PER_DEGREE = 111_195
"""Of latitude, on a sphere of 6,371 km radius."""
_COSINE = np.array([round(math.cos(math.radians(i / 100)) * 1e6) for i in range(9001)], np.int64)
"""Cosine in ppm for each hundredth of a degree."""
_HALF_TURN = 180_000_000
_DIRECTIONS = 1024
_EAST = np.array(
    [round(math.cos(i * math.tau / _DIRECTIONS) * 1e6) for i in range(_DIRECTIONS)], np.int64
)
_NORTH = np.array(
    [round(math.sin(i * math.tau / _DIRECTIONS) * 1e6) for i in range(_DIRECTIONS)], np.int64
)


def metres(
    latitude: NDArray[Any],
    longitude: NDArray[Any],
    to_latitude: NDArray[Any],
    to_longitude: NDArray[Any],
) -> I64:
    """Metres between places given in micro-degrees; the arguments broadcast."""
    a, b = np.asarray(latitude, dtype=np.int64), np.asarray(to_latitude, dtype=np.int64)
    east = np.asarray(longitude, dtype=np.int64) - np.asarray(to_longitude, dtype=np.int64)
    around = np.abs(east) > _HALF_TURN
    if around.any():
        east = np.where(around, east - np.sign(east) * 2 * _HALF_TURN, east)
    x = east * METRES_PER_DEGREE // 1_000_000 * _COSINE[np.abs(a + b) // 20_000] // 1_000_000
    y = (a - b) * METRES_PER_DEGREE // 1_000_000
    distance: I64 = np.rint(np.sqrt((x * x + y * y).astype(np.float64))).astype(np.int64)
    return distance


def nearest(latitude: I64, longitude: I64, to_latitude: I64, to_longitude: I64) -> I64:
    """For each place the row of the nearest of the others; the first one where two are as near."""
    found = np.empty(len(latitude), dtype=np.int64)
    for start in range(0, len(latitude), _BLOCK):
        rows = slice(start, start + _BLOCK)
        away = metres(latitude[rows, None], longitude[rows, None], to_latitude, to_longitude)
        found[rows] = away.argmin(axis=1)
    return found


def moved(
    latitude: NDArray[Any], longitude: NDArray[Any], distance: I64, direction: I64
) -> tuple[I64, I64]:
    """Places (micro-degrees) `distance` metres away in `direction`, one of 1,024 around."""
    lat = np.asarray(latitude, dtype=np.int64)
    lon = np.asarray(longitude, dtype=np.int64)
    turn = direction % _DIRECTIONS
    north = distance * _NORTH[turn] // METRES_PER_DEGREE
    east = distance * _EAST[turn] // METRES_PER_DEGREE
    cosine = np.maximum(_COSINE[np.abs(lat) // 10_000], 10_000)
    on = lon + east * 1_000_000 // cosine
    pole = 90_000_000
    return np.clip(lat + north, -pole, pole), (on + _HALF_TURN) % (2 * _HALF_TURN) - _HALF_TURN
