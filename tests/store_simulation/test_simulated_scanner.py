"""Readings: strength falls with distance, and misses grow with it, as often as they should."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from retail_datagen.store.simulation.scanner import ReaderModel, Scanner

MODEL = ReaderModel()
MANY = 40_000


@pytest.mark.parametrize("distance", [0, 30, 100, 150, 240, 300, 390])
def test_as_many_are_missed_as_the_model_says(distance: int) -> None:
    read = Scanner(7).read(np.full(MANY, float(distance)))
    expected = MODEL.missed(distance)
    error = (expected * (1 - expected) / MANY) ** 0.5
    assert abs((1 - read.mean()) - expected) < 5 * error + 1 / 65536


def test_misses_grow_with_distance() -> None:
    shares = [1 - Scanner(1).read(np.full(MANY, d)).mean() for d in np.arange(0.0, 401.0, 50.0)]
    assert all(b > a for a, b in pairwise(shares[1:]))
    assert shares[0] == pytest.approx(MODEL.least_missed, abs=0.005)


def test_nothing_is_read_at_the_edge_of_the_range_and_beyond() -> None:
    scanner = Scanner(3)
    assert not scanner.read(np.full(1000, float(MODEL.range))).any()
    assert not scanner.read(np.full(1000, 5000.0)).any()


def test_strength_falls_with_distance_and_scatters_around_the_model() -> None:
    means = []
    for distance in (20.0, 50.0, 100.0, 200.0, 300.0):
        strength = Scanner(5).strength(np.full(MANY, distance)) / 10
        assert strength.mean() == pytest.approx(MODEL.strength(distance), abs=0.1)
        assert strength.std() > 1
        assert np.abs(strength - MODEL.strength(distance)).max() <= MODEL.fading / 10 + 0.1
        means.append(strength.mean())
    assert means == sorted(means, reverse=True)


def test_readings_are_those_of_the_seed() -> None:
    distance = np.linspace(0, 299, 500)
    one, two, other = Scanner(11), Scanner(11), Scanner(12)
    first = one.read(distance)
    assert (first == two.read(distance)).all()
    assert (first != other.read(distance)).any()
    assert (one.strength(distance) == two.strength(distance)).all()
