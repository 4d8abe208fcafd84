"""Damage to hours, sensors, beacons and marketing."""

from __future__ import annotations

from collections.abc import Callable

from copies import Copy, Row
from damage import BOOKS, MASTER, Damage, is_

CLOSING = {"2", "3", "4"}
"""Stores that close at 21; the first never does."""


def by_night(table: str, at_entrance: bool = False) -> Callable[[Copy], str]:
    """Something happens at three in the morning."""
    return lambda copy: copy.edit(
        table,
        lambda r: r["StoreID"] in CLOSING and (r.get("Zone") == "ENTRANCE") == at_entrance,
        lambda r: r | {"EventTS": r["EventTS"][:11] + "03:00:00"},
    )["TraceId"]


def counted_by_night(copy: Copy) -> str:
    return copy.edit(
        "store_inventory_txn",
        lambda r: r["StoreID"] in CLOSING and r["Reason"] == "SHRINK",
        lambda r: r | {"EventTS": r["EventTS"][:11] + "03:00:00"},
    )["TraceId"]


def asked_by_night(copy: Copy) -> str:
    """A stock-out of a till at three in the morning."""
    online = _cancelled_online(copy)
    return copy.edit(
        "stockouts",
        lambda r: r["StoreID"] in CLOSING and (r["StoreID"], r["EventTS"]) not in online,
        lambda r: r | {"EventTS": r["EventTS"][:11] + "03:00:00"},
    )["TraceId"]


def _cancelled_online(copy: Copy) -> set[tuple[str, str]]:
    """Where and when lines of online orders were cancelled."""
    node = {r["OrderId"]: r["NodeId"] for r in copy.rows("online_orders", is_(NodeType="STORE"))}
    lines = copy.rows("online_order_lines", is_(Status="CANCELLED"))
    return {(node[r["OrderId"]], r["EventTS"]) for r in lines if r["OrderId"] in node}


def picked_by_night(copy: Copy) -> str:
    """An order, its later rows and its movements, at three in the morning of the same day."""
    row = copy.rows(
        "online_orders",
        lambda r: (
            r["Status"] == "PICKED"
            and r["NodeType"] == "STORE"
            and r["NodeId"] in CLOSING
            and r["OrderId"][3:11] != r["PickedTS"][:10].replace("-", "")
        ),
    )[0]
    night = row["PickedTS"][:11] + "03:00:00"

    def change(order: Row) -> Row:
        now = night if order["Status"] == "PICKED" else order["EventTS"]
        return order | {"PickedTS": night, "EventTS": now}

    def is_after(order: Row) -> bool:
        return order["OrderId"] == row["OrderId"] and order["PickedTS"] != ""

    copy.edit_all("online_orders", is_after, change)
    copy.edit_all(
        "store_inventory_txn", is_(TraceId=row["TraceId"]), lambda r: r | {"EventTS": night}
    )
    return row["OrderId"]


def uncounted(copy: Copy) -> str:
    """Readings of an entrance that counts one person an hour."""
    busy: dict[tuple[str, str], int] = {}
    for row in copy.rows("receipts"):
        key = (row["StoreID"], row["EventTS"][:13])
        busy[key] = busy.get(key, 0) + 1
    store, hour = max(busy, key=lambda key: busy[key])
    copy.edit_all(
        "foot_traffic",
        lambda r: (
            r["StoreID"] == store and r["EventTS"].startswith(hour) and r["Zone"] == "ENTRANCE"
        ),
        lambda r: r | {"Count": "1"},
    )
    return hour


def other_zone(table: str) -> Callable[[Copy], str]:
    return lambda copy: copy.set(table, is_(Zone="GROCERY"), Zone="HEALTH")["TraceId"]


def counted_nobody(copy: Copy) -> str:
    return copy.set("foot_traffic", lambda r: r["Zone"] != "ENTRANCE", Count=0)["TraceId"]


