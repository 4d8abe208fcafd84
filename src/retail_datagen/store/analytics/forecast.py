"""What a product will sell in the days to come, and when its stock runs out.

Most products sell some times a month: too rarely for a pattern of their own. So the level is the
product's, recent days counting more, and the shape of a week is the whole store's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Connection, func, select

from retail_datagen.core.arrays import F64
from retail_datagen.store.analytics.window import DAY, Window, bucket, latest
from retail_datagen.store.database import models as m

_products, _levels, _sales = m.products.c, m.stock_levels.c, m.purchase_events.c
_HALF_LIFE = 45.0
"""Days after which a day counts half as much."""
_Z = 1.2815515655446004
"""The normal distribution's 90 % point: a tenth of days lies above the upper bound."""
_LEAST_WEEKS = 2


@dataclass(frozen=True, slots=True)
class ForecastDay:
    """A day to come: expected units, and the range that four days in five lie in."""

    date: datetime
    units: float
    lower: float
    upper: float


@dataclass(frozen=True, slots=True)
class SoldDay:
    """A day that was: units bought."""

    date: datetime
    units: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """A product's days to come. `runs_out_at` is when the stock is expected to be gone, within
    the horizon; `suggested_order` brings it to the optimal level after the horizon's sales."""

    sku: str
    name: str
    on_hand: int
    units_per_day: float
    horizon_units: float
    runs_out_at: datetime | None
    suggested_order: int
    history: list[SoldDay]
    days: list[ForecastDay]


def forecast(
    connection: Connection,
    sku: str,
    horizon: int = 14,
    history_days: int = 90,
    until: datetime | None = None,
) -> Forecast | None:
    """None where there is no such product. Today is not over: it is the first day to come."""
    product = connection.execute(
        select(
            _products.id,
            _products.name,
            _products.optimal_stock_level,
            func.coalesce(_levels.on_hand, 0).label("on_hand"),
        )
        .outerjoin_from(m.products, m.stock_levels)
        .where(_products.sku == sku)
    ).one_or_none()
    if product is None:
        return None
    now = until or latest(connection)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    span = Window(_first_day(connection, today, history_days), today)
    whole = _daily(connection, span, None)
    units = _daily(connection, span, product.id)
    level, spread = _level(units)
    factors = _week(whole, span.start)
    days = [today + DAY * ahead for ahead in range(horizon)]
    expected = np.array([level * factors[day.weekday()] for day in days])
    margin = _Z * np.sqrt(expected * spread)
    total = float(expected.sum())
    wanted = (product.optimal_stock_level or 0) + total - product.on_hand
    return Forecast(
        sku=sku,
        name=product.name,
        on_hand=product.on_hand,
        units_per_day=round(level, 4),
        horizon_units=round(total, 2),
        runs_out_at=_runs_out(now, days, expected, product.on_hand),
        suggested_order=max(int(np.ceil(wanted)), 0),
        history=[
            SoldDay(span.start + DAY * day, int(count)) for day, count in enumerate(units.tolist())
        ],
        days=[
            ForecastDay(day, round(mean, 4), round(max(mean - m_, 0.0), 4), round(mean + m_, 4))
            for day, mean, m_ in zip(days, expected.tolist(), margin.tolist(), strict=True)
        ],
    )


def _first_day(connection: Connection, today: datetime, history_days: int) -> datetime:
    """So many days before today, or the store's first whole one."""
    first: datetime | None = connection.scalar(select(func.min(m.stock_movements.c.occurred_at)))
    asked = today - history_days * DAY
    if first is None:
        return asked
    whole = first.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    return min(max(asked, whole), today)


def _daily(connection: Connection, span: Window, product: int | None) -> F64:
    """Units bought on each day of a span that begins and ends at midnight."""
    day = bucket(connection, _sales.occurred_at, "day").label("day")
    found = (
        select(day, func.count().label("units"))
        .where(_sales.occurred_at >= span.start, _sales.occurred_at < span.end)
        .group_by(day)
    )
    if product is not None:
        found = found.where(_sales.product_id == product)
    units = np.zeros(round(span.days), dtype=np.float64)
    for row in connection.execute(found):
        units[(row.day - span.start).days] = row.units
    return units


def _level(units: F64) -> tuple[float, float]:
    """Units a day, and how much wider than Poisson's the days spread (variance to mean)."""
    if not len(units):
        return 0.0, 1.0
    weights = 0.5 ** (np.arange(len(units))[::-1] / _HALF_LIFE)
    level = float((units * weights).sum() / weights.sum())
    mean = float(units.mean())
    return level, max(float(units.var()) / mean, 1.0) if mean else 1.0


def _week(units: F64, first: datetime) -> F64:
    """The store's factor of each weekday, Monday first; 1 on the average of a week."""
    weekday = (np.arange(len(units)) + first.weekday()) % 7
    days = np.bincount(weekday, minlength=7)
    if days.min() < _LEAST_WEEKS or not units.sum():
        return np.ones(7)
    mean = np.bincount(weekday, weights=units, minlength=7) / days
    factors: F64 = mean / mean.mean()
    return factors


def _runs_out(now: datetime, days: list[datetime], expected: F64, on_hand: int) -> datetime | None:
    if not on_hand:
        return now
    gone = np.cumsum(expected)
    day = int(np.searchsorted(gone, on_hand))
    if day >= len(days):
        return None
    before = float(gone[day - 1]) if day else 0.0
    share = (on_hand - before) / float(expected[day])
    return max(days[day] + timedelta(days=share), now).replace(microsecond=0)
