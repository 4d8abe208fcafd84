"""The store's items while shoppers handle them: where each is, and what the books believe.

Items are rows of arrays; other modules keep identifiers, since rows move when gone items are
cleared away.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from retail_datagen.core.arrays import F64, I8, I16, I64, Bool
from retail_datagen.store.simulation.books import Opening, Restocked
from retail_datagen.store.simulation.events import Texts
from retail_datagen.store.simulation.grid import Grid
from retail_datagen.store.simulation.walkways import Walkways

ON_SHELF: Final = 0
IN_BASKET: Final = 1
CARRIED_OFF: Final = 2
"""Stolen, while the books still count it as present."""
GONE: Final = 3

REACH: Final = 150.0
"""Centimetres from an aisle within which shoppers take things."""
_CLEAR_FROM: Final = 2_000
_NEVER: Final = -(1 << 62)


class Items:
    """Columns by item, identifiers ascending, and columns by product.

    `product`, `home` and the like are positions: of products in the opening, of aisles in the
    walkways. `on_hand` is what the books count, `coming` what staff are about to bring.
    """

    def __init__(self, opening: Opening, ways: Walkways) -> None:
        self._ways = ways
        self.product_id = opening.product_id
        self.price = opening.price
        self.threshold = opening.threshold
        self.optimal = opening.optimal
        self.id: I64 = np.empty(0, dtype=np.int64)
        self.tag: Texts = np.empty(0, dtype=opening.tag.dtype)
        self.product: I64 = np.empty(0, dtype=np.int64)
        self.x: F64 = np.empty(0)
        self.y: F64 = np.empty(0)
        self.zone: I64 = np.empty(0, dtype=np.int64)
        self.home: I64 = np.empty(0, dtype=np.int64)
        """The aisle that each item is nearest to."""
        self.state: I8 = np.empty(0, dtype=np.int8)
        self.claimed: Bool = np.empty(0, dtype=np.bool_)
        """On the shelf, and somebody is on the way to it."""
        self.holder: I64 = np.empty(0, dtype=np.int64)
        """The place among the walkers of who holds it."""
        self.misses: I16 = np.empty(0, dtype=np.int16)
        self.missing: Bool = np.empty(0, dtype=np.bool_)
        self.kept_at: I64 = np.empty(0, dtype=np.int64)
        """When a reading of each was last kept."""
        self._reach: Bool = np.empty((ways.number_of_aisles, 0), dtype=np.bool_)
        self._grid: Grid | None = None
        self.on_hand: I64 = np.zeros(len(opening.product_id), dtype=np.int64)
        self.coming: I64 = np.zeros(len(opening.product_id), dtype=np.int64)
        self._add(opening.item_id, opening.tag, opening.product, opening.x, opening.y, opening.zone)
        self.usual_x, self.usual_y, self.usual_zone, self.usual_aisle = self._usual_spots()
        self._free: dict[int, list[int]] = {}

    def __len__(self) -> int:
        return len(self.id)

    @property
    def grid(self) -> Grid:
        """An index of the places that items were put, whether or not they are there still."""
        if self._grid is None:
            self._grid = Grid(self.x, self.y)
        return self._grid

    def rows(self, ids: I64) -> I64:
        """Where items that are not cleared away stand in the columns."""
        found: I64 = np.searchsorted(self.id, ids).astype(np.int64)
        return found

    def row(self, item: int) -> int:
        return int(np.searchsorted(self.id, item))

    def within_reach(self, aisle: int) -> I64:
        """Rows of the items that a shopper in an aisle can take."""
        free = (self.state == ON_SHELF) & ~self.claimed
        found: I64 = np.flatnonzero(self._reach[aisle] & free)
        return found

    def leave(self, rows: I64) -> tuple[I64, I64, I64]:
        """The books have let items go: products, changes and what is on hand now."""
        self.state[rows] = GONE
        self.missing[rows] = False
        self.claimed[rows] = False
        products, number = np.unique(self.product[rows], return_counts=True)
        self.on_hand[products] -= number
        for row in rows.tolist():
            self._free.setdefault(int(self.product[row]), []).append(row)
        return products, -number.astype(np.int64), self.on_hand[products]

    def below_threshold(self) -> I64:
        """Products of which there are fewer than their threshold, what is coming included."""
        low: I64 = np.flatnonzero(self.on_hand + self.coming < self.threshold)
        return low

    def places_for(self, product: int, number: int) -> tuple[F64, F64, I64]:
        """Places for new items of a product: those that were left, then its usual one."""
        rows = self._free.get(product, [])
        left = [rows.pop() for _ in range(min(number, len(rows)))]
        rest = number - len(left)
        return (
            np.append(self.x[left], np.full(rest, self.usual_x[product])),
            np.append(self.y[left], np.full(rest, self.usual_y[product])),
            np.append(self.zone[left], np.full(rest, self.usual_zone[product])),
        )

    def bring(self, new: Restocked, product: I64, x: F64, y: F64, zone: I64) -> None:
        """The books have new items."""
        self._add(new.items, new.tags, product, x, y, zone)
        np.subtract.at(self.coming, product, 1)

    def clear_away(self) -> None:
        """Drop items that are gone, once they are many. Rows change; identifiers do not."""
        gone = self.state == GONE
        if int(gone.sum()) < max(_CLEAR_FROM, len(self) // 2):
            return
        places = {row for rows in self._free.values() for row in rows}
        gone[list(places)] = False
        if int(gone.sum()) * 4 < len(self):
            # Most are places to fill again: forget them, products have their usual one.
            gone = self.state == GONE
            self._free.clear()
        kept = ~gone
        moved = np.cumsum(kept) - 1
        self._free = {p: [int(moved[row]) for row in rows] for p, rows in self._free.items()}
        for name in _COLUMNS:
            setattr(self, name, getattr(self, name)[kept])
        self._reach = self._reach[:, kept]
        self._grid = None

    def _add(self, ids: I64, tags: Texts, product: I64, x: F64, y: F64, zone: I64) -> None:
        n = len(ids)
        newest = int(self.id[-1]) if len(self.id) else _NEVER
        if n and (int(ids[0]) <= newest or bool(np.any(np.diff(ids) <= 0))):
            raise ValueError("identifiers of items must ascend")
        away = np.stack([self._ways.distance(a, x, y) for a in range(len(self._reach))])
        home = away.argmin(axis=0)
        reach = away <= REACH
        reach[home, np.arange(n)] = True
        columns = (
            ids, tags, product, x, y, zone, home,
            np.zeros(n, np.int8), np.zeros(n, np.bool_), np.full(n, -1, np.int64),
            np.zeros(n, np.int16), np.zeros(n, np.bool_), np.full(n, _NEVER, np.int64),
        )  # fmt: skip
        for name, column in zip(_COLUMNS, columns, strict=True):
            setattr(self, name, np.concatenate([getattr(self, name), column]))
        self._reach = np.concatenate([self._reach, reach], axis=1)
        np.add.at(self.on_hand, product, 1)
        self._grid = None

    def _usual_spots(self) -> tuple[F64, F64, I64, I64]:
        """Per product the place of its first item, else that of the first item of all."""
        first = np.zeros(len(self.product_id), dtype=np.int64)
        products, rows = np.unique(self.product, return_index=True)
        first[products] = rows
        return self.x[first], self.y[first], self.zone[first], self.home[first]


_COLUMNS: Final = (
    "id", "tag", "product", "x", "y", "zone", "home",
    "state", "claimed", "holder", "misses", "missing", "kept_at",
)  # fmt: skip
