"""Stock: books that close, to the unit and at any second, and what stands behind each movement."""

from __future__ import annotations

from collections import Counter

import numpy as np
from reading import places, traces

from histories import DAY_SECONDS, Array, History, rows_of

TABLES = ("store_inventory_txn", "dc_inventory_txn")


def stock_is_never_below_zero(told: History) -> None:
    """At no instant: by EventTS, at equal times inflows first, then by TraceId."""
    for table in TABLES:
        place, product, _ = places(told, table)
        moment, delta, trace = told.columns(table, "EventTS", "QtyDelta", "TraceId")
        cell = place * 100_000 + product
        order = np.lexsort((traces(trace), delta < 0, moment, cell))
        cell, running = cell[order], np.cumsum(delta[order])
        first = np.flatnonzero(np.diff(cell, prepend=-1))
        before = np.concatenate([[0], running])[first]
        on_hand = running - np.repeat(before, np.diff(np.append(first, len(cell))))
        assert (on_hand >= 0).all(), table
        assert (delta != 0).all(), table


def open_orders(told: History, table: str) -> Array:
    """Units that online orders have reserved and nobody has picked by the end, per cell."""
    node_type, ids = (
        ("STORE", told.world.stores.store_id)
        if table.startswith("store")
        else ("DC", told.world.dcs.dc_id)
    )
    products = told.world.products.product_id
    order, kind, node, status = told.columns(
        "online_orders", "OrderId", "NodeType", "NodeId", "Status"
    )
    picked = set(order[status == "PICKED"])
    node_of = {o: n for o, k, n in zip(order, kind, node, strict=True) if k == node_type}
    name, product, qty, kept = told.columns(
        "online_order_lines", "OrderId", "ProductID", "Qty", "Status"
    )
    place = {identifier: row for row, identifier in enumerate(ids.tolist())}
    number = {identifier: row for row, identifier in enumerate(products.tolist())}
    reserved = np.zeros((len(ids), len(products)), dtype=np.int64)
    for o, p, q, s in zip(name, product, qty, kept, strict=True):
        if s == "ALLOCATED" and o in node_of and o not in picked:
            reserved[place[node_of[o]], number[p]] += q
    return reserved.ravel()


def physical(told: History, table: str) -> Array:
    """Units in each cell at the end, by adding up all movements."""
    place, product, count = places(told, table)
    products = len(told.world.products.product_id)
    (delta,) = told.columns(table, "QtyDelta")
    return np.bincount(place * products + product, delta, count * products).astype(np.int64)


def stores_hold_what_the_planner_may_sell_and_what_it_has_promised(told: History) -> None:
    state, promised = told.planner.state, open_orders(told, "store_inventory_txn")
    assert (physical(told, "store_inventory_txn") == state.store_stock + promised).all()
    stores = len(told.world.stores.store_id)
    by_store = promised.reshape(stores, -1).sum(axis=1)
    assert (state.promised.by_store(stores) == by_store).all()


def dcs_hold_what_the_planner_may_ship_what_is_promised_and_what_is_loaded(told: History) -> None:
    state, promised = told.planner.state, open_orders(told, "dc_inventory_txn")
    products = len(told.world.products.product_id)
    of_line = state.shipments.of_line()
    cell = state.shipments.dc[of_line].astype(np.int64) * products + state.shipments.product
    loaded = np.bincount(cell, state.shipments.units, len(promised)).astype(np.int64)
    assert (physical(told, "dc_inventory_txn") == state.dc_stock + promised + loaded).all()


def stock_begins_with_the_first_day_at_midnight(told: History) -> None:
    for table in TABLES:
        reason, moment, delta = told.columns(table, "Reason", "EventTS", "QtyDelta")
        opening = reason == "INITIAL_STOCK"
        assert opening[: opening.sum()].all(), "before everything else"
        assert (moment[opening] == told.start * DAY_SECONDS).all()
        assert (delta[opening] > 0).all()
        place, product, _ = places(told, table)
        cells = (place * 100_000 + product)[opening]
        assert len(np.unique(cells)) == len(cells)


