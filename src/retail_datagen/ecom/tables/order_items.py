"""Order items: what was sold, less what was not in stock."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.ecom.base import (
    NAMESPACE,
    ShopTable,
    id_column,
    number_column,
    product_columns,
    running,
)
from retail_datagen.ecom.context import ShopDay
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch
from retail_datagen.tables.names import order_ids

TABLE = Table(
    name="order_items",
    namespace=NAMESPACE,
    doc="One row per product of an order, in its order's partition; cancelled lines are left out.",
    columns=(
        number_column("order_item_id", "The item, numbered without a gap."),
        id_column("order_id", "The order.", "ORD202001010000000001", "orders.order_id"),
        *product_columns(),
        Column("quantity", Kind.INT, "Units."),
        Column("unit_price", Kind.MONEY, "The product's price that day.", encoding=Encoding.DELTA),
        Column("discount_amount", Kind.MONEY, "Its share of the order's discount."),
        Column("cost_price", Kind.MONEY, "What a unit cost the retailer that day."),
    ),
    key=("order_item_id",),
)


def render(day: ShopDay) -> pa.Table:
    items = day.sale.items
    count = len(items.order)
    return batch(
        TABLE,
        {
            "order_item_id": running(day.plan.first_order_item, count),
            "order_id": order_ids(np.full(count, day.number), day.placed.first_order + items.order),
            "product_id": day.product_id(items.product),
            "product_name": day.product_name(items.product),
            "category": day.category(items.product),
            "quantity": items.quantity,
            "unit_price": items.price,
            "discount_amount": items.discount,
            "cost_price": items.cost,
        },
    )


SHOP = ShopTable(TABLE, render)
