"""Which table of a lake is held to which rules, as data; the rest comes from declarations."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from retail_datagen.schema.table import Column, Kind, Table

NAMESPACE: Final = "ecom"
RETURN_DAYS: Final = 60


@dataclass(frozen=True, slots=True)
class Numbered:
    """An identifier that counts rows, on over all days: a text that ends in a number, or that."""

    table: str
    column: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Total:
    """A row's total is the sum of its lines: quantity times unit_price, or `amount`, less `less`.

    Rows whose column `unless[0]` says `unless[1]` are left out.
    """

    check: str
    table: str
    key: str
    total: str
    lines: str
    amount: str = ""
    less: str = ""
    unless: tuple[str, str] = ("", "")

    @property
    def line_columns(self) -> tuple[str, ...]:
        """The columns that a line's amount is made of."""
        own = (self.amount,) if self.amount else ("quantity", "unit_price")
        return (*own, self.less) if self.less else own


@dataclass(frozen=True, slots=True)
class Timed:
    """When a row happened: it lies in that day's partition, and not before its customer's time."""

    table: str
    column: str
    customer: str = "customer_id"


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that names a row of another table by its key."""

    table: str
    column: str
    parent: str
    key: str


NUMBERED: Final = (
    Numbered("shopping_carts", "cart_id", "CART"),
    Numbered("cart_items", "cart_item_id"),
    Numbered("orders", "order_id", "ORD"),
    Numbered("order_items", "order_item_id"),
    Numbered("returns", "return_id", "RET"),
    Numbered("return_items", "return_item_id"),
)
_PREFIXES = {rule.column: rule.prefix for rule in NUMBERED if rule.prefix}
_DIGITS = 10
DATED_DIGITS: Final = 18
_DATED = re.compile(r"[A-Z]+\d{18}")
TOTALS: Final = (
    Total(
        "cart_total",
        "shopping_carts",
        "cart_id",
        "cart_total",
        "cart_items",
        unless=("status", "emptied"),
    ),
    Total("order_total", "orders", "order_id", "net_total", "order_items", less="discount_amount"),
    Total(
        "return_total",
        "returns",
        "return_id",
        "refunded_amount",
        "return_items",
        amount="refunded_amount",
    ),
)
TIMED: Final = (
    Timed("shopping_carts", "created_at"),
    Timed("orders", "order_date"),
    Timed("returns", "return_date"),
)
SIGNUP: Final = ("customers", "signup_date")
"""Since when a customer is one; absent for guests."""
ACROSS_DAYS: Final = frozenset({("returns", "order_id"), ("return_items", "order_id")})
"""References to rows of earlier days."""
PAST: Final = {
    "orders": ("order_id", "customer_id", "order_date", "net_total"),
    "order_items": ("order_id", "product_id", "quantity", "unit_price", "discount_amount"),
    "returns": ("return_id", "order_id", "customer_id", "return_date", "refunded_amount"),
    "return_items": (
        "return_id",
        "order_id",
        "product_id",
        "quantity_returned",
        "refunded_amount",
    ),
}
"""What the checks of returns against orders of earlier days read."""


@dataclass(frozen=True, slots=True)
class Needs:
    """Columns that a table's checks read: all of them become whole numbers.

    `ids` are texts, each of a prefix and so many digits; `words` are texts and the word that they
    are compared with. `key` are the columns of a key that is none of those: it is checked as it
    stands.
    """

    numbers: tuple[str, ...] = ()
    ids: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The rules for the tables that a lake has, `dimensions` being those of no day."""

    tables: Mapping[str, Table]
    dimensions: frozenset[str]
    parents: tuple[Reference, ...]
    members: tuple[Reference, ...]

    def has(self, table: str) -> bool:
        """Whether this table is held to more than its declaration."""
        return table in self.tables and self.tables[table].namespace == NAMESPACE

    def needs(self, table: str) -> Needs:
        """What to read of a table."""
        declared = self.tables.get(table)
        if declared is None:
            return Needs()
        wanted = dict.fromkeys(self._wanted(table)) if self.has(table) else {}
        numbers = tuple(name for name in wanted if _is_number(declared, name))
        words = {
            rule.unless[0]: rule.unless[1]
            for rule in TOTALS
            if self.has(table) and rule.table == table and rule.unless[0]
        }
        plain = len(declared.key) == 1 and declared.key[0] in numbers
        ids = {n: id_form(declared.column(n)) for n in numbers if n in _PREFIXES}
        return Needs(numbers, ids, words, () if plain else declared.key)

    def _wanted(self, table: str) -> list[str]:
        wanted = [*self.tables[table].key, *PAST.get(table, ())]
        wanted += [rule.column for rule in NUMBERED if rule.table == table]
        for rule in TOTALS:
            if rule.table == table:
                wanted += [rule.key, rule.total]
            if rule.lines == table:
                wanted += [rule.key, *rule.line_columns]
        wanted += [rule.column for rule in TIMED if rule.table == table]
        wanted += [r.column for r in (*self.parents, *self.members) if r.table == table]
        return [*wanted, SIGNUP[1]] if table == SIGNUP[0] else wanted


def rulebook(tables: Mapping[str, Table], dimensions: Collection[str]) -> Rulebook:
    """The rules for these tables: what is not said here stands in `Column.references`."""
    parents, members = [], []
    for table in tables.values():
        for column in table.columns if table.namespace == NAMESPACE else ():
            parent, _, key = column.references.partition(".")
            if parent == table.name or parent not in tables or tables[parent].key != (key,):
                continue
            rule = Reference(table.name, column.name, parent, key)
            if parent in dimensions and table.name not in dimensions:
                members.append(rule)
            elif parent not in dimensions and (table.name, column.name) not in ACROSS_DAYS:
                parents.append(rule)
    return Rulebook(dict(tables), frozenset(dimensions), tuple(parents), tuple(members))


def id_form(column: Column) -> tuple[str, int]:
    """Prefix and digits of an identifier: ten, or behind a date eighteen, as its example has it."""
    dated = _DATED.fullmatch(column.example) is not None
    return _PREFIXES[column.name], DATED_DIGITS if dated else _DIGITS


def _is_number(table: Table, name: str) -> bool:
    """Whether a column's values can be whole numbers: identifiers of ours can."""
    if name not in table.header:
        return False
    kind = table.column(name).kind
    return name in _PREFIXES or kind not in (Kind.TEXT, Kind.CATEGORY, Kind.FLAG, Kind.FLOAT)
