"""Damage to trucks, DCs and reorders."""

from __future__ import annotations

from copies import Copy, Row
from damage import MASTER, Damage, is_, later


def truck_order(copy: Copy) -> str:
    return copy.edit(
        "truck_moves",
        is_(Status="IN_TRANSIT"),
        lambda r: r | {"EventTS": later(r["EventTS"], hours=-2)},
    )["ShipmentId"]


def other_truck(copy: Copy) -> str:
    row = copy.rows("truck_moves", is_(Status="LOADING"))[0]
    fleet = [r for r in copy.rows("trucks") if r["DCID"] == row["DCID"]]
    other = max(r["TruckId"] for r in fleet if r["TruckId"] != row["TruckId"])
    copy.set("truck_moves", is_(ShipmentId=row["ShipmentId"], Status="LOADING"), TruckId=other)
    return row["ShipmentId"]


def expected_arrival(copy: Copy) -> str:
    return copy.edit("truck_moves", change=lambda r: r | {"ETA": later(r["ETA"], minutes=1)})[
        "ShipmentId"
    ]


def overlapping(copy: Copy) -> str:
    """Two of a DC's trucks out at the same time were the same one."""
    trips = copy.rows("truck_moves", is_(Status="SCHEDULED"))
    one, other = next(
        (a, b)
        for a in trips
        for b in trips
        if a["DCID"] == b["DCID"]
        and a["EventTS"] < b["EventTS"] < a["ETD"]
        and _holds(copy, a["TruckId"], b["TruckId"])
    )
    copy.edit_all(
        "truck_moves",
        is_(ShipmentId=other["ShipmentId"]),
        lambda r: r | {"TruckId": one["TruckId"]},
    )
    copy.edit_all(
        "store_inventory_txn",
        is_(TraceId=other["TraceId"], Reason="INBOUND_SHIPMENT"),
        lambda r: r | {"Source": one["TruckId"]},
    )
    return one["TruckId"]


def _holds(copy: Copy, truck: str, load_of: str) -> bool:
    """Whether a truck can take what another carried."""
    trucks = {r["TruckId"]: r for r in copy.rows("trucks")}
    one, other = trucks[truck], trucks[load_of]
    return int(one["Capacity"]) >= int(other["Capacity"]) and (
        one["Refrigerated"] >= other["Refrigerated"]
    )


def foreign_truck(copy: Copy) -> str:
    row = copy.rows("truck_moves")[0]
    copy.set("trucks", is_(TruckId=row["TruckId"]), DCID=3 - int(row["DCID"]))
    return row["TruckId"]


def small_truck(copy: Copy) -> str:
    truck = copy.rows("truck_moves")[0]["TruckId"]
    copy.set("trucks", is_(TruckId=truck), Capacity=1)
    return truck


def warm_truck(copy: Copy) -> str:
    cold = {r["TruckId"] for r in copy.rows("trucks", is_(Refrigerated="true"))}
    truck = copy.rows("truck_moves", lambda r: r["TruckId"] in cold)[0]["TruckId"]
    copy.set("trucks", is_(TruckId=truck), Refrigerated="false")
    return truck


def loaded_late(copy: Copy) -> str:
    return copy.edit(
        "dc_inventory_txn",
        is_(Reason="OUTBOUND_SHIPMENT"),
        lambda r: r | {"EventTS": later(r["EventTS"], seconds=1)},
    )["EventTS"][:10]


def other_source(copy: Copy) -> str:
    """A delivery by a truck that did not come."""
    row = copy.rows("store_inventory_txn", is_(Reason="INBOUND_SHIPMENT"))[0]
    other = copy.rows("trucks", lambda r: r["TruckId"] != row["Source"])[0]["TruckId"]
    copy.set("store_inventory_txn", is_(TraceId=row["TraceId"]), Source=other)
    return other


def unknown_truck(copy: Copy) -> str:
    copy.set("store_inventory_txn", is_(Reason="INBOUND_SHIPMENT"), Source="TRK9999")
    return "TRK9999"


def fell_off_the_truck(copy: Copy) -> str:
    def many(row: Row) -> bool:
        return row["Reason"] == "OUTBOUND_SHIPMENT" and int(row["QtyDelta"]) < -1

    return copy.edit(
        "dc_inventory_txn", many, lambda r: r | {"QtyDelta": str(int(r["QtyDelta"]) + 1)}
    )["TraceId"]


def small_dc(copy: Copy) -> str:
    copy.set("distribution_centers", Capacity=100)
    return "100"


def slow_dc(copy: Copy) -> str:
    copy.set("distribution_centers", Throughput=1)
    return "1"


def ordered_elsewhere(copy: Copy) -> str:
    return copy.edit("reorders", change=lambda r: r | {"DCID": str(3 - int(r["DCID"]))})["TraceId"]


def half_a_case(copy: Copy) -> str:
    packs = {r["ProductID"]: int(r["Pack"]) for r in copy.rows("products")}
    return copy.edit(
        "reorders",
        lambda r: packs[r["ProductID"]] > 1,
        lambda r: r | {"OrderQty": str(int(r["OrderQty"]) + 1)},
    )["TraceId"]


def priority(copy: Copy) -> str:
    return copy.set("reorders", is_(Priority="URGENT"), Priority="NORMAL")["TraceId"]


def never_ordered(copy: Copy) -> str:
    """An order was for a case less than arrived."""
    packs = {r["ProductID"]: int(r["Pack"]) for r in copy.rows("products")}
    arrived = {
        (r["StoreID"], r["ProductID"])
        for r in copy.rows("store_inventory_txn", is_(Reason="INBOUND_SHIPMENT"))
    }
    row = copy.edit(
        "reorders",
        lambda r: (
            (r["StoreID"], r["ProductID"]) in arrived and int(r["OrderQty"]) > packs[r["ProductID"]]
        ),
        lambda r: r | {"OrderQty": str(int(r["OrderQty"]) - packs[r["ProductID"]])},
    )
    return row["ProductID"]


DAMAGES = (
    Damage("truck_moves.order", truck_order),
    Damage("truck_moves.same", other_truck),
    Damage("truck_moves.expected", expected_arrival),
    Damage("truck_moves.overlap", overlapping),
    Damage("truck_moves.home", foreign_truck, MASTER),
    Damage("truck_moves.capacity", small_truck, MASTER),
    Damage("truck_moves.refrigerated", warm_truck, MASTER),
    Damage("truck_moves.loading", loaded_late),
    Damage("truck_moves.unloading", other_source),
    Damage("store_inventory_txn.truck", unknown_truck, ("truck_moves.unloading",)),
    Damage("truck_moves.units", fell_off_the_truck, maybe=("dc_inventory_txn.stock",)),
    Damage("dc_inventory_txn.capacity", small_dc, MASTER),
    Damage("dc_inventory_txn.throughput", slow_dc, MASTER),
    Damage("reorders.dc", ordered_elsewhere),
    Damage("reorders.quantity", half_a_case),
    Damage("reorders.priority", priority),
    Damage("reorders.shipped", never_ordered),
)
