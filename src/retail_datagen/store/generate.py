"""Brings an inventory into a store, directly or through the API, in batches that are safe twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from retail_datagen.config.errors import UserError
from retail_datagen.store.items import Inventory
from retail_datagen.store.moments import LedgerError
from retail_datagen.store.rows import Added, ItemRows, ProductRows

PRODUCTS, ITEMS = "products", "items"


class Target(Protocol):
    """Where an inventory goes."""

    @property
    def batch(self) -> int:
        """How many rows it takes well at once."""

    def add_products(self, rows: ProductRows) -> Added: ...

    def add_items(self, rows: ItemRows) -> Added: ...


class Books(Protocol):
    """A ledger, as far as it is needed here."""

    def add_products(self, rows: ProductRows, at: datetime | None = None) -> Added: ...

    def add_items(self, rows: ItemRows, at: datetime | None = None) -> Added: ...


@dataclass(frozen=True, slots=True)
class Direct:
    """A ledger as a target; `at` is when the items are there, else now."""

    ledger: Books
    at: datetime | None = None
    batch: int = 25_000

    def add_products(self, rows: ProductRows) -> Added:
        return self.ledger.add_products(rows, self.at)

    def add_items(self, rows: ItemRows) -> Added:
        """Raises UserError where new ones would have come before what is known since."""
        try:
            return self.ledger.add_items(rows, self.at)
        except LedgerError as error:
            raise UserError(
                f"items: some are not in this store yet, and cannot come any more: {error}; "
                "`retail-datagen store reset` empties the store"
            ) from None


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows were new, and how many there already: so many of these with other values,
    which stay."""

    created: int
    skipped: int
    differing: int = 0


Progress = Callable[[int, int], None]
"""Is told the rows that are done and all there are."""


def load_products(target: Target, inventory: Inventory, progress: Progress) -> Loaded:
    """Add the products. Raises UserError when one is refused."""
    rows = inventory.products
    return _load(PRODUCTS, len(rows), target.batch, progress, lambda first, end: (
        target.add_products(rows.rows(first, end))
    ))  # fmt: skip


def load_items(target: Target, inventory: Inventory, progress: Progress) -> Loaded:
    """Add the items; their products are there. Raises UserError when one is refused."""
    rows = inventory.items
    return _load(ITEMS, len(rows), target.batch, progress, lambda first, end: (
        target.add_items(rows.rows(first, end))
    ))  # fmt: skip


def _load(
    what: str,
    count: int,
    batch: int,
    progress: Progress,
    add: Callable[[int, int], Added],
) -> Loaded:
    created = skipped = differing = 0
    for first in range(0, count, batch):
        end = min(first + batch, count)
        added = add(first, end)
        created += added.created
        skipped += added.skipped + added.conflicting
        differing += added.conflicting
        if added.failed:
            row, why = min(added.errors.items(), default=(0, "it was refused"))
            raise UserError(
                f"{added.failed:,} of {end - first:,} {what} were refused; the first is number "
                f"{first + row + 1:,}: {why}; {created:,} were created and are kept"
            )
        progress(end, count)
    return Loaded(created, skipped, differing)
