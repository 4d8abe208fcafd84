"""Rules of what tags carry and readers saw: found by what is computed, not by one query.

Each gives the rows that break it, as the queries of `checks` do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, or_, select

from retail_datagen.quality.check import Check, Rows
from retail_datagen.store.database import models as m
from retail_datagen.store.epc import ours
from retail_datagen.store.rows import UNWRITTEN

_items, _movements, _seen = m.inventory_items.c, m.stock_movements.c, m.detections.c
_OURS = re.compile(r"RFID-([0-9]{8,})")
_AHEAD = timedelta(days=7)
"""A simulation's clock may be ahead of ours; so long at most it notes nothing but readings."""


@dataclass(frozen=True, slots=True)
class Found:
    """A check whose offending rows `find` gives."""

    check: Check
    find: Callable[[Connection], Rows]


def _epcs(connection: Connection) -> Rows:
    columns = select(_items.id, _items.rfid_tag, _items.product_id, _items.epc)
    rows = connection.execute(columns.where(_items.epc.is_not(None)).order_by(_items.id))
    references: dict[int, str] = {}
    wrong = []
    for item, tag, product, epc in rows:
        for why in _wrong_with(tag, epc, product, references):
            wrong.append((item, tag, product, epc, why))
    return Rows(("id", "rfid_tag", "product_id", "epc", "why"), tuple(wrong))


def _wrong_with(tag: str, epc: str, product: int, references: dict[int, str]) -> Iterator[str]:
    if epc.startswith(UNWRITTEN):
        yield "it is none"
        return
    said = ours(epc)
    if said is None:
        return  # Another's, of which we know nothing.
    number = _OURS.fullmatch(tag)
    if number and int(number[1]) != said.serial:
        yield f"its serial is {said.serial}"
    reference = references.setdefault(product, said.item)
    if reference != said.item:
        yield f"its item reference is {said.item}, others of the product have {reference}"


def _detections(connection: Connection) -> Rows:
    read = (
        select(
            _seen.item_id,
            func.min(_seen.seen_at).label("first"),
            func.max(_seen.seen_at).label("last"),
        )
        .group_by(_seen.item_id)
        .subquery()
    )
    moved = select(_movements.item_id, func.min(_movements.occurred_at).label("came"))
    came = moved.group_by(_movements.item_id).subquery()
    found = connection.execute(
        select(read.c.item_id, came.c.came, read.c.first, read.c.last)
        .outerjoin(came, came.c.item_id == read.c.item_id)
        .where(
            or_(
                came.c.came.is_(None),
                read.c.first < came.c.came,
                read.c.last > _latest(connection) + _AHEAD,
            )
        )
        .order_by(read.c.item_id)
    )
    columns = ("item_id", "came", "first_seen", "last_seen")
    return Rows(columns, tuple(tuple(row) for row in found))


def _latest(connection: Connection) -> datetime:
    """The latest that is known, or now."""
    columns = (_movements.occurred_at, m.stock_snapshots.c.taken_at)
    latest = datetime.now()
    for column in columns:
        known: datetime | None = connection.scalar(select(func.max(column)))
        latest = max(latest, known or latest)
    return latest


FOUND = (
    Found(
        Check(
            "epcs_are_of_their_item",
            "an EPC of ours has the tag's number, and its product's reference",
            ("inventory_items",),
            "",
        ),
        _epcs,
    ),
    Found(
        Check(
            "detections_are_of_items",
            "an item was seen after it came, and not in times to come",
            ("detections",),
            "",
        ),
        _detections,
    ),
)
