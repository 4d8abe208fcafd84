"""Price changes: what costs another price from midnight on."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.behaviour.pricing import REASONS
from retail_datagen.events.base import (
    NAMESPACE,
    EventTopic,
    always,
    id_column,
    rows_of,
    sku_column,
    timestamp_column,
    type_column,
)
from retail_datagen.events.context import EventDay
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch, category

WORDS = tuple(word.lower() for word in REASONS)
"""Reasons as events have them, those of movements of stock too."""
TABLE = Table(
    name="retail_price_changes",
    doc="One event per product whose price differs from the day before.",
    columns=(
        type_column("price_change"),
        id_column("change_id", "The TraceId of the change.", "TRC0000000042"),
        timestamp_column("Midnight, from when the new price holds."),
        sku_column(),
        Column("old_price", Kind.MONEY, "Until then.", example="12.99"),
        Column("new_price", Kind.MONEY, "From then on.", example="10.39"),
        Column("reason", Kind.CATEGORY, "Why.", words=WORDS, example="promo_start"),
    ),
    key=("change_id",),
    namespace=NAMESPACE,
    message_key="product_id",
)


def render(day: EventDay) -> pa.Table:
    rows = day.fact("price_changes")
    reason = rows["Reason"].combine_chunks()
    product = rows_of(rows["ProductID"].to_numpy(), day.world.products.product_id)
    return batch(
        TABLE,
        {
            "event_type": always("price_change", rows.num_rows),
            "change_id": rows["TraceId"],
            "timestamp": rows["EventTS"],
            "product_id": category(product, day.context.skus),
            "old_price": rows["OldPrice"],
            "new_price": rows["NewPrice"],
            "reason": category(reason.indices.to_numpy(), pc.utf8_lower(reason.dictionary)),
        },
    )


TOPIC = EventTopic(TABLE, render, "topics")
