"""Which items a store of so many has: each variant's share by its demand class, and their tags.

All items that a catalogue can make stand in one order, in which every beginning is a fair share:
first one of each product, then by weight (Adams's method, whose shares only grow with the total).
An item's tag number is its rank in that order, so a larger store contains the smaller one, and
what is generated twice has the same tags.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.config.errors import UserError
from retail_datagen.core.arrays import I64, Bool
from retail_datagen.core.rng import mix
from retail_datagen.store.arrivals import tag_names
from retail_datagen.store.catalogue import Catalogue
from retail_datagen.store.epc import epcs
from retail_datagen.store.placement import places, spots
from retail_datagen.store.rows import ItemRows, ProductRows

TIMES_THE_WEIGHT = 10
"""A variant has at most ten times the items of its class."""
_DIVISIBLE = 360_360
"""Divisible by every weight up to 15: shares are compared as whole numbers."""
_PRODUCT_BITS = 20


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a store begins with: products, and items in the order of their shares.

    `templates` is how many made it, none where it is that of a retailer's `store`.
    """

    products: ProductRows
    items: ItemRows
    categories: dict[str, int]
    templates: int
    store: int | None = None


def most_items(catalogue: Catalogue, chosen: Bool) -> int:
    """The most items that these products can have."""
    return TIMES_THE_WEIGHT * int(catalogue.weight[chosen].sum())


def plan_inventory(catalogue: Catalogue, chosen: Bool, count: int) -> Inventory:
    """Exactly `count` items of the chosen products. Raises UserError beyond what there can be."""
    most = most_items(catalogue, chosen)
    if not 0 <= count <= most:
        raise UserError(
            f"items: {count:,} is not possible; allowed are 0 to {most:,}, ten times what the "
            "demand classes of the chosen templates give; add templates for more"
        )
    product, number = _units(catalogue)
    kept = np.flatnonzero(chosen[product])[:count]
    product, number = product[kept], number[kept]
    x, y, zone = places(spots(catalogue.zone), product, number)
    items = ItemRows(
        rfid_tag=tag_names(number.tolist()),
        epc=epcs(catalogue.reference[product], number),
        sku=[catalogue.sku[row] for row in product.tolist()],
        x=x,
        y=y,
        zone_id=zone,
    )
    rows = np.flatnonzero(chosen)
    held = np.bincount(product, minlength=len(catalogue))[rows]
    threshold, optimal = stock_levels(held)
    products = ProductRows(
        sku=[catalogue.sku[row] for row in rows.tolist()],
        name=[catalogue.name[row] for row in rows.tolist()],
        category=[catalogue.category[row] for row in rows.tolist()],
        cents=catalogue.cents[rows],
        reorder_threshold=threshold,
        optimal_stock_level=optimal,
    )
    templates = len({catalogue.template[row] for row in rows.tolist()})
    return Inventory(products, items, catalogue.categories(chosen), templates)


def stock_levels(held: I64) -> tuple[I64, I64]:
    """(reorder threshold, optimal stock) of products that begin with so many items.

    A third and the whole, as the published example has it: 2 and 6. A full shelf is never below its
    threshold.
    """
    threshold = np.where(held > 0, np.maximum(held // 3, 1), 0)
    return threshold, np.maximum(held, np.where(held > 0, 2, 1))


def _units(catalogue: Catalogue) -> tuple[I64, I64]:
    """(product, tag number) of every item that can be, in the order of shares.

    The user's own products are numbered behind all others, so that they change no tag.
    """
    count = len(catalogue)
    most = TIMES_THE_WEIGHT * catalogue.weight
    product = np.repeat(np.arange(count, dtype=np.int64), most)
    before = np.arange(len(product)) - np.repeat(np.cumsum(most) - most, most)
    share = before * (_DIVISIBLE // catalogue.weight[product])
    # Equal shares fall to products in an order without meaning, the same for every catalogue.
    order = np.argsort(mix(catalogue.reference, salt=43), kind="stable")
    turn = np.empty(count, dtype=np.int64)
    turn[order] = np.arange(count)
    packed = (share << _PRODUCT_BITS) | turn[product]
    packed.sort()
    product = order[packed & ((1 << _PRODUCT_BITS) - 1)]
    own = catalogue.own[product]
    number = np.empty(len(product), dtype=np.int64)
    number[~own] = np.arange(1, np.count_nonzero(~own) + 1)
    number[own] = np.count_nonzero(~own) + np.arange(1, np.count_nonzero(own) + 1)
    return product, number
