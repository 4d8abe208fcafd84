"""Damage to prices and promotions."""

from __future__ import annotations

from collections.abc import Callable

from copies import Copy, Row
from damage import MASTER, Damage, cents, is_, not_returned


def price_of_line(table: str) -> Callable[[Copy], str]:
    """A dearer line; its amounts follow."""

    def plant(copy: Copy) -> str:
        wanted = not_returned(copy) if table == "receipt_lines" else is_(Status="CANCELLED")

        def change(row: Row) -> Row:
            dearer = cents(row["UnitPrice"], 100)
            return row | {
                "UnitPrice": dearer,
                "ExtPrice": f"{float(dearer) * int(row['Qty']):.2f}",
            }

        return copy.edit(table, wanted, change)["TraceId"]

    return plant


def beyond_bounds(table: str) -> Callable[[Copy], str]:
    """A line a thousand dollars dearer; its amounts follow."""

    def plant(copy: Copy) -> str:
        wanted = not_returned(copy) if table == "receipt_lines" else is_(Status="CANCELLED")

        def change(row: Row) -> Row:
            dearer = cents(row["UnitPrice"], 100_000)
            return row | {
                "UnitPrice": dearer,
                "ExtPrice": f"{float(dearer) * int(row['Qty']):.2f}",
            }

        return copy.edit(table, wanted, change)["TraceId"]

    return plant


def sold_too_early(table: str) -> Callable[[Copy], str]:
    """A product turns out to be launched after the history."""

    def plant(copy: Copy) -> str:
        row = copy.rows(table)[0]
        copy.set("products", is_(ProductID=row["ProductID"]), LaunchDate="2024-12-24")
        return row["ProductID"]

    return plant


def beyond_inflation(copy: Copy) -> str:
    return copy.edit(
        "price_changes",
        is_(Reason="INFLATION"),
        lambda r: r | {"NewPrice": cents(r["NewPrice"], 100_000)},
    )["TraceId"]


def other_discount(copy: Copy) -> str:
    """A promotion says that it takes off far more than it did."""
    row = copy.rows("price_changes", is_(Reason="PROMO_START"))[0]
    copy.set("promotions", is_(PromoCode=row["PromoCode"]), DiscountPercent=90)
    return row["PromoCode"]


def promo_of_line(table: str) -> Callable[[Copy], str]:
    """A promotion that is not the product's."""

    def plant(copy: Copy) -> str:
        code = copy.rows("promotions")[0]["PromoCode"]
        copy.set(table, is_(PromoCode=""), PromoCode=code)
        return code

    return plant


def same_price(copy: Copy) -> str:
    """A change to the price that it was: that before says so too."""
    row = copy.edit("price_changes", is_(Reason="INFLATION"), _unchanged)
    return row["TraceId"]


def _unchanged(row: Row) -> Row:
    return row | {"NewPrice": row["OldPrice"]}


def old_price(copy: Copy) -> str:
    return copy.edit(
        "price_changes",
        is_(Reason="INFLATION"),
        lambda r: r | {"OldPrice": cents(r["OldPrice"], 3)},
    )["TraceId"]


def promo_of_change(copy: Copy) -> str:
    return copy.set("price_changes", is_(Reason="PROMO_START"), PromoCode="")["TraceId"]


DAMAGES = (
    Damage(
        "receipt_lines.price",
        price_of_line("receipt_lines"),
        ("receipts.subtotal",),
        maybe=("receipts.tax", "receipt_lines.bounds"),
    ),
    Damage(
        "online_order_lines.price",
        price_of_line("online_order_lines"),
        maybe=("online_order_lines.bounds",),
    ),
    Damage(
        "receipt_lines.bounds",
        beyond_bounds("receipt_lines"),
        ("receipt_lines.price", "receipts.subtotal"),
        maybe=("receipts.tax",),
    ),
    Damage(
        "online_order_lines.bounds",
        beyond_bounds("online_order_lines"),
        ("online_order_lines.price",),
    ),
    Damage(
        "receipt_lines.launch",
        sold_too_early("receipt_lines"),
        MASTER,
        maybe=("online_order_lines.launch",),
    ),
    Damage(
        "online_order_lines.launch",
        sold_too_early("online_order_lines"),
        MASTER,
        maybe=("receipt_lines.launch",),
    ),
    Damage(
        "price_changes.bounds",
        beyond_inflation,
        maybe=("receipt_lines.price", "online_order_lines.price", "price_changes.chain"),
    ),
    Damage("price_changes.discount", other_discount, MASTER),
    Damage("receipt_lines.promotion", promo_of_line("receipt_lines")),
    Damage("online_order_lines.promotion", promo_of_line("online_order_lines")),
    Damage(
        "price_changes.change",
        same_price,
        maybe=("receipt_lines.price", "online_order_lines.price", "price_changes.chain"),
    ),
    Damage("price_changes.chain", old_price),
    Damage(
        "price_changes.promotion",
        promo_of_change,
        maybe=("receipt_lines.promotion", "online_order_lines.promotion"),
    ),
)
