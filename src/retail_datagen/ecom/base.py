"""A table of the shop: its schema, the function that renders a day of it, and shared columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from retail_datagen.core.ids import Digits, fixed_text
from retail_datagen.core.rng import Ints
from retail_datagen.ecom.context import ShopDay
from retail_datagen.schema import Column, Encoding, Kind, Table

NAMESPACE = "ecom"
_DIGITS = 10


@dataclass(frozen=True, slots=True)
class ShopTable:
    """`render(day)` gives the day's rows, by time, with the columns of `table`.

    Their parent's rows lie in the same day. `lookback_days` is how many earlier days' plans it
    reads.
    """

    table: Table
    render: Callable[[ShopDay], pa.Table]
    lookback_days: int = 0


def number_column(name: str, doc: str) -> Column:
    """The running number of an item, through all days without a gap."""
    return Column(name, Kind.LONG, doc, example="1")


def id_column(name: str, doc: str, example: str, references: str = "") -> Column:
    """A running identifier, such as CART0000000001."""
    encoding = Encoding.PLAIN if references else Encoding.DELTA_TEXT
    return Column(name, Kind.TEXT, doc, references=references, encoding=encoding, example=example)


def customer_column() -> Column:
    return Column(
        "customer_id", Kind.INT, "Who.", references="customers.customer_id", encoding=Encoding.DELTA
    )


def product_columns() -> tuple[Column, ...]:
    """What product it was, on every kind of item."""
    return (
        Column("product_id", Kind.INT, "What.", references="product_catalog.product_id"),
        Column("product_name", Kind.CATEGORY, "Its name."),
        Column("category", Kind.CATEGORY, "Its category."),
    )


def cart_ids(numbers: Ints) -> pa.Array:
    """CART0000000001 for each number."""
    return fixed_text([b"CART", Digits(numbers, _DIGITS)])


def return_ids(numbers: Ints) -> pa.Array:
    """RET0000000001 for each number."""
    return fixed_text([b"RET", Digits(numbers, _DIGITS)])


def running(first: int, count: int) -> Ints:
    """`first`, `first + 1` …: [count]."""
    return np.arange(first, first + count, dtype=np.int64)


def agents(numbers: Ints) -> pa.Array:
    """CSR-0001 for each number; null for those below 1."""
    names = fixed_text([b"CSR-", Digits(np.arange(1, max(int(numbers.max(initial=1)), 1) + 1), 4)])
    codes = pa.array((numbers - 1).astype(np.int32), mask=numbers < 1)
    return pa.DictionaryArray.from_arrays(codes, names)
