"""NumPy arrays as Arrow columns, without a copy where the memory allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from retail_datagen.core.arrays import Bool
from retail_datagen.core.ids import texts
from retail_datagen.schema.table import Kind, Table

Values: TypeAlias = "pa.Array | NDArray[Any]"


def batch(table: Table, columns: Mapping[str, Values]) -> pa.Table:
    """Columns by name as one Arrow table, in the table's order.

    NumPy columns are taken by kind: integers as they are, money as int64 cents, timestamps as
    int64 seconds since 1970, dates as int32 days. Raises ValueError for missing or unknown names.
    """
    missing = [name for name in table.header if name not in columns]
    unknown = [name for name in columns if name not in table.header]
    if missing or unknown:
        wrong = [f"no {', '.join(missing)}"] * bool(missing)
        wrong += [f"unknown: {', '.join(unknown)}"] * bool(unknown)
        raise ValueError(f"{table.name}: {'; '.join(wrong)}")
    return pa.Table.from_arrays(
        [_arrow(spec.kind, columns[spec.name]) for spec in table.columns], schema=table.arrow
    )


def _arrow(kind: Kind, values: Values) -> pa.Array:
    return values if isinstance(values, (pa.Array, pa.ChunkedArray)) else plain(kind, values)


_STORED: dict[Kind, tuple[Any, pa.DataType]] = {
    Kind.INT: (np.int32, pa.int32()),
    Kind.LONG: (np.int64, pa.int64()),
    Kind.MONEY: (np.int64, pa.decimal64(12, 2)),
    Kind.TIMESTAMP: (np.int64, pa.timestamp("s")),
    Kind.DATE: (np.int32, pa.date32()),
}


def plain(kind: Kind, values: NDArray[Any], present: Bool | None = None) -> pa.Array:
    """A numeric column; rows where `present` is false are null."""
    dtype, arrow_type = _STORED[kind]
    data = np.ascontiguousarray(values, dtype=dtype)
    valid = None
    if present is not None:
        valid = pa.py_buffer(np.packbits(present, bitorder="little"))
    return pa.Array.from_buffers(arrow_type, len(data), [valid, pa.py_buffer(data)])


def category(
    codes: NDArray[Any], names: Sequence[str] | pa.Array, present: Bool | None = None
) -> pa.Array:
    """A category column: `codes` are rows of `names`; null where `present` is false."""
    dictionary = names if isinstance(names, pa.Array) else texts(names)
    index = np.ascontiguousarray(codes, dtype=np.int32)
    valid = None
    if present is not None:
        valid = pa.py_buffer(np.packbits(present, bitorder="little"))
    indices = pa.Array.from_buffers(pa.int32(), len(index), [valid, pa.py_buffer(index)])
    return pa.DictionaryArray.from_arrays(indices, dictionary, safe=False)
