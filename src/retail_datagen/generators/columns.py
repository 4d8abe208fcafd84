"""Rows however people hold them, as columns: records, dicts, Arrow tables, data frames.

Values come as integers: cents, days and seconds since 1970-01-01. Texts are read as what a column
holds, so that rows straight from a CSV file will do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.config.errors import UserError
from retail_datagen.core.arrays import I64
from retail_datagen.shared.rows import Row


class ArrowStream(Protocol):
    """What Arrow tables and the data frames of pandas, polars and DuckDB have in common."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


Rows = ArrowStream | Row | Mapping[str, object] | Sequence[Row] | Sequence[Mapping[str, object]]
"""Rows of a table, or a single one; columns are named as its files name them."""


class Columns:
    """Columns of rows that a user has given; `what` is what errors call them."""

    def __init__(self, rows: Rows, what: str, needed: Sequence[str]) -> None:
        """Raises UserError when a needed column is missing."""
        self.what = what
        self.table = _table(rows, needed)
        missing = [name for name in needed if name not in self.table.column_names]
        if missing:
            has = ", ".join(self.table.column_names) or "none"
            raise UserError(
                f"{what}: no column {', '.join(missing)}; needed are {', '.join(needed)}, "
                f"there are {has}"
            )

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def __contains__(self, name: str) -> bool:
        return name in self.table.column_names

    def ints(self, name: str) -> I64:
        """Whole numbers."""
        return self._integers(name, pa.int64(), "whole numbers")

    def cents(self, name: str) -> I64:
        """Amounts of at most two decimals, in cents; binary floats stand for the nearest cent."""
        values = self._filled(name)
        if pa.types.is_floating(values.type):
            exact = np.asarray(values.to_numpy()) * 100
            if not (np.abs(exact - np.rint(exact)) < 1e-4).all():
                raise self._wrong(name, "amounts with at most two decimals, such as 12.99")
            return np.asarray(np.rint(exact), dtype=np.int64)
        try:
            amounts = values.cast(pa.decimal128(15, 2))
            cents = pc.multiply(amounts, pa.scalar(100)).cast(pa.int64())
        except pa.ArrowInvalid:
            allowed = "amounts with at most two decimals, such as 12.99"
            raise self._wrong(name, allowed) from None
        return np.asarray(cents.to_numpy())

    def days(self, name: str) -> I64:
        """Dates, as days since 1970-01-01."""
        return self._integers(name, pa.date32(), "dates such as 2024-01-31", pa.int32())

    def seconds(self, name: str) -> I64:
        """Times, as seconds since 1970-01-01."""
        return self._integers(name, pa.timestamp("s"), "times such as 2024-01-31 08:30:45")

    def texts(self, name: str) -> list[str]:
        """Texts."""
        return [str(value) for value in self._filled(name).cast(pa.string()).to_pylist()]

    def _integers(
        self, name: str, kind: pa.DataType, allowed: str, stored: pa.DataType | None = None
    ) -> I64:
        values = self._filled(name)
        try:
            read = values.cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise self._wrong(name, allowed) from None
        plain = read.cast(stored or pa.int64())
        return np.asarray(plain.to_numpy()).astype(np.int64)

    def _filled(self, name: str) -> pa.ChunkedArray:
        values = self.table[name]
        if values.null_count:
            raise self._wrong(name, "a value in every row")
        if pa.types.is_dictionary(values.type):
            values = values.cast(values.type.value_type)
        return values

    def _wrong(self, name: str, allowed: str) -> UserError:
        return UserError(f"{self.what}, column {name}: needed are {allowed}")


def _table(rows: Rows, needed: Sequence[str]) -> pa.Table:
    if isinstance(rows, pa.Table):
        return rows
    if hasattr(rows, "__arrow_c_stream__"):
        return pa.table(rows)
    given = [rows] if isinstance(rows, Row | Mapping) else cast(Sequence[Row], rows)
    listed = [row.to_row() if isinstance(row, Row) else dict(row) for row in given]
    if not listed:
        return pa.table({name: pa.array([], pa.string()) for name in needed})
    names = list(dict.fromkeys(name for row in listed for name in row))
    return pa.table({name: pa.array([row.get(name) for row in listed]) for name in names})
