"""Receipts: one row per purchase in a store."""

from __future__ import annotations

import pyarrow as pa

from retail_datagen.core.arrays import U16
from retail_datagen.core.ids import text_column
from retail_datagen.core.rng import Stream, integer_weights, lookup
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.names import trace_sequence

TABLE = Table(
    name="receipts",
    doc="One row per purchase in a store. Subtotal is the sum of the receipt's lines.",
    columns=(
        trace_column("Joins a receipt with its lines and with its SALE movements."),
        time_column("When the shopper paid."),
        Column(
            "StoreID",
            Kind.INT,
            "Where.",
            references="stores.StoreID",
            encoding=Encoding.DELTA,
            example="15",
        ),
        Column(
            "CustomerID",
            Kind.INT,
            "Who.",
            references="customers.CustomerID",
            example="5001",
            encoding=Encoding.DELTA,
        ),
        Column(
            "ReceiptId",
            Kind.TEXT,
            "RCP, date, hour and minute, store, and the receipt's number in its store that day.",
            example="RCP2024010115450150042",
        ),
        Column("Subtotal", Kind.MONEY, "Sum of the lines' ExtPrice.", example="25.98"),
        Column(
            "Tax",
            Kind.MONEY,
            "The store's rate on the taxable lines together, rounded half up to the cent.",
            example="2.08",
        ),
        Column("Total", Kind.MONEY, "Subtotal + Tax.", example="28.06"),
        Column("TenderType", Kind.CATEGORY, "How it was paid.", example="CREDIT_CARD"),
    ),
    key=("ReceiptId",),
)


def render(day: Day) -> pa.Table:
    visits, tills = day.demand.visits, day.tills
    store, second = visits.store.take(tills.visit), visits.second.take(tills.visit)
    return batch(
        TABLE,
        {
            "TraceId": trace_sequence(day.traces.receipts, len(store)),
            "EventTS": day.timestamps(second),
            "StoreID": day.world.stores.store_id.take(store),
            "CustomerID": day.world.customers.customer_id.take(visits.customer.take(tills.visit)),
            "ReceiptId": text_column(day.receipt_ids),
            "Subtotal": day.money.subtotal,
            "Tax": day.money.tax,
            "Total": day.money.subtotal + day.money.tax,
            "TenderType": category(_tenders(day, len(store)), list(day.context.profile.tenders)),
        },
    )


def _tenders(day: Day, count: int) -> U16:
    shares = lookup(integer_weights(list(day.context.profile.tenders.values())), 16)
    return shares.take(Stream(day.market.seed, "tenders", day.number).u16(count))


FACTS = FactTable(TABLE, render)
