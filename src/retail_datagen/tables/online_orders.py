"""Online orders: every status of every order, as it is reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from retail_datagen.behaviour.online import DC, MODES, SLOWEST_DAYS
from retail_datagen.core.calendar import DAY_SECONDS
from retail_datagen.core.rng import I64, Ints, integer_weights, lookup
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category, plain
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.fulfilment import OrderDay
from retail_datagen.tables.names import order_ids, traces
from retail_datagen.tables.tenders import online_tenders

NODES = ("DC", "STORE")
STATUSES = ("CREATED", "CANCELLED", "PICKED", "SHIPPED", "DELIVERED")
CREATED, CANCELLED, PICKED, SHIPPED, DELIVERED = range(5)
TABLE = Table(
    name="online_orders",
    doc=(
        "One row per status that an online order reaches: CREATED, then PICKED, SHIPPED (not for "
        "BOPIS) and DELIVERED, or CANCELLED where nothing of it was in stock. A row says what was "
        "known at its EventTS."
    ),
    columns=(
        trace_column(
            "Joins an order with its lines and with its SALE movements.", sequential=False
        ),
        time_column("When the order reached the status."),
        Column(
            "OrderId",
            Kind.TEXT,
            "ORD, date of order, number of the order in the history, without a gap.",
            example="ORD202401010000000001",
        ),
        Column(
            "CustomerID",
            Kind.INT,
            "Who.",
            references="customers.CustomerID",
            encoding=Encoding.DELTA,
        ),
        Column(
            "FulfillmentMode",
            Kind.CATEGORY,
            "How it gets to the customer; BOPIS is picked up in the store.",
            words=MODES,
            example="BOPIS",
        ),
        Column("NodeType", Kind.CATEGORY, "Whose stock it takes.", words=NODES, example="STORE"),
        Column("NodeId", Kind.INT, "The DCID or StoreID."),
        Column("Status", Kind.CATEGORY, "What it reached.", words=STATUSES, example="CREATED"),
        Column("Subtotal", Kind.MONEY, "Sum of ExtPrice of the lines that are not cancelled."),
        Column("Discount", Kind.MONEY, "Coupon on the whole order."),
        Column("Shipping", Kind.MONEY, "Shipping charge.", encoding=Encoding.DICTIONARY),
        Column(
            "Tax", Kind.MONEY, "Tax at the customer's home on the taxable lines after discount."
        ),
        Column("Total", Kind.MONEY, "Subtotal - Discount + Shipping + Tax."),
        Column("TenderType", Kind.CATEGORY, "How it was paid.", example="CREDIT_CARD"),
        Column("PickedTS", Kind.TIMESTAMP, "When it was picked, once it is.", null=True),
        Column("ShippedTS", Kind.TIMESTAMP, "When it left the node, once it has.", null=True),
        Column("DeliveredTS", Kind.TIMESTAMP, "When the customer had it, once he does.", null=True),
    ),
    key=("OrderId", "Status"),
)
_CANCELLED_AFTER = 120


@dataclass(frozen=True, slots=True)
class _Steps:
    """Statuses reached today: [steps], `placed` a row of the order days, `order` of its orders."""

    placed: I64
    order: I64
    status: I64
    second: I64


def render(day: Day) -> pa.Table:
    order_days = day.order_days(SLOWEST_DAYS)
    steps = _steps(day, order_days)
    base = np.cumsum([0] + [len(d.orders) for d in order_days])[steps.placed]
    row = base + steps.order
    placed_on = np.array([d.day for d in order_days])[steps.placed]
    mode = _column(order_days, row, [d.orders.mode for d in order_days])
    node = _column(order_days, row, [d.orders.node for d in order_days])
    customer = _column(order_days, row, [d.orders.customer for d in order_days])
    at_dc = mode == DC
    world = day.world
    node_id = np.where(
        at_dc,
        world.dcs.dc_id[np.where(at_dc, node, 0)],
        world.stores.store_id[np.where(at_dc, 0, node)],
    )
    tenders = online_tenders(day.context.profile)
    tender_of = lookup(integer_weights(list(tenders.values())), 16)
    tender = tender_of[_column(order_days, row, [d.orders.tender_bits for d in order_days])]
    midnight = placed_on * DAY_SECONDS
    reached = [
        (_column(order_days, row, [getattr(d.orders, name) for d in order_days]), status)
        for name, status in (("picked", PICKED), ("shipped", SHIPPED), ("delivered", DELIVERED))
    ]
    picked, shipped, delivered = (
        plain(Kind.TIMESTAMP, midnight + second, (steps.status >= status) & (second >= 0))
        for second, status in reached
    )
    return batch(
        TABLE,
        {
            "TraceId": traces(
                np.array([d.first_trace for d in order_days])[steps.placed] + steps.order
            ),
            "EventTS": day.timestamps(steps.second),
            "OrderId": order_ids(
                placed_on, np.array([d.first_order for d in order_days])[steps.placed] + steps.order
            ),
            "CustomerID": world.customers.customer_id[customer],
            "FulfillmentMode": category(mode, MODES),
            "NodeType": category(~at_dc, NODES),
            "NodeId": node_id,
            "Status": category(steps.status, STATUSES),
            "Subtotal": _column(order_days, row, [d.subtotal for d in order_days]),
            "Discount": _column(order_days, row, [d.discount for d in order_days]),
            "Shipping": _column(order_days, row, [d.shipping for d in order_days]),
            "Tax": _column(order_days, row, [d.tax for d in order_days]),
            "Total": _column(order_days, row, [d.total for d in order_days]),
            "TenderType": category(tender, list(tenders)),
            "PickedTS": picked,
            "ShippedTS": shipped,
            "DeliveredTS": delivered,
        },
    )


def _steps(day: Day, order_days: list[OrderDay]) -> _Steps:
    """What orders of this day and earlier ones reach today, by time."""
    found: list[tuple[I64, I64, I64, I64]] = []
    for number, placed in enumerate(order_days):
        orders, gone = placed.orders, placed.cancelled
        times = (
            orders.second.astype(np.int64),
            np.where(gone, orders.second + np.int64(_CANCELLED_AFTER), -1),
            np.where(gone, -1, orders.picked),
            np.where(gone, -1, orders.shipped),
            np.where(gone, -1, orders.delivered),
        )
        offset = (day.number - placed.day) * DAY_SECONDS
        for status, second in enumerate(times):
            today = np.flatnonzero((second >= offset) & (second < offset + DAY_SECONDS))
            count = len(today)
            found.append(
                (np.full(count, number), today, np.full(count, status), second[today] - offset)
            )
    placed_row, order, status_row, second = (np.concatenate(c) for c in zip(*found, strict=True))
    by_time = np.lexsort((order, placed_row, status_row, second))
    return _Steps(placed_row[by_time], order[by_time], status_row[by_time], second[by_time])


def _column(order_days: list[OrderDay], row: I64, columns: list[Ints]) -> Ints:
    """A column of all order days' orders, taken at `row`."""
    return np.concatenate(columns)[row]


FACTS = FactTable(TABLE, render, lookback_days=SLOWEST_DAYS)
