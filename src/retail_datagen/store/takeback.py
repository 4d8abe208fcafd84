"""Takes back a past that `rewrite` wrote: what was sold in it is there again, what came never did.

Today's stock does not change: of each product as many stay as came, and none that something is
known of since.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Connection, case, delete, func, null, or_, select, update

from retail_datagen.core.arrays import I64, Bool
from retail_datagen.store.database import models as m
from retail_datagen.store.database.bulk import among
from retail_datagen.store.rewrite import hand_over

_items, _movements = m.inventory_items.c, m.stock_movements.c


def take_back(connection: Connection, runs: Sequence[int]) -> None:
    """Undo what runs wrote: sold items are there again, restocked ones never came.

    Where something is known of a restocked item since, it was there all the time, and the one that
    was sold never: its place in the books is the other's. A sold item that came back since stays
    as it is. What is left of a run keeps it.
    """
    if not runs:
        return
    touched = _touched(connection, runs)
    sold, fresh, later = touched.sold, touched.fresh, touched.later
    returned, removed = _pairs(touched.product, sold, fresh)
    replaced, kept = _pairs(touched.product, sold & ~returned, later)
    _remove_arrivals(connection, touched.item[kept], runs)
    hand_over(connection, touched.ordered(replaced), touched.ordered(kept))
    _remove(connection, touched.item[removed | replaced | touched.passed])
    _return(connection, touched.item[returned], runs)
    _remove_runs(connection, runs)


@dataclass(frozen=True, slots=True)
class _Touched:
    """Items that runs moved: [items]. Whether they came or left in them, and are `known` since."""

    item: I64
    product: I64
    came: Bool
    left: Bool
    known: Bool

    @property
    def sold(self) -> Bool:
        """They were there before."""
        return self.left & ~self.came & ~self.known

    @property
    def fresh(self) -> Bool:
        """They came, and are there still."""
        return self.came & ~self.left & ~self.known

    @property
    def later(self) -> Bool:
        """They came, and something is known of them since."""
        return self.came & ~self.left & self.known

    @property
    def passed(self) -> Bool:
        """They came and left."""
        return self.came & self.left & ~self.known

    def ordered(self, rows: Bool) -> I64:
        """Some of the items, by product."""
        order: I64 = np.argsort(self.product[rows], kind="stable")
        items: I64 = self.item[rows][order]
        return items


def _touched(connection: Connection, runs: Sequence[int]) -> _Touched:
    written = _movements.run_id.in_(list(runs))
    foreign = select(_movements.item_id).where(
        _movements.item_id.in_(select(_movements.item_id).where(written)),
        _movements.run_id.is_(None) | _movements.run_id.not_in(list(runs)),
        _movements.kind.not_in(m.ARRIVALS),
    )
    seen = select(m.detections.c.item_id)
    known = or_(_movements.item_id.in_(foreign), _movements.item_id.in_(seen))
    found = connection.execute(
        select(
            _movements.item_id,
            _movements.product_id,
            func.max(_movements.delta),
            func.min(_movements.delta),
            func.max(case((known, 1), else_=0)),
        )
        .where(written)
        .group_by(_movements.item_id, _movements.product_id)
        .order_by(_movements.item_id)
    ).all()
    item, product, most, least, later = (_column(found, i) for i in range(5))
    return _Touched(item, product, most == 1, least == -1, later == 1)


def _remove_arrivals(connection: Connection, items: I64, runs: Sequence[int]) -> None:
    """Items did not come when runs say so."""
    of_runs = _movements.run_id.in_(list(runs)) & _movements.kind.in_(m.ARRIVALS)
    these = among(connection, _movements.item_id, items.tolist())
    connection.execute(delete(m.stock_movements).where(of_runs, these))


def _remove_runs(connection: Connection, runs: Sequence[int]) -> None:
    """Their snapshots, and those of them of which nothing is left."""
    for run in connection.execute(select(m.runs).where(m.runs.c.id.in_(list(runs)))).all():
        taken = m.stock_snapshots.c.taken_at
        of_run = (taken >= run.first_at) & (taken < run.last_at)
        connection.execute(delete(m.stock_snapshots).where(of_run))
    written = _movements.run_id.in_(list(runs))
    kept = set(connection.scalars(select(_movements.run_id).where(written).distinct()))
    over = [run for run in runs if run not in kept]
    connection.execute(delete(m.runs).where(m.runs.c.id.in_(over)))
    connection.execute(update(m.runs).where(m.runs.c.id.in_(list(kept))).values(snapshots=0))


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


def _column(rows: Sequence[Any], index: int) -> I64:
    return np.fromiter((row[index] for row in rows), dtype=np.int64, count=len(rows))
