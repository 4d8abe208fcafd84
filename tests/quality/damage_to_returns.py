"""Damage to returns and stock-outs."""

from __future__ import annotations

from copies import Copy, Row
from damage import Damage, cents, is_, later


def returned_to_another(copy: Copy) -> str:
    row = copy.rows("store_returns")[0]
    customer = str(int(row["CustomerID"]) % 1000 + 1)
    copy.set("store_returns", is_(ReturnId=row["ReturnId"]), CustomerID=customer)
    return "another customer"


def returned_twice(copy: Copy) -> str:
    """The next return of the same store is of the same line."""
    one, other = copy.rows("store_returns")[:2]
    line = {name: one[name] for name in ("ReceiptId", "Line")}
    copy.set("store_returns", is_(ReturnId=other["ReturnId"]), **line)
    return one["ReceiptId"]


def refund(copy: Copy) -> str:
    return copy.edit("store_returns", change=lambda r: r | {"Refund": cents(r["Refund"], 1)})[
        "ReturnId"
    ]


def small_refund(copy: Copy) -> str:
    return copy.set("store_returns", Refund="0.01")["ReturnId"]


def cancelled_units(copy: Copy) -> str:
    """A store's cancelled line asked for more than its stock-out says that was lost."""
    stores = {r["OrderId"] for r in copy.rows("online_orders", is_(NodeType="STORE"))}

    def change(row: Row) -> Row:
        units = int(row["Qty"]) + 1
        return row | {"Qty": str(units), "ExtPrice": f"{float(row['UnitPrice']) * units:.2f}"}

    return copy.edit(
        "online_order_lines",
        lambda r: r["Status"] == "CANCELLED" and r["OrderId"] in stores,
        change,
    )["OrderId"]


def lost_units(copy: Copy) -> str:
    row = copy.edit("stockouts", change=lambda r: r | {"LostUnits": r["LastOnHand"]})
    return row["TraceId"]


def restocked(copy: Copy) -> str:
    return copy.edit(
        "stockouts",
        lambda r: r["RestockedTS"] != "",
        lambda r: r | {"RestockedTS": later(r["RestockedTS"], seconds=-1)},
    )["TraceId"]


DAMAGES = (
    Damage("store_returns.sale", returned_to_another),
    Damage("store_returns.once", returned_twice, ("store_returns.sale",)),
    Damage("store_returns.refund", refund),
    Damage("store_returns.amounts", small_refund, ("store_returns.refund",)),
    Damage("stockouts.units", lost_units, maybe=("stockouts.online",)),
    Damage("stockouts.online", cancelled_units),
    Damage("stockouts.restocked", restocked),
)
