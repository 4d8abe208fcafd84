"""Who is where: opening hours, entrances, beacons."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from reading import opening, working

from histories import DAY_SECONDS, Array, History, rows_of, values

Hours = Callable[[History, int], tuple[Array, Array]]
VISITORS = ("receipts", "foot_traffic", "ble_pings", "store_returns")


def within(told: History, day: int, hours: Hours, store_id: Array, moment: Array) -> Array:
    """Which of the moments of a day lie in the hours of their store."""
    store = rows_of(told.world.stores.store_id, store_id)
    opens, closes = hours(told, day)
    second = moment - day * DAY_SECONDS
    return (second >= opens[store]) & (second < closes[store])


def nobody_is_in_a_store_that_is_closed(told: History) -> None:
    for day in told.days:
        for table in VISITORS:
            rows = told.day(table, day)
            store, moment = values(rows.column("StoreID")), values(rows.column("EventTS"))
            assert within(told, day, opening, store, moment).all(), table


def stores_pick_and_hand_over_while_somebody_is_there(told: History) -> None:
    for day in told.days:
        rows = told.day("online_orders", day)
        mode, kind, status, node, moment = (
            values(rows.column(name))
            for name in ("FulfillmentMode", "NodeType", "Status", "NodeId", "EventTS")
        )
        people = ((status == "PICKED") & (kind == "STORE")) | (
            (status == "DELIVERED") & (mode == "BOPIS")
        )
        assert within(told, day, working, node[people], moment[people]).all()


def shelves_are_counted_while_stores_are_open(told: History) -> None:
    for day in told.days:
        rows = told.day("store_inventory_txn", day)
        source, place, moment = (
            values(rows.column(name)) for name in ("Source", "StoreID", "EventTS")
        )
        handled = np.isin(source, ["STORE_OPERATIONS", "CYCLE_COUNT"])
        assert within(told, day, opening, place[handled], moment[handled]).all()


def entrances_count_everybody_who_pays(told: History) -> None:
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


def pings_follow_shoppers_through_the_store(told: History) -> None:
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
