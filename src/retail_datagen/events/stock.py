"""Units on hand after each of a day's movements."""

from __future__ import annotations

import numpy as np

from retail_datagen.core.arrays import I64
from retail_datagen.core.order import stable_order
from retail_datagen.events.base import rows_of
from retail_datagen.events.context import EventDay


def on_hand_after(day: EventDay) -> I64:
    """Units of its product in its store after each row of the day's store_inventory_txn: [rows]."""
    rows = day.fact("store_inventory_txn")
    world = day.world
    store = rows_of(rows["StoreID"].to_numpy(), world.stores.store_id)
    product = rows_of(rows["ProductID"].to_numpy(), world.products.product_id)
    cell = store * len(world.products.product_id) + product
    moved = rows["QtyDelta"].to_numpy().astype(np.int64)
    order = stable_order(cell)
    running = np.cumsum(moved[order])
    cells = cell[order]
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    group = np.cumsum(np.diff(cells, prepend=-1) != 0) - 1
    before = running[first] - moved[order][first]
    after = np.empty(len(cell), dtype=np.int64)
    after[order] = running - before[group] + day.on_hand_at_dawn[cells]
    return after
