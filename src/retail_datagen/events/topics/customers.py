"""Customer events: who came into a store, looked where, and left, and what was looked at online.

In stores there is one event for each ping of a phone that answered beacons, so the two reconcile.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I64
from retail_datagen.core.ids import texts
from retail_datagen.core.order import stable_order
from retail_datagen.core.rng import Stream
from retail_datagen.events.base import (
    NAMESPACE,
    EventTopic,
    always,
    id_column,
    store_column,
    timestamp_column,
    type_column,
)
from retail_datagen.events.context import EventDay
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch, category, plain
from retail_datagen.schema.stamps import event_ids
from retail_datagen.tables.presence import app_walks

ACTIONS = ("enter", "browse", "zone change", "leave", "online view")
ENTER, BROWSE, CHANGE, LEAVE, VIEW = range(5)
_LONGEST_LOOK = 1800
"""Seconds before an order within which its products were looked at."""
TABLE = Table(
    name="retail_customer_events",
    doc="One event per step of a shopper whose phone answers beacons, and per product view online.",
    columns=(
        type_column("customer_event"),
        id_column("event_id", "Which event.", "retail_customer_events-20240101-00000000"),
        timestamp_column("When."),
        Column("customer_id", Kind.INT, "Who.", references="customers.CustomerID", example="5001"),
        store_column(null=True),
        Column("action", Kind.CATEGORY, "What the customer did.", words=ACTIONS, example="enter"),
        Column("zone", Kind.CATEGORY, "Where in the store.", null=True, example="GROCERY"),
    ),
    key=("event_id",),
    namespace=NAMESPACE,
    message_key="customer_id",
)


def render(day: EventDay) -> pa.Table:
    pings = day.fact("ble_pings")
    walks = app_walks(day.retail)
    walk = _codes(pings["CustomerBLEId"])
    zone = _codes(pings["Zone"])
    views, viewers = _views(day)
    second = np.concatenate([_seconds(day, pings), views])
    order = stable_order(second)
    customer = np.concatenate([walks.customer[walk], viewers])[order]
    nowhere = np.zeros(len(views), dtype=np.int64)
    in_store = (np.arange(len(second)) < len(walk))[order]
    store = np.concatenate([walks.store[walk], nowhere])[order]
    action = np.concatenate([_actions(walk, zone), np.full(len(views), VIEW)])[order]
    return batch(
        TABLE,
        {
            "event_type": always("customer_event", len(second)),
            "event_id": event_ids(TABLE.name, day.number, 0, len(second)),
            "timestamp": day.retail.timestamps(second[order]),
            "customer_id": day.world.customers.customer_id[customer],
            "store_id": plain(Kind.INT, day.world.stores.store_id[store], in_store),
            "action": category(action, texts(ACTIONS)),
            "zone": category(
                np.concatenate([zone, nowhere])[order], day.retail.context.profile.zones, in_store
            ),
        },
    )


def _actions(walk: I64, zone: I64) -> I64:
    """What each ping means for its walk: [pings]."""
    order = stable_order(walk)
    walks, zones = walk[order], zone[order]
    begins = np.diff(walks, prepend=-1) != 0
    ends = np.append(begins[1:], True) if len(walks) else begins
    moved = np.append(False, zones[1:] != zones[:-1]) if len(walks) else begins
    ordered = np.where(moved, CHANGE, BROWSE)
    ordered[ends] = LEAVE
    ordered[begins] = ENTER
    action = np.empty(len(walk), dtype=np.int64)
    action[order] = ordered
    return action


def _views(day: EventDay) -> tuple[I64, I64]:
    """(second, customer) of the views: each ordered product was looked at before."""
    placed = day.retail.context.order_day(day.number)
    order = placed.lines.order
    stream = Stream(day.market.seed, "events.views", day.number)
    before = 20 + stream.below(len(order), _LONGEST_LOOK)
    ordered = placed.orders.second[order].astype(np.int64)
    return np.maximum(ordered - before, 0), placed.orders.customer[order].astype(np.int64)


def _codes(column: pa.ChunkedArray) -> I64:
    codes: I64 = column.combine_chunks().indices.to_numpy().astype(np.int64)
    return codes


def _seconds(day: EventDay, rows: pa.Table) -> I64:
    seconds: I64 = rows["EventTS"].cast(pa.int64()).to_numpy() - day.retail.midnight
    return seconds


TOPIC = EventTopic(TABLE, render, "topics")