def what_leaves_the_dc_arrives_in_the_store(told: History) -> None:
    def by_shipment(table: str, reason: str, sign: int) -> Counter[tuple[str, int]]:
        trace, product, delta, why = told.columns(
            table, "TraceId", "ProductID", "QtyDelta", "Reason"
        )
        units: Counter[tuple[str, int]] = Counter()
        for t, p, d, w in zip(trace, product, delta, why, strict=True):
            if w == reason:
                units[t, p] += sign * d
        return units

    sent = by_shipment("dc_inventory_txn", "OUTBOUND_SHIPMENT", -1)
    arrived = by_shipment("store_inventory_txn", "INBOUND_SHIPMENT", 1)
    assert sent == arrived
    assert all(units > 0 for units in sent.values())
    moved = set(told.columns("truck_moves", "TraceId")[0])
    assert {trace for trace, _ in sent} == moved


def sales(told: History, table: str, source: str | None) -> Counter[tuple[str, int]]:
    """Units of SALE movements per trace and product."""
    trace, product, delta, reason = told.columns(
        table, "TraceId", "ProductID", "QtyDelta", "Reason"
    )
    by = told.columns(table, "Source")[0] if source else np.full(len(trace), None)
    units: Counter[tuple[str, int]] = Counter()
    for t, p, d, r, s in zip(trace, product, delta, reason, by, strict=True):
        if r == "SALE" and s == source:
            units[t, p] -= d
    return units


def sales_are_receipt_lines(told: History) -> None:
    trace, product, qty = told.columns("receipt_lines", "TraceId", "ProductID", "Qty")
    sold: Counter[tuple[str, int]] = Counter()
    for t, p, q in zip(trace, product, qty, strict=True):
        sold[t, p] += q
    assert sales(told, "store_inventory_txn", "CUSTOMER_PURCHASE") == sold
    moved, paid = told.columns("store_inventory_txn", "TraceId", "EventTS")
    when = dict(zip(*told.columns("receipts", "TraceId", "EventTS"), strict=True))
    assert all(when[t] == m for t, m in zip(moved, paid, strict=True) if t in when)


def online_sales_are_picked_lines(told: History) -> None:
    order, status, moment, trace = told.columns(
        "online_orders", "OrderId", "Status", "EventTS", "TraceId"
    )
    picked = {o: m for o, s, m in zip(order, status, moment, strict=True) if s == "PICKED"}
    name, product, qty, kept, of = told.columns(
        "online_order_lines", "OrderId", "ProductID", "Qty", "Status", "TraceId"
    )
    assert dict(zip(order, trace, strict=True)).items() >= dict(zip(name, of, strict=True)).items()
    sold: Counter[tuple[str, int]] = Counter()
    for o, p, q, s, t in zip(name, product, qty, kept, of, strict=True):
        if o in picked and s == "ALLOCATED":
            sold[t, p] += q
    stores = sales(told, "store_inventory_txn", "ONLINE_ORDER")
    dcs = sales(told, "dc_inventory_txn", None)
    assert not stores.keys() & dcs.keys()
    assert stores + dcs == sold
    by_trace = {t: m for t, s, m in zip(trace, status, moment, strict=True) if s == "PICKED"}
    for table in ("store_inventory_txn", "dc_inventory_txn"):
        moved, when, why = told.columns(table, "TraceId", "EventTS", "Reason")
        for t, m, w in zip(moved, when, why, strict=True):
            if w == "SALE" and t in by_trace:
                assert by_trace[t] == m


def returned_goods_go_to_the_shelf_or_are_written_off(told: History) -> None:
    trace, condition, units, when = told.columns(
        "store_returns", "TraceId", "Condition", "Qty", "EventTS"
    )
    moved: dict[str, list[tuple[str, int, int]]] = {}
    for t, r, d, m, s in zip(
        *told.columns("store_inventory_txn", "TraceId", "Reason", "QtyDelta", "EventTS", "Source"),
        strict=True,
    ):
        if s == "CUSTOMER_RETURN":
            moved.setdefault(t, []).append((r, d, m))
    assert moved.keys() == set(trace)
    for t, c, u, m in zip(trace, condition, units, when, strict=True):
        expected = [("RETURN", u, m)]
        if c == "DAMAGED":
            expected.append(("DAMAGE", -u, m))
        assert moved[t] == expected


