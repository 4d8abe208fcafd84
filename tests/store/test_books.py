"""Whatever is done to a ledger, in whatever order: its books agree, and a model knows how."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select

from retail_datagen.config.errors import UserError
from retail_datagen.store.backfill import Backfill, backfill
from retail_datagen.store.database import models as m
from retail_datagen.store.database import open_database
from retail_datagen.store.ledger import Detections, Ledger
from retail_datagen.store.moments import LedgerError
from stores import OPENED, items, products, violations

PRODUCTS = 4
ids = st.lists(st.integers(1, 40), max_size=8)


class Books(RuleBasedStateMachine):
    """A ledger beside a dictionary: item -> (product, present)."""

    def __init__(self) -> None:
        super().__init__()
        self.engine = open_database("sqlite://")
        self.ledger = Ledger(self.engine)
        self.ledger.add_products(products(PRODUCTS), OPENED)
        self.now = OPENED
        self.items: dict[int, list[int]] = {}
        self.bought = 0
        self.tags = 0

    def teardown(self) -> None:
        self.engine.dispose()

    def _present(self, wanted: list[int], there: int) -> list[int]:
        return [i for i in dict.fromkeys(wanted) if i in self.items and self.items[i][1] == there]

    @rule(minutes=st.integers(0, 90))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(wanted=st.lists(st.integers(0, PRODUCTS), max_size=6), again=st.integers(0, 3))
    def add(self, wanted: list[int], again: int) -> None:
        first = max(self.tags + 1 - again, 1)
        added = self.ledger.add_items(items(wanted, first), self.now)
        known = min(self.tags + 1 - first, len(wanted))
        # The last product is not there: its items are errors before anything else.
        wrong = wanted.count(PRODUCTS)
        assert added.failed == wrong
        # A tag that is known may be of another product here.
        there = added.skipped + added.conflicting
        assert there == sum(p != PRODUCTS for p in wanted[:known])
        if wrong == 0:
            self._came([p + 1 for p in wanted[known:]])
            self.tags = max(self.tags, first + len(wanted) - 1)
        else:
            self._came([p + 1 for p in wanted[known:] if p != PRODUCTS])
            # Tags are used again only where they are known.
            self.tags = max(self.tags, first + len(wanted) - 1)
            self._fill_gaps()

    def _fill_gaps(self) -> None:
        """Tags of refused rows are taken by the first product, so that known ones have no gaps."""
        rows = items([0] * self.tags)
        added = self.ledger.add_items(rows, self.now)
        self._came([1] * added.created)

    def _came(self, wanted: list[int]) -> None:
        with self.engine.connect() as connection:
            there = connection.scalars(select(m.inventory_items.c.id)).all()
        new = sorted(set(there) - set(self.items))
        assert len(new) == len(wanted)
        for item, product in zip(new, wanted, strict=True):
            self.items[item] = [product, 1]

    @rule(wanted=ids)
    def sell(self, wanted: list[int]) -> None:
        expected = self._present(wanted, 1)
        sold = self.ledger.sell(wanted, self.now, f"B{self.now:%d%H%M}")
        assert sorted(sold.items.tolist()) == sorted(expected)
        assert len(sold.items) + len(sold.refused) == len(wanted)
        self._set(expected, 0)
        self.bought += len(expected)
        # An item is bought once at a time.
        self.now += timedelta(seconds=1)

    @rule(wanted=ids, reason=st.sampled_from(["stolen", "lost", "moved"]))
    def lose(self, wanted: list[int], reason: str) -> None:
        expected = self._present(wanted, 1)
        gone = self.ledger.lose(wanted, self.now, reason)
        assert sorted(gone.items.tolist()) == sorted(expected)
        self._set(expected, 0)

    @rule(wanted=ids)
    def bring_back(self, wanted: list[int]) -> None:
        expected = self._present(wanted, 0)
        back = self.ledger.bring_back(wanted, self.now)
        assert sorted(back.items.tolist()) == sorted(expected)
        self._set(expected, 1)

    @rule(wanted=st.lists(st.integers(1, PRODUCTS + 1), max_size=5))
    def restock(self, wanted: list[int]) -> None:
        came = self.ledger.restock(np.array(wanted, dtype=np.int64), self.now)
        there = [p for p in wanted if p <= PRODUCTS]
        assert came.products.tolist() == there
        self._came(there)

    @rule(wanted=ids)
    def see(self, wanted: list[int]) -> None:
        there = np.array(self._present(wanted, 1), dtype=np.int64)
        far = np.full(len(there), 100.0)
        self.ledger.see(Detections(there, self.now, -far, ["S"] * len(there), far))

    @rule()
    def snapshot(self) -> None:
        self.ledger.snapshot(self.now)
        self.now += timedelta(seconds=1)

    @rule(wanted=ids)
    def too_early(self, wanted: list[int]) -> None:
        moved = self._present(wanted, 1)
        try:
            self.ledger.sell(wanted, OPENED - timedelta(days=1))
        except LedgerError:
            return
        assert not moved

    @rule(seed=st.integers(0, 99), replace=st.booleans())
    def backfill(self, seed: int, replace: bool) -> None:
        try:
            today = OPENED.date()
            backfill(self.engine, Backfill(2, "sparse", seed, replace, today))
        except UserError:
            # No item that is free, or the days are there.
            return
        with self.engine.connect() as connection:
            found = connection.execute(
                select(
                    m.inventory_items.c.id,
                    m.inventory_items.c.product_id,
                    m.inventory_items.c.status,
                )
            ).all()
        before = self._levels()
        self.items = {row.id: [row.product_id, int(row.status == "present")] for row in found}
        assert self._levels() == before

    def _set(self, changed: list[int], present: int) -> None:
        for item in changed:
            self.items[item][1] = present

    def _levels(self) -> dict[int, int]:
        levels = dict.fromkeys(range(1, PRODUCTS + 1), 0)
        for product, present in self.items.values():
            levels[product] += present
        return levels

    @invariant()
    def books_agree(self) -> None:
        assert violations(self.engine) == []
        columns = m.stock_levels.c
        with self.engine.connect() as connection:
            found = connection.execute(select(columns.product_id, columns.on_hand)).all()
        assert {row.product_id: row.on_hand for row in found} == self._levels()


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)


def test_times_with_a_zone_are_refused() -> None:
    engine = open_database("sqlite://")
    ledger = Ledger(engine)
    ledger.add_products(products(1))
    with pytest.raises(LedgerError, match="has a zone"):
        ledger.add_items(items([0]), datetime.now().astimezone())
    engine.dispose()
