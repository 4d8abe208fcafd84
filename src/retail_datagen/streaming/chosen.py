"""The next events of the hour that is played: by a mix of kinds, or one after the other.

Each fact of the retailer is taken once. A stream that sends more than the hour has goes on with the
hours after it; one that sends less passes over what it has no turn for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.core.arrays import I64
from retail_datagen.core.rng import Stream, integer_weights
from retail_datagen.schema import Table
from retail_datagen.schema.stamps import row_instants
from retail_datagen.streaming.days import Days
from retail_datagen.streaming.sold import updates_of_sales

SALES, UPDATES = "retail_sales_transactions", "retail_inventory_updates"
KINDS: Mapping[str, str] = {
    "sales": SALES,
    "inventory": UPDATES,
    "customer": "retail_customer_events",
    "price_change": "retail_price_changes",
    "restock": "retail_restock_alerts",
}
"""The table of each kind of event that a mix selects from."""
_AT_ONCE = ("price_change", "restock")
"""Kinds whose facts of a day all happen at one moment: any hour of that day has them."""
_TABLES_KEPT = 4
_MOST_DAYS = 60
"""How many days without a fact of its kind are looked at before a kind counts as having none."""


@dataclass(frozen=True, slots=True)
class Picked:
    """Facts of one table and day; `row` is each one's number in that day: [facts]."""

    table: Table
    day: int
    rows: pa.Table
    row: I64


class Chooser(Protocol):
    """Chooses events; `played` is the instant of the history that is played."""

    def take(self, count: int, played: int) -> list[tuple[str, list[Picked]]]:
        """The next events, `count` at most, by kind: each with what belongs to it.

        None where the history has no more.
        """
        ...


@dataclass(slots=True)
class _Shelf:
    """A day's facts of one table: `order` are the rows that may go, by time, from `next` on."""

    day: int
    rows: pa.Table
    order: I64
    instant: I64
    next: int = 0


class _Book:
    """The days that cursors read: what several of them want, or one again and again, is kept."""

    def __init__(self, days: Days, zone: str) -> None:
        self.days, self.zone = days, zone
        self.rows = lru_cache(_TABLES_KEPT)(days.rows)
        self.sold = lru_cache(2)(self._sold)

    def _sold(self, day: int) -> I64:
        """The row of the update of each of a day's sales."""
        return updates_of_sales(self.rows(SALES, day), self.rows(UPDATES, day))


class _Cursor:
    """The facts of one table from a day on, each once, through the days."""

    def __init__(self, book: _Book, name: str, day: int, at_once: bool) -> None:
        self.name = name
        self._book, self._at_once, self._day = book, at_once, day
        self._shelf: _Shelf | None = None

    def take(self, count: int, played: int) -> list[Picked]:
        """Up to `count` facts at or after `played`, in order."""
        picked: list[Picked] = []
        while count and (shelf := self._current(played)) is not None:
            row = shelf.order[shelf.next : shelf.next + count]
            shelf.next += len(row)
            count -= len(row)
            picked.append(self._picked(self.name, shelf.day, shelf.rows, row))
        return picked

    def peek(self, count: int, played: int) -> I64:
        """When the next facts happened, `count` at most and all of one day: [facts]."""
        shelf = self._current(played)
        if shelf is None:
            return np.zeros(0, dtype=np.int64)
        return shelf.instant[shelf.next : shelf.next + count]

    def updates_of(self, sales: Picked) -> Picked:
        """The movements of stock that sales made."""
        rows = self._book.rows(UPDATES, sales.day)
        return self._picked(UPDATES, sales.day, rows, self._book.sold(sales.day)[sales.row])

    def _picked(self, name: str, day: int, rows: pa.Table, row: I64) -> Picked:
        return Picked(self._book.days.table(name, day), day, rows.take(pa.array(row)), row)

    def _current(self, played: int) -> _Shelf | None:
        """The day that has the next fact, or None where none is found."""
        for _ in range(_MOST_DAYS):
            if self._shelf is None:
                if self._day not in self._book.days.retailer.calendar:
                    return None
                self._shelf = self._open()
            shelf = self._shelf
            if not self._at_once:
                shelf.next = max(shelf.next, int(np.searchsorted(shelf.instant, played)))
            if shelf.next < len(shelf.order):
                return shelf
            self._shelf, self._day = None, self._day + 1
        return None

    def _open(self) -> _Shelf:
        book, day = self._book, self._day
        rows = book.rows(self.name, day)
        order = np.arange(rows.num_rows, dtype=np.int64)
        if self.name == UPDATES:
            # Those of sales go with their sales; those of online orders are no sale of the mix.
            order = order[pc.not_equal(rows["reason"].cast(pa.string()), "sale").to_numpy()]
        table = book.days.table(self.name, day)
        instant = np.maximum.accumulate(row_instants(table, day, rows, book.zone))
        return _Shelf(self._day, rows, order, instant[order])


class Mixed:
    """Selects a kind of event for each by `shares`, and takes its next fact."""

    def __init__(
        self, days: Days, shares: Mapping[str, float], zone: str, day: int, stream: Stream
    ) -> None:
        self._stream = stream
        self.shares = shares
        book = _Book(days, zone)
        self._cursors = {
            kind: _Cursor(book, table, day, kind in _AT_ONCE) for kind, table in KINDS.items()
        }

    def take(self, count: int, played: int) -> list[tuple[str, list[Picked]]]:
        kinds = select(self._stream, self.shares, count)
        found = []
        for kind in dict.fromkeys(kinds):
            if picked := self.of_kind(kind, kinds.count(kind), played):
                found.append((kind, picked))
        return found

    def of_kind(self, kind: str, count: int, played: int) -> list[Picked]:
        """The next facts of a kind; sales are followed by their updates of stock."""
        cursor = self._cursors[kind]
        picked = []
        for facts in cursor.take(count, played):
            picked.append(facts)
            if kind == "sales":
                picked.append(cursor.updates_of(facts))
        return picked


class InOrder:
    """Takes the facts of tables as they follow each other."""

    def __init__(self, days: Days, tables: Sequence[str], zone: str, day: int) -> None:
        book = _Book(days, zone)
        self._cursors = [_Cursor(book, name, day, at_once=False) for name in tables]

    def take(self, count: int, played: int) -> list[tuple[str, list[Picked]]]:
        found: list[tuple[str, list[Picked]]] = []
        while count and (more := self._of_a_day(count, played)):
            found += more
            count -= sum(len(facts.row) for _, picked in more for facts in picked)
        return found

    def _of_a_day(self, count: int, played: int) -> list[tuple[str, list[Picked]]]:
        """The next facts until some table's day is over, by table."""
        ahead = [(cursor, cursor.peek(count, played)) for cursor in self._cursors]
        moments = np.sort(np.concatenate([instant for _, instant in ahead]))[:count]
        left, found = len(moments), []
        for cursor, instant in ahead:
            if left:
                wanted = min(int(np.searchsorted(instant, moments[-1], side="right")), left)
                left -= wanted
                if picked := cursor.take(wanted, played):
                    found.append((cursor.name, picked))
        return found


def select(stream: Stream, shares: Mapping[str, float], count: int) -> list[str]:
    """`count` kinds, each as often as its share says."""
    kinds = list(shares)
    bounds = np.cumsum(integer_weights(list(shares.values())))
    drawn = stream.below(count, int(bounds[-1]))
    return [kinds[place] for place in np.searchsorted(bounds, drawn, side="right")]
