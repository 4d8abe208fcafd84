"""People walk along shelves, and never through them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.store.floor import FLOOR, ISLAND, SHELVES, FloorPlan, Zone
from retail_datagen.store.simulation.grid import Grid
from retail_datagen.store.simulation.walkways import Walkways

WAYS = Walkways(FLOOR)
BOXES = [(z.x0, z.y0, z.x1, z.y1) for z in FLOOR.of_kind(*SHELVES)]


def inside_a_shelf(x: float, y: float) -> bool:
    return any(a + 1e-6 < x < c - 1e-6 and b + 1e-6 < y < d - 1e-6 for a, b, c, d in BOXES)


def line(start: int, end: int) -> list[tuple[float, float]]:
    shares = np.linspace(0, 1, 200)
    x = WAYS.x[start] + (WAYS.x[end] - WAYS.x[start]) * shares
    y = WAYS.y[start] + (WAYS.y[end] - WAYS.y[start]) * shares
    return list(zip(x.tolist(), y.tolist(), strict=True))


def test_every_shelf_has_an_aisle_along_it() -> None:
    for zone in FLOOR.of_kind(*SHELVES):
        x, y = (np.array([value]) for value in zone.center)
        nearest = min(float(WAYS.distance(a, x, y)[0]) for a in range(WAYS.number_of_aisles))
        assert nearest <= 250, zone.name


def test_aisles_between_two_rows_of_shelves_are_one() -> None:
    ends = WAYS.aisles
    for one, two in combinations(range(len(ends)), 2):
        x = WAYS.x[ends[two]]
        y = WAYS.y[ends[two]]
        assert WAYS.distance(one, x, y).max() > 60, (one, two)


def test_no_way_leads_through_a_shelf() -> None:
    nodes = range(len(WAYS.x))
    for start, end in combinations(nodes, 2):
        at = start
        walked = 0.0
        for node in WAYS.route(start, end):
            assert not any(inside_a_shelf(x, y) for x, y in line(at, node)), (start, end)
            walked += float(np.hypot(WAYS.x[node] - WAYS.x[at], WAYS.y[node] - WAYS.y[at]))
            at = node
        assert at == end
        assert walked == pytest.approx(float(WAYS.length[start, end]))


def test_ways_are_as_long_there_as_back() -> None:
    assert WAYS.length == pytest.approx(WAYS.length.T)


def test_a_floor_without_shelves_is_refused() -> None:
    with pytest.raises(ValueError, match="no shelf"):
        Walkways(FloorPlan(500, 500, ()))


def test_a_single_island_is_walked_around() -> None:
    ways = Walkways(FloorPlan(1000, 1000, (Zone(1, "Island", ISLAND, 300, 300, 700, 700),)))
    assert ways.number_of_aisles == 4
    left, right = sorted(range(4), key=lambda a: float(ways.x[ways.aisles[a]].sum()))[::3]
    straight = np.hypot(480, 0)
    there = ways.length[ways.aisles[left][0], ways.aisles[right][0]]
    assert there > straight


@settings(max_examples=60, deadline=None)
@given(
    places=st.lists(st.tuples(st.floats(0, 2400), st.floats(0, 1800)), max_size=60),
    x=st.floats(-50, 2450),
    y=st.floats(-50, 1850),
    radius=st.floats(1, 500),
)
def test_the_grid_finds_what_is_in_range(
    places: list[tuple[float, float]], x: float, y: float, radius: float
) -> None:
    px = np.array([place[0] for place in places])
    py = np.array([place[1] for place in places])
    away = np.sqrt((px - x) ** 2 + (py - y) ** 2)
    rows, distance = Grid(px, py).within(x, y, radius)
    assert sorted(rows.tolist()) == np.flatnonzero(away <= radius).tolist()
    assert distance == pytest.approx(away[rows])
