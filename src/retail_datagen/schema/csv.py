"""How a table is written as CSV: the published header, LF, nulls empty, no quotes unless needed.

pyarrow quotes every text as soon as it may quote at all, so that quoting is asked for only where a
value of the table holds a delimiter.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from retail_datagen.schema.table import Table
from retail_datagen.schema.texts import as_text

_BATCH_ROWS = 16_384


def write_csv(table: Table, data: pa.Table, where: Any) -> None:
    """Write `data`, which has the Arrow schema of `table`, to a path or binary file object."""
    write_rows(data, where)


def write_rows(data: pa.Table, where: Any) -> None:
    """Write any columns of ours with their header to a path or binary file object."""
    schema = pa.schema([(f.name, _text_type(f.type)) for f in data.schema])
    quotes = any(_has_delimiter(column) for column in data.columns)
    options = pacsv.WriteOptions(
        quoting_style="needed" if quotes else "none", quoting_header="none"
    )
    with pacsv.CSVWriter(where, schema, write_options=options) as writer:
        # In batches that fit the processor's cache as texts.
        for first in range(0, data.num_rows, _BATCH_ROWS):
            writer.write_table(csv_texts(data.slice(first, _BATCH_ROWS)), _BATCH_ROWS)


def csv_texts(data: pa.Table) -> pa.Table:
    """`data` with times, money and categories as the texts that a CSV file shows."""
    columns = [
        pa.chunked_array([as_text(chunk) for chunk in column.chunks], _text_type(column.type))
        for column in data.columns
    ]
    return pa.table(columns, names=data.column_names)


def _text_type(kind: pa.DataType) -> pa.DataType:
    special = pa.types.is_dictionary(kind) or pa.types.is_timestamp(kind)
    return pa.string() if special or pa.types.is_decimal(kind) else kind


def _has_delimiter(column: pa.ChunkedArray) -> bool:
    """Whether any text holds a comma, a quote or a line's end."""
    return any(_chunk_has_delimiter(chunk) for chunk in column.chunks)


def _chunk_has_delimiter(chunk: pa.Array) -> bool:
    if pa.types.is_dictionary(chunk.type):
        # Most often not even a name that is not used does.
        return _chunk_has_delimiter(chunk.dictionary) and _chunk_has_delimiter(
            chunk.dictionary.take(pc.unique(chunk.indices))
        )
    values = chunk.buffers()[2] if pa.types.is_string(chunk.type) else None
    if values is None:
        return False
    held = values.to_pybytes()
    return any(mark in held for mark in (b",", b'"', b"\n", b"\r"))
