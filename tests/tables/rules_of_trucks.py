"""Trucks: from their DC to its stores, step by step, within what they hold."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np

from histories import DAY_SECONDS, History, rows_of


def trucks_go_from_their_dc_to_its_store_within_what_they_hold(told: History) -> None:
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
    assert set(trips.values()) <= {1}

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