def no_entrance(copy: Copy) -> str:
    """The day's first ping, which is the first of its phone, comes from another zone."""
    row = copy.rows("ble_pings")[0]
    beacon = copy.rows("beacons", is_(StoreID=row["StoreID"], Zone="GROCERY"))[0]
    copy.set("ble_pings", is_(TraceId=row["TraceId"]), Zone="GROCERY", BeaconId=beacon["BeaconId"])
    return row["CustomerBLEId"]


def nobody_paid(copy: Copy) -> str:
    """A buyer's phone was that of somebody who bought nothing anywhere."""
    buyers = {r["CustomerID"] for r in copy.rows("receipts")}
    phones = {r["CustomerBLEId"] for r in copy.rows("ble_pings")}
    other = copy.rows(
        "customers", lambda r: r["CustomerID"] not in buyers and r["BLEId"] not in phones
    )[0]["BLEId"]
    empty = {(r["StoreID"], r["EventTS"][:10]) for r in copy.rows("stockouts")}
    row = copy.rows(
        "ble_pings",
        lambda r: r["Zone"] == "CHECKOUT" and (r["StoreID"], r["EventTS"][:10]) not in empty,
    )[0]
    copy.edit_all(
        "ble_pings",
        is_(CustomerBLEId=row["CustomerBLEId"], StoreID=row["StoreID"]),
        lambda r: r | {"CustomerBLEId": other},
    )
    return other


def signal(copy: Copy) -> str:
    return copy.set("ble_pings", RSSI=-12)["TraceId"]


def old_campaign(copy: Copy) -> str:
    """All impressions of a campaign are of one that ended long ago."""
    row = copy.rows("marketing")[0]
    old = copy.rows("campaigns", lambda r: r["TargetSegment"] == "")[0]["CampaignId"]
    copy.edit_all(
        "marketing",
        is_(CampaignId=row["CampaignId"]),
        lambda r: r | {"CampaignId": old},
    )
    return old


def other_segment(copy: Copy) -> str:
    """A campaign turns out to be for somebody else."""
    row = copy.rows("marketing")[0]
    segments = {r["AdId"]: r["Segment"] for r in copy.rows("customers")}
    other = next(s for s in segments.values() if s != segments[row["CustomerAdId"]])
    copy.set("campaigns", is_(CampaignId=row["CampaignId"]), TargetSegment=other)
    return other


def creative(copy: Copy) -> str:
    one = copy.rows("marketing")[0]
    copy.set("marketing", lambda r: r["Channel"] != one["Channel"], CreativeId=one["CreativeId"])
    return one["CreativeId"]


def free_impression(copy: Copy) -> str:
    return copy.set("marketing", Cost="0.00")["TraceId"]


DAMAGES = (
    Damage("stockouts.hours", asked_by_night, maybe=("stockouts.on_hand", "stockouts.restocked")),
    Damage(
        "receipts.hours",
        by_night("receipts"),
        ("receipts.name", "receipt_lines.receipt", "store_inventory_txn.receipt"),
        maybe=("foot_traffic.entrances", "store_returns.sale", "ble_pings.visit"),
    ),
    Damage("store_returns.hours", by_night("store_returns"), ("store_inventory_txn.returns",)),
    Damage("foot_traffic.hours", by_night("foot_traffic")),
    Damage("ble_pings.hours", by_night("ble_pings", at_entrance=True)),
    Damage(
        "online_orders.hours",
        picked_by_night,
        ("store_inventory_txn.hours",),
        maybe=("store_inventory_txn.stock",),
    ),
    Damage(
        "store_inventory_txn.hours",
        counted_by_night,
        maybe=(*BOOKS, "store_inventory_txn.stock"),
    ),
    Damage("foot_traffic.entrances", uncounted),
    Damage("foot_traffic.sensor", other_zone("foot_traffic")),
    Damage("foot_traffic.reading", counted_nobody),
    Damage("ble_pings.beacon", other_zone("ble_pings")),
    Damage("ble_pings.path", no_entrance),
    Damage("ble_pings.visit", nobody_paid),
    Damage("ble_pings.signal", signal),
    Damage("marketing.campaign", old_campaign),
    Damage("marketing.target", other_segment, MASTER),
    Damage("marketing.creative", creative),
    Damage("marketing.cost", free_impression),
)
