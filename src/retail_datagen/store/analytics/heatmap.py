"""Where on the floor things are: items, sales and losses by cell of a grid and by zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select

from retail_datagen.store.analytics.window import Window, amount, floored, window
from retail_datagen.store.database import models as m

_items, _products, _zones = m.inventory_items.c, m.products.c, m.zones.c

Measure = Literal["stock", "sales", "losses"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A square of the floor: its corner nearest to the origin in cm, its items, their value."""

    x: float
    y: float
    items: int
    value: float


@dataclass(frozen=True, slots=True)
class ZoneHeat:
    """A zone: its box in cm, its items, their value."""

    zone_id: int
    name: str
    kind: str
    x0: float
    y0: float
    x1: float
    y1: float
    items: int
    value: float


@dataclass(frozen=True, slots=True)
class Heatmap:
    """Cells that hold anything, and all zones. `unplaced` items have no position."""

    measure: Measure
    cell_size: float
    unplaced: int
    cells: list[Cell]
    zones: list[ZoneHeat]


def stock_heatmap(
    connection: Connection,
    measure: Measure = "stock",
    cell_size: float = 100.0,
    days: int = 30,
    category: str | None = None,
    until: datetime | None = None,
) -> Heatmap:
    """Of the stock now, or of what was sold, or lost otherwise, in the last `days`.

    `value` is at today's prices. Sales and losses stand where the item stood last.
    """
    chosen = _chosen(measure, window(connection, days, until))
    if category is not None:
        chosen = and_(chosen, func.coalesce(_products.category, "") == category)
    cells: dict[tuple[float, float], _Sum] = {}
    zones: dict[int, _Sum] = {}
    unplaced = 0
    for row in _summed(connection, chosen, cell_size):
        if row.zone_id is not None:
            zones.setdefault(row.zone_id, _Sum()).add(row.n, row.value)
        if row.x is None or row.y is None:
            unplaced += row.n
        else:
            cells.setdefault((float(row.y), float(row.x)), _Sum()).add(row.n, row.value)
    return Heatmap(
        measure,
        cell_size,
        unplaced,
        [
            Cell(x * cell_size, y * cell_size, held.items, amount(held.value))
            for (y, x), held in sorted(cells.items(), key=lambda cell: cell[0])
        ],
        _zone_heats(connection, zones),
    )


def _summed(
    connection: Connection, chosen: ColumnElement[bool], cell_size: float
) -> Sequence[Row[Any]]:
    """Items (n) and their value by cell (x, y counted from 0) and zone."""
    x = floored(connection, _items.x_position / float(cell_size)).label("x")
    y = floored(connection, _items.y_position / float(cell_size)).label("y")
    value = func.sum(_products.unit_price).label("value")
    return connection.execute(
        select(x, y, _items.zone_id, func.count().label("n"), value)
        .join_from(m.inventory_items, m.products)
        .where(chosen)
        .group_by(x, y, _items.zone_id)
    ).all()


def _zone_heats(connection: Connection, zones: dict[int, _Sum]) -> list[ZoneHeat]:
    boxes = connection.execute(select(m.zones).order_by(_zones.id)).all()
    none = _Sum()
    return [
        ZoneHeat(
            *(box.id, box.name, box.kind),
            *(box.x0, box.y0, box.x1, box.y1),
            zones.get(box.id, none).items,
            amount(zones.get(box.id, none).value),
        )
        for box in boxes
    ]


@dataclass(slots=True)
class _Sum:
    items: int = 0
    value: float = 0.0

    def add(self, items: int, value: Decimal | None) -> None:
        self.items += items
        self.value += float(value or 0)


def _chosen(measure: Measure, span: Window) -> ColumnElement[bool]:
    if measure == "stock":
        return _items.status == m.PRESENT
    sold = _items.reason == m.SOLD
    return and_(span.holds(_items.left_at), sold if measure == "sales" else _items.reason != m.SOLD)
