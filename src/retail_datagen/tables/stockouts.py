"""Stock-outs: demand in stores that met too little stock."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.behaviour.online import DC
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch, plain
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.names import trace_sequence

TABLE = Table(
    name="stockouts",
    doc=(
        "One row per basket or order line that a store could not fill. Nothing of such a line is "
        "sold, so LostUnits are exactly the units that demand asked for and sales lack."
    ),
    columns=(
        trace_column("One per lost line."),
        time_column("When it was asked for."),
        Column("StoreID", Kind.INT, "Where.", references="stores.StoreID", example="15"),
        Column("ProductID", Kind.INT, "What.", references="products.ProductID", example="1001"),
        Column("LostUnits", Kind.INT, "Units that were asked for.", example="2"),
        Column("LastOnHand", Kind.INT, "Units that were there, fewer than asked for.", example="0"),
        Column(
            "RestockedTS",
            Kind.TIMESTAMP,
            "The next inflow, where it is known by that evening: from a truck or return of the "
            "same day, or a truck that is loaded for tomorrow.",
            null=True,
        ),
    ),
    key=("TraceId",),
)


def render(day: Day) -> pa.Table:
    visits, lines = day.demand.visits, day.demand.lines
    in_store, online = day.plan.lost_lines, day.plan.lost_order_lines
    visit = lines.visit[in_store.row]
    placed = day.context.order_day(day.number)
    order = placed.lines.order[online.row]
    at_store = np.flatnonzero(placed.orders.mode[order] != DC)
    order, row = order[at_store], online.row[at_store]
    second = np.concatenate([visits.second[visit], placed.orders.second[order]])
    store = np.concatenate([visits.store[visit], placed.orders.node[order]])
    product = np.concatenate([lines.product[in_store.row], placed.lines.product[row]])
    units = np.concatenate([lines.quantity[in_store.row], placed.lines.quantity[row]])
    on_hand = np.concatenate([in_store.on_hand, online.on_hand[at_store]])
    restocked = np.concatenate([in_store.restocked, online.restocked[at_store]])
    by_time = np.argsort(second, kind="stable")
    restocked = restocked[by_time]
    return batch(
        TABLE,
        {
            "TraceId": trace_sequence(day.traces.stockouts, len(second)),
            "EventTS": day.timestamps(second[by_time]),
            "StoreID": day.world.stores.store_id[store[by_time]],
            "ProductID": day.world.products.product_id[product[by_time]],
            "LostUnits": units[by_time],
            "LastOnHand": on_hand[by_time],
            "RestockedTS": plain(Kind.TIMESTAMP, day.timestamps(restocked), restocked >= 0),
        },
    )


FACTS = FactTable(TABLE, render)
