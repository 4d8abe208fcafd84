"""The night's dispatch over random order books: no limit is ever passed, nothing is lost."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.plan.dispatch import Dispatcher
from retail_datagen.plan.replenish import HIGH, URGENT, OrderBook, grouped_within

PRODUCTS, STORES, DCS = 5, 4, 2
DAY = 19_800


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(1, 6)), max_size=40),
    st.lists(st.integers(0, 20), min_size=4, max_size=4),
)
def test_grouped_within_serves_by_rank_until_one_does_not_fit(
    items: list[tuple[int, int, int]], limits: list[int]
) -> None:
    columns = np.array(items, dtype=np.int64).reshape(-1, 3).T
    fits = grouped_within(columns[0], columns[1], columns[2], np.array(limits, dtype=np.int64))
    left, stopped = list(limits), [False] * 4
    expected = [False] * len(items)
    for row in sorted(range(len(items)), key=lambda r: (items[r][1], r)):
        group, _, units = items[row]
        stopped[group] |= units > left[group]
        if not stopped[group]:
            expected[row] = True
            left[group] -= units
    assert fits.tolist() == expected


def world(trucks: list[tuple[int, bool, int]], throughput: list[int]) -> Any:
    """4 stores of 2 DCs and 5 products, two of them cold; trucks are (DC, cold, capacity)."""
    return SimpleNamespace(
        products=SimpleNamespace(
            product_id=np.arange(PRODUCTS, dtype=np.int32) + 1001,
            refrigerated=np.array([False, True, False, True, False]),
            pack=np.full(PRODUCTS, 10, dtype=np.int16),
        ),
        stores=SimpleNamespace(
            dc=np.array([0, 0, 1, 1], dtype=np.int16),
            dc_km=np.array([5, 300, 20, 2000], dtype=np.int32),
            store_id=np.arange(STORES, dtype=np.int32) + 1,
        ),
        dcs=SimpleNamespace(
            dc_id=np.array([1, 2], dtype=np.int32), throughput=np.array(throughput, dtype=np.int64)
        ),
        trucks=SimpleNamespace(
            truck_id=pa.array([f"TRK{1001 + n}" for n in range(len(trucks))]),
            dc=np.array([t[0] for t in trucks], dtype=np.int16),
            refrigerated=np.array([t[1] for t in trucks]),
            capacity=np.array([t[2] for t in trucks], dtype=np.int32),
        ),
    )


ONE_OF_EACH = [(dc, cold) for dc in range(DCS) for cold in (False, True)]
capacities = st.integers(40, 120)
fleets = st.tuples(
    st.tuples(capacities, capacities, capacities, capacities),
    st.lists(st.tuples(st.integers(0, 1), st.booleans(), capacities), max_size=5),
).map(lambda of: [(dc, cold, c) for (dc, cold), c in zip(ONE_OF_EACH, of[0], strict=True)] + of[1])
# Ten units are the most that every truck here allows a line: a quarter of the smallest.
orders = st.lists(
    st.tuples(
        st.integers(0, STORES * PRODUCTS - 1),
        st.integers(1, 10),
        st.integers(0, URGENT),
        st.integers(0, 15),
    ),
    max_size=60,
)


def book_of(of: list[tuple[int, int, int, int]]) -> OrderBook:
    columns = np.array(of, dtype=np.int64).reshape(-1, 4).T
    return OrderBook(
        columns[0],
        columns[1].astype(np.int32),
        columns[2].astype(np.uint8),
        columns[3].astype(np.uint8),
    )


def rows(book: OrderBook) -> list[tuple[int, ...]]:
    columns = (book.cell, book.units, book.priority, book.age)
    return sorted(zip(*(c.tolist() for c in columns), strict=True))


@settings(max_examples=300, deadline=None)
@given(
    fleets,
    orders,
    st.lists(st.integers(0, 60), min_size=DCS * PRODUCTS, max_size=DCS * PRODUCTS),
    st.lists(st.integers(0, 250), min_size=STORES, max_size=STORES),
    st.lists(st.integers(0, 400), min_size=DCS, max_size=DCS),
)
def test_no_limit_is_passed_and_nothing_is_lost(
    fleet: list[tuple[int, bool, int]],
    of: list[tuple[int, int, int, int]],
    dc_stock: list[int],
    room: list[int],
    throughput: list[int],
) -> None:
    there, book = world(fleet, throughput), book_of(of)
    dispatch = Dispatcher(there, seed=5).dispatch(
        DAY, book, np.array(dc_stock, dtype=np.int32), np.array(room, dtype=np.int64)
    )
    shipments = dispatch.shipments
    assert sorted(rows(dispatch.taken) + rows(dispatch.waiting)) == rows(book)

    shipment = shipments.of_line()
    assert len(shipment) == len(shipments.product) == len(shipments.units)
    store = shipments.store[shipment].astype(np.int64)
    dc = shipments.dc[shipment].astype(np.int64)
    shipped = sorted(
        zip((store * PRODUCTS + shipments.product).tolist(), shipments.units.tolist(), strict=True)
    )
    assert shipped == [(cell, units) for cell, units, _, _ in rows(dispatch.taken)]

    units = shipments.units.astype(np.int64)
    per_cell = np.bincount(dc * PRODUCTS + shipments.product, units, DCS * PRODUCTS)
    assert (per_cell <= dc_stock).all()
    assert (np.bincount(dc, units, DCS) <= throughput).all()
    assert (np.bincount(store, units, STORES) <= room).all()

    truck = there.trucks
    assert len(np.unique(shipments.truck)) == len(shipments), "a truck makes one trip a day"
    assert (shipments.lines > 0).all()
    assert (there.stores.dc[shipments.store] == shipments.dc).all()
    assert (truck.dc[shipments.truck] == shipments.dc).all()
    load = np.bincount(shipment, units, len(shipments))
    assert (load <= truck.capacity[shipments.truck]).all()
    cold = there.products.refrigerated[shipments.product]
    assert (truck.refrigerated[shipments.truck][shipment] == cold).all()

    steps = [shipments.scheduled, shipments.loading, shipments.departed]
    steps += [shipments.arrived, shipments.unloading, shipments.completed]
    for before, after in pairwise(steps):
        assert (before < after).all()
    if len(shipments):
        assert steps[0].min() >= 0
        assert steps[-1].max() < 86_400


@settings(deadline=None)
@given(orders)
def test_with_plenty_of_everything_the_urgent_all_go(of: list[tuple[int, int, int, int]]) -> None:
    many = [(dc, cold, 40) for dc, cold in ONE_OF_EACH for _ in range(25)]
    there, book = world(many, [10_000, 10_000]), book_of(of)
    plenty = np.full(DCS * PRODUCTS, 10_000, dtype=np.int32)
    dispatch = Dispatcher(there, seed=5).dispatch(
        DAY, book, plenty, np.full(STORES, 10_000, dtype=np.int64)
    )
    assert not (dispatch.waiting.priority >= HIGH).any()
    assert not (dispatch.waiting.age >= 2).any()


def test_the_more_urgent_and_then_the_older_go_first() -> None:
    there = world([(dc, cold, 40) for dc, cold in ONE_OF_EACH], [1000, 1000])
    book = book_of([(0, 8, 0, 3), (0, 8, URGENT, 0), (0, 8, URGENT, 1), (0, 8, HIGH, 9)])
    stock = np.full(DCS * PRODUCTS, 16, dtype=np.int32)
    dispatch = Dispatcher(there, seed=5).dispatch(DAY, book, stock, np.full(STORES, 1000))
    assert rows(dispatch.taken) == [(0, 8, URGENT, 0), (0, 8, URGENT, 1)]


def test_the_book_grows_older_and_keeps_its_order() -> None:
    old = book_of([(3, 1, 0, 0), (1, 2, 2, 15)])
    new = replace(book_of([(2, 5, 1, 0)]))
    both = old.and_then(new)
    assert both.cell.tolist() == [3, 1, 2]
    assert both.age.tolist() == [1, 15, 0]
    assert both.age.dtype == np.uint8