def stock_outs_say_what_was_lost(told: History) -> None:
    store, product, lost, left, moment, restocked = told.columns(
        "stockouts", "StoreID", "ProductID", "LostUnits", "LastOnHand", "EventTS", "RestockedTS"
    )
    assert ((left >= 0) & (left < lost)).all()
    trace, reason = told.columns("store_inventory_txn", "TraceId", "Reason")
    unsold = set(trace[reason == "DAMAGE"])
    by_truck: dict[tuple[int, int], list[int]] = {}
    on_a_day: dict[tuple[int, int, int], list[int]] = {}
    for t, r, s, p, d, m in zip(
        trace,
        reason,
        *told.columns("store_inventory_txn", "StoreID", "ProductID", "QtyDelta", "EventTS"),
        strict=True,
    ):
        if d > 0 and t not in unsold:
            on_a_day.setdefault((s, p, m // DAY_SECONDS), []).append(m)
            if r == "INBOUND_SHIPMENT":
                by_truck.setdefault((s, p), []).append(m)
    end = (told.days[-1] + 1) * DAY_SECONDS
    for s, p, m, again in zip(store, product, moment, restocked, strict=True):
        today = m // DAY_SECONDS
        known = [a for a in on_a_day.get((s, p, today), []) if a > m]
        known += [a for a in by_truck.get((s, p), []) if a // DAY_SECONDS == today + 1]
        assert again >= end or again == min(known, default=-1), (s, p, m)


def nothing_is_sold_before_its_launch(told: History) -> None:
    world = told.world
    launch = dict(
        zip(world.products.product_id.tolist(), world.products.launch_day.tolist(), strict=True)
    )
    late = {product for product, day in launch.items() if day > told.start}
    for table in ("receipt_lines", "online_order_lines", "store_inventory_txn", "stockouts"):
        product, moment = told.columns(table, "ProductID", "EventTS")
        for row in np.flatnonzero(np.isin(product, list(late))):
            assert moment[row] // DAY_SECONDS >= launch[product[row]], table


def reorders_are_whole_cases_to_the_store_s_dc(told: History) -> None:
    world = told.world
    store, dc, product, on_hand, point, units, priority = told.columns(
        "reorders", "StoreID", "DCID", "ProductID", "OnHand", "ReorderPoint", "OrderQty", "Priority"
    )
    at = rows_of(world.stores.store_id, store)
    assert (world.dcs.dc_id[world.stores.dc[at]] == dc).all()
    pack = world.products.pack[rows_of(world.products.product_id, product)]
    assert (units > 0).all()
    assert (units % pack == 0).all()
    assert (on_hand <= point).all()
    assert ((priority == "URGENT") == (on_hand == 0)).all()


def no_delivery_fills_a_place_beyond_its_capacity(told: History) -> None:
    """What customers bring back, or a count finds, comes on top of what was planned for.

    Stores are filled overnight, so that is what came back the same day; DCs order days ahead.
    """
    for table, capacity in zip(
        TABLES, (told.world.stores.capacity, told.world.dcs.capacity), strict=True
    ):
        place, _, count = places(told, table)
        delta, reason, moment = told.columns(table, "QtyDelta", "Reason", "EventTS")
        back = np.where(np.isin(reason, ["RETURN", "ADJUSTMENT"]) & (delta > 0), delta, 0)
        filled = np.isin(reason, ["INBOUND_SHIPMENT", "INITIAL_STOCK"])
        for row in range(count):
            mine = place == row
            held, extra = np.cumsum(delta[mine]), np.cumsum(back[mine])
            if table.startswith("store"):
                today = moment[mine] // DAY_SECONDS
                began = np.searchsorted(today, today)
                extra = extra - np.concatenate([[0], extra])[began]
            assert (held - extra <= capacity[row])[filled[mine]].all(), (table, row)
