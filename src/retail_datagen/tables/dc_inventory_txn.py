"""DC inventory transactions: everything that enters or leaves a distribution center's stock."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.behaviour.handling import Kind as Handled
from retail_datagen.behaviour.online import SLOWEST_DAYS
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.movements import (
    AT_DC,
    HANDLING_REASON,
    INBOUND,
    OUTBOUND,
    REASONS,
    SALE,
    Movements,
    in_order,
    opening,
)
from retail_datagen.tables.names import traces
from retail_datagen.tables.picking import picked_lines

TABLE = Table(
    name="dc_inventory_txn",
    doc=(
        "Every movement of stock in distribution centers. From INITIAL_STOCK on, the sum of "
        "QtyDelta per DC and product is the stock on hand, and never negative."
    ),
    columns=(
        trace_column("That of the shipment or order behind it, else its own.", sequential=False),
        time_column("When it moved."),
        Column("DCID", Kind.INT, "Where.", references="distribution_centers.DCID", example="1"),
        Column("ProductID", Kind.INT, "What.", references="products.ProductID", example="1001"),
        Column("QtyDelta", Kind.INT, "Units in (positive) or out (negative).", example="500"),
        Column("Reason", Kind.CATEGORY, "Why it moved.", words=AT_DC, example="INBOUND_SHIPMENT"),
    ),
    key=(),
)


def render(day: Day) -> pa.Table:
    parts = [_supplies(day), _handling(day), _shipments(day), _online(day)]
    rows = _columns(day, in_order(parts))
    if not day.is_first:
        return rows
    products = len(day.world.products.product_id)
    stock = opening(day.opening.dcs, products, day.traces.dc_handling)
    return pa.concat_tables([_columns(day, stock), rows])


def _columns(day: Day, rows: Movements) -> pa.Table:
    return batch(
        TABLE,
        {
            "TraceId": traces(rows.trace),
            "EventTS": day.timestamps(rows.second),
            "DCID": day.world.dcs.dc_id[rows.place],
            "ProductID": day.world.products.product_id[rows.product],
            "QtyDelta": rows.units,
            "Reason": category(rows.reason, REASONS),
        },
    )


def _supplies(day: Day) -> Movements:
    supplies = day.plan.supplies
    trace = day.traces.supplies + np.arange(len(supplies.dc))
    return Movements.of(
        trace, supplies.second, supplies.dc, supplies.product, supplies.units, INBOUND
    )


def _shipments(day: Day) -> Movements:
    shipments = day.plan.shipments
    shipment = shipments.of_line()
    return Movements.of(
        day.traces.shipments + shipment,
        shipments.loading[shipment],
        shipments.dc[shipment],
        shipments.product,
        -shipments.units.astype(np.int64),
        OUTBOUND,
    )


def _online(day: Day) -> Movements:
    picked = picked_lines(day, at_dc=True)
    return Movements.of(
        picked.trace, picked.second, picked.node, picked.product, -picked.units, SALE
    )


def _handling(day: Day) -> Movements:
    handling = day.market.handling.in_dcs(day.number, day.market.traffic_ppm(day.number))
    done = np.ones(len(handling), dtype=np.bool_)
    done[day.plan.lost_dc_handling.row] = False
    kind = handling.kind[done]
    opened = int(np.count_nonzero(day.opening.dcs)) if day.is_first else 0
    return Movements.of(
        day.traces.dc_handling + opened + np.arange(len(kind)),
        handling.second[done],
        handling.place[done],
        handling.product[done],
        handling.units[done] * np.where(kind == Handled.COUNT_UP, 1, -1),
        HANDLING_REASON[kind],
    )


FACTS = FactTable(TABLE, render, lookback_days=SLOWEST_DAYS)
