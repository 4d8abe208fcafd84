"""The evening's review: which cells fell to their reorder point, and what is ordered for them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from retail_datagen.core.arrays import I32, I64, U8, Bool, Ints
from retail_datagen.core.order import stable_order
from retail_datagen.plan.dayplan import Reorders
from retail_datagen.plan.forecast import Forecast
from retail_datagen.plan.market import Market

NORMAL, HIGH, URGENT = 0, 1, 2
PRIORITIES = ("NORMAL", "HIGH", "URGENT")
_REVIEW_DAYS = 14
_OLDEST = 15


@dataclass(frozen=True, slots=True)
class OrderBook:
    """Store orders that no truck has taken yet: [orders] at cells (store x products + product)."""

    cell: I64
    units: I32
    priority: U8
    age: U8

    @classmethod
    def empty(cls) -> Self:
        none = np.zeros(0, dtype=np.int64)
        return cls(none, none.astype(np.int32), none.astype(np.uint8), none.astype(np.uint8))

    def where(self, chosen: Bool) -> OrderBook:
        return OrderBook(*(getattr(self, f.name)[chosen] for f in fields(self)))

    def and_then(self, later: OrderBook) -> OrderBook:
        """This book a day older, and the new orders behind it."""
        older = np.minimum(self.age + 1, _OLDEST).astype(np.uint8)
        return OrderBook(
            np.concatenate([self.cell, later.cell]),
            np.concatenate([self.units, later.units]),
            np.concatenate([self.priority, later.priority]),
            np.concatenate([older, later.age]),
        )


def review_stores(
    market: Market,
    forecast: Forecast,
    day: int,
    stock: I32,
    on_order: I32,
    touched: I64,
    most_units: I64,
) -> Reorders:
    """Orders for the cells that need them, of those `touched` today and of every 14th store.

    `stock` and `on_order` are units per cell; `most_units` is the largest order line per store.
    """
    products = len(market.world.products.product_id)
    stores = len(market.world.stores.store_id)
    looked_at = np.zeros(stores * products, dtype=np.bool_)
    looked_at[touched] = True
    looked_at.reshape(stores, products)[day % _REVIEW_DAYS :: _REVIEW_DAYS] = True
    cell = np.flatnonzero(looked_at)
    by_store = np.count_nonzero(looked_at.reshape(stores, products), axis=1)
    store = np.repeat(np.arange(stores), by_store)
    product = cell - store * products
    position = stock.take(cell) + on_order.take(cell)
    points = forecast.store_points(day)
    sold = market.world.products.launch_day <= day + 1
    highest = np.where(sold, points.highest_reorder_point(), -1)
    low = np.flatnonzero(position <= highest.take(product))
    store, product, cell, position = store[low], product[low], cell[low], position[low]
    point = points.reorder_point(store, product)
    due = np.flatnonzero(position <= point)
    store, product, cell, point = store[due], product[due], cell[due], point[due]
    pack = market.world.products.pack.astype(np.int64)[product]
    wanted = points.order_up_to(store, product, point) - position[due]
    units = (wanted + pack - 1) // pack * pack
    units = np.minimum(units, np.maximum(most_units[store] // pack * pack, pack))
    on_hand = stock[cell]
    priority = np.where(on_hand == 0, URGENT, np.where(2 * on_hand < point, HIGH, NORMAL))
    return Reorders(
        store.astype(np.int32),
        product.astype(np.uint16),
        on_hand,
        point.astype(np.int32),
        units.astype(np.int32),
        priority.astype(np.uint8),
    )


@dataclass(frozen=True, slots=True)
class SupplierOrders:
    """Goods under way from suppliers: [orders] day of arrival, cell (dc x products + product)."""

    day: I32
    cell: I64
    units: I32

    @classmethod
    def empty(cls) -> Self:
        none = np.zeros(0, dtype=np.int64)
        return cls(none.astype(np.int32), none, none.astype(np.int32))

    def where(self, chosen: Bool) -> SupplierOrders:
        return SupplierOrders(self.day[chosen], self.cell[chosen], self.units[chosen])

    def and_then(self, later: SupplierOrders) -> SupplierOrders:
        return SupplierOrders(
            np.concatenate([self.day, later.day]),
            np.concatenate([self.cell, later.cell]),
            np.concatenate([self.units, later.units]),
        )


def review_dcs(
    market: Market, forecast: Forecast, day: int, stock: I32, on_order: I32
) -> SupplierOrders:
    """What the DCs order from suppliers tonight, within the units that each DC can hold."""
    world = market.world
    products = len(world.products.product_id)
    levels = forecast.dc_levels(day)
    position = stock + on_order
    sold = np.tile(world.products.launch_day <= day + 14, len(world.dcs.dc_id))
    cell = np.flatnonzero((position <= levels.reorder_point) & sold)
    dc, product = cell // products, cell % products
    case = 4 * world.products.pack.astype(np.int64)[product]
    wanted = levels.order_up_to[cell] - position[cell]
    units = (wanted + case - 1) // case * case
    held = position.reshape(len(world.dcs.dc_id), products).sum(axis=1, dtype=np.int64)
    running = np.cumsum(units)
    before = np.concatenate([[0], running])[np.searchsorted(dc, dc)]
    fits = held[dc] + running - before <= world.dcs.capacity[dc]
    cell, product, units = cell[fits], product[fits], units[fits]
    lead = world.suppliers.lead_days[world.products.supplier[product]].astype(np.int32)
    return SupplierOrders(day + lead, cell, units.astype(np.int32))


def grouped_within(group: Ints, rank: Ints, units: Ints, limit: I64) -> Bool:
    """Which items fit their group's limit, served by rank (lowest first), then in given order.

    An item that does not fit stops those behind it in its group. Ranks are below 64, groups are
    rows of `limit`.
    """
    asked = np.bincount(group, weights=units, minlength=len(limit))
    fits = np.ones(len(group), dtype=np.bool_)
    row = np.flatnonzero((asked > limit)[group])
    if not len(row):
        return fits
    order = row[stable_order((group[row].astype(np.int64) << 6) | rank[row])]
    served = group[order]
    running = np.cumsum(units[order], dtype=np.int64)
    before = np.concatenate([[0], running])[np.searchsorted(served, served)]
    fits[order] = running - before <= limit[served]
    return fits
