"""Store inventory transactions: everything that enters or leaves a store's stock."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.behaviour.handling import Kind as Handled
from retail_datagen.behaviour.online import SLOWEST_DAYS
from retail_datagen.core.ids import texts
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.movements import (
    DAMAGE,
    HANDLING_REASON,
    IN_STORE,
    INBOUND,
    REASONS,
    RETURN,
    SALE,
    Movements,
    in_order,
    opening,
)
from retail_datagen.tables.names import traces
from retail_datagen.tables.picking import picked_lines

SOURCES = (
    "CUSTOMER_PURCHASE",
    "ONLINE_ORDER",
    "CUSTOMER_RETURN",
    "STORE_OPERATIONS",
    "CYCLE_COUNT",
    "OPENING_BALANCE",
)
PURCHASE, ONLINE, RETURNED, OPERATIONS, COUNT, OPENING = range(6)
TABLE = Table(
    name="store_inventory_txn",
    doc=(
        "Every movement of stock in stores. From INITIAL_STOCK on, the sum of QtyDelta per store "
        "and product is the stock on hand, and never negative."
    ),
    columns=(
        trace_column(
            "That of the receipt, order, shipment or return behind it, else its own: shrink, "
            "damage in the store, counts and INITIAL_STOCK.",
            sequential=False,
        ),
        time_column("When it moved."),
        Column(
            "StoreID",
            Kind.INT,
            "Where.",
            references="stores.StoreID",
            encoding=Encoding.PLAIN,
            example="15",
        ),
        Column(
            "ProductID",
            Kind.INT,
            "What.",
            references="products.ProductID",
            encoding=Encoding.DELTA,
            example="1001",
        ),
        Column("QtyDelta", Kind.INT, "Units in (positive) or out (negative).", example="-2"),
        Column("Reason", Kind.CATEGORY, "Why it moved.", words=IN_STORE, example="SALE"),
        Column(
            "Source",
            Kind.CATEGORY,
            f"The truck that brought it, or one of {', '.join(SOURCES)}.",
            example="CUSTOMER_PURCHASE",
        ),
    ),
    key=(),
)


def render(day: Day) -> pa.Table:
    parts = [_shipments(day), *_returns(day), _handling(day), _sales(day), _online(day)]
    sources = pa.concat_arrays([texts(SOURCES), day.world.trucks.truck_id])
    rows = _columns(day, in_order(parts), sources)
    if not day.is_first:
        return rows
    products = len(day.world.products.product_id)
    stock = opening(day.opening.stores, products, day.traces.store_handling, OPENING)
    return pa.concat_tables([_columns(day, stock, sources), rows])


def _columns(day: Day, rows: Movements, sources: pa.Array) -> pa.Table:
    return batch(
        TABLE,
        {
            "TraceId": traces(rows.trace),
            "EventTS": day.timestamps(rows.second),
            "StoreID": day.world.stores.store_id.take(rows.place),
            "ProductID": day.world.products.product_id.take(rows.product),
            "QtyDelta": rows.units,
            "Reason": category(rows.reason, REASONS),
            "Source": category(rows.source, sources),
        },
    )


def _sales(day: Day) -> Movements:
    visits, lines, tills = day.demand.visits, day.demand.lines, day.tills
    visit = lines.visit.take(tills.line)
    return Movements.of(
        day.traces.receipts + tills.receipt,
        visits.second.take(visit),
        visits.store.take(visit),
        lines.product.take(tills.line),
        -lines.quantity.take(tills.line).astype(np.int64),
        SALE,
        PURCHASE,
    )


def _online(day: Day) -> Movements:
    picked = picked_lines(day, at_dc=False)
    return Movements.of(
        picked.trace, picked.second, picked.node, picked.product, -picked.units, SALE, ONLINE
    )


def _shipments(day: Day) -> Movements:
    shipments = day.plan.shipments
    shipment = shipments.of_line()
    return Movements.of(
        day.traces.shipments + shipment,
        shipments.completed.take(shipment),
        shipments.store.take(shipment),
        shipments.product,
        shipments.units,
        INBOUND,
        shipments.truck[shipment].astype(np.int64) + len(SOURCES),
    )


def _returns(day: Day) -> list[Movements]:
    """Returned goods come in; the damaged among them leave again in the same second."""
    returns, arrivals = day.plan.returns, day.returns_in
    trace = day.traces.returns + day.return_rank
    units = returns.units.astype(np.int64)
    back = Movements.of(
        trace, arrivals.second, returns.store, returns.product, units, RETURN, RETURNED
    )
    bad = np.flatnonzero(arrivals.damaged)
    written_off = Movements.of(
        trace[bad],
        arrivals.second[bad],
        returns.store[bad],
        returns.product[bad],
        -units[bad],
        DAMAGE,
        RETURNED,
    )
    return [back, written_off]


def _handling(day: Day) -> Movements:
    handling = day.market.handling.in_stores(day.number, day.market.traffic_ppm(day.number))
    done = np.ones(len(handling), dtype=np.bool_)
    done[day.plan.lost_handling.row] = False
    kind = handling.kind[done]
    sign = np.where(kind == Handled.COUNT_UP, 1, -1)
    reason = HANDLING_REASON[kind]
    opened = int(np.count_nonzero(day.opening.stores)) if day.is_first else 0
    return Movements.of(
        day.traces.store_handling + opened + np.arange(len(kind)),
        handling.second[done],
        handling.place[done],
        handling.product[done],
        handling.units[done] * sign,
        reason,
        np.where(kind >= Handled.COUNT_DOWN, COUNT, OPERATIONS),
    )


FACTS = FactTable(TABLE, render, lookback_days=SLOWEST_DAYS)
