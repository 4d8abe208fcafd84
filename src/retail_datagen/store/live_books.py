"""The simulation's books in the store's database: everything goes through the ledger."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, TypeVar

import numpy as np
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from retail_datagen.config.errors import UserError
from retail_datagen.core.arrays import F64, I64, Bool
from retail_datagen.store.database import models as m
from retail_datagen.store.database.engine import shown_url
from retail_datagen.store.ledger import Detections, Ledger
from retail_datagen.store.moments import LedgerError
from retail_datagen.store.simulation.books import Opening, Restocked, Seen

_LOG = logging.getLogger(__name__)
_GENERATE: Final = "retail-datagen inventory generate --items 3000"
_EPOCH: Final = np.datetime64(0, "ms")
T = TypeVar("T")


class LedgerBooks:
    """`Books` over a ledger. What others write meanwhile is found out when it is met."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._ahead = np.timedelta64(0, "us")
        """How far the ledger's time is ahead of the simulated clock, where somebody else has
        written at later times than that."""

    def open(self) -> Opening:
        """Every product, and the items that are present and have a place."""
        with self._connection() as connection:
            products = connection.execute(
                select(
                    m.products.c.id,
                    m.products.c.unit_price,
                    m.products.c.reorder_threshold,
                    m.products.c.optimal_stock_level,
                ).order_by(m.products.c.id)
            ).all()
            items = m.inventory_items.c
            present = items.status == m.PRESENT
            placed = items.x_position.is_not(None) & items.y_position.is_not(None)
            columns = (
                items.id, items.rfid_tag, items.product_id,
                items.x_position, items.y_position, items.zone_id,
            )  # fmt: skip
            found = connection.execute(
                select(*columns).where(present & placed).order_by(items.id)
            ).all()
            unplaced = connection.scalar(
                select(func.count()).select_from(m.inventory_items).where(present & ~placed)
            )
        self._refuse_nothing(len(products), len(found), int(unplaced or 0))
        ids = np.array([row.id for row in products], dtype=np.int64)
        product_of = np.array([row.product_id for row in found], dtype=np.int64)
        return Opening(
            product_id=ids,
            price=np.array([round((row.unit_price or 0) * 100) for row in products], np.int64),
            threshold=np.array([row.reorder_threshold or 0 for row in products], np.int64),
            optimal=np.array([row.optimal_stock_level or 0 for row in products], np.int64),
            item_id=np.array([row.id for row in found], dtype=np.int64),
            tag=np.array([row.rfid_tag for row in found], dtype=np.str_),
            product=np.searchsorted(ids, product_of),
            x=np.array([row.x_position for row in found], dtype=np.float64),
            y=np.array([row.y_position for row in found], dtype=np.float64),
            zone=np.array([row.zone_id or 0 for row in found], dtype=np.int64),
            unplaced=int(unplaced or 0),
            latest=self._latest(),
        )

    def sell(self, items: I64, at: int, basket: str) -> Bool:
        """Which of the items were present, and are sold now."""
        changed = self._book(at, lambda when: self._ledger.sell(items, when, basket, m.SIMULATION))
        return np.isin(items, changed.items)

    def steal(self, items: I64, at: int) -> Bool:
        """Which of the items were present, and are stolen now."""
        changed = self._book(at, lambda when: self._ledger.lose(items, when, m.STOLEN))
        return np.isin(items, changed.items)

    def restock(self, products: I64, x: F64, y: F64, zone: I64, at: int) -> Restocked:
        """New items. Raises UserError where a product is not there any more."""
        done = self._book(at, lambda when: self._ledger.restock(products, when, x, y, zone))
        if len(done.refused):
            raise UserError(
                f"product {int(done.refused[0])} was removed while the simulation ran; start it "
                "again"
            )
        return Restocked(done.items, self._tags(done.items))

    def see(self, seen: Sequence[Seen]) -> None:
        """Keep readings, and when each item was seen last."""
        number = [len(one.items) for one in seen]
        detections = Detections(
            item=np.concatenate([one.items for one in seen]),
            at=np.repeat([self._moment(one.at) for one in seen], number),
            rssi=np.concatenate([one.rssi for one in seen]) / 10,
            reader=[one.reader for one in seen for _ in one.items],
            distance=np.concatenate([one.distance for one in seen]).astype(np.float64),
        )
        with self._failures():
            self._ledger.see(detections)

    def snapshot(self, at: int) -> int:
        """Note every product's stock."""
        return self._book(at, lambda when: self._ledger.snapshot(when.item()))

    def _book(self, at: int, write: Callable[[Any], T]) -> T:
        """Write at the clock's time; where the ledger is beyond it, at the ledger's."""
        with self._failures():
            return self._write(at, write)

    def _write(self, at: int, write: Callable[[Any], T]) -> T:
        when = self._moment(at)
        try:
            return write(when)
        except LedgerError as error:
            now = np.datetime64(self._ledger.clock() + timedelta(milliseconds=1), "us")
            if now <= when:
                raise
            _LOG.info("the ledger is ahead of the simulated clock by %s: %s", now - when, error)
            self._ahead += now - when
            return write(self._moment(at))

    def _moment(self, at: int) -> Any:
        return (_EPOCH + np.timedelta64(at, "ms")).astype("M8[us]") + self._ahead

    def _latest(self) -> int:
        """The first whole millisecond after whatever stands in the ledger."""
        with self._connection() as connection:
            times = [
                connection.scalar(select(func.max(column)))
                for column in (m.stock_movements.c.occurred_at, m.stock_snapshots.c.taken_at)
            ]
        known = [np.datetime64(time, "ms") for time in times if time is not None]
        return int(max(known).astype(np.int64)) + 1 if known else 0

    def _tags(self, items: I64) -> Any:
        columns = m.inventory_items.c
        with self._connection() as connection:
            found = connection.execute(
                select(columns.id, columns.rfid_tag).where(columns.id.in_(items.tolist()))
            ).all()
        tag = {row.id: row.rfid_tag for row in found}
        return np.array([tag[item] for item in items.tolist()], dtype=np.str_)

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with self._failures(), self._ledger.engine.connect() as connection:
            yield connection

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Say what a database that fails means for people."""
        try:
            yield
        except (DBAPIError, self._ledger.engine.dialect.loaded_dbapi.Error) as error:
            said = " ".join(str(getattr(error, "orig", error)).split())
            raise UserError(
                f"the simulation ended, since the database failed: {said}. What it booked is kept; "
                "start it again once the database answers"
            ) from error

    def _refuse_nothing(self, products: int, items: int, unplaced: int) -> None:
        where = shown_url(self._ledger.engine)
        run = f"{_GENERATE} --database-url {where}"
        if not products:
            raise UserError(f"No products found in database ({where}); run `{run}` first")
        if not items:
            without = f": {unplaced:,} are present, but without a position" if unplaced else ""
            raise UserError(
                f"No inventory items found in database ({where}){without}; there are "
                f"{products:,} products: run `{run}` again, which adds what is missing"
            )
