"""Reorders: what stores order from their DC in the nightly review."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.core.calendar import DAY_SECONDS
from retail_datagen.plan.replenish import PRIORITIES
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.names import trace_sequence

TABLE = Table(
    name="reorders",
    doc="One row per store and product whose stock and orders under way fell to the reorder point.",
    columns=(
        trace_column("One per order."),
        time_column("The nightly review, at the day's last second."),
        Column("StoreID", Kind.INT, "Who orders.", references="stores.StoreID", example="15"),
        Column("DCID", Kind.INT, "From whom.", references="distribution_centers.DCID"),
        Column(
            "ProductID", Kind.INT, "What.", references="products.ProductID", encoding=Encoding.DELTA
        ),
        Column("OnHand", Kind.INT, "Units on hand, less those reserved for online orders."),
        Column("ReorderPoint", Kind.INT, "Units at which more is ordered."),
        Column("OrderQty", Kind.INT, "Units ordered, in whole case packs."),
        Column("Priority", Kind.CATEGORY, "How pressing; URGENT is empty.", words=PRIORITIES),
    ),
    key=("TraceId",),
)


def render(day: Day) -> pa.Table:
    reorders, world = day.plan.reorders, day.world
    count = len(reorders.store)
    return batch(
        TABLE,
        {
            "TraceId": trace_sequence(day.traces.reorders, count),
            "EventTS": day.timestamps(np.full(count, DAY_SECONDS - 1)),
            "StoreID": world.stores.store_id[reorders.store],
            "DCID": world.dcs.dc_id[world.stores.dc[reorders.store]],
            "ProductID": world.products.product_id[reorders.product],
            "OnHand": reorders.on_hand,
            "ReorderPoint": reorders.reorder_point,
            "OrderQty": reorders.units,
            "Priority": category(reorders.priority, PRIORITIES),
        },
    )


FACTS = FactTable(TABLE, render)
