"""How categories do beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from retail_datagen.store.analytics.window import amount, change, share, sold, window
from retail_datagen.store.database import models as m

_products, _levels = m.products.c, m.stock_levels.c


@dataclass(frozen=True, slots=True)
class CategoryPerformance:
    """A category's sales and stock. `sell_through` is what was bought of what was to be had:
    that, and what is on hand still."""

    category: str
    products: int
    products_sold: int
    units: int
    revenue: float
    revenue_share: float
    revenue_change: float | None
    average_price: float
    on_hand: int
    stock_value: float
    sell_through: float


def category_performance(
    connection: Connection, days: int, until: datetime | None = None
) -> list[CategoryPerformance]:
    """All categories, by revenue; products without one are the category ""."""
    span = window(connection, days, until)
    now, before = sold(span), sold(span.before(), "before")
    category = func.coalesce(_products.category, "")
    rows = connection.execute(
        select(
            category.label("category"),
            func.count().label("products"),
            func.count(now.c.units).label("products_sold"),
            func.sum(now.c.units).label("units"),
            func.sum(now.c.revenue).label("revenue"),
            func.sum(before.c.revenue).label("revenue_before"),
            func.sum(_levels.on_hand).label("on_hand"),
            func.sum(_products.unit_price * _levels.on_hand).label("value"),
        )
        .select_from(m.products)
        .outerjoin(m.stock_levels, _levels.product_id == _products.id)
        .outerjoin(now, now.c.product_id == _products.id)
        .outerjoin(before, before.c.product_id == _products.id)
        .group_by(category)
    ).all()
    whole = sum(amount(row.revenue) for row in rows)
    found = [
        CategoryPerformance(
            category=row.category,
            products=row.products,
            products_sold=row.products_sold,
            units=int(row.units or 0),
            revenue=amount(row.revenue),
            revenue_share=share(amount(row.revenue), whole),
            revenue_change=change(amount(row.revenue), amount(row.revenue_before)),
            average_price=amount(row.revenue / row.units) if row.units and row.revenue else 0.0,
            on_hand=int(row.on_hand or 0),
            stock_value=amount(row.value),
            sell_through=share(int(row.units or 0), int(row.units or 0) + int(row.on_hand or 0)),
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (-one.revenue, one.category))
