"""Sales: one event per line of a receipt."""

from __future__ import annotations

import pyarrow as pa

from retail_datagen.events.base import (
    NAMESPACE,
    EventTopic,
    always,
    id_column,
    rows_of,
    sku_column,
    store_column,
    timestamp_column,
    type_column,
)
from retail_datagen.events.context import EventDay
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category

TABLE = Table(
    name="retail_sales_transactions",
    doc="One event per line of a receipt, when the shopper paid.",
    columns=(
        type_column("sale"),
        id_column("transaction_id", "The receipt.", "RCP2024010115450150042"),
        timestamp_column("When the shopper paid."),
        store_column(),
        sku_column(),
        Column("customer_id", Kind.INT, "Who.", references="customers.CustomerID", example="5001"),
        Column("quantity", Kind.INT, "Units.", example="2"),
        Column("unit_price", Kind.MONEY, "The product's price that day.", example="12.99"),
        Column(
            "total_amount",
            Kind.MONEY,
            "unit_price × quantity, before tax.",
            encoding=Encoding.DICTIONARY,
            example="25.98",
        ),
        Column("payment_method", Kind.CATEGORY, "How the receipt was paid.", example="CREDIT_CARD"),
        Column("promo_code", Kind.CATEGORY, "The promotion whose price it is.", null=True),
    ),
    # A receipt may have a product on two lines.
    key=(),
    namespace=NAMESPACE,
    message_key="store_id",
)


def render(day: EventDay) -> pa.Table:
    receipts, lines = day.fact("receipts"), day.fact("receipt_lines")
    receipt = pa.array(day.retail.tills.receipt)
    product = rows_of(lines["ProductID"].to_numpy(), day.world.products.product_id)
    return batch(
        TABLE,
        {
            "event_type": always("sale", lines.num_rows),
            "transaction_id": lines["ReceiptId"],
            "timestamp": lines["EventTS"],
            "store_id": receipts["StoreID"].take(receipt),
            "product_id": category(product, day.context.skus),
            "customer_id": receipts["CustomerID"].take(receipt),
            "quantity": lines["Qty"],
            "unit_price": lines["UnitPrice"],
            "total_amount": lines["ExtPrice"],
            "payment_method": receipts["TenderType"].take(receipt),
            "promo_code": lines["PromoCode"],
        },
    )


TOPIC = EventTopic(TABLE, render, "topics")
