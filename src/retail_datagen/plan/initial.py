"""Opening stock: what every place holds when the history begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.core.arrays import I32, I64, Bool
from retail_datagen.core.rng import Stream
from retail_datagen.plan.forecast import Forecast, StorePoints
from retail_datagen.plan.market import Market

_STORES_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class OpeningStock:
    """Units per cell, flat: [stores x products] and [dcs x products]."""

    stores: I32
    dcs: I32


def opening_stock(market: Market, forecast: Forecast) -> OpeningStock:
    """Levels spread between reorder point and order-up-to, so that not all reorder at once."""
    world, day = market.world, market.history_start
    sold = world.products.launch_day <= day
    levels = forecast.dc_levels(day)
    room = levels.order_up_to - levels.reorder_point
    dcs = levels.reorder_point + 1 + Stream(market.seed, "opening.dcs", day).below(len(room), room)
    dcs = np.where(sold, dcs.reshape(-1, len(sold)), 0)
    stores = _in_stores(market, forecast.store_points(day), sold)
    return OpeningStock(stores.ravel(), _fitting(dcs, world.dcs.capacity).ravel())


def _in_stores(market: Market, points: StorePoints, sold: Bool) -> I32:
    """Units [stores x products], some stores at a time: all at once would be the job's peak."""
    capacity = market.world.stores.capacity
    product = np.arange(len(sold))
    stream = Stream(market.seed, "opening.stores", market.history_start)
    units = np.empty((len(capacity), len(sold)), dtype=np.int32)
    for first in range(0, len(capacity), _STORES_AT_ONCE):
        store = np.arange(first, min(first + _STORES_AT_ONCE, len(capacity)))
        point = points.reorder_point(store[:, None], product)
        room = points.order_up_to(store[:, None], product, point) - point
        spread = stream.below(room.size, room.ravel()).reshape(room.shape)
        wanted = np.where(sold, point + 1 + spread, 0)
        units[store] = _fitting(wanted, capacity[store])
    return units


def _fitting(wanted: I64, capacity: I64) -> I32:
    """Units [places x products], less by the same share where a place cannot hold them."""
    held = wanted.sum(axis=1)
    crowded = held > capacity
    units = wanted.astype(np.int32)
    units[crowded] = wanted[crowded] * capacity[crowded, None] // held[crowded, None]
    return units
