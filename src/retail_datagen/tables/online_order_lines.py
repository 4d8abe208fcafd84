"""Online order lines: what each online order asked for, and whether it was to be had."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.core.groups import starts
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.names import order_ids, traces

STATUSES = ("ALLOCATED", "CANCELLED")
TABLE = Table(
    name="online_order_lines",
    doc="One row per product of an online order, written when the order is placed.",
    columns=(
        trace_column("The order's.", sequential=False),
        time_column("When the order was placed."),
        Column(
            "OrderId",
            Kind.TEXT,
            "The order.",
            references="online_orders.OrderId",
            example="ORD202401010000000001",
        ),
        Column("Line", Kind.INT, "1, 2, 3 … on the order.", example="1"),
        Column("ProductID", Kind.INT, "What.", references="products.ProductID", example="1001"),
        Column("Qty", Kind.INT, "Units asked for.", example="1"),
        Column(
            "UnitPrice",
            Kind.MONEY,
            "The product's price that day.",
            encoding=Encoding.DICTIONARY,
            example="12.99",
        ),
        Column(
            "ExtPrice",
            Kind.MONEY,
            "UnitPrice × Qty.",
            encoding=Encoding.DICTIONARY,
            example="12.99",
        ),
        Column(
            "PromoCode",
            Kind.CATEGORY,
            "The promotion whose price it is.",
            references="promotions.PromoCode",
            null=True,
        ),
        Column(
            "Status",
            Kind.CATEGORY,
            "ALLOCATED: reserved at the node, and picked later. CANCELLED: not in stock there.",
            words=STATUSES,
            example="ALLOCATED",
        ),
    ),
    key=("OrderId", "Line"),
)


def render(day: Day) -> pa.Table:
    placed = day.context.order_day(day.number)
    orders, lines = placed.orders, placed.lines
    order = lines.order.astype(np.int64)
    first = starts(lines.order, len(orders))
    promotion = day.prices.promotion[lines.product]
    return batch(
        TABLE,
        {
            "TraceId": traces(placed.first_trace + order),
            "EventTS": day.timestamps(orders.second[order]),
            "OrderId": order_ids(np.full(len(order), day.number), placed.first_order + order),
            "Line": np.arange(len(order)) - first[order] + 1,
            "ProductID": day.world.products.product_id[lines.product],
            "Qty": lines.quantity,
            "UnitPrice": placed.unit_price,
            "ExtPrice": placed.unit_price * lines.quantity,
            "PromoCode": category(
                np.maximum(promotion, 0), day.world.promotions.code, promotion >= 0
            ),
            "Status": category(~placed.kept, STATUSES),
        },
    )


FACTS = FactTable(TABLE, render)
