"""How products and items come into the ledger: opening stock and restocked items.

Part of the ledger; its transactions call this.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Integer, delete, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite

from retail_datagen.core.arrays import F64, I64
from retail_datagen.store.database import models as m
from retail_datagen.store.database.bulk import among, load, money, times
from retail_datagen.store.epc import COMPANY, epcs, ours
from retail_datagen.store.known import judge_items, judge_products, known_items, sound
from retail_datagen.store.moments import checked
from retail_datagen.store.references import item_references, written_references
from retail_datagen.store.rows import (
    NO_ZONE,
    Added,
    ItemRows,
    Outcome,
    ProductRows,
    item_errors,
    product_errors,
)

TAG = "RFID-"
TAG_DIGITS = 8
FIRST_RESTOCKED = 10_000_001
"""The first tag number of a restocked item: those of generated ones stay below."""
_COUNTER = "restocked_tag"
_items, _movements = m.inventory_items.c, m.stock_movements.c

Places = tuple[F64 | None, F64 | None, I64 | None]


def tag_names(numbers: Sequence[int]) -> list[str]:
    """`RFID-00000042`."""
    return [f"{TAG}{number:0{TAG_DIGITS}}" for number in numbers]


def add_products(connection: Connection, rows: ProductRows, at: datetime) -> Added:
    """Products whose SKU is new, each with a stock of none."""
    errors = product_errors(rows)
    outcome, conflicts = judge_products(connection, rows, errors)
    new = np.flatnonzero(outcome == Outcome.CREATED)
    if len(new):
        last = connection.scalar(select(func.coalesce(func.max(m.products.c.id), 0)))
        if not last:
            # Whoever emptied it by hand left runs behind, of which there is nothing any more.
            connection.execute(delete(m.runs))
        columns = {
            "sku": _taken(rows.sku, new),
            "name": _taken(rows.name, new),
            "category": _taken(rows.category, new),
            "unit_price": money(rows.cents[new]),
            "reorder_threshold": rows.reorder_threshold[new],
            "optimal_stock_level": rows.optimal_stock_level[new],
            "created_at": times(np.full(len(new), at, dtype="M8[us]")),
            "updated_at": times(np.full(len(new), at, dtype="M8[us]")),
        }
        load(connection, m.products, pa.table(columns))
        added = select(m.products.c.id, literal(0), literal(at)).where(m.products.c.id > last)
        names = ["product_id", "on_hand", "updated_at"]
        connection.execute(insert(m.stock_levels).from_select(names, added))
    return Added(outcome, errors, conflicts)


def add_items(connection: Connection, rows: ItemRows, at: Any, kind: str, run: int | None) -> Added:
    """Items whose tag is new, present from `at` on: a moment for all, or one for each.

    Raises LedgerError for moments at or before the last snapshot; where no item is new, none is.
    """
    zones = connection.execute(select(m.zones).order_by(m.zones.c.id))
    errors = item_errors(rows, {z.id: (z.x0, z.y0, z.x1, z.y1) for z in zones})
    product = _products_of(connection, rows.sku, errors)
    known = known_items(connection, rows, errors)
    epc_rules = _Epcs.of(connection, rows, product, _unknown(rows, known, errors))
    outcome, conflicts = judge_items(rows, known, errors, epc_rules.refuse)
    new = np.flatnonzero(outcome == Outcome.CREATED)
    if len(new):
        zone = rows.zone_id[new]
        came = np.broadcast_to(np.asarray(at, dtype="M8[us]"), len(rows))[new]
        moment = times(checked(connection, came))
        columns = {
            "rfid_tag": _taken(rows.rfid_tag, new),
            "product_id": product[new],
            "status": pa.array([m.PRESENT] * len(new)),
            "x_position": pa.array(rows.x[new], from_pandas=True),
            "y_position": pa.array(rows.y[new], from_pandas=True),
            "zone_id": pa.array(zone, mask=zone == NO_ZONE),
            "created_at": moment,
            "last_seen_at": moment,
            "epc": pa.array([rows.epc[row] or None for row in new.tolist()], type=pa.string()),
        }
        last = connection.scalar(select(func.coalesce(func.max(_items.id), 0)))
        load(connection, m.inventory_items, pa.table(columns))
        _note_arrivals(connection, int(last or 0), kind, run)
    return Added(outcome, errors, conflicts)


def restock(
    connection: Connection, products: I64, moment: Any, places: Places, run: int | None
) -> tuple[I64, I64, I64]:
    """New items of products (ids): the items' ids, their products, products that are not there."""
    distinct = np.unique(products).tolist()
    about = _about(connection, distinct)
    there = np.isin(products, list(about))
    wanted = products[there]
    first = next_tags(connection, len(wanted))
    numbers = np.arange(first, first + len(wanted))
    x, y, zone = places
    if x is None or y is None:
        x, y = (np.array([about[p][index] for p in wanted.tolist()], float) for index in (2, 3))
    else:
        x, y = x[there], y[there]
    if zone is None:
        zone = np.array([about[p][4] for p in wanted.tolist()], dtype=np.int64)
    else:
        zone = zone[there]
    zone = np.where(np.isnan(x) | np.isnan(y), NO_ZONE, zone)
    references = np.array([about[p][1] for p in wanted.tolist()], dtype=np.int64)
    tags = tag_names(numbers.tolist())
    skus = [about[p][0] for p in wanted.tolist()]
    rows = ItemRows(tags, epcs(references, numbers), skus, x, y, zone)
    added = add_items(connection, rows, moment[there], m.RESTOCK, run)
    if added.created != len(rows):
        raise ValueError(f"restocked items could not be added: {added.errors}")
    return ids_of(connection, tags), wanted, products[~there]


