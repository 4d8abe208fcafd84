"""The ledger's other hand: writes a past that nobody noted while it happened, or takes one back.

Such a past ends at today's stock: what arrives in it leaves in it, product by product, or else is
there now. Only `backfill` and `receipts` call it; it keeps the rules of the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, bindparam, delete, func, null, select, update

from retail_datagen.core.arrays import I64, Bool
from retail_datagen.store.arrivals import item_places, next_tags, tag_names
from retail_datagen.store.database import models as m
from retail_datagen.store.database.bulk import among, load, money, times
from retail_datagen.store.epc import epcs, reference_of
from retail_datagen.store.moments import LedgerError

_items, _movements = m.inventory_items.c, m.stock_movements.c
PRESENT_STILL = np.datetime64("NaT", "us")


@dataclass(frozen=True, slots=True)
class Lives:
    """What becomes of items: [lives]. Times are datetime64[us]; who has not left has NaT.

    `item` is the item's id, or 0 for one that is not in the database; `like` is then an item
    (an id) whose place it takes, or 0. `came` is the kind of the arrival and `came_by` its reason;
    an item that is in the database keeps its arrival unless `rewritten`. `left` is the kind of
    the departure, `gone` the item's reason and `left_by` the movement's. Prices are cents, -1 for
    none.
    """

    item: I64
    product: I64
    like: I64
    arrived: Any
    came: Any
    came_by: Any
    rewritten: Bool
    departed: Any
    left: Any
    gone: Any
    left_by: Any
    cents: I64
    basket: Any


@dataclass(frozen=True, slots=True)
class Written:
    """How much a past holds."""

    purchases: int
    arrivals: int
    departures: int


def write_past(connection: Connection, lives: Lives, source: str, run: int) -> Written:
    """Write what became of items, as one run. Levels stay: today's stock is where it ends.

    Raises LedgerError when it would end at another stock.
    """
    new = lives.item == 0
    gone = ~np.isnat(lives.departed)
    _check_end(lives, new, gone)
    ids = lives.item.copy()
    ids[new] = _load_items(connection, lives, np.flatnonzero(new))
    _rewrite_arrivals(connection, lives, np.flatnonzero(lives.rewritten & ~new), run)
    _take_away(connection, lives, np.flatnonzero(gone & ~new))
    movements = pa.concat_tables(
        [
            _movements_of(lives, ids, np.flatnonzero(new), run, arriving=True),
            _movements_of(lives, ids, np.flatnonzero(gone), run, arriving=False),
        ]
    )
    # At equal times what arrives comes first, so that whoever adds up by row never sees less.
    order = [("occurred_at", "ascending"), ("delta", "descending"), ("item_id", "ascending")]
    load(connection, m.stock_movements, movements.sort_by(order))
    sold = np.flatnonzero(gone & (lives.left == m.SALE))
    load(connection, m.purchase_events, _purchases_of(lives, ids, sold, source, run))
    return Written(len(sold), int(np.count_nonzero(new)), int(np.count_nonzero(gone)))


def opening_from(connection: Connection, first: datetime) -> None:
    """What was counted as opening stock after `first` was there at `first`.

    Not what came after a snapshot: that says that it was not there.
    """
    snapshots = m.stock_snapshots.c.taken_at
    snapshot = connection.scalar(select(func.min(snapshots)).where(snapshots >= first))
    later = (_movements.kind == m.INITIAL) & (_movements.occurred_at > first)
    if snapshot is not None:
        later &= _movements.occurred_at <= snapshot
    connection.execute(update(m.stock_movements).where(later).values(occurred_at=first))


def untouched(connection: Connection, before: datetime) -> tuple[I64, I64]:
    """(items, their products) whose past is free to be told otherwise, by product and tag.

    They are present, nothing but their arrival at or before `before` is known, and no scanner ever
    saw them.
    """
    lonely = select(_movements.item_id).group_by(_movements.item_id)
    lonely = lonely.having(func.count() == 1, func.max(_movements.occurred_at) <= before)
    seen = select(m.detections.c.item_id)
    found = connection.execute(
        select(_items.id, _items.product_id)
        .where(
            _items.status == m.PRESENT,
            _items.id.in_(lonely),
            _items.id.not_in(seen),
        )
        .order_by(_items.product_id, _items.rfid_tag)
    ).all()
    return _column(found, 0), _column(found, 1)


def take_back(connection: Connection, runs: Sequence[int]) -> None:
    """Undo what runs wrote: sold items are there again, restocked ones never came.

    An item that something happened to since stays as it is, and so does one of the same product
    that it replaced; today's stock does not change.
    """
    if not runs:
        return
    written = _movements.run_id.in_(list(runs))
    foreign = select(_movements.item_id).where(
        _movements.item_id.in_(select(_movements.item_id).where(written)),
        _movements.run_id.is_(None) | _movements.run_id.not_in(list(runs)),
        _movements.kind.not_in([m.INITIAL, m.RESTOCK]),
    )
    found = connection.execute(
        select(
            _movements.item_id,
            _movements.product_id,
            func.max(_movements.delta),
            func.min(_movements.delta),
        )
        .where(
            written,
            _movements.item_id.not_in(foreign),
            _movements.item_id.not_in(select(m.detections.c.item_id)),
        )
        .group_by(_movements.item_id, _movements.product_id)
        .order_by(_movements.item_id)
    ).all()
    item, product, most, least = (_column(found, i) for i in range(4))
    came, left = most == 1, least == -1
    returned, removed = _pairs(product, left & ~came, came & ~left)
    _remove(connection, item[removed | (came & left)])
    _return(connection, item[returned], runs)
    for run in connection.execute(select(m.runs).where(m.runs.c.id.in_(list(runs)))).all():
        taken = m.stock_snapshots.c.taken_at
        of_run = (taken >= run.first_at) & (taken < run.last_at)
        connection.execute(delete(m.stock_snapshots).where(of_run))
    kept = set(connection.scalars(select(_movements.run_id).where(written).distinct()))
    over = [run for run in runs if run not in kept]
    connection.execute(delete(m.runs).where(m.runs.c.id.in_(over)))


def _pairs(product: I64, left: Bool, came: Bool) -> tuple[Bool, Bool]:
    """As many of either kind of each product, the first ones."""

    def rank(rows: Bool) -> I64:
        """How many of the kind and product come before each."""
        order = np.flatnonzero(rows)[np.argsort(product[rows], kind="stable")]
        ordered = product[order]
        ranks = np.full(len(product), len(product), dtype=np.int64)
        ranks[order] = np.arange(len(order)) - np.searchsorted(ordered, ordered)
        return ranks

    size = int(product.max(initial=0)) + 1
    both = np.minimum(
        np.bincount(product[left], minlength=size), np.bincount(product[came], minlength=size)
    )[product]
    return left & (rank(left) < both), came & (rank(came) < both)


def _remove(connection: Connection, items: I64) -> None:
    """Items that never came: nothing of them stays."""
    ids = items.tolist()
    for table in (m.purchase_events, m.stock_movements):
        connection.execute(delete(table).where(among(connection, table.c.item_id, ids)))
    connection.execute(delete(m.inventory_items).where(among(connection, _items.id, ids)))


def _return(connection: Connection, items: I64, runs: Sequence[int]) -> None:
    """Items that never left are present."""
    ids = items.tolist()
    for table in (m.purchase_events, m.stock_movements):
        of_run = table.c.run_id.in_(list(runs))
        connection.execute(delete(table).where(of_run, among(connection, table.c.item_id, ids)))
    connection.execute(
        update(m.inventory_items)
        .where(among(connection, _items.id, ids))
        .values(status=m.PRESENT, reason=null(), left_at=null())
    )


def _check_end(lives: Lives, new: Bool, gone: Bool) -> None:
    size = int(lives.product.max(initial=0)) + 1
    came = np.bincount(lives.product[new], minlength=size)
    left = np.bincount(lives.product[gone], minlength=size)
    wrong = np.flatnonzero(came != left)
    if len(wrong):
        raise LedgerError(f"product {wrong[0]}: {came[wrong[0]]} came and {left[wrong[0]]} left")
    if np.any(lives.departed[gone] < lives.arrived[gone]):
        raise LedgerError("an item leaves before it arrives")


def _load_items(connection: Connection, lives: Lives, rows: I64) -> I64:
    """The ids of items that were not in the database."""
    if not len(rows):
        return rows
    product = lives.product[rows]
    first = next_tags(connection, len(rows))
    numbers = np.arange(first, first + len(rows))
    distinct, which = np.unique(product, return_inverse=True)
    about = item_places(connection, distinct.tolist())
    references = [reference_of((about.get(p) or (None,))[0], p) for p in distinct.tolist()]
    place = _places(connection, lives.like[rows])
    departed = lives.departed[rows]
    gone = ~np.isnat(departed)
    columns = {
        "rfid_tag": pa.array(tag_names(numbers.tolist())),
        "product_id": product,
        "status": pa.array(np.where(gone, m.NOT_PRESENT, m.PRESENT)),
        **place,
        "created_at": times(lives.arrived[rows]),
        "last_seen_at": times(np.where(gone, departed, lives.arrived[rows])),
        "epc": pa.array(epcs(np.array(references, dtype=np.int64)[which], numbers)),
        "reason": pa.array(lives.gone[rows], mask=~gone, type=pa.string()),
        "left_at": times(departed),
    }
    load(connection, m.inventory_items, pa.table(columns))
    lowest, highest = tag_names([int(numbers[0]), int(numbers[-1])])
    ids = connection.scalars(
        select(_items.id)
        .where(_items.rfid_tag >= lowest, _items.rfid_tag <= highest)
        .order_by(_items.rfid_tag)
    )
    return np.fromiter(ids, dtype=np.int64, count=len(rows))


def _places(connection: Connection, like: I64) -> dict[str, pa.Array]:
    """Where the items stand or stood whose places are taken."""
    distinct, which = np.unique(like, return_inverse=True)
    found = connection.execute(
        select(_items.id, _items.x_position, _items.y_position, _items.zone_id).where(
            among(connection, _items.id, distinct.tolist())
        )
    )
    place = {row[0]: tuple(row[1:]) for row in found}
    held = [place.get(item, (None, None, None)) for item in distinct.tolist()]
    kinds = {"x_position": pa.float64(), "y_position": pa.float64(), "zone_id": pa.int64()}
    rows = pa.array(which)
    return {
        name: pa.array([one[index] for one in held], type=kind).take(rows)
        for index, (name, kind) in enumerate(kinds.items())
    }


def _rewrite_arrivals(connection: Connection, lives: Lives, rows: I64, run: int) -> None:
    """Items of the database arrived at another time than their movement says."""
    arrived = lives.arrived[rows].tolist()
    listed = zip(
        lives.item[rows].tolist(),
        arrived,
        lives.came[rows].tolist(),
        lives.came_by[rows].tolist(),
        strict=True,
    )
    values = [{"i": item, "t": at, "k": kind, "r": why} for item, at, kind, why in listed]
    if values:
        connection.execute(
            update(m.stock_movements)
            .where(_movements.item_id == bindparam("i"), _movements.delta == 1)
            .values(
                occurred_at=bindparam("t"),
                kind=bindparam("k"),
                reason=bindparam("r"),
                run_id=run,
            ),
            values,
        )


def _take_away(connection: Connection, lives: Lives, rows: I64) -> None:
    """Items of the database that left."""
    listed = zip(
        lives.item[rows].tolist(),
        lives.departed[rows].tolist(),
        lives.gone[rows].tolist(),
        strict=True,
    )
    values = [{"i": item, "t": at, "r": reason} for item, at, reason in listed]
    if values:
        connection.execute(
            update(m.inventory_items)
            .where(_items.id == bindparam("i"), _items.status == m.PRESENT)
            .values(status=m.NOT_PRESENT, reason=bindparam("r"), left_at=bindparam("t")),
            values,
        )


def _movements_of(lives: Lives, ids: I64, rows: I64, run: int, arriving: bool) -> pa.Table:
    moment, kind, reason = (
        (lives.arrived, lives.came, lives.came_by)
        if arriving
        else (lives.departed, lives.left, lives.left_by)
    )
    columns = {
        "item_id": ids[rows],
        "product_id": lives.product[rows],
        "kind": pa.array(kind[rows], type=pa.string()),
        "delta": np.full(len(rows), 1 if arriving else -1),
        "occurred_at": times(moment[rows]),
        "reason": pa.array(reason[rows], type=pa.string()),
        "run_id": np.full(len(rows), run),
    }
    return pa.table(columns)


def _purchases_of(lives: Lives, ids: I64, rows: I64, source: str, run: int) -> pa.Table:
    order = rows[np.lexsort((ids[rows], lives.departed[rows]))]
    columns = {
        "item_id": ids[order],
        "product_id": lives.product[order],
        "occurred_at": times(lives.departed[order]),
        "unit_price": money(lives.cents[order], lives.cents[order] < 0),
        "basket_id": pa.array(lives.basket[order], type=pa.string()),
        "source": pa.array([source] * len(order), type=pa.string()),
        "run_id": np.full(len(order), run),
    }
    return pa.table(columns)


def _column(rows: Sequence[Any], index: int) -> I64:
    return np.fromiter((row[index] for row in rows), dtype=np.int64, count=len(rows))
