"""The hub's flat events: what is sold, returned and restocked, all of it or a few an hour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I64
from retail_datagen.core.ids import texts
from retail_datagen.core.order import stable_order
from retail_datagen.core.rng import Stream
from retail_datagen.events.base import NAMESPACE, EventTopic, rows_of, store_column
from retail_datagen.events.context import EventDay
from retail_datagen.events.thin import quota, sample
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch, category

TYPES = ("SALE", "RETURN", "RESTOCK")
SALE, RETURN, RESTOCK = range(3)
MIX = (90, 7, 3)
"""Percent of a thinned feed's events that are of each type."""
TABLE = Table(
    name="retail_events_realtime",
    doc="One event per receipt line, returned line and delivered product; all of them or a sample.",
    columns=(
        Column("event_time", Kind.TIMESTAMP, "When.", example="2024-01-01 15:45:30"),
        store_column(),
        Column("product_id", Kind.INT, "What.", references="products.ProductID", example="1001"),
        Column("category", Kind.CATEGORY, "The product's category.", example="Electronics"),
        Column("transaction_type", Kind.CATEGORY, "What happened.", words=TYPES, example="SALE"),
        Column("quantity", Kind.INT, "Units; always positive.", example="2"),
        Column(
            "unit_price", Kind.MONEY, "Price: that day, or of what is returned.", example="12.99"
        ),
    ),
    key=(),
    namespace=NAMESPACE,
    topic="retail-events",
    message_key="store_id",
)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Facts of one type by time: [rows]; `price` in cents."""

    second: I64
    store_id: I64
    product_id: I64
    quantity: I64
    price: I64


def render(day: EventDay) -> pa.Table:
    parts = [_sales(day), _returns(day), _deliveries(day)]
    picked = [_pick(day, kind, len(part.second)) for kind, part in enumerate(parts)]
    second, store_id, product_id, quantity, price = (
        np.concatenate([getattr(p, name)[rows] for p, rows in zip(parts, picked, strict=True)])
        for name in ("second", "store_id", "product_id", "quantity", "price")
    )
    kind = np.repeat(np.arange(len(parts)), [len(rows) for rows in picked])
    order = stable_order(second)
    product = rows_of(product_id, day.world.products.product_id)
    return batch(
        TABLE,
        {
            "event_time": day.retail.timestamps(second[order]),
            "store_id": store_id[order],
            "product_id": product_id[order],
            "category": category(
                day.world.products.category[product[order]], day.context.categories
            ),
            "transaction_type": category(kind[order], texts(TYPES)),
            "quantity": quantity[order],
            "unit_price": price[order],
        },
    )


def _pick(day: EventDay, kind: int, count: int) -> I64:
    """The rows of a type that the feed sends, in order."""
    rate = day.context.events_per_hour
    if rate is None:
        return np.arange(count)
    share = rate * 24 * MIX[kind] / 100
    wanted = quota(day.world.calendar, day.retail.context.history_start, day.number, share)
    return sample(Stream(day.market.seed, f"events.hub.{TYPES[kind]}", day.number), count, wanted)


def _sales(day: EventDay) -> _Rows:
    lines = day.fact("receipt_lines")
    store = day.fact("receipts")["StoreID"].to_numpy().take(day.retail.tills.receipt)
    return _Rows(
        _seconds(day, lines),
        store.astype(np.int64),
        _ints(lines, "ProductID"),
        _ints(lines, "Qty"),
        day.retail.money.unit_price.astype(np.int64),
    )


def _returns(day: EventDay) -> _Rows:
    rows = day.fact("store_returns")
    order = np.argsort(day.retail.return_rank)
    return _Rows(
        _seconds(day, rows),
        _ints(rows, "StoreID"),
        _ints(rows, "ProductID"),
        _ints(rows, "Qty"),
        day.plan.retail.returns.price[order].astype(np.int64),
    )


def _deliveries(day: EventDay) -> _Rows:
    """Products that trucks brought, as of when they were on the shelf."""
    shipments = day.plan.retail.shipments
    of_line = shipments.of_line()
    second = shipments.completed[of_line].astype(np.int64)
    order = stable_order(second)
    product = shipments.product.astype(np.int64)[order]
    return _Rows(
        second[order],
        day.world.stores.store_id[shipments.store[of_line]].astype(np.int64)[order],
        day.world.products.product_id[product].astype(np.int64),
        shipments.units.astype(np.int64)[order],
        day.retail.prices.price[product].astype(np.int64),
    )


def _seconds(day: EventDay, rows: pa.Table) -> I64:
    seconds: I64 = rows["EventTS"].cast(pa.int64()).to_numpy() - day.retail.midnight
    return seconds


def _ints(rows: pa.Table, name: str) -> I64:
    values: I64 = rows[name].to_numpy().astype(np.int64)
    return values


TOPIC = EventTopic(TABLE, render, "hub")