def ids_of(connection: Connection, tags: Sequence[str]) -> I64:
    """The ids of items with these tags, all of which there are: [tags]."""
    found = select(_items.rfid_tag, _items.id).where(among(connection, _items.rfid_tag, tags))
    ids = {row.rfid_tag: row.id for row in connection.execute(found)}
    return np.array([ids[tag] for tag in tags], dtype=np.int64)


def next_tags(connection: Connection, count: int) -> int:
    """The first of `count` tag numbers in a row that nobody has, or gets again."""
    first = _reserved(connection, count)
    while count and _are_taken(connection, first, count):
        first = _reserved(connection, count)
    return first


def _reserved(connection: Connection, count: int) -> int:
    names = m.counters.c
    connection.execute(
        _insert(connection, m.counters)
        .values(name=_COUNTER, value=FIRST_RESTOCKED)
        .on_conflict_do_nothing()
    )
    taken = connection.scalar(
        update(m.counters)
        .where(names.name == _COUNTER)
        .values(value=names.value + count)
        .returning(names.value)
    )
    return int(taken or 0) - count


def _are_taken(connection: Connection, first: int, count: int) -> bool:
    """Whether somebody wrote one of these numbers on a tag of his own."""
    lowest, highest = tag_names([first, first + count - 1])
    within = select(_items.id).where(_items.rfid_tag >= lowest, _items.rfid_tag <= highest)
    return connection.scalar(within.limit(1)) is not None


def _about(connection: Connection, products: list[int]) -> dict[int, Any]:
    """(sku, item reference, x, y, zone) of those products that are there."""
    skus = select(m.products.c.id, m.products.c.sku)
    there = connection.execute(skus.where(among(connection, m.products.c.id, products))).all()
    references = item_references(connection, [product for product, _ in there])
    places = _item_places(connection, products)
    found = {}
    for product, sku in there:
        x, y, zone = places.get(product, (None, None, None))
        found[product] = (sku, references[product], _or_nan(x), _or_nan(y), zone or NO_ZONE)
    return found


