"""Opening stock: what every place holds when the history begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retail_datagen.core.rng import I64, Stream
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
    rows = np.arange(stores)[:, None]
    points = forecast.store_points(day)
    point = points.reorder_point(rows, np.arange(products))
    top = points.order_up_to(rows, np.arange(products), point)
    stream = Stream(market.seed, "opening.stores", day)
    spread = stream.below(stores * products, (top - point).ravel())
    wanted = np.where(sold, point + 1 + spread.reshape(stores, products), 0)
    levels = _fitting(wanted, world.stores.capacity)
    dc_level = forecast.dc_levels(day)
    stream = Stream(market.seed, "opening.dcs", day)
    room = dc_level.order_up_to - dc_level.reorder_point
    dcs = dc_level.reorder_point + 1 + stream.below(len(room), room)
    dcs = np.where(sold, dcs.reshape(-1, products), 0)
    return OpeningStock(levels, _fitting(dcs, world.dcs.capacity))


def _fitting(wanted: I64, capacity: I64) -> I32:
    """Units [places x products], flat, less by the same share where a place cannot hold them."""
    held = wanted.sum(axis=1)
    fewer = wanted * capacity[:, None] // np.maximum(held, 1)[:, None]
    fitting: I32 = np.where((held > capacity)[:, None], fewer, wanted).astype(np.int32).ravel()
    return fitting
