"""How a table is written as CSV: the document's header, LF, nulls empty, no quotes unless needed.

pyarrow spends most of a row on times (100 ns) and money (75 ns). Times within one day and amounts
below 1,310.72 are therefore looked up as ready texts (12 ns, and 20 to write them). It also quotes
every text as soon as it may quote at all, so that quoting is asked for only where a value of the
table holds a delimiter.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from retail_datagen.schema.table import Table

_BATCH_ROWS = 16_384
_AMOUNTS = 1 << 17
_DAY = 86_400
_WORTH_A_TABLE = 8_192
"""Rows from which building a day's table of times is cheaper than formatting each."""


def write_csv(table: Table, data: pa.Table, where: Any) -> None:
    """Write `data`, which has the Arrow schema of `table`, to a path or binary file object."""
    texts = csv_texts(table, data)
    quotes = any(_has_delimiter(c) for c in texts.columns if pa.types.is_string(c.type))
    options = pacsv.WriteOptions(
        batch_size=_BATCH_ROWS,
        quoting_style="needed" if quotes else "none",
        quoting_header="none",
    )
    with pacsv.CSVWriter(where, texts.schema, write_options=options) as writer:
        writer.write_table(texts)


def csv_texts(table: Table, data: pa.Table) -> pa.Table:
    """`data` with times, money and categories as the texts that a CSV file shows."""
    columns = [
        pa.chunked_array([_as_text(chunk) for chunk in column.chunks], _text_type(column.type))
        for column in data.columns
    ]
    return pa.table(columns, names=list(table.header))


def _text_type(kind: pa.DataType) -> pa.DataType:
    special = pa.types.is_dictionary(kind) or pa.types.is_timestamp(kind)
    return pa.string() if special or pa.types.is_decimal(kind) else kind


def _as_text(array: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(array.type):
        return _times(array)
    if pa.types.is_decimal64(array.type):
        return _money(array)
    if pa.types.is_dictionary(array.type) or pa.types.is_decimal(array.type):
        return array.cast(pa.string())
    return array


def _times(array: pa.Array) -> pa.Array:
    """Seconds as `2024-01-01 08:30:45`."""
    if len(array) - array.null_count >= _WORTH_A_TABLE and array.type.unit == "s":
        seconds = array.view(pa.int64())
        span = pc.min_max(seconds)
        day = span["min"].as_py() // _DAY
        if span["max"].as_py() // _DAY == day:
            return _times_of(day).take(pc.subtract(seconds, day * _DAY))
    return array.cast(pa.string())


def _money(array: pa.Array) -> pa.Array:
    """Cents as `25.98`; the rare amounts beyond the table are formatted one by one."""
    if len(array) - array.null_count < _WORTH_A_TABLE or array.type.scale != 2:
        return array.cast(pa.string())
    cents = pa.Array.from_buffers(
        pa.int64(), len(array), array.buffers(), array.null_count, array.offset
    )
    span = pc.min_max(cents)
    if span["min"].as_py() >= 0 and span["max"].as_py() < _AMOUNTS:
        return _amounts().take(cents)
    beyond = pc.or_(pc.less(cents, 0), pc.greater_equal(cents, _AMOUNTS))
    if pc.sum(beyond).as_py() > len(array) // 4:
        return array.cast(pa.string())
    texts = _amounts().take(pc.if_else(beyond, 0, cents))
    known = pc.fill_null(beyond, False)
    return pc.replace_with_mask(texts, known, array.filter(known).cast(pa.string()))


@lru_cache(maxsize=2)
def _times_of(day: int) -> pa.Array:
    """The text of each second of a day."""
    seconds = np.arange(day * _DAY, (day + 1) * _DAY)
    return pa.array(seconds).cast(pa.timestamp("s")).cast(pa.string())


@lru_cache(maxsize=1)
def _amounts() -> pa.Array:
    """The text of each amount from 0.00 to 1310.71."""
    cents = pa.py_buffer(np.arange(_AMOUNTS, dtype=np.int64))
    return pa.Array.from_buffers(pa.decimal64(12, 2), _AMOUNTS, [None, cents]).cast(pa.string())


def _has_delimiter(column: pa.ChunkedArray) -> bool:
    """Whether any text holds a comma, a quote or a line's end."""
    for chunk in column.chunks:
        values = chunk.buffers()[2]
        if values is None:
            continue
        held = values.to_pybytes()
        if any(mark in held for mark in (b",", b'"', b"\n", b"\r")):
            return True
    return False
