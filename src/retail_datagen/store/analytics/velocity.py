"""How quickly products sell, and which sell best."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, Subquery, func, select

from retail_datagen.store.analytics.window import (
    amount,
    observed_days,
    share,
    sold,
    window,
)
from retail_datagen.store.database import models as m

_products, _levels = m.products.c, m.stock_levels.c

Order = Literal["fastest", "slowest"]
Measure = Literal["units", "revenue"]
Pace = Literal["fast", "medium", "slow", "none"]
_FAST, _MEDIUM = 0.2, 0.5


@dataclass(frozen=True, slots=True)
class Velocity:
    """How quickly a product sells. `pace` is fast for the quickest fifth of those that sell at
    all, medium down to half of them, slow below; `days_of_cover` is how long its stock lasts."""

    sku: str
    name: str
    category: str
    units: int
    units_per_day: float
    revenue: float
    on_hand: int
    days_of_cover: float | None
    last_sold_at: datetime | None
    pace: Pace


@dataclass(frozen=True, slots=True)
class TopProduct:
    """A product's place among those that sell; `share` is of the whole store's."""

    rank: int
    sku: str
    name: str
    category: str
    units: int
    revenue: float
    share: float
    on_hand: int


def product_velocity(
    connection: Connection,
    days: int,
    limit: int,
    category: str | None = None,
    order: Order = "fastest",
    until: datetime | None = None,
) -> list[Velocity]:
    """Products by their sales a day; those that did not sell count as the slowest."""
    span = window(connection, days, until)
    observed = observed_days(connection, span)
    ranked = _ranked(sold(span))
    found = select(ranked).limit(limit)
    if category is not None:
        found = found.where(ranked.c.category == category)
    by: ColumnElement[int] = ranked.c.rank
    found = found.order_by(by if order == "fastest" else by.desc())
    return [_velocity(row, observed) for row in connection.execute(found)]


def _ranked(bought: Subquery) -> Subquery:
    """All products by their units, the most first, and how many were sold at all."""
    units = func.coalesce(bought.c.units, 0)
    # Before the category is chosen: a pace is among all that the store sells.
    rank = func.row_number().over(order_by=(units.desc(), _products.sku)).label("rank")
    selling = func.count(bought.c.units).over().label("selling")
    return (
        select(
            _products.sku,
            _products.name,
            func.coalesce(_products.category, "").label("category"),
            units.label("units"),
            bought.c.revenue,
            func.coalesce(_levels.on_hand, 0).label("on_hand"),
            bought.c.last_at,
            rank,
            selling,
        )
        .select_from(m.products)
        .outerjoin(bought, bought.c.product_id == _products.id)
        .outerjoin(m.stock_levels, _levels.product_id == _products.id)
        .subquery()
    )


def _velocity(row: Row[Any], observed: float) -> Velocity:
    return Velocity(
        row.sku,
        row.name,
        row.category,
        row.units,
        round(row.units / observed, 4),
        amount(row.revenue),
        row.on_hand,
        round(row.on_hand * observed / row.units, 1) if row.units else None,
        row.last_at,
        _pace(row.units, (row.rank - 1) / max(row.selling, 1)),
    )


def _pace(units: int, place: float) -> Pace:
    if not units:
        return "none"
    return "fast" if place < _FAST else "medium" if place < _MEDIUM else "slow"


def top_products(
    connection: Connection,
    days: int,
    limit: int,
    by: Measure = "revenue",
    category: str | None = None,
    until: datetime | None = None,
) -> list[TopProduct]:
    """The products that sell best, in the whole store or a category."""
    bought = sold(window(connection, days, until))
    measure = bought.c[by]
    whole = connection.scalar(select(func.sum(measure)))
    found = (
        select(
            _products.sku,
            _products.name,
            func.coalesce(_products.category, "").label("category"),
            bought.c.units,
            bought.c.revenue,
            func.coalesce(_levels.on_hand, 0).label("on_hand"),
        )
        .select_from(bought)
        .join(m.products, _products.id == bought.c.product_id)
        .outerjoin(m.stock_levels, _levels.product_id == _products.id)
        .order_by(measure.desc(), _products.sku)
        .limit(limit)
    )
    if category is not None:
        found = found.where(func.coalesce(_products.category, "") == category)
    return [
        TopProduct(
            rank,
            row.sku,
            row.name,
            row.category,
            row.units,
            amount(row.revenue),
            share(float((row.units if by == "units" else row.revenue) or 0), float(whole or 0)),
            row.on_hand,
        )
        for rank, row in enumerate(connection.execute(found), start=1)
    ]
