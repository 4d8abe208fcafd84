"""Sales through time: hours, days, weeks or months, without gaps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from retail_datagen.store.analytics.window import (
    DAY,
    Bucket,
    Window,
    amount,
    basket,
    bucket,
    window,
)
from retail_datagen.store.database import models as m

_products, _sales = m.products.c, m.purchase_events.c
MOST_HOURLY_DAYS = 92
"""For longer spans hours are too many points."""


@dataclass(frozen=True, slots=True)
class SalesPoint:
    """What was bought in the hour, day, week or month that begins at `at`."""

    at: datetime
    units: int
    revenue: float
    baskets: int


def sales_time_series(
    connection: Connection,
    days: int,
    unit: Bucket = "day",
    category: str | None = None,
    sku: str | None = None,
    until: datetime | None = None,
) -> list[SalesPoint]:
    """A point for each bucket, the first week or month whole, those without sales included."""
    span = window(connection, days, until)
    span = Window(_begin(span.start, unit), span.end)
    at = bucket(connection, _sales.occurred_at, unit).label("at")
    key = basket(connection).label("basket")
    within = [span.holds(_sales.occurred_at)]
    lines = select(
        at,
        key,
        func.count().label("units"),
        func.sum(_sales.unit_price).label("revenue"),
    )
    if category is not None or sku is not None:
        lines = lines.join(m.products, _products.id == _sales.product_id)
    if category is not None:
        within.append(func.coalesce(_products.category, "") == category)
    if sku is not None:
        within.append(_products.sku == sku)
    # First by basket, then by bucket: counting distinct values would sort them.
    baskets = lines.where(*within).group_by(at, key).subquery()
    rows = connection.execute(
        select(
            baskets.c.at,
            func.sum(baskets.c.units).label("units"),
            func.sum(baskets.c.revenue).label("revenue"),
            func.count(baskets.c.basket).label("baskets"),
            func.sum(baskets.c.units).filter(baskets.c.basket.is_(None)).label("alone"),
        ).group_by(baskets.c.at)
    )
    found = {
        row.at: SalesPoint(
            row.at, int(row.units), amount(row.revenue), row.baskets + int(row.alone or 0)
        )
        for row in rows
    }
    points = []
    moment = span.start
    while moment < span.end or moment in found:
        points.append(found.get(moment) or SalesPoint(moment, 0, 0.0, 0))
        moment = _next(moment, unit)
    return points


def _begin(moment: datetime, unit: Bucket) -> datetime:
    if unit == "hour":
        return moment.replace(minute=0, second=0, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def _next(moment: datetime, unit: Bucket) -> datetime:
    if unit == "month":
        return (moment + timedelta(days=32)).replace(day=1)
    step = {"hour": timedelta(hours=1), "day": DAY, "week": 7 * DAY}
    return moment + step[unit]
