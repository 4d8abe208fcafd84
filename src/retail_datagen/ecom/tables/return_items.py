"""Return items: which products came back, how many units, and what was paid back for them."""

from __future__ import annotations

import pyarrow as pa

from retail_datagen.ecom.base import (
    NAMESPACE,
    ShopTable,
    id_column,
    number_column,
    product_columns,
    return_ids,
    running,
)
from retail_datagen.ecom.context import ShopDay
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch
from retail_datagen.tables.names import order_ids

TABLE = Table(
    name="return_items",
    namespace=NAMESPACE,
    doc="One row per product of a return, in its return's partition.",
    columns=(
        number_column("return_item_id", "The item, numbered without a gap."),
        id_column("return_id", "The return.", "RET0000000001", "returns.return_id"),
        id_column("order_id", "What was ordered.", "ORD202001010000000001", "orders.order_id"),
        *product_columns(),
        Column("quantity_returned", Kind.INT, "Units: no more than were ordered."),
        Column("unit_price", Kind.MONEY, "The price when ordered.", encoding=Encoding.DELTA),
        Column("cost_price", Kind.MONEY, "What a unit had cost the retailer."),
        Column("refunded_amount", Kind.MONEY, "Never more than was paid for those units."),
    ),
    key=("return_item_id",),
)


def render(day: ShopDay) -> pa.Table:
    returned, refunds = day.plan.returned, day.refunds
    row = returned.of_item()
    return batch(
        TABLE,
        {
            "return_item_id": running(day.plan.first_return_item, len(row)),
            "return_id": return_ids(day.plan.first_return + row),
            "order_id": order_ids(returned.order_day[row], returned.order[row]),
            "product_id": day.product_id(returned.product),
            "product_name": day.product_name(returned.product),
            "category": day.category(returned.product),
            "quantity_returned": returned.units,
            "unit_price": returned.price,
            "cost_price": returned.cost,
            "refunded_amount": refunds.of_items,
        },
    )


SHOP = ShopTable(TABLE, render)
