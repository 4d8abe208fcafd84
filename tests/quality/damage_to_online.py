"""Damage to online orders and their lines."""

from __future__ import annotations

from collections.abc import Callable

from copies import Copy, Row
from damage import MASTER, Damage, cents, is_, later


def one_status(status: str) -> Callable[[Row], bool]:
    return lambda r: r["Status"] == status and float(r["Subtotal"]) > 0


def order_amounts(copy: Copy, **more: int) -> str:
    """Other amounts on all rows of an order; Total follows."""
    order = copy.rows("online_orders", one_status("DELIVERED"))[0]["OrderId"]

    def change(row: Row) -> Row:
        return row | {name: cents(row[name], by) for name, by in more.items()}

    copy.edit_all("online_orders", is_(OrderId=order), change)
    return order


def order_mode(copy: Copy) -> str:
    """A DC's order that says it was shipped from a store."""
    order = copy.rows("online_orders", is_(FulfillmentMode="SHIP_FROM_DC"))[0]["OrderId"]
    copy.edit_all(
        "online_orders",
        is_(OrderId=order),
        lambda r: r | {"FulfillmentMode": "SHIP_FROM_STORE"},
    )
    return order


def order_node(copy: Copy) -> str:
    picked = {r["OrderId"] for r in copy.rows("online_orders", is_(Status="PICKED"))}
    order = copy.rows(
        "online_orders", lambda r: r["NodeType"] == "DC" and r["OrderId"] not in picked
    )[0]["OrderId"]
    copy.edit_all("online_orders", is_(OrderId=order), lambda r: r | {"NodeId": "99"})
    return order


def order_not_shipped(copy: Copy) -> str:
    return copy.drop("online_orders", is_(Status="SHIPPED", FulfillmentMode="SHIP_FROM_DC"))[
        "OrderId"
    ]


def order_times(copy: Copy) -> str:
    """Handed over before it was picked."""
    row = copy.rows("online_orders", is_(Status="DELIVERED", FulfillmentMode="BOPIS"))[0]
    copy.set(
        "online_orders",
        is_(OrderId=row["OrderId"], Status="DELIVERED"),
        DeliveredTS=later(row["PickedTS"], seconds=-1),
    )
    return row["OrderId"]


def order_customer(copy: Copy) -> str:
    row = copy.rows("online_orders", is_(Status="PICKED"))[0]
    home = {r["CustomerID"]: r["HomeGeographyID"] for r in copy.rows("customers")}
    neighbour = next(
        customer
        for customer, place in home.items()
        if place == home[row["CustomerID"]] and customer != row["CustomerID"]
    )
    copy.set("online_orders", is_(OrderId=row["OrderId"], Status="PICKED"), CustomerID=neighbour)
    return row["OrderId"]


def order_line_extended(copy: Copy) -> str:
    row = copy.edit(
        "online_order_lines",
        is_(Status="CANCELLED"),
        lambda r: r | {"ExtPrice": cents(r["ExtPrice"], 1)},
    )
    return row["OrderId"]


def order_line_number(copy: Copy) -> str:
    return copy.set("online_order_lines", Line=9)["TraceId"]


def order_line_time(copy: Copy) -> str:
    """A cancelled line reserves nothing, so that stock does not notice."""
    return copy.edit(
        "online_order_lines",
        is_(Status="CANCELLED"),
        lambda r: r | {"EventTS": later(r["EventTS"], seconds=1)},
    )["OrderId"]


def picked_in_store(copy: Copy) -> str:
    return copy.edit(
        "store_inventory_txn",
        is_(Source="ONLINE_ORDER"),
        lambda r: r | {"EventTS": later(r["EventTS"], seconds=1)},
    )["TraceId"]


def picked_in_dc(copy: Copy) -> str:
    return copy.edit(
        "dc_inventory_txn",
        is_(Reason="SALE"),
        lambda r: r | {"QtyDelta": str(int(r["QtyDelta"]) - 1)},
    )["TraceId"]


def signed_up_later(copy: Copy) -> str:
    """A customer who orders years before signing up."""
    who = copy.rows("online_orders", is_(Status="CREATED"))[0]["CustomerID"]
    copy.set("customers", is_(CustomerID=who), SignupDate="2034-05-06")
    return who


DAMAGES = (
    Damage("online_orders.signup", signed_up_later, MASTER),
    Damage("online_orders.subtotal", lambda c: order_amounts(c, Subtotal=1, Total=1)),
    Damage("online_orders.total", lambda c: order_amounts(c, Total=1)),
    Damage("online_orders.tax", lambda c: order_amounts(c, Tax=1, Total=1)),
    Damage("online_orders.modes", order_mode),
    Damage("online_orders.NodeId", order_node),
    Damage("online_orders.order", order_not_shipped),
    Damage("online_orders.times", order_times),
    Damage("online_orders.same", order_customer),
    Damage("online_order_lines.extended", order_line_extended),
    Damage("online_order_lines.sequence", order_line_number),
    Damage("online_order_lines.order", order_line_time, maybe=("stockouts.online",)),
    Damage("online_orders.store_stock", picked_in_store),
    Damage("online_orders.dc_stock", picked_in_dc, maybe=("dc_inventory_txn.stock",)),
)
