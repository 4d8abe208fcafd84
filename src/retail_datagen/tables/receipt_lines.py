"""Receipt lines: what was on each receipt."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.core.ids import text_column
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.names import trace_rows

TABLE = Table(
    name="receipt_lines",
    doc="One row per product on a receipt.",
    columns=(
        trace_column("The receipt's.", sequential=False),
        time_column("The receipt's."),
        Column(
            "ReceiptId",
            Kind.TEXT,
            "The receipt.",
            references="receipts.ReceiptId",
            example="RCP2024010115450150042",
        ),
        Column("Line", Kind.INT, "1, 2, 3 … on the receipt.", example="1"),
        Column("ProductID", Kind.INT, "What.", references="products.ProductID", example="1001"),
        Column("Qty", Kind.INT, "Units.", example="2"),
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
            example="25.98",
        ),
        Column(
            "PromoCode",
            Kind.CATEGORY,
            "The promotion whose price it is.",
            references="promotions.PromoCode",
            null=True,
        ),
    ),
    key=("ReceiptId", "Line"),
)


def render(day: Day) -> pa.Table:
    visits, lines, tills = day.demand.visits, day.demand.lines, day.tills
    product = lines.product.take(tills.line)
    promotion = day.prices.promotion.take(product)
    traces = trace_rows(day.traces.receipts + np.arange(len(tills.visit)))
    return batch(
        TABLE,
        {
            "TraceId": text_column(traces.take(tills.receipt)),
            "EventTS": day.timestamps(visits.second.take(lines.visit.take(tills.line))),
            "ReceiptId": text_column(day.receipt_ids.take(tills.receipt)),
            "Line": tills.position,
            "ProductID": day.world.products.product_id.take(product),
            "Qty": lines.quantity.take(tills.line),
            "UnitPrice": day.money.unit_price,
            "ExtPrice": day.money.extended,
            "PromoCode": category(
                np.maximum(promotion, 0), day.world.promotions.code, promotion >= 0
            ),
        },
    )


FACTS = FactTable(TABLE, render)
