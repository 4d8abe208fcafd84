"""Changes of the products' prices, beginning with those of master data."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.events.base import EventTopic
from retail_datagen.events.changes import READ, UPDATE, Changed, change_table, changes_of
from retail_datagen.events.context import EventDay
from retail_datagen.schema import Column, Kind

TABLE = change_table(
    "cdc_product_prices",
    "product_prices",
    "One change per change of a product's price, at midnight; first the prices of master data.",
    (Column("product_id", Kind.INT, "What.", references="products.ProductID", example="1001"),),
    (Column("price", Kind.MONEY, "Price of a unit.", example="10.39"),),
)


def render(day: EventDay) -> pa.Table:
    products = day.world.products
    changes = day.market.pricing.changes(day.number)
    read = np.arange(len(products.price) if day.retail.is_first else 0)
    product = np.concatenate([read, changes.product])
    return changes_of(
        TABLE,
        day.number,
        Changed(
            np.zeros(len(product), dtype=np.int64),
            np.repeat([READ, UPDATE], [len(read), len(changes)]),
            {"product_id": products.product_id[product]},
            {"price": np.concatenate([products.price[read], changes.old])},
            {"price": np.concatenate([products.price[read], changes.new])},
        ),
    )


TOPIC = EventTopic(TABLE, render, "cdc")
