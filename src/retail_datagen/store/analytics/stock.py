"""What is on hand of each product, how long it lasts, and how it came to be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, select

from retail_datagen.store.analytics.window import amount, latest, observed_days, sold, window
from retail_datagen.store.database import models as m

_products, _levels, _movements = m.products.c, m.stock_levels.c, m.stock_movements.c

State = Literal["out", "low", "ok", "over"]
_MOST_DAYS_LEFT = 36_500.0


@dataclass(frozen=True, slots=True)
class ProductStock:
    """A product's stock: out at none, low below its threshold, over above its optimal level.
    `depletes_at` is when it is gone at the pace of the last days, without a delivery."""

    sku: str
    name: str
    category: str
    on_hand: int
    reorder_threshold: int
    optimal_stock_level: int
    state: State
    value: float
    units_per_day: float
    days_left: float | None
    depletes_at: datetime | None
    to_order: int


@dataclass(frozen=True, slots=True)
class StockChange:
    """One entry of a product's ledger: units, and what was on hand after it."""

    at: datetime
    kind: str
    reason: str | None
    change: int
    on_hand: int


@dataclass(frozen=True, slots=True)
class StockHistory:
    """A product's stock now, and its entries since then, oldest first."""

    stock: ProductStock
    changes: list[StockChange]


def stock(
    connection: Connection,
    days: int,
    limit: int,
    offset: int = 0,
    state: State | None = None,
    category: str | None = None,
    until: datetime | None = None,
) -> list[ProductStock]:
    """Products by how soon they are gone, those that are first; what nobody buys comes last."""
    span = window(connection, days, until)
    observed = observed_days(connection, span)
    found, units, on_hand = _levels_of(days, until, connection)
    never = case((units == 0, 1), else_=0)
    if state is not None:
        found = found.where(_state_is(state, on_hand))
    if category is not None:
        found = found.where(func.coalesce(_products.category, "") == category)
    soonest = on_hand * 1.0 / func.nullif(units, 0)
    out = case((on_hand == 0, 0), else_=1)
    rows = connection.execute(
        found.order_by(out, never, soonest, _products.sku).limit(limit).offset(offset)
    )
    now = latest(connection)
    return [_product(row, observed, now) for row in rows]


def stock_history(
    connection: Connection, sku: str, days: int, limit: int, until: datetime | None = None
) -> StockHistory | None:
    """None where there is no such product. The last `limit` entries of the last `days`."""
    span = window(connection, days, until)
    found, _, _ = _levels_of(days, until, connection)
    row = connection.execute(found.where(_products.sku == sku)).one_or_none()
    if row is None:
        return None
    entries = (
        select(
            _movements.id,
            _movements.occurred_at,
            _movements.kind,
            _movements.reason,
            _movements.delta,
            func.sum(_movements.delta)
            .over(order_by=(_movements.occurred_at, _movements.id), rows=(None, 0))
            .label("on_hand"),
        )
        .join_from(m.stock_movements, m.products, _products.id == _movements.product_id)
        .where(_products.sku == sku)
        .subquery()
    )
    latest_first = (
        select(entries)
        .where(span.holds(entries.c.occurred_at))
        .order_by(entries.c.occurred_at.desc(), entries.c.id.desc())
        .limit(limit)
    )
    changes = [
        StockChange(e.occurred_at, e.kind, e.reason, e.delta, int(e.on_hand))
        for e in connection.execute(latest_first)
    ]
    product = _product(row, observed_days(connection, span), latest(connection))
    return StockHistory(product, changes[::-1])


def _levels_of(
    days: int, until: datetime | None, connection: Connection
) -> tuple[Select[tuple[object, ...]], ColumnElement[int], ColumnElement[int]]:
    """The statement of all products with their stock and sales; its units, its on hand."""
    bought = sold(window(connection, days, until))
    units = func.coalesce(bought.c.units, 0)
    on_hand = func.coalesce(_levels.on_hand, 0)
    found: Select[tuple[object, ...]] = (
        select(
            _products.sku,
            _products.name,
            func.coalesce(_products.category, "").label("category"),
            on_hand.label("on_hand"),
            func.coalesce(_products.reorder_threshold, 0).label("threshold"),
            func.coalesce(_products.optimal_stock_level, 0).label("optimal"),
            _products.unit_price,
            units.label("units"),
        )
        .select_from(m.products)
        .outerjoin(m.stock_levels, _levels.product_id == _products.id)
        .outerjoin(bought, bought.c.product_id == _products.id)
    )
    return found, units, on_hand


def _state_is(state: State, on_hand: ColumnElement[int]) -> ColumnElement[bool]:
    low = on_hand < func.coalesce(_products.reorder_threshold, 0)
    over = on_hand > func.coalesce(_products.optimal_stock_level, 0)
    return {
        "out": on_hand == 0,
        "low": (on_hand > 0) & low,
        "ok": (on_hand > 0) & ~low & ~over,
        "over": (on_hand > 0) & ~low & over,
    }[state]


def _state(on_hand: int, threshold: int, optimal: int) -> State:
    if not on_hand:
        return "out"
    if on_hand < threshold:
        return "low"
    return "over" if on_hand > optimal else "ok"


def _product(row: Row[tuple[object, ...]], observed: float, now: datetime) -> ProductStock:
    state = _state(row.on_hand, row.threshold, row.optimal)
    pace = row.units / observed
    left = min(row.on_hand / pace, _MOST_DAYS_LEFT) if pace else None
    return ProductStock(
        sku=row.sku,
        name=row.name,
        category=row.category,
        on_hand=row.on_hand,
        reorder_threshold=row.threshold,
        optimal_stock_level=row.optimal,
        state=state,
        value=amount(row.on_hand * (row.unit_price or 0)),
        units_per_day=round(pace, 4),
        days_left=None if left is None else round(left, 1),
        depletes_at=None if left is None else (now + timedelta(days=left)).replace(microsecond=0),
        to_order=max(row.optimal - row.on_hand, 0) if state in ("out", "low") else 0,
    )


def stock_now(connection: Connection, products: list[int]) -> list[int]:
    """What is on hand of each of some products, by their ids."""
    wanted = select(_levels.product_id, _levels.on_hand).where(_levels.product_id.in_(products))
    held = {row.product_id: row.on_hand for row in connection.execute(wanted)}
    return [held.get(product, 0) for product in products]
