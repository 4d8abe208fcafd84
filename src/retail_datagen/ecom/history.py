"""What became of customers and products: one row per version, with the days on which it held."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from retail_datagen.config.webshop import TIERS
from retail_datagen.core.rng import I64, Ints
from retail_datagen.ecom.base import NAMESPACE
from retail_datagen.ecom.context import ShopContext
from retail_datagen.ecom.customers import NO_TIER
from retail_datagen.ecom.sale import cost_on
from retail_datagen.ecom.state import TierChanges
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category, plain
from retail_datagen.world.model import GUEST


def _versions(what: str) -> tuple[Column, ...]:
    return (
        Column("valid_from", Kind.DATE, f"First day on which this {what} was so."),
        Column("valid_to", Kind.DATE, "Last day, itself included; empty if still so.", null=True),
        Column("is_current", Kind.FLAG, "Whether it is the last version."),
        Column("version", Kind.INT, "1, 2, 3 … of it."),
    )


CUSTOMERS_HISTORY = Table(
    name="customers_history",
    namespace=NAMESPACE,
    doc=(
        "One row per version of a customer who has signed up, and of each guest: a new one when a "
        "tier is earned or the customer moves. Guests begin with the history."
    ),
    columns=(
        Column(
            "customer_id",
            Kind.INT,
            "Who.",
            references="customers.customer_id",
            encoding=Encoding.DELTA,
        ),
        Column("loyalty_tier", Kind.CATEGORY, "Tier of the card.", null=True, words=TIERS),
        Column("mailing_address", Kind.TEXT, "Where parcels go."),
        *_versions("customer"),
    ),
    key=("customer_id", "version"),
)
PRODUCT_HISTORY = Table(
    name="product_history",
    namespace=NAMESPACE,
    doc="One row per version of a product on sale: a new one when its price or cost changes.",
    columns=(
        Column(
            "product_id",
            Kind.INT,
            "What.",
            references="product_catalog.product_id",
            encoding=Encoding.DELTA,
        ),
        Column("product_name", Kind.CATEGORY, "Name."),
        Column("category", Kind.CATEGORY, "Category."),
        Column("unit_price", Kind.MONEY, "Price of a unit.", encoding=Encoding.DELTA),
        Column(
            "cost_price", Kind.MONEY, "What a unit costs the retailer.", encoding=Encoding.DELTA
        ),
        *_versions("product"),
    ),
    key=("product_id", "version"),
)


@dataclass(frozen=True, slots=True)
class _Versions:
    """When each version began and ended: [versions], by subject and day. `last` is -1 if open."""

    subject: I64
    first: I64
    last: I64
    number: I64


def customers_history(context: ShopContext, changes: TierChanges, as_of: int) -> pa.Table:
    """Versions that began until the day `as_of`, by customer. `changes` reach that far."""
    who, world = context.customers, context.world.customers
    signup = world.signup_day.astype(np.int64)
    begin = np.where(signup == GUEST, context.market.history_start, signup)
    there = np.flatnonzero(begin <= as_of)
    moved = there[(who.move_day[there] > begin[there]) & (who.move_day[there] <= as_of)]
    # A tier that is earned on the last day holds from the day after.
    rose = np.flatnonzero(changes.day <= as_of)
    subject = np.concatenate([there, moved, changes.customer[rose].astype(np.int64)])
    day = np.concatenate([begin[there], who.move_day[moved], changes.day[rose].astype(np.int64)])
    tier = np.full(len(subject), -1, dtype=np.int64)
    tier[: len(there)] = who.initial_tier[there]
    tier[len(there) + len(moved) :] = changes.tier[rose]
    order = np.lexsort((day, subject))
    subject, day, tier = subject[order], day[order], _carried(tier[order])
    # Of what changes on one day the last says it all.
    ends = np.append((np.diff(subject) != 0) | (np.diff(day) != 0), True)
    versions = _numbered(subject[ends], day[ends])
    tier, rows = tier[ends], versions.subject.astype(np.int32)
    return batch(
        CUSTOMERS_HISTORY,
        {
            "customer_id": world.customer_id[rows],
            "loyalty_tier": category(np.minimum(tier, NO_TIER - 1), TIERS, tier != NO_TIER),
            "mailing_address": context.people.addresses(rows, who.has_moved(rows, versions.first)),
            **_columns(versions),
        },
    )


def product_history(context: ShopContext, as_of: int) -> pa.Table:
    """Versions that began until the day `as_of`, by product."""
    market, products = context.market, context.world.products
    found: list[tuple[I64, I64, I64, I64]] = []
    before = np.zeros(len(products.product_id), dtype=np.int64)
    cost_before = before.copy()
    for day in range(market.history_start, as_of + 1):
        prices = market.pricing.on(day)
        price, cost = prices.price, cost_on(context.world, prices)
        sold = products.launch_day <= day
        rows = np.flatnonzero(sold & ((price != before) | (cost != cost_before)))
        found.append((rows, np.full(len(rows), day), price[rows], cost[rows]))
        before[rows], cost_before[rows] = price[rows], cost[rows]
    product, first, price, cost = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.lexsort((first, products.product_id[product]))
    versions = _numbered(product[order], first[order])
    rows, texts = versions.subject, context.products
    return batch(
        PRODUCT_HISTORY,
        {
            "product_id": products.product_id[rows],
            "product_name": category(texts.code[rows], texts.names),
            "category": category(products.category[rows], texts.categories),
            "unit_price": price[order],
            "cost_price": cost[order],
            **_columns(versions),
        },
    )


def _carried(values: I64) -> I64:
    """Each -1 replaced by the value before it; the first is not -1."""
    known = np.where(values >= 0, np.arange(len(values)), 0)
    carried: I64 = values[np.maximum.accumulate(known)]
    return carried


def _numbered(subject: Ints, first: I64) -> _Versions:
    """Versions of subjects that lie together, each ending on the day before the next begins."""
    begins = np.append(True, np.diff(subject) != 0)
    start = np.maximum.accumulate(np.where(begins, np.arange(len(subject)), 0))
    last = np.full(len(subject), -1, dtype=np.int64)
    last[:-1] = np.where(begins[1:], -1, first[1:] - 1)
    return _Versions(subject, first, last, np.arange(len(subject)) - start + 1)


def _columns(versions: _Versions) -> dict[str, pa.Array | NDArray[np.int64]]:
    closed = versions.last >= 0
    return {
        "valid_from": plain(Kind.DATE, versions.first),
        "valid_to": plain(Kind.DATE, versions.last, closed),
        "is_current": pa.array(~closed),
        "version": versions.number,
    }
