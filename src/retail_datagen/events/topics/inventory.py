"""Inventory updates: one event per movement of stock in a store, with what is left."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.behaviour.online import SLOWEST_DAYS
from retail_datagen.core.ids import texts
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
from retail_datagen.events.stock import on_hand_after
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.movements import REASONS
from retail_datagen.tables.names import daily_sequence

WORDS = ("sale", "receipt", "adjustment", "damage", "theft", "return")
_WORD_OF = {
    "SALE": "sale",
    "INBOUND_SHIPMENT": "receipt",
    "INITIAL_STOCK": "receipt",
    "RETURN": "return",
    "SHRINK": "theft",
    "DAMAGE": "damage",
    "ADJUSTMENT": "adjustment",
}
TABLE = Table(
    name="retail_inventory_updates",
    doc="One event per movement of stock in a store; every sale has its own.",
    columns=(
        type_column("inventory_update"),
        id_column("update_id", "UPD, date, number of that day.", "UPD20240101000001"),
        timestamp_column("When it moved."),
        store_column(),
        sku_column(),
        Column("quantity_change", Kind.INT, "Units in (positive) or out (negative).", example="-2"),
        Column("on_hand", Kind.INT, "Units in the store afterwards.", example="17"),
        Column("reason", Kind.CATEGORY, "Why it moved.", words=WORDS, example="sale"),
        id_column(
            "reference_id",
            "The receipt of a sale in the store, as the sale's transaction_id; else the TraceId of "
            "what is behind it: order, shipment, return, or its own.",
            "RCP2024010115450150042",
        ),
    ),
    key=("update_id",),
    namespace=NAMESPACE,
    message_key="store_id",
)


def render(day: EventDay) -> pa.Table:
    rows = day.fact("store_inventory_txn")
    reasons = rows["Reason"].combine_chunks()
    code = np.array([WORDS.index(_WORD_OF.get(name, "adjustment")) for name in REASONS])
    product = rows_of(rows["ProductID"].to_numpy(), day.world.products.product_id)
    return batch(
        TABLE,
        {
            "event_type": always("inventory_update", rows.num_rows),
            "update_id": daily_sequence("UPD", day.number, rows.num_rows),
            "timestamp": rows["EventTS"],
            "store_id": rows["StoreID"],
            "product_id": category(product, day.context.skus),
            "quantity_change": rows["QtyDelta"],
            "on_hand": on_hand_after(day),
            "reason": category(code[reasons.indices.to_numpy()], texts(WORDS)),
            "reference_id": _references(day, rows["TraceId"].combine_chunks()),
        },
    )


def _references(day: EventDay, traces: pa.Array) -> pa.Array:
    """What is behind each movement: [rows]."""
    receipts = day.fact("receipts")
    known = receipts["TraceId"].combine_chunks()
    receipt = receipts["ReceiptId"].combine_chunks().take(pc.index_in(traces, known))
    return pc.coalesce(receipt, traces)


TOPIC = EventTopic(TABLE, render, "topics", lookback_days=SLOWEST_DAYS, needs_stock=True)
