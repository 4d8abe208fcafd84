"""Damage to master data and to identifiers."""

from __future__ import annotations

from collections.abc import Callable

from copies import Copy, any_row
from damage import MASTER, Damage, is_


def twice(table: str, column: str, facts: str = "", user: str = "") -> Callable[[Copy], str]:
    """Two rows share a value that the column `user` of `facts` does not refer to."""

    def plant(copy: Copy) -> str:
        seen = {r[user] for r in copy.rows(facts)} if facts else set[str]()
        one, other = copy.rows(table, lambda r: r[column] not in seen)[:2]
        copy.set(table, is_(**{column: other[column]}), **{column: one[column]})
        return one[column]

    return plant


def parked_truck(copy: Copy) -> str:
    """A truck that never drove takes nothing."""
    driven = {r["TruckId"] for r in copy.rows("truck_moves")}
    return copy.set("trucks", lambda r: r["TruckId"] not in driven, Capacity=0)["TruckId"]


def unknown_segment(copy: Copy) -> str:
    """Of somebody who sees no advertisement."""
    seen = {r["CustomerAdId"] for r in copy.rows("marketing")}
    copy.set("customers", lambda r: r["AdId"] not in seen, Segment="idle")
    return "idle"


def backwards(table: str, key: str) -> Callable[[Copy], str]:
    """Something long past ended before it began."""
    return lambda copy: copy.set(
        table, lambda r: r["EndDate"] < "2024-02-01", EndDate="2023-12-01"
    )[key]


def day_left_out(copy: Copy) -> str:
    copy.drop("calendar", is_(Date="2024-07-04"))
    return "2024-07-05"


def missing_master(copy: Copy) -> str:
    (copy.root / "master" / "suppliers.csv").unlink()
    return "suppliers.csv"


def trace_gap(copy: Copy) -> str:
    copy.set("ble_pings", TraceId="TRC0000999998")
    return "999998"


def numbered_anew(table: str, column: str) -> Callable[[Copy], str]:
    """An identifier whose number nobody gave."""

    def plant(copy: Copy) -> str:
        old = copy.rows(table)[0][column]
        new = f"{old[:-6]}999999"
        copy.edit_all(table, is_(**{column: old}), lambda r: r | {column: new})
        return new

    return plant


def order_anew(copy: Copy) -> str:
    """An order and its lines, under a number that nobody gave."""
    old = copy.rows("online_order_lines")[0]["OrderId"]
    new = f"{old[:-6]}999999"
    for table in ("online_orders", "online_order_lines"):
        copy.edit_all(table, is_(OrderId=old), lambda r: r | {"OrderId": new})
    return new


def put(table: str, column: str, value: str) -> Callable[[Copy], str]:
    """A value in the first row of master data."""

    def plant(copy: Copy) -> str:
        copy.set(table, any_row, **{column: value})
        return value

    return plant


DAMAGES = (
    Damage("files.master_complete", missing_master, MASTER),
    Damage("customers.BLEId", twice("customers", "BLEId", "ble_pings", "CustomerBLEId"), MASTER),
    Damage("customers.AdId", twice("customers", "AdId", "marketing", "CustomerAdId"), MASTER),
    Damage("products.SKU", twice("products", "SKU"), MASTER),
    Damage("trucks.values", parked_truck, MASTER),
    Damage("customers.values", unknown_segment, MASTER),
    Damage("promotions.values", backwards("promotions", "PromoCode"), MASTER),
    Damage("campaigns.values", backwards("campaigns", "CampaignId"), MASTER),
    Damage("calendar.days", day_left_out, MASTER),
    Damage("traces.sequence", trace_gap, ("ble_pings.traces",)),
    Damage("online_orders.sequence", order_anew),
    Damage("store_returns.sequence", numbered_anew("store_returns", "ReturnId")),
    Damage("marketing.sequence", numbered_anew("marketing", "ImpressionId")),
    Damage("truck_moves.sequence", numbered_anew("truck_moves", "ShipmentId")),
    Damage("geographies.values", put("geographies", "Latitude", "91.5"), MASTER),
    Damage("stores.values", put("stores", "Longitude", "-181.5"), MASTER),
    Damage("distribution_centers.values", put("distribution_centers", "Latitude", "91.5"), MASTER),
    Damage("suppliers.values", put("suppliers", "LeadTimeDays", "121"), MASTER),
    Damage("products.values", put("products", "MSRP", "0.01"), MASTER),
    Damage("calendar.values", put("calendar", "OnlineFactor", "50.5"), MASTER),
    Damage("customers.email", put("customers", "Email", "cora@gmail.com"), MASTER),
    Damage("customers.phone", put("customers", "Phone", "555-2368"), MASTER),
    Damage("stores.phone", put("stores", "Phone", "555-2368"), MASTER),
    Damage("distribution_centers.phone", put("distribution_centers", "Phone", "555-2368"), MASTER),
    Damage("suppliers.phone", put("suppliers", "Phone", "555-2368"), MASTER),
)
