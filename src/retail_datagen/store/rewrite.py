"""The ledger's other hand: writes a past that nobody noted while it happened.

Such a past ends at the stock that was there then: what arrives in it leaves in it, product by
product, or else is there at its end. It keeps the rules of the ledger. `backfill` and `receipts`
write pasts with it; `standing` says which items have one to be told, `takeback` undoes one, and
hands arrivals over by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, bindparam, select, update

from retail_datagen.core.arrays import I64, Bool
from retail_datagen.store.arrivals import ids_of, next_tags, tag_names
from retail_datagen.store.database import models as m
from retail_datagen.store.database.bulk import among, load, money, times
from retail_datagen.store.epc import epcs
from retail_datagen.store.moments import LedgerError
from retail_datagen.store.references import item_references

_items, _movements = m.inventory_items.c, m.stock_movements.c
# Not an IN: its list cannot be expanded where a statement is run for many values.
_ARRIVES = (_movements.kind == m.INITIAL) | (_movements.kind == m.RESTOCK)
PRESENT_STILL = np.datetime64("NaT", "us")


@dataclass(frozen=True, slots=True)
class Lives:
    """What becomes of items: [lives]. Times are datetime64[us]; who has not left has NaT.

    `item` is the item's id, or 0 for one that is not in the database; `like` is then an item
    (an id) whose place it takes, or 0. `came` is the kind of the arrival and `came_by` its reason;
    an item that is in the database keeps its arrival unless `rewritten`. `left` is the kind of
    the departure, `gone` the item's reason and `left_by` the movement's. Prices are cents, -1 for
    none.

    `heir_of` is 0, or an item of the database that a new one takes the place of in the books: it
    came when that one did, which arrives anew in another life. So what is known of an item later
    does not keep the shelf that it stands on from having a past.
    """

    item: I64
    product: I64
    like: I64
    heir_of: I64
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
    heirs = np.flatnonzero(lives.heir_of > 0)
    inherited = ~new & np.isin(lives.item, lives.heir_of[heirs])
    comes = new & (lives.heir_of == 0) | inherited
    _check_end(lives, comes, gone)
    ids = lives.item.copy()
    ids[new] = _load_items(connection, lives, np.flatnonzero(new))
    hand_over(connection, lives.heir_of[heirs], ids[heirs])
    _rewrite_arrivals(connection, lives, np.flatnonzero(lives.rewritten & ~new), run)
    _take_away(connection, lives, np.flatnonzero(gone & ~new))
    movements = pa.concat_tables(
        [
            _movements_of(lives, ids, np.flatnonzero(comes), run, arriving=True),
            _movements_of(lives, ids, np.flatnonzero(gone), run, arriving=False),
        ]
    )
    # At equal times what arrives comes first, so that whoever adds up by row never sees less.
    order = [("occurred_at", "ascending"), ("delta", "descending"), ("item_id", "ascending")]
    load(connection, m.stock_movements, movements.sort_by(order))
    sold = np.flatnonzero(gone & (lives.left == m.SALE))
    load(connection, m.purchase_events, _purchases_of(lives, ids, sold, source, run))
    return Written(len(sold), int(np.count_nonzero(comes)), int(np.count_nonzero(gone)))


def hand_over(connection: Connection, giver: I64, heir: I64) -> None:
    """The arrivals of items (ids) become those of others; nothing else of them changes."""
    values = [{"g": g, "h": h} for g, h in zip(giver.tolist(), heir.tolist(), strict=True)]
    if values:
        connection.execute(
            update(m.stock_movements)
            .where(_movements.item_id == bindparam("g"), _ARRIVES)
            .values(item_id=bindparam("h")),
            values,
        )


def _check_end(lives: Lives, comes: Bool, gone: Bool) -> None:
    size = int(lives.product.max(initial=0)) + 1
    came = np.bincount(lives.product[comes], minlength=size)
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
    tags = tag_names(numbers.tolist())
    distinct, which = np.unique(product, return_inverse=True)
    of_product = item_references(connection, distinct.tolist())
    references = [of_product[p] for p in distinct.tolist()]
    place = _places(connection, lives.like[rows])
    departed = lives.departed[rows]
    gone = ~np.isnat(departed)
    columns = {
        "rfid_tag": pa.array(tags),
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
    return ids_of(connection, tags)


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
            .where(_movements.item_id == bindparam("i"), _ARRIVES)
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
