"""Checks across days, in their order: identifiers that run on, and returns against past orders.

Only what the window for returns needs is kept, as arrays: orders and what each product of an
order cost, with what was refunded of it so far.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from retail_datagen.core.calendar import DAY_SECONDS, I64
from retail_datagen.lake.checks import Index, line_amounts, money
from retail_datagen.lake.columns import MISSING, RUNNING, Columns
from retail_datagen.lake.findings import Findings
from retail_datagen.lake.rules import NUMBERED, PAST, RETURN_DAYS, TOTALS, Rulebook
from retail_datagen.partitions.layout import Partition

_PRODUCT_BITS = 29
_PRODUCTS = (1 << _PRODUCT_BITS) - 1
_ORDER_TOTAL = next(rule for rule in TOTALS if rule.check == "order_total")


class Window:
    """Rows with ascending keys, of the last days only: one int64 array, [column, row].

    The first column is the key. Rows whose keys do not ascend, in a broken lake, are sorted in.
    """

    def __init__(self, columns: int) -> None:
        self._data = np.empty((columns, 1024), dtype=np.int64)
        self._first = self._end = 0

    def __len__(self) -> int:
        return self._end - self._first

    def column(self, number: int) -> I64:
        """A view: what is written to it stays until the rows are forgotten."""
        return self._data[number, self._first : self._end]

    def append(self, *columns: I64) -> None:
        """Add rows, whose keys ascend; a key that is known already is not added again."""
        rows = np.array(columns)
        rows = rows[:, self.find(rows[0]) < 0]
        ascending = not len(self) or not rows.size or rows[0, 0] > self._data[0, self._end - 1]
        self._make_room(rows.shape[1])
        begin, self._end = self._end, self._end + rows.shape[1]
        self._data[:, begin : self._end] = rows
        if not ascending:
            held = self._data[:, self._first : self._end]
            held[:] = held[:, np.argsort(held[0], kind="stable")]

    def forget(self, column: int, before: int) -> None:
        """Drop the first rows, up to the first whose column is not before that."""
        recent = self.column(column) >= before
        self._first += int(recent.argmax()) if recent.any() else len(self)

    def find(self, keys: I64) -> I64:
        """The row of each key, -1 where there is none."""
        return Index(self.column(0), None).find(keys)

    def _make_room(self, rows: int) -> None:
        if self._end + rows <= self._data.shape[1]:
            return
        held = len(self)
        grown = np.empty((len(self._data), max(1024, 2 * (held + rows))), dtype=np.int64)
        grown[:, :held] = self._data[:, self._first : self._end]
        self._data, self._first, self._end = grown, 0, held


class Past:
    """What checks across days remember. Days are added in order."""

    def __init__(self, rules: Rulebook) -> None:
        self._rules = rules
        self._last: dict[tuple[str, str], int] = {}
        self._orders = Window(5)
        """order_id, order_date, customer_id, net_total, refunded."""
        self._items = Window(6)
        """Order and product, day (seconds), paid, quantity, refunded, quantity returned."""
        self._first_order: int | None = None
        self._blind_until = -1
        """Days for which an order could be one of a day that could not be read."""

    def add(self, day: int, tables: Mapping[str, Columns]) -> Findings:
        """Check a day. `tables` are those that could be read."""
        findings = Findings()
        self._sequences(day, tables, findings)
        orders, items, returns, returned = (_read(tables, table) for table in PAST)
        before = (day - RETURN_DAYS) * DAY_SECONDS
        for window in (self._orders, self._items):
            window.forget(1, before)
        if orders is None or items is None:
            self._blind_until = day + RETURN_DAYS
        if orders is not None:
            self._remember_orders(orders)
            self._remember_items(day, items)
        if returns is not None and self._first_order is not None:
            self._returns(day, returns, findings)
            if returned is not None and not self._is_blind(day):
                self._items_of_returns(day, returns, returned, findings)
        return findings

    def _is_blind(self, day: int) -> bool:
        return day <= self._blind_until

    def _sequences(self, day: int, tables: Mapping[str, Columns], findings: Findings) -> None:
        for rule in NUMBERED:
            name = (rule.table, rule.column)
            ids = tables.get(rule.table, {}).get(rule.column)
            if ids is None or not self._rules.has(rule.table):
                self._last.pop(name, None)
                continue
            given = ids[ids != MISSING]
            # A date that stands before the number says nothing of it.
            known = Index.of(given % RUNNING if rule.prefix else given).keys
            if not len(known):
                continue
            first, last = int(known[0]), int(known[-1])
            follows = self._last.get(name, first - 1)
            missing = last - first + 1 - len(known)
            example = f"{rule.column}: {missing} left out between {first} and {last}"
            if first != follows + 1:
                missing += max(1, abs(first - follows - 1))
                example = f"{rule.column} {first} follows {follows} of the day before"
            folder = Partition.of_day(rule.table, day).folder
            findings.look("sequence", folder, len(ids), missing, example if missing else "")
            self._last[name] = max(last, follows)

    def _remember_orders(self, orders: Mapping[str, I64]) -> None:
        index = Index.of(orders["order_id"])
        rows = slice(None) if index.order is None else index.order
        columns = [orders[name][rows] for name in ("order_date", "customer_id", "net_total")]
        if self._first_order is None and len(index.keys):
            self._first_order = int(index.keys[0])
        self._orders.append(index.keys, *columns, np.zeros(len(index.keys), np.int64))

    def _remember_items(self, day: int, items: Mapping[str, I64] | None) -> None:
        if items is None:
            return
        at = self._orders.find(items["order_id"])
        there = at >= 0
        packed = _packed(items["order_id"], items["product_id"])[there]
        amounts = tuple(items[name] for name in _ORDER_TOTAL.line_columns)
        paid = line_amounts(_ORDER_TOTAL, amounts)[there]
        key, (paid, quantity) = _sums(packed, paid, items["quantity"][there])
        dates = np.full(len(key), day * DAY_SECONDS)
        none = np.zeros(len(key), np.int64)
        self._items.append(key, dates, paid, quantity, none, none)

    def _returns(self, day: int, returns: Mapping[str, I64], findings: Findings) -> None:
        folder = Partition.of_day("returns", day).folder
        ids, times = returns["order_id"], returns["return_date"]
        at = self._orders.find(ids)
        known = at >= 0
        oldest = int(self._orders.column(0)[0]) if len(self._orders) else MISSING
        assert self._first_order is not None
        # Orders of before the lake's first day are not there to be checked.
        late = ~known & (ids >= self._first_order) & (ids < oldest)
        lost = ~known & (ids >= self._first_order) & ~late
        if self._is_blind(day):
            lost[:] = late[:] = False
        row = np.where(known, at, 0)
        if len(self._orders):
            ordered, customer = (self._orders.column(c)[row] for c in (1, 2))
            lost |= known & (customer != returns["customer_id"])
            days = times // DAY_SECONDS - ordered // DAY_SECONDS
            # A date is its midnight: then the hour says nothing.
            early = (days < 0) | ((times < ordered) & (times % DAY_SECONDS != 0))
            late |= known & (early | (days > RETURN_DAYS))
        for check, broken in (("return_order", lost), ("return_window", late)):
            findings.look(check, folder, len(ids), int(broken.sum()), _order(ids, broken))
        self._refund(folder, at[known], returns["refunded_amount"][known], findings)

    def _refund(self, folder: str, at: I64, amounts: I64, findings: Findings) -> None:
        refunded, paid = self._orders.column(4), self._orders.column(3)
        np.add.at(refunded, at, amounts)
        over = np.unique(at[refunded[at] > paid[at]])
        example = ""
        if len(over):
            order = self._orders.column(0)[over[0]]
            example = f"order_id {order}: {money(int(refunded[over[0]]))} of "
            example += money(int(paid[over[0]]))
        findings.look("refund_of_order", folder, len(at), len(over), example)

    def _items_of_returns(
        self,
        day: int,
        returns: Mapping[str, I64],
        returned: Mapping[str, I64],
        findings: Findings,
    ) -> None:
        folder = Partition.of_day("return_items", day).folder
        ids = returned["order_id"]
        packed = _packed(ids, returned["product_id"])
        at = self._items.find(packed)
        # Those of orders that are not there were noted with the returns.
        of_known = self._orders.find(ids) >= 0
        of_return = Index.of(returns["return_id"]).find(returned["return_id"])
        strange = of_known & (at < 0)
        if len(returns["return_id"]):
            strange |= (of_return >= 0) & (returns["order_id"][of_return] != ids)
        there, rows = at[at >= 0], at >= 0
        np.add.at(self._items.column(4), there, returned["refunded_amount"][rows])
        np.add.at(self._items.column(5), there, returned["quantity_returned"][rows])
        many = self._items.column(5)[there] > self._items.column(3)[there]
        strange[np.flatnonzero(rows)[many]] = True
        findings.look("return_items", folder, len(ids), int(strange.sum()), _order(ids, strange))
        over = self._items.column(4)[there] > self._items.column(2)[there]
        findings.look(
            "refund_of_item", folder, len(there), int(over.sum()), _order(ids[rows], over)
        )


def _read(tables: Mapping[str, Columns], table: str) -> Mapping[str, I64] | None:
    """A table's columns, or None where one that is needed could not be read."""
    found = tables.get(table)
    return found if found is not None and all(name in found for name in PAST[table]) else None


def _packed(order: I64, product: I64) -> I64:
    """Order and product as one key, that ascends with the order's number."""
    return (order % RUNNING << _PRODUCT_BITS) | (product & _PRODUCTS)


def _sums(keys: I64, *columns: I64) -> tuple[I64, list[I64]]:
    """Distinct keys, ascending, and the sum of each column's values for each of them."""
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    begins = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1 if len(keys) else 0))
    if not len(keys):
        return keys, [column[order] for column in columns]
    return keys[begins], [np.add.reduceat(column[order], begins) for column in columns]


def _order(ids: I64, broken: NDArray[np.bool_]) -> str:
    return f"order_id {ids[int(broken.argmax())]}" if broken.any() else ""
