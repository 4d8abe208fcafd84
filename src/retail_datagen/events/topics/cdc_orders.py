"""Changes of the online orders in progress: an order comes, moves on, and goes once it is final."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.behaviour.online import MODES, PICKUP, SLOWEST_DAYS
from retail_datagen.core.arrays import I64
from retail_datagen.core.ids import texts
from retail_datagen.events.base import EventTopic, id_column
from retail_datagen.events.changes import (
    CREATE,
    DELETE,
    UPDATE,
    Changed,
    change_table,
    changes_of,
)
from retail_datagen.events.context import EventDay
from retail_datagen.schema import Column, Kind
from retail_datagen.schema.arrays import Values, category
from retail_datagen.tables.online_orders import (
    CANCELLED,
    CREATED,
    DELIVERED,
    NODES,
    PICKED,
    SHIPPED,
    STATUSES,
)

_AS_ORDERED = {
    "customer_id": "CustomerID",
    "fulfillment_mode": "FulfillmentMode",
    "node_type": "NodeType",
    "node_id": "NodeId",
    "subtotal": "Subtotal",
    "discount": "Discount",
    "shipping": "Shipping",
    "tax": "Tax",
    "total": "Total",
    "tender_type": "TenderType",
}
"""What stays as it is from the first status to the last, by its name among the facts."""
_REACHED = {
    "picked_ts": ("PickedTS", PICKED),
    "shipped_ts": ("ShippedTS", SHIPPED),
    "delivered_ts": ("DeliveredTS", DELIVERED),
}
TABLE = change_table(
    "cdc_online_orders",
    "online_orders",
    "One change per status of an online order; one that is DELIVERED or CANCELLED is then deleted.",
    (id_column("order_id", "Which order.", "ORD202401010000000001"),),
    (
        Column("customer_id", Kind.INT, "Who.", references="customers.CustomerID"),
        Column("fulfillment_mode", Kind.CATEGORY, "How it gets to the customer.", words=MODES),
        Column("node_type", Kind.CATEGORY, "Whose stock it takes.", words=NODES),
        Column("node_id", Kind.INT, "The DCID or StoreID."),
        Column("status", Kind.CATEGORY, "What it has reached.", words=STATUSES, example="PICKED"),
        Column("subtotal", Kind.MONEY, "Its lines."),
        Column("discount", Kind.MONEY, "Coupon on the whole order."),
        Column("shipping", Kind.MONEY, "Shipping charge."),
        Column("tax", Kind.MONEY, "Tax."),
        Column("total", Kind.MONEY, "All of it."),
        Column("tender_type", Kind.CATEGORY, "How it was paid."),
        Column("picked_ts", Kind.TIMESTAMP, "When it was picked."),
        Column("shipped_ts", Kind.TIMESTAMP, "When it left the node."),
        Column("delivered_ts", Kind.TIMESTAMP, "When the customer had it."),
    ),
)


def render(day: EventDay) -> pa.Table:
    facts = day.fact("online_orders")
    reached = _codes(facts, "Status")
    final = (reached == CANCELLED) | (reached == DELIVERED)
    row = np.repeat(np.arange(len(reached)), np.where(final, 2, 1))
    gone = np.diff(row, prepend=-1) == 0
    status = reached[row]
    mode = _codes(facts, "FulfillmentMode")[row]
    before = np.where(gone, status, _status_before(status, mode))
    rows = facts.take(pa.array(row))
    return changes_of(
        TABLE,
        day.number,
        Changed(
            rows["EventTS"].cast(pa.int64()).to_numpy() - day.retail.midnight,
            np.where(gone, DELETE, np.where(status == CREATED, CREATE, UPDATE)),
            {"order_id": rows["OrderId"]},
            _state(rows, before),
            _state(rows, status),
        ),
    )


def _status_before(status: I64, mode: I64) -> I64:
    """What an order had reached before; CREATED for that itself."""
    carried = np.where(mode == PICKUP, PICKED, SHIPPED)
    return np.select([status == DELIVERED, status == SHIPPED], [carried, PICKED], CREATED)


def _state(rows: pa.Table, status: I64) -> dict[str, Values]:
    """The orders as they were when they had that status, from rows of the same or a later one."""
    told: dict[str, Values] = {name: rows[fact] for name, fact in _AS_ORDERED.items()}
    told["status"] = category(status, texts(STATUSES))
    for name, (fact, since) in _REACHED.items():
        told[name] = rows[fact].take(pa.array(np.arange(len(status)), mask=status < since))
    return told


def _codes(rows: pa.Table, name: str) -> I64:
    codes: I64 = rows[name].combine_chunks().indices.to_numpy().astype(np.int64)
    return codes


TOPIC = EventTopic(TABLE, render, "cdc", lookback_days=SLOWEST_DAYS)
