"""Damage to the movements of stock."""

from __future__ import annotations

from collections.abc import Callable

from copies import Copy, Row
from damage import BOOKS, MASTER, Damage, is_, later


def negative(table: str, reason: str) -> Callable[[Copy], str]:
    """A correction that takes away far more than there is."""

    def plant(copy: Copy) -> str:
        copy.set(table, is_(Reason=reason), QtyDelta=-100_000)
        return "-100000"

    return plant


def wrong_sign(table: str, reason: str) -> Callable[[Copy], str]:
    return lambda copy: copy.edit(
        table,
        is_(Reason=reason),
        lambda r: r | {"QtyDelta": str(-int(r["QtyDelta"]))},
    )["TraceId"]


def second_opening(table: str) -> Callable[[Copy], str]:
    """A correction that calls itself an opening."""

    def plant(copy: Copy) -> str:
        where = is_(Reason="SHRINK")
        row = copy.rows(table, where)[0]
        more = {"Source": "OPENING_BALANCE"} if "Source" in row else {}
        copy.set(table, is_(TraceId=row["TraceId"]), Reason="INITIAL_STOCK", QtyDelta=1, **more)
        return row["TraceId"]

    return plant


def sold_units(copy: Copy) -> str:
    return copy.edit(
        "store_inventory_txn",
        is_(Source="CUSTOMER_PURCHASE"),
        lambda r: r | {"QtyDelta": str(int(r["QtyDelta"]) - 1)},
    )["TraceId"]


def sold_elsewhere(copy: Copy) -> str:
    return copy.edit(
        "store_inventory_txn",
        is_(Source="CUSTOMER_PURCHASE"),
        lambda r: r | {"EventTS": later(r["EventTS"], seconds=1)},
    )["TraceId"]


def return_not_booked(copy: Copy) -> str:
    """A damaged return's units come in and go out, but one second late."""
    trace = copy.rows("store_inventory_txn", is_(Source="CUSTOMER_RETURN", Reason="DAMAGE"))[0][
        "TraceId"
    ]
    copy.edit_all(
        "store_inventory_txn",
        is_(TraceId=trace),
        lambda r: r | {"EventTS": later(r["EventTS"], seconds=1)},
    )
    return trace


def small_store(copy: Copy) -> str:
    copy.set("stores", Capacity=100)
    return "100"


def lost_movement(copy: Copy) -> str:
    """One unit more was stolen, of what a reorder counts later: only the books can tell."""
    last: dict[tuple[str, str], str] = {}
    for row in copy.rows("reorders"):
        cell = (row["StoreID"], row["ProductID"])
        last[cell] = max(row["EventTS"], last.get(cell, ""))

    def looked_at(row: Row) -> bool:
        counted = last.get((row["StoreID"], row["ProductID"]), "")
        return row["Reason"] == "SHRINK" and row["EventTS"] < counted

    row = copy.edit(
        "store_inventory_txn",
        looked_at,
        lambda r: r | {"QtyDelta": str(int(r["QtyDelta"]) - 1)},
    )
    return row["ProductID"]


def last_on_hand(copy: Copy) -> str:
    """More was there, and still more was asked for; others may have bought in that second."""
    return copy.edit(
        "stockouts",
        change=lambda r: (
            r | {name: str(int(r[name]) + 100) for name in ("LastOnHand", "LostUnits")}
        ),
    )["TraceId"]


DAMAGES = (
    Damage("store_inventory_txn.stock", negative("store_inventory_txn", "ADJUSTMENT"), maybe=BOOKS),
    Damage("dc_inventory_txn.stock", negative("dc_inventory_txn", "SHRINK")),
    Damage("store_inventory_txn.signs", wrong_sign("store_inventory_txn", "SHRINK"), maybe=BOOKS),
    Damage("dc_inventory_txn.signs", wrong_sign("dc_inventory_txn", "SHRINK")),
    Damage("store_inventory_txn.opening", second_opening("store_inventory_txn"), maybe=BOOKS),
    Damage("dc_inventory_txn.opening", second_opening("dc_inventory_txn")),
    Damage("store_inventory_txn.sales", sold_units, maybe=(*BOOKS, "store_inventory_txn.stock")),
    Damage("store_inventory_txn.receipt", sold_elsewhere, maybe=BOOKS),
    Damage("store_inventory_txn.returns", return_not_booked, maybe=BOOKS),
    Damage("store_inventory_txn.capacity", small_store, MASTER),
    Damage(
        "reorders.on_hand",
        lost_movement,
        maybe=("stockouts.on_hand", "store_inventory_txn.stock"),
    ),
    Damage("stockouts.on_hand", last_on_hand),
)
