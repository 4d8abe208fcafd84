"""Opening stock: what every place holds when the history begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retail_datagen.core.rng import Stream
from retail_datagen.plan.forecast import Forecast
from retail_datagen.plan.market import Market

I32 = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class OpeningStock:
    """Units per cell, flat: [stores x products] and [dcs x products]."""

    stores: I32
    dcs: I32


def opening_stock(market: Market, forecast: Forecast) -> OpeningStock:
    """Levels spread between reorder point and order-up-to, so that not all reorder at once."""
    world, day = market.world, market.history_start
    products, stores = len(world.products.product_id), len(world.stores.store_id)
    sold = world.products.launch_day <= day
    stream = Stream(market.seed, "opening.stores", day)
    levels = np.empty((stores, products), dtype=np.int32)
    product = np.arange(products)
    for store in range(stores):
        level = forecast.store_levels(day, np.full(products, store), product)
        spread = stream.below(products, level.order_up_to - level.reorder_point)
        levels[store] = np.where(sold, level.reorder_point + 1 + spread, 0)
    held = levels.sum(axis=1, dtype=np.int64)
    for store in np.flatnonzero(held > world.stores.capacity):
        levels[store] = levels[store] * world.stores.capacity[store] // held[store]
    dc_level = forecast.dc_levels(day)
    stream = Stream(market.seed, "opening.dcs", day)
    room = dc_level.order_up_to - dc_level.reorder_point
    dcs = dc_level.reorder_point + 1 + stream.below(len(room), room)
    dcs = np.where(np.tile(sold, len(world.dcs.dc_id)), dcs, 0).astype(np.int32)
    return OpeningStock(levels.ravel(), dcs)
