"""A small history, checked row by row: books closed, keys whole, nothing below zero, ever.

The checks read the rendered tables with NumPy, and share no code with what made them. The same
checks pass over a plentiful retailer and over a starved one, half of whose shelves are empty.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow.compute as pc
import pytest

from histories import DAY_SECONDS, Array, History, config_of, history, rewrite, rows_of, values
from retail_datagen.core.calendar import to_day
from retail_datagen.tables import registry
from retail_datagen.world.build import build_world_files

CHRISTMAS = to_day(date(2024, 12, 25))
STARVED: dict[str, object] = {
    "supply.store_cover_days": 0.3,
    "supply.store_safety_days": 0.0,
    "supply.presentation_units": 1,
    "supply.dc_cover_days": 1.0,
    "supply.dc_safety_days": 0.0,
    "supply.shrink_share": 0.2,
    "supply.damage_share": 0.2,
    "supply.count_adjustment_share": 0.2,
}
OWN_TRACES = (
    "receipts",
    "online_orders",
    "truck_moves",
    "dc_inventory_txn",
    "store_inventory_txn",
    "store_returns",
    "foot_traffic",
    "ble_pings",
    "marketing",
    "stockouts",
    "reorders",
    "price_changes",
)


@pytest.fixture(scope="module", params=["plentiful", "starved"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> History:
    """25 days around a Christmas that is closed, Black Friday not among them."""
    starved = request.param == "starved"
    master = tmp_path_factory.mktemp("books") / "master"
    config = config_of(master, overrides=STARVED if starved else None)
    if starved:
        build_world_files(config, config.load_profile(), master)
        rewrite(master / "distribution_centers.csv", "Throughput", lambda _: 500)
    return history(config, date(2024, 12, 6), 25)


@pytest.fixture(scope="module")
def starved(told: History) -> bool:
    return bool(told.config.overrides)


def traces(column: Array) -> Array:
    """The numbers behind TRC0000000001."""
    return np.array([int(t[3:]) for t in column])


def seconds_in(day: int, moment: Array) -> Array:
    return moment - day * DAY_SECONDS


def test_a_starved_retailer_runs_out(told: History, starved: bool) -> None:
    """The second retailer is what it is meant to be, or these tests would test little."""
    lost, sold = told.whole("stockouts").num_rows, told.whole("receipt_lines").num_rows
    empty = sum(
        len(told.context().day(day).demand.visits) - plan.counts.receipts
        for day, plan in told.plans.items()
    )
    if starved:
        assert lost > 0.2 * sold
        assert empty > 50
    else:
        assert 0 < lost < 0.02 * (lost + sold)


@pytest.mark.parametrize("table", list(registry()))
def test_rows_lie_in_their_day_in_order_of_time_and_fit_their_schema(
    told: History, table: str
) -> None:
    spec = registry()[table].table
    for day in told.days:
        found = told.day(table, day)
        found.validate(full=True)
        assert found.schema == spec.arrow
        for column in spec.columns:
            assert column.null or found.column(column.name).null_count == 0, column.name
        moment = values(found.column("EventTS"))
        assert ((moment >= day * DAY_SECONDS) & (moment < (day + 1) * DAY_SECONDS)).all()
        assert (np.diff(moment) >= 0).all()


@pytest.mark.parametrize("table", [n for n, f in registry().items() if f.table.key])
def test_keys_are_unique(told: History, table: str) -> None:
    key = list(registry()[table].table.key)
    rows = told.whole(table)
    assert rows.select(key).group_by(key).aggregate([]).num_rows == rows.num_rows


def test_traces_are_gapless_over_all_tables(told: History) -> None:
    """One space of numbers: every one is used, by one event, on the day that planned it."""
    for day, plan in told.plans.items():
        used = np.zeros(0, dtype=np.int64)
        for table in OWN_TRACES:
            if table == "online_orders":
                # An order's later rows carry the trace of the day on which it was placed.
                rows = told.day(table, day)
                rows = rows.filter(pc.equal(rows.column("Status").cast("string"), "CREATED"))
                found = traces(values(rows.column("TraceId")))
            else:
                found = np.unique(traces(values(told.day(table, day).column("TraceId"))))
            used = np.concatenate([used, found])
        used = np.unique(used[used >= plan.first_trace])
        assert used.tolist() == list(range(plan.first_trace, plan.first_trace + plan.counts.total))
        following = told.plans.get(day + 1)
        assert following is None or following.first_trace == used[-1] + 1
    assert told.planner.state.next_trace == used[-1] + 1
    assert told.plans[told.start].first_trace == 1


def test_the_plan_counts_what_tables_hold(told: History) -> None:
    for day, plan in told.plans.items():
        counts = plan.counts
        rows = {name: told.day(name, day).num_rows for name in registry()}
        assert counts.receipts == rows["receipts"]
        assert counts.returns == rows["store_returns"]
        assert counts.foot_traffic == rows["foot_traffic"]
        assert counts.ble_pings == rows["ble_pings"]
        assert counts.impressions == rows["marketing"]
        assert counts.stockouts == rows["stockouts"]
        assert counts.reorders == rows["reorders"]
        assert counts.price_changes == rows["price_changes"]
        status = Counter(values(told.day("online_orders", day).column("Status")))
        assert counts.orders == status["CREATED"]
        shipments = values(told.day("truck_moves", day).column("ShipmentId"))
        assert counts.shipments == len(set(shipments))
        assert len(shipments) == 6 * counts.shipments
        dc, store = told.day("dc_inventory_txn", day), told.day("store_inventory_txn", day)
        inbound = Counter(values(dc.column("Reason")))
        assert counts.supplies == inbound["INBOUND_SHIPMENT"]
        own = ("SHRINK", "DAMAGE", "ADJUSTMENT", "INITIAL_STOCK")
        assert counts.dc_handling == sum(inbound[reason] for reason in own)
        source = Counter(values(store.column("Source")))
        own = ("STORE_OPERATIONS", "CYCLE_COUNT", "OPENING_BALANCE")
        assert counts.store_handling == sum(source[name] for name in own)


def test_receipts_are_their_lines(told: History) -> None:
    receipt, subtotal, tax, total = told.columns(
        "receipts", "ReceiptId", "Subtotal", "Tax", "Total"
    )
    of, line, product, qty, price, ext, trace, moment = told.columns(
        "receipt_lines", "ReceiptId", "Line", "ProductID", "Qty", "UnitPrice", "ExtPrice",
        "TraceId", "EventTS",
    )  # fmt: skip
    assert len(set(receipt)) == len(receipt)
    number = {name: row for row, name in enumerate(receipt)}
    row = np.array([number[name] for name in of])
    assert (np.diff(row) >= 0).all(), "lines follow their receipts"
    assert (ext == price * qty).all()
    assert (np.bincount(row, ext, len(receipt)).astype(np.int64) == subtotal).all()
    assert (subtotal + tax == total).all()
    assert (subtotal > 0).all()
    first = np.searchsorted(row, np.arange(len(receipt)))
    assert (line == np.arange(len(row)) - first[row] + 1).all()

    receipt_trace, paid, store = told.columns("receipts", "TraceId", "EventTS", "StoreID")
    assert (receipt_trace[row] == trace).all()
    assert (paid[row] == moment).all()

    world = told.world
    taxable = world.products.taxable[rows_of(world.products.product_id, product)]
    base = np.bincount(row, np.where(taxable, ext, 0), len(receipt)).astype(np.int64)
    rate = world.stores.tax_ppm[rows_of(world.stores.store_id, store)].astype(np.int64)
    assert (tax == (base * rate + 500_000) // 1_000_000).all()


def test_receipt_ids_say_when_and_where(told: History) -> None:
    name, moment, store = told.columns("receipts", "ReceiptId", "EventTS", "StoreID")
    stamp = np.datetime_as_string(moment.astype("M8[s]"), unit="m")
    counted: Counter[tuple[str, int]] = Counter()
    for receipt, minute, at in zip(name, stamp, store, strict=True):
        clock = minute.replace("-", "").replace("T", "").replace(":", "")
        counted[clock[:8], at] += 1
        assert receipt == f"RCP{clock}{at:03d}{counted[clock[:8], at]:04d}"


def places(told: History, table: str) -> tuple[Array, Array, int]:
    """(rows of places, rows of products, places) of a table of stock movements."""
    world = told.world
    ids = world.stores.store_id if table.startswith("store") else world.dcs.dc_id
    place, product = told.columns(
        table, "StoreID" if table.startswith("store") else "DCID", "ProductID"
    )
    return rows_of(ids, place), rows_of(world.products.product_id, product), len(ids)


@pytest.mark.parametrize("table", ["store_inventory_txn", "dc_inventory_txn"])
def test_stock_is_never_below_zero(told: History, table: str) -> None:
    place, product, _ = places(told, table)
    moment, delta = told.columns(table, "EventTS", "QtyDelta")
    cell = place * 100_000 + product
    order = np.lexsort((delta < 0, moment, cell))
    cell, running = cell[order], np.cumsum(delta[order])
    first = np.flatnonzero(np.diff(cell, prepend=-1))
    before = np.concatenate([[0], running])[first]
    on_hand = running - np.repeat(before, np.diff(np.append(first, len(cell))))
    assert on_hand.min() >= 0
    assert (delta != 0).all()


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
    reserved = np.zeros((len(ids), len(products)), dtype=np.int64)
    for o, p, q, s in zip(name, product, qty, kept, strict=True):
        if s == "ALLOCATED" and o in node_of and o not in picked:
            reserved[rows_of(ids, np.array([node_of[o]]))[0], rows_of(products, np.array([p]))] += q
    return reserved.ravel()


@pytest.mark.parametrize("table", ["store_inventory_txn", "dc_inventory_txn"])
def test_the_books_close_with_the_planner_s_stock(told: History, table: str) -> None:
    """Physical units = what the planner may still promise, and what it has promised already."""
    place, product, count = places(told, table)
    products = len(told.world.products.product_id)
    (delta,) = told.columns(table, "QtyDelta")
    physical = np.bincount(place * products + product, delta, count * products).astype(np.int64)
    state = told.planner.state
    promised = open_orders(told, table)
    if table.startswith("store"):
        assert (physical == state.store_stock + promised).all()
        return
    of_line = state.shipments.of_line()
    cell = state.shipments.dc[of_line].astype(np.int64) * products + state.shipments.product
    loaded = np.bincount(cell, state.shipments.units, count * products).astype(np.int64)
    assert (physical == state.dc_stock + promised + loaded).all()


@pytest.mark.parametrize("table", ["store_inventory_txn", "dc_inventory_txn"])
def test_stock_begins_with_the_first_day_at_midnight(told: History, table: str) -> None:
    reason, moment, delta = told.columns(table, "Reason", "EventTS", "QtyDelta")
    opening = reason == "INITIAL_STOCK"
    assert opening[: opening.sum()].all(), "before everything else"
    assert (moment[opening] == told.start * DAY_SECONDS).all()
    assert (delta[opening] > 0).all()
    place, product, _ = places(told, table)
    cells = (place * 100_000 + product)[opening]
    assert len(np.unique(cells)) == len(cells)


def test_what_leaves_the_dc_arrives_in_the_store(told: History) -> None:
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
    assert min(sent.values()) > 0
    moved = set(told.columns("truck_moves", "TraceId")[0])
    assert {trace for trace, _ in sent} == moved


def test_trucks_go_from_their_dc_to_its_store_within_what_they_hold(told: History) -> None:
    world = told.world
    trace, truck, dc, store, status, moment, shipment, eta, etd = told.columns(
        "truck_moves", "TraceId", "TruckId", "DCID", "StoreID", "Status", "EventTS", "ShipmentId",
        "ETA", "ETD",
    )  # fmt: skip
    truck_ids = np.asarray(world.trucks.truck_id.to_pylist(), dtype=object)
    steps: dict[str, list[tuple[int, str]]] = {}
    for s, m, w in zip(shipment, moment, status, strict=True):
        steps.setdefault(s, []).append((m, w))
    order = ["SCHEDULED", "LOADING", "IN_TRANSIT", "ARRIVED", "UNLOADING", "COMPLETED"]
    for of in steps.values():
        assert [w for _, w in of] == order
        assert all(a[0] < b[0] for a, b in pairwise(of))
    arrived = {s: m for s, m, w in zip(shipment, moment, status, strict=True) if w == "ARRIVED"}
    assert all(arrived[s] == e for s, e in zip(shipment, eta, strict=True))
    done = {s: m for s, m, w in zip(shipment, moment, status, strict=True) if w == "COMPLETED"}
    assert all(done[s] == e for s, e in zip(shipment, etd, strict=True))

    row = rows_of(truck_ids, truck)
    assert (world.dcs.dc_id[world.trucks.dc[row]] == dc).all()
    at = rows_of(world.stores.store_id, store)
    assert (world.dcs.dc_id[world.stores.dc[at]] == dc).all()
    starts = status == "SCHEDULED"
    trips = Counter(zip(truck[starts], moment[starts] // DAY_SECONDS, strict=True))
    assert max(trips.values()) == 1

    source, inbound, product, delta, when = told.columns(
        "store_inventory_txn", "Source", "TraceId", "ProductID", "QtyDelta", "EventTS"
    )
    carrier = dict(zip(trace, truck, strict=True))
    done_of = {t: m for t, m, w in zip(trace, moment, status, strict=True) if w == "COMPLETED"}
    reason = told.columns("store_inventory_txn", "Reason")[0]
    brought = np.flatnonzero(reason == "INBOUND_SHIPMENT")
    assert all(carrier[inbound[i]] == source[i] for i in brought)
    assert all(done_of[inbound[i]] == when[i] for i in brought)
    load: Counter[str] = Counter()
    cold = world.products.refrigerated[rows_of(world.products.product_id, product[brought])]
    for i, needs in zip(brought, cold, strict=True):
        load[inbound[i]] += delta[i]
        assert world.trucks.refrigerated[rows_of(truck_ids, source[i : i + 1])[0]] == needs
    capacity = dict(zip(truck_ids, world.trucks.capacity.tolist(), strict=True))
    assert all(units <= capacity[carrier[t]] for t, units in load.items())

    shipped: Counter[tuple[int, int]] = Counter()
    why, from_dc, out, day = told.columns(
        "dc_inventory_txn", "Reason", "DCID", "QtyDelta", "EventTS"
    )
    for w, d, u, m in zip(why, from_dc, out, day // DAY_SECONDS, strict=True):
        if w == "OUTBOUND_SHIPMENT":
            shipped[d, m] -= u
    most = dict(zip(world.dcs.dc_id.tolist(), world.dcs.throughput.tolist(), strict=True))
    assert all(units <= most[d] for (d, _), units in shipped.items())


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


def test_sales_are_receipt_lines(told: History) -> None:
    trace, product, qty = told.columns("receipt_lines", "TraceId", "ProductID", "Qty")
    sold: Counter[tuple[str, int]] = Counter()
    for t, p, q in zip(trace, product, qty, strict=True):
        sold[t, p] += q
    assert sales(told, "store_inventory_txn", "CUSTOMER_PURCHASE") == sold
    moved, paid = told.columns("store_inventory_txn", "TraceId", "EventTS")
    when = dict(zip(*told.columns("receipts", "TraceId", "EventTS"), strict=True))
    assert all(when[t] == m for t, m in zip(moved, paid, strict=True) if t in when)


def test_online_sales_are_picked_lines(told: History) -> None:
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


def test_online_orders_go_through_their_statuses(told: History) -> None:
    order, status, moment, mode, node_type = told.columns(
        "online_orders", "OrderId", "Status", "EventTS", "FulfillmentMode", "NodeType"
    )
    steps: dict[str, list[tuple[str, int]]] = {}
    for o, s, m in zip(order, status, moment, strict=True):
        steps.setdefault(o, []).append((s, m))
    mode_of = dict(zip(order, mode, strict=True))
    assert ((mode == "SHIP_FROM_DC") == (node_type == "DC")).all()
    last = (told.days[-1] + 1) * DAY_SECONDS
    for o, of in steps.items():
        names = [s for s, _ in of]
        shipped = ["CREATED", "PICKED", "SHIPPED", "DELIVERED"]
        collected = ["CREATED", "PICKED", "DELIVERED"]
        whole = collected if mode_of[o] == "BOPIS" else shipped
        assert names == ["CREATED", "CANCELLED"] or names == whole[: len(names)]
        assert all(a < b for (_, a), (_, b) in pairwise(of))
        if of[0][1] < last - 9 * DAY_SECONDS:
            assert names[-1] in ("CANCELLED", "DELIVERED"), "nothing is forgotten"
    for column, reached in (
        ("PickedTS", "PICKED"),
        ("ShippedTS", "SHIPPED"),
        ("DeliveredTS", "DELIVERED"),
    ):
        when = {o: dict(of).get(reached) for o, of in steps.items()}
        for o, s, m, known in zip(
            order, status, moment, told.columns("online_orders", column)[0], strict=True
        ):
            reaches = when[o]
            assert known == (reaches if reaches is not None and reaches <= m else -1), (o, s)


def test_online_orders_cost_what_their_kept_lines_cost(told: History) -> None:
    order, status, subtotal, discount, shipping, tax, total, mode = told.columns(
        "online_orders", "OrderId", "Status", "Subtotal", "Discount", "Shipping", "Tax", "Total",
        "FulfillmentMode",
    )  # fmt: skip
    name, line, price, qty, ext, kept = told.columns(
        "online_order_lines", "OrderId", "Line", "UnitPrice", "Qty", "ExtPrice", "Status"
    )
    assert (ext == price * qty).all()
    cost: Counter[str] = Counter(dict.fromkeys(name, 0))
    most: Counter[str] = Counter()
    for o, n, e, k in zip(name, line, ext, kept, strict=True):
        cost[o] += e if k == "ALLOCATED" else 0
        assert n == most[o] + 1
        most[o] = n
    assert all(cost[o] == s for o, s in zip(order, subtotal, strict=True))
    assert (total == subtotal - discount + shipping + tax).all()
    assert ((discount >= 0) & (discount <= subtotal)).all()
    assert (shipping[mode == "BOPIS"] == 0).all()
    gone = {o for o, s in zip(order, status, strict=True) if s == "CANCELLED"}
    assert gone == {o for o in cost if cost[o] == 0}
    assert (total[subtotal == 0] == 0).all()


def test_returns_are_of_lines_that_were_sold(told: History) -> None:
    sold = {
        (r, n): (p, q, u)
        for r, n, p, q, u in zip(
            *told.columns("receipt_lines", "ReceiptId", "Line", "ProductID", "Qty", "UnitPrice"),
            strict=True,
        )
    }
    receipts = {
        r: (s, c, m)
        for r, s, c, m in zip(
            *told.columns("receipts", "ReceiptId", "StoreID", "CustomerID", "EventTS"), strict=True
        )
    }
    rows = told.whole("store_returns")
    assert rows.num_rows > 100
    back = zip(
        *told.columns(
            "store_returns", "ReceiptId", "Line", "ProductID", "Qty", "UnitPrice", "StoreID",
            "CustomerID", "EventTS", "Refund",
        ),
        strict=True,
    )  # fmt: skip
    seen = set()
    for receipt, line, product, qty, price, store, customer, moment, refund in back:
        assert sold[receipt, line] == (product, qty, price)
        assert receipts[receipt][:2] == (store, customer)
        assert receipts[receipt][2] // DAY_SECONDS < moment // DAY_SECONDS
        assert price * qty <= refund <= price * qty * 1.15
        assert (receipt, line) not in seen, "nothing comes back twice"
        seen.add((receipt, line))


def test_returned_goods_go_to_the_shelf_or_are_written_off(told: History) -> None:
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


def test_stock_outs_say_what_was_lost(told: History) -> None:
    store, product, lost, left, moment, restocked = told.columns(
        "stockouts", "StoreID", "ProductID", "LostUnits", "LastOnHand", "EventTS", "RestockedTS"
    )
    assert ((left >= 0) & (left < lost)).all()
    known = restocked >= 0
    assert (restocked[known] > moment[known]).all()
    arrivals: dict[tuple[int, int], list[int]] = {}
    for s, p, d, m in zip(
        *told.columns("store_inventory_txn", "StoreID", "ProductID", "QtyDelta", "EventTS"),
        strict=True,
    ):
        if d > 0:
            arrivals.setdefault((s, p), []).append(m)
    end = (told.days[-1] + 1) * DAY_SECONDS
    for s, p, again in zip(store, product, restocked, strict=True):
        if 0 <= again < end:
            assert again in arrivals[s, p]


def opening(told: History, day: int) -> tuple[Array, Array]:
    """Opening and closing second of each store on a day; both 0 where it is closed."""
    row = told.world.calendar.row(day)
    calendar, stores = told.world.calendar, told.world.stores
    if calendar.traffic_ppm[row] == 0:
        return np.zeros(len(stores.store_id)), np.zeros(len(stores.store_id))
    opens = np.maximum(stores.open_hour.astype(int) - calendar.opens_earlier[row], 0)
    closes = np.minimum(stores.close_hour.astype(int) + calendar.closes_later[row], 24)
    return opens * 3600, closes * 3600


@pytest.mark.parametrize("table", ["receipts", "foot_traffic", "ble_pings", "store_returns"])
def test_nobody_is_in_a_store_that_is_closed(told: History, table: str) -> None:
    for day in told.days:
        rows = told.day(table, day)
        store = rows_of(told.world.stores.store_id, values(rows.column("StoreID")))
        opens, closes = opening(told, day)
        moment = seconds_in(day, values(rows.column("EventTS")))
        assert ((moment >= opens[store]) & (moment < closes[store])).all()


def test_stores_pick_and_hand_over_while_they_are_open(told: History) -> None:
    for day in told.days:
        rows = told.day("online_orders", day)
        mode, kind, status, node, moment = (
            values(rows.column(name))
            for name in ("FulfillmentMode", "NodeType", "Status", "NodeId", "EventTS")
        )
        people = ((status == "PICKED") & (kind == "STORE")) | (
            (status == "DELIVERED") & (mode == "BOPIS")
        )
        store = rows_of(told.world.stores.store_id, node[people])
        opens, closes = opening(told, day)
        second = seconds_in(day, moment[people])
        assert ((second >= opens[store]) & (second < closes[store])).all()


def test_shelves_are_counted_while_stores_are_open(told: History) -> None:
    for day in told.days:
        rows = told.day("store_inventory_txn", day)
        source, place, moment = (
            values(rows.column(name)) for name in ("Source", "StoreID", "EventTS")
        )
        handled = np.isin(source, ["STORE_OPERATIONS", "CYCLE_COUNT"])
        store = rows_of(told.world.stores.store_id, place[handled])
        opens, closes = opening(told, day)
        second = seconds_in(day, moment[handled])
        assert ((second >= opens[store]) & (second < closes[store])).all()


def test_christmas_is_closed_but_the_web_shop_is_not(told: History) -> None:
    for table in ("receipts", "receipt_lines", "foot_traffic", "ble_pings", "store_returns"):
        assert told.day(table, CHRISTMAS).num_rows == 0, table
    status = values(told.day("online_orders", CHRISTMAS).column("Status"))
    assert (status == "CREATED").any()
    at_store = values(told.day("online_orders", CHRISTMAS).column("NodeType")) == "STORE"
    assert not ((status == "PICKED") & at_store).any()
    movements = set(values(told.day("store_inventory_txn", CHRISTMAS).column("Reason")))
    assert movements <= {"INBOUND_SHIPMENT"}


def test_entrances_count_everybody_who_pays(told: History) -> None:
    def per_hour(table: str, weight: str | None) -> Array:
        store, moment = told.columns(table, "StoreID", "EventTS")
        chosen = np.ones(len(store), dtype=bool)
        if table == "foot_traffic":
            chosen = told.columns(table, "Zone")[0] == "ENTRANCE"
        hour = moment[chosen] // 3600 - told.start * 24
        cell = rows_of(told.world.stores.store_id, store[chosen]) * (24 * len(told.days)) + hour
        weights = told.columns(table, weight)[0][chosen] if weight else None
        return np.bincount(cell, weights, len(told.world.stores.store_id) * 24 * len(told.days))

    assert (per_hour("foot_traffic", "Count") >= per_hour("receipts", None)).all()


def test_pings_follow_shoppers_through_the_store(told: History) -> None:
    """Who pays rings between entrance and till; the path goes from the entrance forwards."""
    zones = list(told.profile.zones)
    for day in told.days[:10]:
        view = told.context().day(day)
        visits = view.demand.visits
        ble = told.world.customers.ble
        inside: dict[tuple[str, int], list[tuple[int, int, bool]]] = {}
        for people, pays in ((visits, True), (view.browsers, False)):
            for customer, store, entered, left in zip(
                people.customer, people.store, people.entered, people.second, strict=True
            ):
                key = (f"BLE{ble[customer]}", int(told.world.stores.store_id[store]))
                inside.setdefault(key, []).append((int(entered), int(left), pays))
        rows = told.day("ble_pings", day)
        paths: dict[tuple[str, int], list[tuple[int, int]]] = {}
        for phone, store, zone, moment in zip(
            *(values(rows.column(n)) for n in ("CustomerBLEId", "StoreID", "Zone", "EventTS")),
            strict=True,
        ):
            second = int(moment) - day * DAY_SECONDS
            assert any(a <= second <= b for a, b, _ in inside[phone, store])
            paths.setdefault((phone, store), []).append((second, zones.index(zone)))
        for key, path in paths.items():
            if len(inside[key]) == 1:
                steps = [zone for _, zone in path]
                assert steps == sorted(steps)
                assert inside[key][0][2] or len(zones) - 1 not in steps, "only who pays"


def test_customers_who_ring_or_buy_are_at_one_place_at_a_time(told: History) -> None:
    customer, moment = told.columns("receipts", "CustomerID", "EventTS")
    order = np.lexsort((moment, customer))
    same = np.diff(customer[order]) == 0
    soon = np.diff(moment[order]) < 1800
    assert (same & soon).sum() <= 0.002 * len(customer)


def test_foreign_keys_resolve(told: History) -> None:
    world = told.world
    trucks = set(world.trucks.truck_id.to_pylist())
    known = {
        "stores.StoreID": set(world.stores.store_id.tolist()),
        "distribution_centers.DCID": set(world.dcs.dc_id.tolist()),
        "products.ProductID": set(world.products.product_id.tolist()),
        "customers.CustomerID": set(world.customers.customer_id.tolist()),
        "customers.BLEId": {f"BLE{n}" for n in world.customers.ble},
        "customers.AdId": {f"AD{n}" for n in world.customers.ad},
        "sensors.SensorId": {name for of in world.sensors for name in of},
        "beacons.BeaconId": {name for of in world.beacons for name in of},
        "promotions.PromoCode": set(world.promotions.code),
        "campaigns.CampaignId": set(world.campaigns.campaign_id),
        "trucks.TruckId": trucks,
        "receipts.ReceiptId": set(told.columns("receipts", "ReceiptId")[0]),
        "online_orders.OrderId": set(told.columns("online_orders", "OrderId")[0]),
    }
    checked = 0
    for name, fact in registry().items():
        for column in fact.table.columns:
            if column.references:
                held = set(told.whole(name).column(column.name).drop_null().unique().to_pylist())
                assert held <= known[column.references], (name, column.name)
                checked += 1
    assert checked > 20
    node_type, node = told.columns("online_orders", "NodeType", "NodeId")
    assert set(node[node_type == "DC"]) <= known["distribution_centers.DCID"]
    assert set(node[node_type == "STORE"]) <= known["stores.StoreID"]
    stations = {name: zone for of in world.beacons for name, zone in zip(of, told.profile.zones)}  # noqa: B905
    beacon, zone = told.columns("ble_pings", "BeaconId", "Zone")
    assert all(stations[b] == z for b, z in zip(beacon, zone, strict=True))


def test_prices_change_when_price_changes_say_so(told: History) -> None:
    world = told.world
    price = dict(
        zip(world.products.product_id.tolist(), world.products.price.tolist(), strict=True)
    )
    codes: dict[int, str | None] = {}
    for day in told.days:
        rows = told.day("price_changes", day)
        columns = ("ProductID", "OldPrice", "NewPrice", "Reason", "PromoCode")
        for product, old, new, reason, code in zip(
            *(values(rows.column(n)) for n in columns), strict=True
        ):
            assert price[product] == old != new
            price[product] = int(new)
            assert (code is not None) == reason.startswith("PROMO")
            if reason != "INFLATION":
                codes[product] = code if reason == "PROMO_START" else None
        for table in ("receipt_lines", "online_order_lines"):
            found = told.day(table, day)
            names = ("ProductID", "UnitPrice", "PromoCode")
            for product, paid, code in zip(*(values(found.column(n)) for n in names), strict=True):
                assert price[product] == paid
                # A promotion may follow another at the same price, which changes nothing.
                assert (codes.get(product) is None) == (code is None)


def test_nothing_is_sold_before_its_launch(told: History) -> None:
    world = told.world
    launch = dict(
        zip(world.products.product_id.tolist(), world.products.launch_day.tolist(), strict=True)
    )
    late = {product for product, day in launch.items() if day > told.start}
    assert late, "this world has products that are yet to come"
    for table in ("receipt_lines", "online_order_lines", "store_inventory_txn", "stockouts"):
        product, moment = told.columns(table, "ProductID", "EventTS")
        for row in np.flatnonzero(np.isin(product, list(late))):
            assert moment[row] // DAY_SECONDS >= launch[product[row]], table


def test_reorders_are_whole_cases_to_the_store_s_dc(told: History) -> None:
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


def test_stores_and_dcs_hold_no_more_than_they_can(told: History) -> None:
    for table, capacity in (
        ("store_inventory_txn", told.world.stores.capacity),
        ("dc_inventory_txn", told.world.dcs.capacity),
    ):
        place, _, count = places(told, table)
        (delta,) = told.columns(table, "QtyDelta")
        for row in range(count):
            assert np.cumsum(delta[place == row]).max() <= capacity[row], (table, row)
