"""Damage to receipts and their lines."""

from __future__ import annotations

from copies import Copy
from damage import Damage, cents, is_, later, not_returned


def subtotal(copy: Copy) -> str:
    return copy.edit(
        "receipts",
        change=lambda r: (
            r | {"Subtotal": cents(r["Subtotal"], 100), "Total": cents(r["Total"], 100)}
        ),
    )["ReceiptId"]


def tax(copy: Copy) -> str:
    return copy.edit(
        "receipts",
        change=lambda r: r | {"Tax": cents(r["Tax"], 1), "Total": cents(r["Total"], 1)},
    )["ReceiptId"]


def total(copy: Copy) -> str:
    return copy.edit("receipts", change=lambda r: r | {"Total": cents(r["Total"], -1)})["ReceiptId"]


def receipt_without_lines(copy: Copy) -> str:
    """A receipt more, numbered well, that nobody bought anything on."""
    first = copy.rows("receipts")[0]
    same = {"StoreID": first["StoreID"]}
    day = first["EventTS"][:10]
    last = [r for r in copy.rows("receipts", is_(**same)) if r["EventTS"].startswith(day)][-1]
    name = last["ReceiptId"]
    number = int(name[-4:]) + 1
    copy.double(
        "receipts",
        is_(ReceiptId=name),
        ReceiptId=f"{name[:-4]}{number:04d}",
        TraceId="TRC0000999999",
        Subtotal="0.00",
        Tax="0.00",
        Total="0.00",
    )
    return "TRC0000999999"


def receipt_name(copy: Copy) -> str:
    """A receipt, its lines and its returns under the name of another minute."""
    row = copy.rows("receipts", lambda r: r["ReceiptId"][13:15] != "59")[0]
    old, minute = row["ReceiptId"], int(row["ReceiptId"][13:15]) + 1
    new = f"{old[:13]}{minute:02d}{old[15:]}"
    for table in ("receipts", "receipt_lines", "store_returns"):
        if copy.rows(table, is_(ReceiptId=old)):
            copy.edit_all(table, is_(ReceiptId=old), lambda r: r | {"ReceiptId": new})
    return new


def receipt_number(copy: Copy) -> str:
    row = copy.rows("receipts")[0]
    old = row["ReceiptId"]
    new = f"{old[:-4]}9999"
    for table in ("receipts", "receipt_lines", "store_returns"):
        if copy.rows(table, is_(ReceiptId=old)):
            copy.edit_all(table, is_(ReceiptId=old), lambda r: r | {"ReceiptId": new})
    return "9999"


def extended(copy: Copy) -> str:
    row = copy.edit("receipt_lines", change=lambda r: r | {"ExtPrice": cents(r["ExtPrice"], -1)})
    return row["ReceiptId"]


def line_number(copy: Copy) -> str:
    row = copy.set("receipt_lines", not_returned(copy), Line=77)
    return row["TraceId"]


def line_time(copy: Copy) -> str:
    return copy.edit(
        "receipt_lines", change=lambda r: r | {"EventTS": later(r["EventTS"], seconds=1)}
    )["ReceiptId"]


DAMAGES = (
    Damage("receipts.subtotal", subtotal),
    Damage("receipts.tax", tax),
    Damage("receipts.total", total),
    Damage(
        "receipts.lines",
        receipt_without_lines,
        ("receipts.traces", "traces.sequence"),
        maybe=("foot_traffic.entrances",),
    ),
    Damage("receipts.name", receipt_name),
    Damage("receipts.sequence", receipt_number),
    Damage("receipt_lines.extended", extended, ("receipts.subtotal",)),
    Damage("receipt_lines.sequence", line_number),
    Damage("receipt_lines.receipt", line_time),
)
