"""Restock alerts: what stores order in the nightly review."""

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
from retail_datagen.plan.replenish import PRIORITIES
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch, category

TABLE = Table(
    name="retail_restock_alerts",
    doc="One event per product whose stock and orders under way fell to a store's reorder point.",
    columns=(
        type_column("restock_alert"),
        id_column("alert_id", "The TraceId of the reorder.", "TRC0000000042"),
        timestamp_column("The nightly review."),
        store_column(),
        sku_column(),
        Column("on_hand", Kind.INT, "Units on hand, less those reserved for online orders."),
        Column("reorder_point", Kind.INT, "Units at which more is ordered."),
        Column("recommended_quantity", Kind.INT, "Units ordered, in whole case packs."),
        Column("priority", Kind.CATEGORY, "How pressing; URGENT is empty.", words=PRIORITIES),
    ),
    key=("alert_id",),
    namespace=NAMESPACE,
    message_key="store_id",
)


def render(day: EventDay) -> pa.Table:
    rows = day.fact("reorders")
    product = rows_of(rows["ProductID"].to_numpy(), day.world.products.product_id)
    return batch(
        TABLE,
        {
            "event_type": always("restock_alert", rows.num_rows),
            "alert_id": rows["TraceId"],
            "timestamp": rows["EventTS"],
            "store_id": rows["StoreID"],
            "product_id": category(product, day.context.skus),
            "on_hand": rows["OnHand"],
            "reorder_point": rows["ReorderPoint"],
            "recommended_quantity": rows["OrderQty"],
            "priority": rows["Priority"],
        },
    )


TOPIC = EventTopic(TABLE, render, "topics")
