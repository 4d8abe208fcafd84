"""What receipts and their lines come to, in cents: the one place that prices a purchase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.behaviour.pricing import PriceList
from retail_datagen.core.arrays import I64
from retail_datagen.core.groups import starts
from retail_datagen.plan.market import StoreDemand
from retail_datagen.plan.tills import Tills
from retail_datagen.world.model import World


@dataclass(frozen=True, slots=True)
class Money:
    """Cents per line (`unit_price`, `extended`) and per receipt (`subtotal`, `tax`)."""

    unit_price: I64
    extended: I64
    subtotal: I64
    tax: I64


def price_receipts(world: World, prices: PriceList, demand: StoreDemand, tills: Tills) -> Money:
    """Money of the receipts and lines that were rung up; tax is rounded half up per receipt."""
    product = demand.lines.product.take(tills.line)
    unit_price = prices.price.take(product)
    extended = unit_price * demand.lines.quantity.take(tills.line)
    if not len(tills.visit):
        return Money(unit_price, extended, extended, extended)
    first = starts(tills.receipt, len(tills.visit))
    taxed = extended * world.products.taxable.take(product)
    rate = world.stores.tax_ppm[demand.visits.store[tills.visit]].astype(np.int64)
    tax = (np.add.reduceat(taxed, first) * rate + 500_000) // 1_000_000
    return Money(unit_price, extended, np.add.reduceat(extended, first), tax)
