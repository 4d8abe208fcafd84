"""A topic: its declaration, the function that renders a day of it, and shared columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I64, Ints
from retail_datagen.core.ids import texts
from retail_datagen.events.context import EventDay
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import category

NAMESPACE = "events"


@dataclass(frozen=True, slots=True)
class EventTopic:
    """`render(day)` gives the day's events, by time, with the columns of `table`.

    `feed` is the one of FEEDS that it belongs to. `lookback_days` is how many earlier days' plans
    it reads. `needs_stock`: it tells units on hand, for which a plan also holds what stores had at
    dawn. `needs_tiers`: it tells what customers are to the web shop, for which that is planned,
    too.
    """

    table: Table
    render: Callable[[EventDay], pa.Table]
    feed: str
    lookback_days: int = 0
    needs_stock: bool = False
    needs_tiers: bool = False


def type_column(word: str) -> Column:
    """event_type, the first column of a topic with one kind of event."""
    return Column("event_type", Kind.CATEGORY, "What kind of event.", words=(word,), example=word)


def timestamp_column(doc: str) -> Column:
    """timestamp, when it happened."""
    return Column("timestamp", Kind.TIMESTAMP, doc, example="2024-01-01 15:45:30")


def store_column(*, null: bool = False) -> Column:
    """store_id, where it happened."""
    return Column(
        "store_id", Kind.INT, "Where.", references="stores.StoreID", null=null, example="15"
    )


def sku_column() -> Column:
    """product_id, which in these topics is the SKU."""
    return Column(
        "product_id",
        Kind.CATEGORY,
        "What, by its SKU.",
        references="products.SKU",
        example="GRO-0042",
    )


def id_column(name: str, doc: str, example: str) -> Column:
    """An identifier of the fact behind an event."""
    return Column(name, Kind.TEXT, doc, encoding=Encoding.PLAIN, example=example)


def always(word: str, count: int) -> pa.Array:
    """A category column of one word: [count]."""
    return category(np.zeros(count, dtype=np.int32), texts([word]))


def rows_of(ids: Ints, among: Ints) -> I64:
    """The row in `among` of each identifier; all of them must be there."""
    order = np.argsort(among, kind="stable")
    found: I64 = order[np.searchsorted(among, ids, sorter=order)]
    return found
