"""Cart items: what lay in the carts that were not emptied."""

from __future__ import annotations

import pyarrow as pa

from retail_datagen.ecom.base import (
    NAMESPACE,
    ShopTable,
    cart_ids,
    id_column,
    number_column,
    product_columns,
    running,
)
from retail_datagen.ecom.context import ShopDay
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch

TABLE = Table(
    name="cart_items",
    namespace=NAMESPACE,
    doc="One row per product in a cart, in its cart's partition. Emptied carts have none.",
    columns=(
        number_column("cart_item_id", "The item, numbered without a gap."),
        id_column("cart_id", "The cart.", "CART0000000001", "shopping_carts.cart_id"),
        *product_columns(),
        Column("added_at", Kind.TIMESTAMP, "When it was put in."),
        Column("quantity", Kind.INT, "Units."),
        Column("unit_price", Kind.MONEY, "The product's price that day.", encoding=Encoding.DELTA),
    ),
    key=("cart_item_id",),
)


def render(day: ShopDay) -> pa.Table:
    carts = day.carts
    return batch(
        TABLE,
        {
            "cart_item_id": running(day.plan.first_cart_item, len(carts.cart)),
            "cart_id": cart_ids(day.plan.first_cart + carts.cart),
            "product_id": day.product_id(carts.product),
            "product_name": day.product_name(carts.product),
            "category": day.category(carts.product),
            "added_at": day.timestamps(carts.added),
            "quantity": carts.quantity,
            "unit_price": carts.price,
        },
    )


SHOP = ShopTable(TABLE, render)
