"""What is bought together: pairs of products or categories within baskets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Select, func, select

from retail_datagen.core.arrays import F64, I64
from retail_datagen.store.analytics.window import basket, share, window
from retail_datagen.store.database import models as m

_products, _sales = m.products.c, m.purchase_events.c

Level = Literal["product", "category"]
Order = Literal["lift", "baskets"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two that were bought together. `confidence` is the share of baskets with the first that
    have the second too; a `lift` above 1 says that they go together more than by chance."""

    first: str
    second: str
    first_name: str
    second_name: str
    baskets: int
    support: float
    confidence: float
    reverse_confidence: float
    lift: float


@dataclass(frozen=True, slots=True)
class Affinity:
    """Pairs, and how many baskets there were."""

    baskets: int
    pairs: list[Pair]


def affinity(
    connection: Connection,
    days: int,
    limit: int,
    level: Level = "product",
    order: Order = "lift",
    min_baskets: int = 2,
    until: datetime | None = None,
) -> Affinity:
    """Pairs that `min_baskets` baskets hold at least. Names are empty for categories."""
    span = window(connection, days, until)
    lines = _lines(connection, level)
    lines = lines.where(span.holds(_sales.occurred_at), _sales.basket_id.is_not(None))
    # Counted here: a database joins the lines with themselves, which takes it three times as long.
    basket_of, what, known = _coded(connection.execute(lines).all())
    baskets = len(np.unique(basket_of))
    counted = _counted(basket_of, what, len(known), min_baskets)
    first = counted.best(order, limit)
    keys = {known[code] for code in (*counted.first[first], *counted.second[first])}
    names = _names(connection, level, keys)
    return Affinity(baskets, [_pair(counted, row, known, names, baskets) for row in first.tolist()])


@dataclass(frozen=True, slots=True)
class _Counted:
    """Pairs of codes, and in how many baskets both are, the first, and the second: [pairs]."""

    first: I64
    second: I64
    both: I64
    with_first: I64
    with_second: I64

    def best(self, order: Order, limit: int) -> I64:
        """The rows of the first pairs, in order."""
        lift: F64 = self.both / (self.with_first * self.with_second)
        leading = (-self.both, -lift) if order == "lift" else (-lift, -self.both)
        rows: I64 = np.lexsort((self.second, self.first, *leading))[:limit]
        return rows


def _coded(lines: Sequence[Any]) -> tuple[I64, I64, list[Any]]:
    """(basket, what) as codes: [lines], each once, ordered by both; and what the latter mean."""
    if not lines:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), []
    baskets, whats = zip(*lines, strict=True)
    known = sorted(set(whats))
    code = {what: number for number, what in enumerate(known)}
    basket_of = pa.array(baskets).dictionary_encode().indices.to_numpy()
    what = np.fromiter(map(code.__getitem__, whats), dtype=np.int64, count=len(whats))
    once = np.unique(basket_of.astype(np.int64) * len(known) + what)
    return once // len(known), once % len(known), known


def _counted(basket_of: I64, what: I64, known: int, min_baskets: int) -> _Counted:
    """Pairs of what one basket holds: each with those that follow it in its basket."""
    single = np.bincount(what, minlength=known)
    pairs = [np.zeros(0, dtype=np.int64)]
    for apart in range(1, int(np.bincount(basket_of).max(initial=0))):
        together = basket_of[apart:] == basket_of[:-apart]
        pairs.append(what[:-apart][together] * known + what[apart:][together])
    pair, both = np.unique(np.concatenate(pairs), return_counts=True)
    pair, both = pair[both >= min_baskets], both[both >= min_baskets]
    first, second = pair // max(known, 1), pair % max(known, 1)
    return _Counted(first, second, both, single[first], single[second])


def _pair(
    counted: _Counted, row: int, known: list[Any], names: dict[Any, tuple[str, str]], baskets: int
) -> Pair:
    first, second = names[known[counted.first[row]]], names[known[counted.second[row]]]
    both, one, other = (
        int(count[row]) for count in (counted.both, counted.with_first, counted.with_second)
    )
    return Pair(
        *(first[0], second[0], first[1], second[1]),
        baskets=both,
        support=share(both, baskets),
        confidence=share(both, one),
        reverse_confidence=share(both, other),
        lift=round(both * baskets / (one * other), 4),
    )


def _lines(connection: Connection, level: Level) -> Select[Any]:
    key = basket(connection).label("basket")
    if level == "product":
        return select(key, _sales.product_id.label("what"))
    category = func.coalesce(_products.category, "").label("what")
    return select(key, category).join_from(m.purchase_events, m.products)


def _names(connection: Connection, level: Level, keys: set[Any]) -> dict[Any, tuple[str, str]]:
    """SKU and name of products, by id; a category is its own."""
    if level == "category":
        return {key: (key, "") for key in keys}
    rows = select(_products.id, _products.sku, _products.name).where(_products.id.in_(keys))
    return {row.id: (row.sku, row.name) for row in connection.execute(rows)}
