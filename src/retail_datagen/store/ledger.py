"""The ledger: writes what becomes of an item, as it happens.

Each change of an item is one row of `stock_movements`; purchases, levels and snapshots follow from
it, in the same transaction. What it promises, and `verify` proves:

- an item is present, or not and then for a reason; it is sold or lost only while it is present;
- an item's movements go forward in time, and none is at or before a snapshot's time;
- a product's `on_hand` is the sum of its movements and the count of its present items.

Calls take whole batches and are one transaction each. Times are the store's wall clock; without
one, it is the ledger's own (`clock`). What arrives is in `arrivals`. `rewrite` is the ledger's
other hand: it writes a past, which `takeback` takes back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isnan
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import (
    Connection,
    Engine,
    bindparam,
    func,
    insert,
    literal,
    null,
    select,
    update,
)

from retail_datagen.core.arrays import F64, I64
from retail_datagen.store.arrivals import add_items, add_products, restock
from retail_datagen.store.database import models as m
from retail_datagen.store.database.bulk import among, load, money, times
from retail_datagen.store.database.engine import writing
from retail_datagen.store.moments import LedgerError, When, checked, clock, moments
from retail_datagen.store.rows import Added, ItemRows, ProductRows

_items, _movements, _levels = m.inventory_items.c, m.stock_movements.c, m.stock_levels.c


@dataclass(frozen=True, slots=True)
class Changed:
    """What a call changed: items and their products, and the items that it could not change."""

    items: I64
    products: I64
    refused: I64


@dataclass(frozen=True, slots=True)
class Detections:
    """What a scanner read: [detections]. `rssi` in dBm, `distance` in cm; NaN is unknown."""

    item: I64
    at: When
    rssi: F64
    reader: Sequence[str]
    distance: F64


class Ledger:
    """The ledger of the store in a database. `run` marks what it writes (see `begin_run`)."""

    def __init__(self, engine: Engine, run: int | None = None) -> None:
        self.engine = engine
        self.run = run

    # What arrives.

    def add_products(self, rows: ProductRows, at: datetime | None = None) -> Added:
        """Add products; those whose SKU is known stay as they are."""
        with writing(self.engine) as connection:
            return add_products(connection, rows, at or datetime.now())

    def add_items(self, rows: ItemRows, at: datetime | None = None) -> Added:
        """Add items, present from `at` on; those whose tag is known stay as they are.

        Raises LedgerError for new ones at or before the last snapshot.
        """
        with writing(self.engine) as connection:
            moment = moments(at or clock(connection), 1)
            return add_items(connection, rows, moment[0], m.INITIAL, self.run)

    def restock(
        self,
        products: Sequence[int] | I64,
        at: When | None = None,
        x: F64 | None = None,
        y: F64 | None = None,
        zone_id: I64 | None = None,
    ) -> Changed:
        """New items, one for each of `products` (ids), with new tags; the new items' ids.

        Without places they stand where an item of their product stands or stood. Products that are
        not there are refused.
        """
        wanted = np.asarray(products, dtype=np.int64)
        with writing(self.engine) as connection:
            moment = self._checked(connection, at, len(wanted))
            return Changed(*restock(connection, wanted, moment, (x, y, zone_id), self.run))

    # What leaves and comes back.

    def sell(
        self,
        items: Sequence[int] | I64,
        at: When | None = None,
        basket: str | Sequence[str | None] | None = None,
        source: str = m.SIMULATION,
    ) -> Changed:
        """Present items are bought at their product's price; others are refused.

        `basket` joins what was bought together: one text for all, or one for each.
        """
        ids, one = np.asarray(items, dtype=np.int64), basket is None or isinstance(basket, str)
        baskets = [basket] * len(ids) if one else list(basket or ())
        with writing(self.engine) as connection:
            moment = self._checked(connection, at, len(ids))
            rows, gone = self._leave(connection, ids, moment, m.SALE, m.SOLD)
            price = self._prices(connection, gone.products)
            load(
                connection,
                m.purchase_events,
                pa.table(
                    {
                        "item_id": gone.items,
                        "product_id": gone.products,
                        "occurred_at": times(moment[rows]),
                        "unit_price": price,
                        "basket_id": pa.array([baskets[row] for row in rows], type=pa.string()),
                        "source": _same(source, len(rows)),
                        "run_id": _same(self.run, len(rows)),
                    }
                ),
            )
            return gone

    def lose(
        self, items: Sequence[int] | I64, at: When | None = None, reason: str = m.LOST
    ) -> Changed:
        """Present items are gone without a purchase: stolen, lost or moved elsewhere."""
        if reason not in (m.STOLEN, m.LOST, m.MOVED):
            raise LedgerError(f"reason: {reason!r} is not stolen, lost or moved")
        ids = np.asarray(items, dtype=np.int64)
        with writing(self.engine) as connection:
            moment = self._checked(connection, at, len(ids))
            return self._leave(connection, ids, moment, m.LOSS, reason)[1]

    def bring_back(
        self, items: Sequence[int] | I64, at: When | None = None, reason: str = "found"
    ) -> Changed:
        """Items that are not present are again: found, or returned by who bought them.

        Their purchases stay; `reason` stands on the movement, an adjustment.
        """
        ids = np.asarray(items, dtype=np.int64)
        with writing(self.engine) as connection:
            moment = self._checked(connection, at, len(ids))
            rows, back = self._known(connection, ids, moment, m.NOT_PRESENT)
            self._move(connection, back, moment[rows], m.ADJUSTMENT, 1, reason)
            self._set(connection, back.items, moment[rows], None)
            return back

    # What is seen, and where it stands.

    def see(self, seen: Detections) -> None:
        """Note what a scanner read."""
        if not len(seen.item):
            return
        moment = moments(seen.at, len(seen.item))
        rows = {
            "item_id": seen.item,
            "seen_at": times(moment),
            "rssi": pa.array(seen.rssi, from_pandas=True),
            "reader": pa.array(seen.reader, type=pa.string()),
            "distance": pa.array(seen.distance, from_pandas=True),
        }
        with writing(self.engine) as connection:
            load(connection, m.detections, pa.table(rows))
            for when in np.unique(moment):
                ids = np.unique(seen.item[moment == when]).tolist()
                connection.execute(
                    update(m.inventory_items)
                    .where(among(connection, _items.id, ids))
                    .values(last_seen_at=when.item())
                )

    def place(self, items: Sequence[int] | I64, x: F64, y: F64, zone_id: I64) -> None:
        """Items stand elsewhere now: places in cm, NaN is none; zone 0 is none."""
        columns = np.asarray(items).tolist(), _places(x), _places(y), zone_id.tolist()
        rows = zip(*columns, strict=True)
        values = [{"i": i, "x": x, "y": y, "z": z or None} for i, x, y, z in rows]
        if values:
            moved = update(m.inventory_items).where(_items.id == bindparam("i"))
            places = {"x_position": "x", "y_position": "y", "zone_id": "z"}
            with writing(self.engine) as connection:
                connection.execute(
                    moved.values({name: bindparam(key) for name, key in places.items()}), values
                )

    # Snapshots and runs.

    def snapshot(self, at: datetime | None = None) -> int:
        """Keep every product's stock as it is; how many there are.

        Raises LedgerError for a time before the latest movement, or not after the last snapshot.
        """
        with writing(self.engine) as connection:
            moment = moments(at or clock(connection), 1)
            latest = connection.scalar(select(func.max(_movements.occurred_at)))
            if latest and moment[0] < np.datetime64(latest):
                raise LedgerError(f"a snapshot at {moment[0]}: there is a movement at {latest}")
            taken = checked(connection, moment)[0].item()
            rows = select(literal(taken), _levels.product_id, _levels.on_hand)
            columns = ["taken_at", "product_id", "on_hand"]
            connection.execute(insert(m.stock_snapshots).from_select(columns, rows))
            count = int(connection.scalar(select(func.count()).select_from(m.stock_levels)) or 0)
            run = m.runs.c
            noted = update(m.runs).where(run.id == self.run)
            connection.execute(noted.values(snapshots=run.snapshots + count))
            return count

    def clock(self) -> datetime:
        """The earliest time that may be written now: this machine's, or the ledger's if later."""
        with self.engine.connect() as connection:
            return clock(connection)

    def begin_run(self, kind: str, params: dict[str, object], at: datetime | None = None) -> int:
        """Begin something that writes movements: its id, which also marks what follows."""
        begun = at or self.clock()
        row = {"kind": kind, "started_at": begun, "params": json.dumps(params, default=str)}
        with writing(self.engine) as connection:
            done = connection.execute(insert(m.runs).values(row))
            assert done.inserted_primary_key is not None
            self.run = int(done.inserted_primary_key[0])
        return self.run

    def end_run(self, at: datetime | None = None) -> None:
        """The run that was begun is over."""
        ended = at or self.clock()
        with writing(self.engine) as connection:
            connection.execute(update(m.runs).where(m.runs.c.id == self.run).values(ended_at=ended))

    # How it is written.

    def _checked(self, connection: Connection, at: When | None, count: int) -> Any:
        return checked(connection, moments(clock(connection) if at is None else at, count))

    def _leave(
        self, connection: Connection, ids: I64, moment: Any, kind: str, reason: str
    ) -> tuple[I64, Changed]:
        rows, gone = self._known(connection, ids, moment, m.PRESENT)
        # A sale's movement has its reason in its kind.
        self._move(connection, gone, moment[rows], kind, -1, None if kind == m.SALE else reason)
        self._set(connection, gone.items, moment[rows], reason)
        return rows, gone

    def _known(
        self, connection: Connection, ids: I64, moment: Any, status: str
    ) -> tuple[I64, Changed]:
        """Which rows of `ids` name an item of that status for the first time, and the items.

        Raises LedgerError when one was moved after its moment.
        """
        latest = select(_movements.item_id, func.max(_movements.occurred_at).label("at"))
        latest = latest.where(among(connection, _movements.item_id, ids.tolist()))
        moved = latest.group_by(_movements.item_id).subquery()
        found = connection.execute(
            select(_items.id, _items.product_id, moved.c.at)
            .join(moved, moved.c.item_id == _items.id)
            .where(_items.status == status)
        ).all()
        product = {row.id: (row.product_id, np.datetime64(row.at, "us")) for row in found}
        _, first = np.unique(ids, return_index=True)
        rows = np.array(sorted(row for row in first.tolist() if int(ids[row]) in product), np.int64)
        for row in rows.tolist():
            last = product[int(ids[row])][1]
            if moment[row] < last:
                raise LedgerError(f"item {ids[row]} at {moment[row]}: it was moved at {last}")
        items = ids[rows]
        products = np.array([product[item][0] for item in items.tolist()], np.int64)
        refused = np.delete(ids, rows)
        return rows, Changed(items, products, refused)

    def _move(
        self,
        connection: Connection,
        moved: Changed,
        moment: Any,
        kind: str,
        delta: int,
        reason: str | None,
    ) -> None:
        count = len(moved.items)
        rows = {
            "item_id": moved.items,
            "product_id": moved.products,
            "kind": _same(kind, count),
            "delta": np.full(count, delta),
            "occurred_at": times(moment),
            "reason": _same(reason, count),
            "run_id": _same(self.run, count),
        }
        load(connection, m.stock_movements, pa.table(rows))
        if not count:
            return
        products, units = np.unique(moved.products, return_counts=True)
        at = np.max(moment).item()
        connection.execute(
            update(m.stock_levels)
            .where(_levels.product_id == bindparam("p"))
            .values(on_hand=_levels.on_hand + bindparam("n"), updated_at=at),
            [
                {"p": product, "n": delta * number}
                for product, number in zip(products.tolist(), units.tolist(), strict=True)
            ],
        )

    def _set(self, connection: Connection, items: I64, moment: Any, reason: str | None) -> None:
        if not len(items):
            return
        change = update(m.inventory_items).where(_items.id == bindparam("i"))
        if reason is None:
            values = change.values(status=m.PRESENT, reason=null(), left_at=null())
        else:
            values = change.values(status=m.NOT_PRESENT, reason=reason, left_at=bindparam("t"))
        rows = zip(items.tolist(), moment.astype("M8[us]").tolist(), strict=True)
        connection.execute(
            values, [{"i": i} if reason is None else {"i": i, "t": t} for i, t in rows]
        )

    def _prices(self, connection: Connection, products: I64) -> pa.Array:
        """What each costs now; empty where a product has no price."""
        columns = select(m.products.c.id, m.products.c.unit_price)
        known = among(connection, m.products.c.id, np.unique(products).tolist())
        price = {row.id: row.unit_price for row in connection.execute(columns.where(known))}
        cents = [-1 if p is None else int(p * 100) for p in map(price.get, products.tolist())]
        held = np.array(cents, dtype=np.int64)
        return money(held, held < 0)


def _same(value: str | int | None, count: int) -> pa.Array:
    kind = pa.int64() if isinstance(value, int) else pa.string()
    return pa.nulls(count, kind) if value is None else pa.array([value] * count, type=kind)


def _places(values: F64) -> list[float | None]:
    """PostgreSQL would keep NaN as a number."""
    return [None if isnan(value) else value for value in values.tolist()]
