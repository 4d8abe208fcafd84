"""Which items a past can be told of: those that stand in the store throughout it.

What is known of an item after that past, be it seen by a scanner or bought, does not matter: it
stood there at the end. But then it is that one which stood there, and nobody bought it before.
It moves opening stock to where the past begins; `backfill` calls it in its transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, case, func, or_, select, update

from retail_datagen.core.arrays import I64, Bool
from retail_datagen.store.database import models as m
from retail_datagen.store.lease import simulating

_items, _movements, _seen = m.inventory_items.c, m.stock_movements.c, m.detections.c


@dataclass(frozen=True, slots=True)
class Standing:
    """Items that stand there: [items], by product, the free ones first, and by tag.

    Of those that are `free` nothing is known but their arrival, so they may have been sold: others
    have come since. `arrived` is datetime64[us].
    """

    item: I64
    product: I64
    arrived: Any
    free: Bool

    def __len__(self) -> int:
        return len(self.item)


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


def standing(connection: Connection, first: datetime, end: datetime) -> Standing:
    """Who came by `first`, and of whom nothing else is known before `end`.

    While a simulation runs nobody is free: it has them on its shelves.
    """
    arrives = _movements.kind.in_(m.ARRIVALS)
    came = func.max(case((arrives, _movements.occurred_at)))
    known = func.min(case((~arrives, _movements.occurred_at)))
    moved = (
        select(_movements.item_id, came.label("came"), known.label("known"))
        .group_by(_movements.item_id)
        .having(came <= first, or_(known.is_(None), known >= end))
        .subquery()
    )
    read = select(_seen.item_id, func.min(_seen.seen_at).label("seen"))
    read_first = read.group_by(_seen.item_id).subquery()
    lonely = moved.c.known.is_(None) & read_first.c.seen.is_(None)
    bound = case((lonely & (_items.status == m.PRESENT), 0), else_=1).label("bound")
    found = connection.execute(
        select(_items.id, _items.product_id, moved.c.came, bound)
        .join(moved, moved.c.item_id == _items.id)
        .outerjoin(read_first, read_first.c.item_id == _items.id)
        .where(or_(read_first.c.seen.is_(None), read_first.c.seen >= end))
        .order_by(_items.product_id, bound, _items.rfid_tag)
    ).all()
    free = np.array([row.bound == 0 for row in found], dtype=np.bool_)
    return Standing(
        np.array([row.id for row in found], dtype=np.int64),
        np.array([row.product_id for row in found], dtype=np.int64),
        np.array([row.came for row in found], dtype="M8[us]"),
        np.zeros_like(free) if simulating(connection) else free,
    )
