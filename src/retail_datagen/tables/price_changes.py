"""Price changes: what costs another price from midnight on."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.behaviour.pricing import REASONS
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.names import trace_sequence

TABLE = Table(
    name="price_changes",
    doc=(
        "One row per product whose price differs from the day before. On the history's first day "
        "the price before is that of master data."
    ),
    columns=(
        trace_column("One per change."),
        time_column("Midnight, from when the new price holds."),
        Column("ProductID", Kind.INT, "What.", references="products.ProductID", example="1001"),
        Column("OldPrice", Kind.MONEY, "Until then.", example="12.99"),
        Column("NewPrice", Kind.MONEY, "From then on.", example="10.39"),
        Column("Reason", Kind.CATEGORY, "Why.", words=REASONS, example="PROMO_START"),
        Column(
            "PromoCode",
            Kind.CATEGORY,
            "The promotion that begins or ends.",
            references="promotions.PromoCode",
            null=True,
        ),
    ),
    key=("TraceId",),
)


def render(day: Day) -> pa.Table:
    changes = day.market.pricing.changes(day.number)
    codes = day.world.promotions.code
    return batch(
        TABLE,
        {
            "TraceId": trace_sequence(day.traces.price_changes, len(changes)),
            "EventTS": day.timestamps(np.zeros(len(changes), dtype=np.int64)),
            "ProductID": day.world.products.product_id[changes.product],
            "OldPrice": changes.old,
            "NewPrice": changes.new,
            "Reason": category(changes.reason, REASONS),
            "PromoCode": category(np.maximum(changes.promotion, 0), codes, changes.promotion >= 0),
        },
    )


FACTS = FactTable(TABLE, render)
