"""Rows, keys and traces: what holds of every table of every history."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow.compute as pc
from reading import traces

from histories import DAY_SECONDS, History, values
from retail_datagen.tables import registry

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


def rows_lie_in_their_day_in_order_of_time_and_fit_their_schema(told: History) -> None:
    for name, fact in registry().items():
        for day in told.days:
            found = told.day(name, day)
            found.validate(full=True)
            assert found.schema == fact.table.arrow, name
            for column in fact.table.columns:
                nulls = found.column(column.name).null_count
                assert column.null or nulls == 0, (name, column.name)
            moment = values(found.column("EventTS"))
            inside = (moment >= day * DAY_SECONDS) & (moment < (day + 1) * DAY_SECONDS)
            assert inside.all(), name
            assert (np.diff(moment) >= 0).all(), name


def keys_are_unique(told: History) -> None:
    for name, fact in registry().items():
        key, rows = list(fact.table.key), told.whole(name)
        if key:
            assert rows.select(key).group_by(key).aggregate([]).num_rows == rows.num_rows, name


def traces_are_gapless_over_all_tables(told: History) -> None:
    """One space of numbers: every one is used, by one event, on the day that planned it."""
    expected = 1
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
        assert plan.first_trace == expected
        expected += len(used)
    assert told.planner.state.next_trace == expected


def the_plan_counts_what_tables_hold(told: History) -> None:
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


def foreign_keys_resolve(told: History) -> None:
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
    for name, fact in registry().items():
        for column in fact.table.columns:
            if column.references:
                held = set(told.whole(name).column(column.name).drop_null().unique().to_pylist())
                assert held <= known[column.references], (name, column.name)
    node_type, node = told.columns("online_orders", "NodeType", "NodeId")
    assert set(node[node_type == "DC"]) <= known["distribution_centers.DCID"]
    assert set(node[node_type == "STORE"]) <= known["stores.StoreID"]
    stations = {name: zone for of in world.beacons for name, zone in zip(of, told.profile.zones)}  # noqa: B905
    beacon, zone = told.columns("ble_pings", "BeaconId", "Zone")
    assert all(stations[b] == z for b, z in zip(beacon, zone, strict=True))
