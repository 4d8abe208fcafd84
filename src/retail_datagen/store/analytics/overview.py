"""The store at a glance: its stock now, and what was bought and lost in a span of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from retail_datagen.store.analytics.window import Window, amount, basket, change, share, window
from retail_datagen.store.database import models as m

_items, _levels, _products = m.inventory_items.c, m.stock_levels.c, m.products.c
_sales, _movements = m.purchase_events.c, m.stock_movements.c


@dataclass(frozen=True, slots=True)
class Items:
    """All items, by what became of them: present, sold and gone are the total."""

    total: int
    present: int
    sold: int
    stolen: int
    lost: int
    moved: int


@dataclass(frozen=True, slots=True)
class Stock:
    """What is on hand: products by their state, and the value at today's prices."""

    products: int
    out_of_stock: int
    low: int
    value: float


@dataclass(frozen=True, slots=True)
class Sales:
    """What was bought in a span, and by which share that is more than in the span before."""

    units: int
    revenue: float
    baskets: int
    units_per_basket: float
    average_basket: float
    units_change: float | None
    revenue_change: float | None


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """What left without a purchase, at today's prices; `rate` is its share of all that left."""

    units: int
    value: float
    rate: float


@dataclass(frozen=True, slots=True)
class Overview:
    """The store at `as_of`; sales and shrinkage are those after `since`."""

    as_of: datetime
    since: datetime
    items: Items
    stock: Stock
    sales: Sales
    restocked: int
    shrinkage: Shrinkage


def overview(connection: Connection, days: int, until: datetime | None = None) -> Overview:
    """Stock is that of now, whatever `until` says."""
    span = window(connection, days, until)
    sales = _bought(connection, span)
    restocked, gone, value = _moved(connection, span)
    return Overview(
        as_of=span.end,
        since=span.start,
        items=_whole(connection),
        stock=_on_hand(connection),
        sales=sales,
        restocked=restocked,
        shrinkage=Shrinkage(gone, value, share(gone, gone + sales.units)),
    )


def _whole(connection: Connection) -> Items:
    rows = connection.execute(
        select(_items.reason, func.count().label("n")).group_by(_items.reason)
    ).all()
    count = {row.reason or m.PRESENT: row.n for row in rows}
    words = (m.PRESENT, m.SOLD, m.STOLEN, m.LOST, m.MOVED)
    return Items(sum(count.values()), *(count.get(word, 0) for word in words))


def _on_hand(connection: Connection) -> Stock:
    out = _levels.on_hand == 0
    low = (_levels.on_hand > 0) & (_levels.on_hand < _products.reorder_threshold)
    row = connection.execute(
        select(
            func.count().label("products"),
            func.sum(case((out, 1), else_=0)).label("out"),
            func.sum(case((low, 1), else_=0)).label("low"),
            func.sum(_products.unit_price * _levels.on_hand).label("value"),
        ).join_from(m.products, m.stock_levels)
    ).one()
    return Stock(row.products, row.out or 0, row.low or 0, amount(row.value))


def _bought(connection: Connection, span: Window) -> Sales:
    units, revenue, alone = _sum(connection, span)
    before_units, before_revenue, _ = _sum(connection, span.before())
    # Grouped and then counted: counting distinct values would sort them.
    key = basket(connection)
    together = (
        select(key.label("basket"))
        .where(span.holds(_sales.occurred_at), _sales.basket_id.is_not(None))
        .group_by(key)
        .subquery()
    )
    baskets = alone + (connection.scalar(select(func.count()).select_from(together)) or 0)
    return Sales(
        units=units,
        revenue=revenue,
        baskets=baskets,
        units_per_basket=round(units / baskets, 2) if baskets else 0.0,
        average_basket=round(revenue / baskets, 2) if baskets else 0.0,
        units_change=change(units, before_units),
        revenue_change=change(revenue, before_revenue),
    )


def _sum(connection: Connection, span: Window) -> tuple[int, float, int]:
    """Units, revenue, and the units that no basket names: each is a basket of its own."""
    row = connection.execute(
        select(
            func.count().label("units"),
            func.sum(_sales.unit_price).label("revenue"),
            func.sum(case((_sales.basket_id.is_(None), 1), else_=0)).label("alone"),
        ).where(span.holds(_sales.occurred_at))
    ).one()
    return row.units, amount(row.revenue), row.alone or 0


def _moved(connection: Connection, span: Window) -> tuple[int, int, float]:
    """Items restocked, items gone without a purchase, and what those cost today."""
    # By product first: prices are looked up once for each.
    moved = (
        select(_movements.kind, _movements.product_id, func.count().label("units"))
        .where(
            span.holds(_movements.occurred_at),
            (_movements.kind == m.RESTOCK)
            | ((_movements.kind == m.LOSS) & (_movements.reason != m.MOVED)),
        )
        .group_by(_movements.kind, _movements.product_id)
        .subquery()
    )
    rows = connection.execute(
        select(
            moved.c.kind,
            func.sum(moved.c.units).label("units"),
            func.sum(moved.c.units * _products.unit_price).label("value"),
        )
        .join_from(moved, m.products, _products.id == moved.c.product_id)
        .group_by(moved.c.kind)
    ).all()
    found = {row.kind: (int(row.units), amount(row.value)) for row in rows}
    restocked, _ = found.get(m.RESTOCK, (0, 0.0))
    return restocked, *found.get(m.LOSS, (0, 0.0))
