"""Changes of the stock on hand in stores: one row per store and product on sale."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.behaviour.online import SLOWEST_DAYS
from retail_datagen.events.base import EventTopic, store_column
from retail_datagen.events.changes import (
    CREATE,
    READ,
    UPDATE,
    Changed,
    change_table,
    changes_of,
)
from retail_datagen.events.context import EventDay
from retail_datagen.events.stock import on_hand_after
from retail_datagen.schema import Column, Kind

TABLE = change_table(
    "cdc_store_stock",
    "store_stock",
    "One change per movement of stock in a store; a product's rows begin with its launch.",
    (
        store_column(),
        Column("product_id", Kind.INT, "What.", references="products.ProductID", example="1001"),
    ),
    (Column("on_hand", Kind.INT, "Units in the store.", example="17"),),
)


def render(day: EventDay) -> pa.Table:
    world, first = day.world, day.retail.is_first
    launch = world.products.launch_day
    product = np.flatnonzero(launch <= day.number if first else launch == day.number)
    stores, products = len(world.stores.store_id), len(launch)
    cell = (np.arange(stores)[:, None] * products + product).ravel()
    begun = day.retail.opening.stores[cell] if first else np.zeros(len(cell), dtype=np.int64)
    # The snapshot tells what movements of the opening balance tell.
    moved = int(np.count_nonzero(day.retail.opening.stores)) if first else 0
    facts = day.fact("store_inventory_txn").slice(moved)
    after = on_hand_after(day)[moved:]
    before = after - facts["QtyDelta"].to_numpy()
    second = facts["EventTS"].cast(pa.int64()).to_numpy() - day.retail.midnight
    nothing = np.zeros(len(cell), dtype=np.int64)
    return changes_of(
        TABLE,
        day.number,
        Changed(
            np.concatenate([nothing, second]),
            np.repeat([READ if first else CREATE, UPDATE], [len(cell), len(after)]),
            {
                "store_id": np.concatenate(
                    [world.stores.store_id[cell // products], facts["StoreID"].to_numpy()]
                ),
                "product_id": np.concatenate(
                    [world.products.product_id[cell % products], facts["ProductID"].to_numpy()]
                ),
            },
            {"on_hand": np.concatenate([nothing, before])},
            {"on_hand": np.concatenate([begun, after])},
        ),
    )


TOPIC = EventTopic(TABLE, render, "cdc", lookback_days=SLOWEST_DAYS, needs_stock=True)
