"""What is out of the ordinary: days, products that rush or stall, losses, empty shelves, and items
that readers do not meet any more.

Counts are compared with what is expected of them by the signed root of the deviance, which for
counts of any size is roughly a standard deviation: 3 is one in 700.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log, sqrt
from statistics import median
from typing import Literal

from sqlalchemy import Connection, case, func, select

from retail_datagen.store.analytics.window import DAY, Window, bucket, observed_days, sold, window
from retail_datagen.store.database import models as m

_products, _levels, _zones = m.products.c, m.stock_levels.c, m.zones.c
_sales, _movements, _items = m.purchase_events.c, m.stock_movements.c, m.inventory_items.c

Kind = Literal["sales_day", "sales_product", "losses", "empty_shelf", "unseen_items"]
KINDS: tuple[Kind, ...] = ("sales_day", "sales_product", "losses", "empty_shelf", "unseen_items")
_LEAST_SAME_WEEKDAYS = 3
_RECENT = 7 * DAY
_LEAST_LOST = 2
_UNSEEN = timedelta(hours=2)
"""Readers were at work, and have not met an item for that long."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something to look at. `subject` is a day, a SKU or a zone; `score` grows with how far
    `observed` is from `expected`."""

    kind: Kind
    subject: str
    score: float
    observed: float
    expected: float
    detail: str


def anomalies(
    connection: Connection,
    days: int,
    limit: int,
    sensitivity: float = 3.0,
    kind: Kind | None = None,
    until: datetime | None = None,
) -> list[Anomaly]:
    """Those that score `sensitivity` at least, the strangest first."""
    span = window(connection, days, until)
    looks = {
        "sales_day": _strange_days,
        "sales_product": _strange_products,
        "losses": _losses,
        "empty_shelf": _empty_shelves,
        "unseen_items": _unseen,
    }
    found = [
        one
        for name, look in looks.items()
        if kind in (None, name)
        for one in look(connection, span, sensitivity)
        if abs(one.score) >= sensitivity
    ]
    return sorted(found, key=lambda one: (-abs(one.score), one.kind, one.subject))[:limit]


def deviance(observed: float, expected: float) -> float:
    """How far a count is from its expectation, in about standard deviations, with its sign."""
    if expected <= 0:
        return 0.0
    far = observed * log(observed / expected) if observed else 0.0
    root = sqrt(max(2 * (far - (observed - expected)), 0.0))
    return round(root if observed > expected else -root, 2)


def _strange_days(connection: Connection, span: Window, _: float) -> Iterator[Anomaly]:
    """Whole days beside the median of the same weekdays; today is not over."""
    day = bucket(connection, _sales.occurred_at, "day").label("day")
    first = span.start.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
    end = span.end.replace(hour=0, minute=0, second=0, microsecond=0)
    rows = connection.execute(
        select(day, func.count().label("units"))
        .where(_sales.occurred_at >= first, _sales.occurred_at < end)
        .group_by(day)
    ).all()
    if not rows:
        return
    units = {row.day: row.units for row in rows}
    begun = min(units)
    all_days = [begun + DAY * number for number in range((end - begun).days)]
    same = [[units.get(d, 0) for d in all_days if d.weekday() == w] for w in range(7)]
    for one in all_days:
        others = same[one.weekday()]
        if len(others) < _LEAST_SAME_WEEKDAYS:
            continue
        usual = float(median(others))
        # Days spread more than counts by chance alone do: as much as those weekdays did.
        spread = max(1.4826 * median(abs(n - usual) for n in others) / sqrt(max(usual, 1.0)), 1.0)
        score = deviance(units.get(one, 0), max(usual, 0.5)) / spread
        yield Anomaly(
            "sales_day",
            f"{one:%Y-%m-%d}",
            round(score, 2),
            units.get(one, 0),
            usual,
            f"{units.get(one, 0)} units on a {one:%A}; usual are {usual:g}",
        )


def _strange_products(connection: Connection, span: Window, least: float) -> Iterator[Anomaly]:
    """The last week of each product beside the rest of the span, at the pace of the store."""
    cut = span.end - _RECENT
    if span.start >= cut:
        return
    recent = case((_sales.occurred_at > cut, 1), else_=0)
    counted = (
        select(
            _sales.product_id,
            func.sum(recent).label("recent"),
            func.sum(1 - recent).label("earlier"),
        )
        .where(span.holds(_sales.occurred_at))
        .group_by(_sales.product_id)
        .subquery()
    )
    rows = connection.execute(
        select(_products.sku, counted.c.recent, counted.c.earlier).join(
            counted, counted.c.product_id == _products.id
        )
    ).all()
    recent_all, earlier_all = sum(row.recent for row in rows), sum(row.earlier for row in rows)
    if not earlier_all:
        return
    pace = recent_all / earlier_all
    for sku, now, earlier in rows:
        # A product that sold once or never before has no pace of its own to leave.
        expected = max(earlier, 1) * pace
        score = deviance(now, expected)
        if abs(score) >= least:
            text = f"{now} units in the last 7 days; {expected:.1f} were to be expected"
            yield Anomaly("sales_product", sku, score, now, round(expected, 2), text)


def _losses(connection: Connection, span: Window, _: float) -> Iterator[Anomaly]:
    """Products that leave without a purchase more often than others that sell as much."""
    lost = (
        select(_movements.product_id, func.count().label("lost"))
        .where(
            _movements.kind == m.LOSS,
            _movements.reason != m.MOVED,
            span.holds(_movements.occurred_at),
        )
        .group_by(_movements.product_id)
        .subquery()
    )
    bought = sold(span)
    rows = connection.execute(
        select(_products.sku, lost.c.lost, func.coalesce(bought.c.units, 0).label("units"))
        .join(lost, lost.c.product_id == _products.id)
        .outerjoin(bought, bought.c.product_id == _products.id)
    ).all()
    all_sold = connection.scalar(select(func.sum(bought.c.units))) or 0
    all_lost = sum(row.lost for row in rows)
    if not all_lost:
        return
    rate = all_lost / (all_lost + float(all_sold))
    for row in rows:
        expected = (row.units + row.lost) * rate
        if row.lost >= _LEAST_LOST:
            yield Anomaly(
                "losses",
                row.sku,
                deviance(row.lost, expected),
                row.lost,
                round(expected, 2),
                f"{row.lost} left without a purchase, beside {row.units} sold",
            )


def _empty_shelves(connection: Connection, span: Window, _: float) -> Iterator[Anomaly]:
    """Products of which nothing is left, by what they would have sold since the last one went."""
    bought = sold(span)
    rows = connection.execute(
        select(_products.sku, bought.c.units, _levels.updated_at)
        .join(bought, bought.c.product_id == _products.id)
        .join(m.stock_levels, _levels.product_id == _products.id)
        .where(_levels.on_hand == 0)
    ).all()
    observed = observed_days(connection, span)
    for row in rows:
        empty = max((span.end - row.updated_at) / DAY, 0.0)
        selling = max(observed - empty, 1.0)
        missed = row.units / selling * empty
        yield Anomaly(
            "empty_shelf",
            row.sku,
            deviance(0, missed),
            0,
            round(missed, 2),
            f"nothing left for {empty:.1f} days; about {missed:.1f} units were not sold",
        )


def _unseen(connection: Connection, span: Window, _: float) -> Iterator[Anomaly]:
    """Zones with present items that no reader has met since well before it last worked there."""
    last: datetime | None = connection.scalar(select(func.max(m.detections.c.seen_at)))
    if last is None:
        return
    unseen = case((_items.last_seen_at < last - _UNSEEN, 1), else_=0)
    rows = connection.execute(
        select(_zones.name, func.count().label("items"), func.sum(unseen).label("unseen"))
        .join_from(m.zones, m.inventory_items)
        .where(_items.status == m.PRESENT)
        .group_by(_zones.name)
        # Where nothing was read there was no reader.
        .having(func.sum(1 - unseen) > 0)
    ).all()
    whole, all_unseen = sum(row[1] for row in rows), sum(row.unseen for row in rows)
    for name, items, without in rows:
        expected = items * all_unseen / whole
        yield Anomaly(
            "unseen_items",
            name,
            deviance(without, expected),
            without,
            round(expected, 2),
            f"{without} of {items} items were not read for two hours or more",
        )
