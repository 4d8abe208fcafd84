"""Products, items and zones as they stand in the database, one by one and in pages by id.

Reads only. Texts that are searched for are texts: no letter of them means anything to LIKE.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Float, Select, cast, func, or_, select

from retail_datagen.store.database import models as m

_products, _items = m.products.c, m.inventory_items.c

Status = Literal["present", "not_present"]
Reason = Literal["sold", "stolen", "lost", "moved"]


@dataclass(frozen=True, slots=True)
class Product:
    """A row of products."""

    id: int
    sku: str
    name: str
    category: str | None
    unit_price: float | None
    reorder_threshold: int | None
    optimal_stock_level: int | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """A row of inventory_items, with its product's SKU. Positions are in cm on the floor plan."""

    id: int
    rfid_tag: str
    product_id: int
    status: Status
    x_position: float | None
    y_position: float | None
    zone_id: int | None
    last_seen_at: datetime | None
    created_at: datetime
    sku: str
    epc: str | None
    reason: Reason | None
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class Zone:
    """A rectangle of the floor with its edges, in cm."""

    id: int
    name: str
    kind: str
    x0: float
    y0: float
    x1: float
    y1: float


def list_products(
    connection: Connection,
    limit: int | None = None,
    after: int = 0,
    category: str | None = None,
    search: str | None = None,
) -> list[Product]:
    """Products by id, those after an id; `search` looks into SKU and name, whatever the case."""
    found = _all_products().where(_products.id > after).order_by(_products.id).limit(limit)
    if category is not None:
        found = found.where(func.coalesce(_products.category, "") == category)
    if search:
        found = found.where(
            or_(
                _products.sku.icontains(search, autoescape=True),
                _products.name.icontains(search, autoescape=True),
            )
        )
    return [Product(*row) for row in connection.execute(found)]


def find_product(connection: Connection, sku: str) -> Product | None:
    """The product of that SKU."""
    row = connection.execute(_all_products().where(_products.sku == sku)).one_or_none()
    return None if row is None else Product(*row)


def list_items(
    connection: Connection,
    limit: int,
    after: int = 0,
    status: Status | None = None,
    reason: Reason | None = None,
    sku: str | None = None,
    zone_id: int | None = None,
    search: str | None = None,
) -> list[Item]:
    """Items by id, those after an id; `search` looks into tag and EPC, whatever the case."""
    found = _all_items().where(_items.id > after).order_by(_items.id).limit(limit)
    for column, wanted in (
        (_items.status, status),
        (_items.reason, reason),
        (_products.sku, sku),
        (_items.zone_id, zone_id),
    ):
        if wanted is not None:
            found = found.where(column == wanted)
    if search:
        found = found.where(
            or_(
                _items.rfid_tag.icontains(search, autoescape=True),
                _items.epc.icontains(search, autoescape=True),
            )
        )
    return [Item(*row) for row in connection.execute(found)]


def find_item(connection: Connection, rfid_tag: str) -> Item | None:
    """The item with that tag."""
    row = connection.execute(_all_items().where(_items.rfid_tag == rfid_tag)).one_or_none()
    return None if row is None else Item(*row)


def list_zones(connection: Connection) -> list[Zone]:
    """All zones, by their number."""
    return [Zone(*row) for row in connection.execute(select(m.zones).order_by(m.zones.c.id))]


def count_items(connection: Connection) -> dict[str, int]:
    """How many items there are by what became of them: present, sold, stolen, lost or moved."""
    counted = select(_items.reason, func.count().label("n"))
    rows = connection.execute(counted.group_by(_items.reason))
    found = dict.fromkeys((m.PRESENT, *m.REASONS), 0)
    return found | {row.reason or m.PRESENT: row.n for row in rows}


def answers(connection: Connection) -> bool:
    """Whether the database answers."""
    return connection.scalar(select(1)) == 1


def _all_products() -> Select[Any]:
    return select(
        _products.id,
        _products.sku,
        _products.name,
        _products.category,
        # To the cent as a float too, and a tenth of the time of a decimal.
        cast(_products.unit_price, Float),
        _products.reorder_threshold,
        _products.optimal_stock_level,
        _products.created_at,
        _products.updated_at,
    )


def _all_items() -> Select[Any]:
    return select(
        _items.id,
        _items.rfid_tag,
        _items.product_id,
        _items.status,
        _items.x_position,
        _items.y_position,
        _items.zone_id,
        _items.last_seen_at,
        _items.created_at,
        _products.sku,
        _items.epc,
        _items.reason,
        _items.left_at,
    ).join_from(m.inventory_items, m.products)
