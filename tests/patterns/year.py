"""A whole year of a small supercenter, rendered day by day and kept as columns of numbers.

What the tests of this folder measure is read from rendered tables only; of the world they take
what master data says of stores, customers and products.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from histories import Array, config_of, rows_of, values
from retail_datagen.config.models import RetailConfig, Volume
from retail_datagen.core.calendar import DAY_SECONDS, to_day
from retail_datagen.plan.market import Market
from retail_datagen.plan.planner import Planner
from retail_datagen.tables import Context, render
from retail_datagen.world.model import World
from retail_datagen.world.read import ensure_world

START, END = date(2024, 1, 1), date(2024, 12, 31)
FIRST, LAST = to_day(START), to_day(END)
DAYS = LAST - FIRST + 1
VOLUME = Volume(stores=10, dcs=2, customers_per_day=3000, online_orders_per_day=300)


@dataclass(frozen=True)
class Year:
    """Columns of a year. Days are counted from its first; places and products are world rows.

    Per receipt: `day`, `second` of it, `store`, `customer`. Per line, in the receipts' order:
    `receipt`, `product`, `quantity`, `price` in cents, `promotion` or -1. Per impression:
    `seen_day`, `seen_by`, `seen_promotion`. Per day: rows of pings, foot traffic, impressions,
    stock-outs of stores, online orders and their store lines, returns by the day of the sale.
    """

    day: Array
    second: Array
    store: Array
    customer: Array
    receipt: Array
    product: Array
    quantity: Array
    price: Array
    promotion: Array
    seen_day: Array
    seen_by: Array
    seen_promotion: Array
    pings: Array
    foot_rows: Array
    impressions: Array
    lost: Array
    orders: Array
    order_lines: Array
    returned: Array

    def save(self, file: Path) -> None:
        np.savez(file, **asdict(self))

    @classmethod
    def load(cls, file: Path) -> Year:
        with np.load(file) as data:
            return cls(**data)


def config(master: Path) -> RetailConfig:
    return config_of(master, volume=VOLUME)


def world_of(of: RetailConfig) -> World:
    return ensure_world(of, of.load_profile())


def year_of(of: RetailConfig) -> Year:
    """Plans and renders the year; only the last few plans are kept."""
    world = world_of(of)
    market = Market(world, of.load_profile(), of, FIRST)
    planner, plans = Planner(market), {}
    context = Context(market, lambda day: plans[day])
    kept: dict[str, list[Array]] = {}
    per_day = np.zeros((6, DAYS), dtype=np.int64)
    returned = np.zeros(DAYS, dtype=np.int64)
    receipts = 0
    for number in range(DAYS):
        plan = planner.step()
        plans[plan.day] = plan
        plans.pop(plan.day - 15, None)
        made = _day(context, world, plan.day, returned)
        per_day[:, number] = made.pop("rows")
        made["receipt"] += receipts
        receipts += len(made["day"])
        for name, column in made.items():
            kept.setdefault(name, []).append(column)
    columns = {name: np.concatenate(parts) for name, parts in kept.items()}
    pings, foot_rows, impressions, lost, orders, order_lines = per_day
    return Year(
        **columns,
        pings=pings,
        foot_rows=foot_rows,
        impressions=impressions,
        lost=lost,
        orders=orders,
        order_lines=order_lines,
        returned=returned,
    )


def _day(context: Context, world: World, day: int, returned: Array) -> dict[str, Array]:
    receipts, lines = render("receipts", context, day), render("receipt_lines", context, day)
    marketing, returns = render("marketing", context, day), render("store_returns", context, day)
    online = render("online_order_lines", context, day)
    sold = pc.utf8_slice_codeunits(returns.column("ReceiptId"), 3, 11).to_pylist()
    for text in set(sold):
        on = to_day(date(int(text[:4]), int(text[4:6]), int(text[6:])))
        returned[on - FIRST] += sold.count(text)
    moment = values(receipts.column("EventTS")) - day * DAY_SECONDS
    campaigns, seen = _codes(marketing, "CampaignId")
    promotion = world.campaigns.promotion[rows_of(_texts(world.campaigns.campaign_id), campaigns)]
    ads = pc.cast(pc.utf8_slice_codeunits(_text(marketing, "CustomerAdId"), 2), pa.int64())
    codes, paid = _codes(lines, "PromoCode")
    offers = rows_of(_texts(world.promotions.code), codes)
    first = values(lines.column("Line")) == 1
    orders = set(values(online.column("OrderId")))
    return {
        "rows": np.array(
            [
                render("ble_pings", context, day).num_rows,
                render("foot_traffic", context, day).num_rows,
                marketing.num_rows,
                render("stockouts", context, day).num_rows,
                len(orders),
                online.num_rows,
            ]
        ),
        "day": np.full(len(moment), day - FIRST, dtype=np.int16),
        "second": moment.astype(np.int32),
        "store": rows_of(world.stores.store_id, values(receipts.column("StoreID"))).astype(
            np.int16
        ),
        "customer": rows_of(
            world.customers.customer_id, values(receipts.column("CustomerID"))
        ).astype(np.int32),
        "receipt": (np.cumsum(first) - 1).astype(np.int32),
        "product": rows_of(world.products.product_id, values(lines.column("ProductID"))).astype(
            np.int32
        ),
        "quantity": values(lines.column("Qty")).astype(np.int16),
        "price": values(lines.column("UnitPrice")).astype(np.int32),
        "promotion": np.where(paid < 0, -1, offers[paid] if len(offers) else -1).astype(np.int16),
        "seen_day": np.full(marketing.num_rows, day - FIRST, dtype=np.int16),
        "seen_by": rows_of(world.customers.ad, values(pa.chunked_array(ads))).astype(np.int32),
        "seen_promotion": promotion[seen].astype(np.int16),
    }


def _texts(names: Any) -> Array:
    return np.asarray(names, dtype=object)


def _text(table: pa.Table, name: str) -> pa.ChunkedArray:
    return table.column(name).cast(pa.string())


def _codes(table: pa.Table, name: str) -> tuple[Array, Array]:
    """(distinct texts of a column, the row of each value among them or -1)."""
    encoded = _text(table, name).combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    return (
        np.asarray(encoded.dictionary.to_pylist(), dtype=object),
        encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False),
    )
