"""Settlement, lookups of the next inflow and receipts, against the obvious loops."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.behaviour.baskets import Lines
from retail_datagen.behaviour.journeys import Visits
from retail_datagen.plan.settle import Flow, Turn, settle
from retail_datagen.plan.tills import ring_up
from retail_datagen.plan.trade import joined, next_inflow

CELLS = 4
# Few seconds and few units, so that ties and shortages are the rule.
events = st.lists(
    st.tuples(st.integers(0, CELLS - 1), st.integers(1, 4), st.integers(0, 5)), max_size=25
)
stocks = st.lists(st.integers(0, 8), min_size=CELLS, max_size=CELLS)


def flow(turn: Turn, of: list[tuple[int, int, int]]) -> Flow:
    columns = np.array(of, dtype=np.int64).reshape(-1, 3).T
    return Flow(turn, columns[0], columns[1].astype(np.int32), columns[2].astype(np.int32))


def one_by_one(
    stock: list[int], flows: list[list[tuple[int, int, int]]]
) -> tuple[list[int], list[list[tuple[int, int]]]]:
    """Event by event: by second, inflows first, then flow by flow, then in the order given."""
    held, losses = list(stock), [[] for _ in flows]
    steps = sorted(
        (second, number, row, cell, units)
        for number, of in enumerate(flows)
        for row, (cell, units, second) in enumerate(of)
    )
    for _, number, row, cell, units in steps:
        if number == 0:
            held[cell] += units
        elif held[cell] >= units:
            held[cell] -= units
        else:
            losses[number].append((row, held[cell]))
    return held, [sorted(of) for of in losses[1:]]


@settings(max_examples=400)
@given(stocks, events, events, events, events)
def test_settlement_is_what_happens_event_by_event(
    stock: list[int],
    inflow: list[tuple[int, int, int]],
    shrink: list[tuple[int, int, int]],
    sales: list[tuple[int, int, int]],
    online: list[tuple[int, int, int]],
) -> None:
    held = np.array(stock, dtype=np.int32)
    outflows = [flow(Turn.SHRINK, shrink), flow(Turn.SALE, sales), flow(Turn.ONLINE, online)]
    losses = settle(held, flow(Turn.INFLOW, inflow), outflows)
    expected, lost = one_by_one(stock, [inflow, shrink, sales, online])
    assert held.tolist() == expected
    found = [list(zip(x.row.tolist(), x.on_hand.tolist(), strict=True)) for x in losses]
    assert found == lost


@given(stocks, events, events)
def test_units_are_sold_or_lost_or_still_there(
    stock: list[int], inflow: list[tuple[int, int, int]], sales: list[tuple[int, int, int]]
) -> None:
    held = np.array(stock, dtype=np.int32)
    sale = flow(Turn.SALE, sales)
    (loss,) = settle(held, flow(Turn.INFLOW, inflow), [sale])
    assert (held >= 0).all()
    sold = sum(u for _, u, _ in sales) - int(sale.units[loss.row].sum())
    assert sum(stock) + sum(u for _, u, _ in inflow) - sold == held.sum()
    assert (loss.on_hand < sale.units[loss.row]).all()
    assert (np.diff(loss.row) > 0).all()


@given(
    events,
    st.lists(st.tuples(st.integers(0, CELLS), st.integers(0, 6)), max_size=20),
)
def test_the_next_inflow_is_the_first_one_after(
    inflow: list[tuple[int, int, int]], asked: list[tuple[int, int]]
) -> None:
    columns = np.array(asked, dtype=np.int64).reshape(-1, 2).T
    found = next_inflow(flow(Turn.INFLOW, inflow), columns[0], columns[1].astype(np.int32)).tolist()
    for (cell, second), restocked in zip(asked, found, strict=True):
        later = [s for c, _, s in inflow if c == cell and s > second]
        assert restocked == min(later, default=-1)


def test_the_next_inflow_may_be_tomorrow() -> None:
    tomorrow = Flow(
        Turn.INFLOW, np.array([3]), np.array([5], np.int32), np.array([2 * 86_400 - 1], np.int32)
    )
    asked = next_inflow(tomorrow, np.array([3, 2]), np.array([86_399, 0], np.int32))
    assert asked.tolist() == [2 * 86_400 - 1, -1]


@given(events, events)
def test_joined_flows_are_one_after_the_other(
    one: list[tuple[int, int, int]], other: list[tuple[int, int, int]]
) -> None:
    both = joined([flow(Turn.INFLOW, one), flow(Turn.INFLOW, other)])
    found = zip(both.cell.tolist(), both.units.tolist(), both.second.tolist(), strict=True)
    assert list(found) == one + other


def shopping(stores: list[int], sizes: list[int]) -> tuple[Visits, Lines]:
    count, none = len(stores), np.zeros(len(stores), dtype=np.uint8)
    store = np.array(stores, dtype=np.int32)
    lines = np.array(sizes, dtype=np.uint8)
    visits = Visits(
        store,
        np.arange(count, dtype=np.int32),
        np.arange(count, dtype=np.int32),
        np.arange(count, dtype=np.int32),
        none,
        none,
        none,
        lines,
        np.full(count, -1, dtype=np.int16),
    )
    visit = np.repeat(np.arange(count, dtype=np.int32), lines)
    product = np.arange(len(visit)).astype(np.uint16)
    return visits, Lines(visit, product, np.ones(len(visit), dtype=np.uint8))


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 5)), max_size=30),
    st.sets(st.integers(0, 60)),
)
def test_receipts_are_numbered_by_store_and_lines_by_receipt(
    shoppers: list[tuple[int, int]], lost: set[int]
) -> None:
    visits, lines = shopping([s for s, _ in shoppers], [n for _, n in shoppers])
    lost = {row for row in lost if row < len(lines)}
    tills = ring_up(visits, lines, np.array(sorted(lost), dtype=np.int32))

    numbers: dict[int, int] = {}
    visit_of, number_of, kept, receipt_of, position_of = [], [], [], [], []
    row = 0
    for visit, (store, size) in enumerate(shoppers):
        mine = [r for r in range(row, row + size) if r not in lost]
        row += size
        if mine:
            numbers[store] = numbers.get(store, 0) + 1
            receipt_of += [len(visit_of)] * len(mine)
            visit_of.append(visit)
            number_of.append(numbers[store])
            kept += mine
            position_of += list(range(1, len(mine) + 1))
    assert tills.visit.tolist() == visit_of
    assert tills.number.tolist() == number_of
    assert tills.line.tolist() == kept
    assert tills.receipt.tolist() == receipt_of
    assert tills.position.tolist() == position_of
