"""Books in memory that hold the simulation to the rules: what no ledger would allow fails here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np

from retail_datagen.core.arrays import F64, I64, Bool
from retail_datagen.store.floor import FLOOR, SHELVES
from retail_datagen.store.simulation.books import Opening, Restocked, Seen

START = 1_705_485_600_000
"""2024-01-17 10:00, ms since 1970."""


def opening(products: int, items: int, threshold: int = 2, optimal: int = 6) -> Opening:
    """Items of some products, spread over the shelves of the floor plan."""
    shelves = FLOOR.of_kind(*SHELVES)
    number = np.arange(items)
    product = number % products
    zone = number % len(shelves)
    box = np.array([(z.x0, z.y0, z.x1, z.y1, z.id) for z in shelves], dtype=np.float64)[zone]
    x = box[:, 0] + 3 + (number * 37 % 1000) / 1000 * (box[:, 2] - box[:, 0] - 6)
    y = box[:, 1] + 3 + (number * 91 % 997) / 997 * (box[:, 3] - box[:, 1] - 6)
    return Opening(
        product_id=100 + np.arange(products),
        price=500 + 10 * np.arange(products),
        threshold=np.full(products, threshold),
        optimal=np.full(products, optimal),
        item_id=1000 + number,
        tag=np.array([f"RFID-{i:08}" for i in number]),
        product=product,
        x=x,
        y=y,
        zone=box[:, 4].astype(np.int64),
    )


@dataclass
class MemoryBooks:
    """Implements `Books`. `refuses` names items that somebody else has taken out of the books."""

    stock: Opening
    refuses: set[int] = field(default_factory=set)
    before_sale: Callable[[I64], None] = lambda items: None
    present: dict[int, int] = field(default_factory=dict)
    """Product's identifier by item."""
    left: dict[int, str] = field(default_factory=dict)
    baskets: list[str] = field(default_factory=list)
    brought: int = 0
    seen: list[Seen] = field(default_factory=list)
    snapshots: list[tuple[int, int]] = field(default_factory=list)
    latest: int = 0

    def open(self) -> Opening:
        ids = self.stock.product_id[self.stock.product]
        self.present = dict(zip(self.stock.item_id.tolist(), ids.tolist(), strict=True))
        return self.stock

    def sell(self, items: I64, at: int, basket: str) -> Bool:
        self.before_sale(items)
        assert basket not in self.baskets
        self.baskets.append(basket)
        return self._leave(items, at, "sold")

    def steal(self, items: I64, at: int) -> Bool:
        return self._leave(items, at, "stolen")

    def restock(self, products: I64, x: F64, y: F64, zone: I64, at: int) -> Restocked:
        self._go_on(at)
        assert len(products) == len(x) == len(y) == len(zone) > 0
        assert not np.isnan(x).any()
        first = 1000 + len(self.stock.item_id) + self.brought
        ids = first + np.arange(len(products))
        self.brought += len(products)
        self.present.update(zip(ids.tolist(), products.tolist(), strict=True))
        return Restocked(ids, np.array([f"RFID-{i:08}" for i in ids]))

    def see(self, seen: Sequence[Seen]) -> None:
        for one in seen:
            assert set(one.items.tolist()) <= self.present.keys() | self.left.keys()
        self.seen += seen

    def snapshot(self, at: int) -> int:
        assert at > self.latest or not self.snapshots or at > self.snapshots[-1][0]
        self._go_on(at)
        self.snapshots.append((at, len(self.present)))
        return len(self.stock.product_id)

    def on_hand(self) -> dict[int, int]:
        found = dict.fromkeys(self.stock.product_id.tolist(), 0)
        for product in self.present.values():
            found[product] += 1
        return found

    def _leave(self, items: I64, at: int, reason: str) -> Bool:
        self._go_on(at)
        assert len(items) == len(set(items.tolist())) > 0
        done = []
        for item in items.tolist():
            assert item not in self.left, f"item {item} leaves twice"
            if item in self.refuses:
                self.present.pop(item, None)
                done.append(False)
                continue
            del self.present[item]
            self.left[item] = reason
            done.append(True)
        return np.array(done, dtype=np.bool_)

    def _go_on(self, at: int) -> None:
        assert at >= self.latest, "the books go back in time"
        assert not self.snapshots or at > self.snapshots[-1][0], "written into a snapshot's past"
        self.latest = at


class Digest:
    """A listener whose `value` tells one stream of events from any other."""

    def __init__(self) -> None:
        self._hash = sha256()
        self.events = 0

    def __call__(self, event: Any) -> None:
        self.events += 1
        self._hash.update(type(event).__name__.encode())
        for name in event.__dataclass_fields__:
            value = getattr(event, name)
            if isinstance(value, np.ndarray):
                texts = value.dtype.kind == "U"
                self._hash.update("|".join(value).encode() if texts else value.tobytes())
            else:
                self._hash.update(repr(value).encode())

    @property
    def value(self) -> str:
        return self._hash.hexdigest()
