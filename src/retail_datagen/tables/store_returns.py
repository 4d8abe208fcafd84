"""Store returns: sold lines that come back, for what was paid."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.core.ids import text_column
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.names import daily_sequence, receipt_rows, trace_sequence

CONDITIONS = ("RESALABLE", "DAMAGED")
TABLE = Table(
    name="store_returns",
    doc="One row per receipt line that comes back, whole, to the store that sold it.",
    columns=(
        trace_column("Joins a return with its RETURN and DAMAGE movements."),
        time_column("When it came back."),
        Column(
            "ReturnId",
            Kind.TEXT,
            "RET, date, number of that day.",
            example="RET20240109000001",
            encoding=Encoding.DELTA_TEXT,
        ),
        Column("StoreID", Kind.INT, "Where.", references="stores.StoreID", example="15"),
        Column(
            "CustomerID",
            Kind.INT,
            "Who bought it.",
            references="customers.CustomerID",
            encoding=Encoding.DELTA,
        ),
        Column("ReceiptId", Kind.TEXT, "The receipt.", references="receipts.ReceiptId"),
        Column("Line", Kind.INT, "The receipt's line.", example="1"),
        Column("ProductID", Kind.INT, "What.", references="products.ProductID", example="1001"),
        Column("Qty", Kind.INT, "Units, as on the line.", example="2"),
        Column("UnitPrice", Kind.MONEY, "As on the line.", example="12.99"),
        Column(
            "Refund",
            Kind.MONEY,
            "UnitPrice × Qty and its tax, rounded down: never more than was paid.",
            example="28.05",
        ),
        Column("Reason", Kind.CATEGORY, "Why.", example="DEFECTIVE"),
        Column(
            "Condition",
            Kind.CATEGORY,
            "RESALABLE goes back to the shelf, DAMAGED is written off.",
            words=CONDITIONS,
        ),
    ),
    key=("ReturnId",),
)


def render(day: Day) -> pa.Table:
    returns, arrivals = day.plan.returns, day.returns_in
    order = np.argsort(day.return_rank)
    store, product = returns.store[order], returns.product[order]
    paid = returns.price[order].astype(np.int64) * returns.units[order]
    rate = np.where(day.world.products.taxable[product], day.world.stores.tax_ppm[store], 0)
    names = receipt_rows(
        day.context.receipt_digits,
        returns.sold_day[order],
        returns.sold_second[order],
        day.world.stores.store_id[store],
        returns.number[order],
    )
    return batch(
        TABLE,
        {
            "TraceId": trace_sequence(day.traces.returns, len(order)),
            "EventTS": day.timestamps(arrivals.second[order]),
            "ReturnId": daily_sequence("RET", day.number, len(order)),
            "StoreID": day.world.stores.store_id[store],
            "CustomerID": day.world.customers.customer_id[returns.customer[order]],
            "ReceiptId": text_column(names),
            "Line": returns.line[order],
            "ProductID": day.world.products.product_id[product],
            "Qty": returns.units[order],
            "UnitPrice": returns.price[order],
            "Refund": paid + paid * rate // 1_000_000,
            "Reason": category(arrivals.reason[order], day.market.returns.reasons),
            "Condition": category(arrivals.damaged[order], CONDITIONS),
        },
    )


FACTS = FactTable(TABLE, render)
