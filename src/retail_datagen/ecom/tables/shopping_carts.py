"""Shopping carts: every one that was filled, whatever became of it that day."""

from __future__ import annotations

import pyarrow as pa

from retail_datagen.ecom.base import (
    NAMESPACE,
    ShopTable,
    cart_ids,
    customer_column,
    id_column,
    running,
)
from retail_datagen.ecom.carts import STATUSES
from retail_datagen.ecom.context import ShopDay
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch, category

TABLE = Table(
    name="shopping_carts",
    namespace=NAMESPACE,
    doc="One row per cart, on the day it was made. A cart becomes an order on that day or never.",
    columns=(
        id_column("cart_id", "The cart, numbered without a gap.", "CART0000000001"),
        customer_column(),
        Column("created_at", Kind.TIMESTAMP, "When its first item was put in."),
        Column("updated_at", Kind.TIMESTAMP, "When it was last touched; of orders, ordered."),
        Column("cart_total", Kind.MONEY, "Sum of its items; 0 for an emptied cart."),
        Column(
            "status",
            Kind.CATEGORY,
            "converted: became an order; open: still in use when the day ended.",
            words=STATUSES,
        ),
    ),
    key=("cart_id",),
)


def render(day: ShopDay) -> pa.Table:
    carts = day.carts
    return batch(
        TABLE,
        {
            "cart_id": cart_ids(running(day.plan.first_cart, len(carts))),
            "customer_id": day.customer_id(carts.customer),
            "created_at": day.timestamps(carts.created),
            "updated_at": day.timestamps(carts.updated),
            "cart_total": carts.total,
            "status": category(carts.status, STATUSES),
        },
    )


SHOP = ShopTable(TABLE, render)
