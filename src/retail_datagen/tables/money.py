"""What receipts and their lines come to, in cents; both tables compute it from here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.core.rng import I64
from retail_datagen.tables.context import Day


@dataclass(frozen=True, slots=True)
class LineMoney:
    """Cents per receipt line: [lines]."""

    unit_price: I64
    extended: I64


@dataclass(frozen=True, slots=True)
class ReceiptMoney:
    """Cents per receipt: [receipts]."""

    subtotal: I64
    tax: I64


def line_money(day: Day) -> LineMoney:
    """Price and extended price of the lines that were rung up."""
    lines, tills = day.demand.lines, day.tills
    unit_price = day.prices.price[lines.product[tills.line]]
    return LineMoney(unit_price, unit_price * lines.quantity[tills.line])


def receipt_money(day: Day) -> ReceiptMoney:
    """Subtotal and tax; the tax is rounded half up once per receipt."""
    lines, tills = day.demand.lines, day.tills
    extended = line_money(day).extended
    if not len(tills.visit):
        return ReceiptMoney(extended, extended)
    first = np.searchsorted(tills.receipt, np.arange(len(tills.visit)))
    taxed = np.where(day.world.products.taxable[lines.product[tills.line]], extended, 0)
    store = day.demand.visits.store[tills.visit]
    rate = day.world.stores.tax_ppm[store].astype(np.int64)
    tax = (np.add.reduceat(taxed, first) * rate + 500_000) // 1_000_000
    return ReceiptMoney(np.add.reduceat(extended, first), tax)