def _item_places(connection: Connection, products: list[int]) -> dict[int, Any]:
    """Where an item of each product stands, the one with the least tag: (x, y, zone)."""
    first = select(func.min(_items.rfid_tag)).where(among(connection, _items.product_id, products))
    found = connection.execute(
        select(_items.product_id, _items.x_position, _items.y_position, _items.zone_id).where(
            _items.rfid_tag.in_(first.group_by(_items.product_id))
        )
    )
    return {row[0]: tuple(row[1:]) for row in found}


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _products_of(connection: Connection, skus: Sequence[str], errors: dict[int, str]) -> I64:
    """The product of each row; rows whose SKU is unknown are errors."""
    wanted = among(connection, m.products.c.sku, sorted(set(sound(skus, errors))))
    found = connection.execute(select(m.products.c.sku, m.products.c.id).where(wanted))
    ids = {row.sku: row.id for row in found}
    product = np.array([ids.get(sku, 0) for sku in skus], dtype=np.int64)
    for row in np.flatnonzero(product == 0).tolist():
        errors.setdefault(row, f"sku: there is no product {skus[row]!r:.60}")
    return product


def _unknown(rows: ItemRows, known: Collection[str], errors: Collection[int]) -> list[int]:
    """The sound rows with tags that are not there."""
    tags = enumerate(rows.rfid_tag)
    return [row for row, tag in tags if row not in errors and tag not in known]


@dataclass(slots=True)
class _Epcs:
    """Which EPCs new items cannot have: `used` ones, and those that belong to other items.

    One with our company prefix has its tag's number, and its product's item reference.
    """

    rows: ItemRows
    product: I64
    used: set[str]
    references: dict[int, str]

    @classmethod
    def of(
        cls, connection: Connection, rows: ItemRows, product: I64, unknown: Sequence[int]
    ) -> _Epcs:
        """What the store says of the EPCs of rows that may be new."""
        given = {row: rows.epc[row] for row in unknown if rows.epc[row]}
        there = select(_items.epc).where(among(connection, _items.epc, list(given.values())))
        with_ours = [row for row, epc in given.items() if ours(epc)]
        products = np.unique(product[with_ours]).tolist()
        references = written_references(connection, products)
        return cls(rows, product, set(connection.scalars(there)), references)

    def refuse(self, row: int) -> str:
        """Why a new item cannot have its EPC; "" where it can, and has it from now on."""
        epc = self.rows.epc[row]
        if not epc:
            return ""
        if epc in self.used:
            return f"epc: {epc} is on another tag"
        if said := ours(epc):
            tag = tag_names([said.serial])[0]
            if self.rows.rfid_tag[row] != tag:
                return f"epc: with company prefix {COMPANY} it belongs to {tag}; give another's"
            reference = self.references.setdefault(int(self.product[row]), said.item)
            if said.item != reference:
                return f"epc: its item reference is {said.item}, its product's is {reference}"
        self.used.add(epc)
        return ""


def _note_arrivals(connection: Connection, last: int, kind: str, run: int | None) -> None:
    """A movement for each item that came after the `last`, and its product's stock."""
    new = _items.id > last
    connection.execute(
        insert(m.stock_movements).from_select(
            ["item_id", "product_id", "kind", "delta", "occurred_at", "run_id"],
            select(
                _items.id,
                _items.product_id,
                literal(kind),
                literal(1),
                _items.created_at,
                literal(run, Integer),
            ).where(new),
        )
    )
    counted = select(_items.product_id, func.count(), func.max(_items.created_at))
    statement = _insert(connection, m.stock_levels).from_select(
        ["product_id", "on_hand", "updated_at"], counted.where(new).group_by(_items.product_id)
    )
    levels = m.stock_levels.c
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[levels.product_id],
            set_={
                "on_hand": levels.on_hand + statement.excluded.on_hand,
                "updated_at": statement.excluded.updated_at,
            },
        )
    )


def _insert(connection: Connection, table: Any) -> Any:
    """An INSERT that may say what to do on conflict, which SQLAlchemy has for each dialect."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)


def _taken(values: Sequence[str], rows: I64) -> pa.Array:
    return pa.array([values[row] for row in rows.tolist()], type=pa.string())
