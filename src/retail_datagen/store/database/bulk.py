"""Bulk loads: Arrow columns into a table by COPY (PostgreSQL) or batches (SQLite), and long lists
as one parameter.

Values are never part of a statement's text.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    DateTime,
    Integer,
    Table,
    any_,
    func,
    literal,
    select,
)

_BATCH = 50_000
_MICROSECONDS = pa.timestamp("us")
_MICROSECONDS_TO_2000 = 946_684_800_000_000
_COPY_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
CENTS = pa.decimal64(12, 2)


def load(connection: Connection, table: Table, rows: pa.Table) -> None:
    """Append rows; their columns are named as the table's. It belongs to the open transaction.

    Times are timestamp[us], money decimal64. Raises SQLAlchemy's or the driver's IntegrityError.
    """
    if not rows.num_rows:
        return
    names = ", ".join(rows.column_names)
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        with driver.cursor() as cursor:
            form = "binary" if _is_plain(table, rows) else "csv"
            statement = f"COPY {table.name} ({names}) FROM STDIN (FORMAT {form})"
            with cursor.copy(statement) as copy:
                if form == "binary":
                    copy.write(_binary(table, rows))
                    return
                for batch in rows.to_batches(_BATCH):
                    copy.write(_csv(batch))
        return
    marks = ", ".join("?" * rows.num_columns)
    statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"
    _insert(driver, statement, rows)


def times(values: Any) -> pa.Array:
    """A column of times from datetime64 values; NaT is empty."""
    moments = np.asarray(values, dtype="M8[us]")
    return pa.array(moments, type=_MICROSECONDS, from_pandas=True)


def money(cents: Any, unknown: Any = None) -> pa.Array:
    """A column of money from int64 cents; empty where it is `unknown`."""
    held = np.ascontiguousarray(cents, dtype=np.int64)
    column = pa.Array.from_buffers(CENTS, len(held), [None, pa.py_buffer(held)])
    if unknown is None or not np.any(unknown):
        return column
    return pc.if_else(pa.array(unknown), pa.scalar(None, CENTS), column)


def among(
    connection: Connection, column: ColumnElement[Any], values: Iterable[Any]
) -> ColumnElement[bool]:
    """Whether a column's value is one of many, which travel as one parameter."""
    listed = list(values)
    if connection.dialect.name == "postgresql":
        return column == any_(literal(listed, ARRAY(column.type)))
    held = func.json_each(json.dumps(listed)).table_valued("value")
    return column.in_(select(held.c.value))


def _is_plain(table: Table, rows: pa.Table) -> bool:
    """Whether there are only whole numbers and times, none of them empty."""
    return all(
        isinstance(table.c[name].type, Integer | DateTime) and not rows[name].null_count
        for name in rows.column_names
    )


def _binary(table: Table, rows: pa.Table) -> bytes:
    """Rows as PostgreSQL's binary COPY has them: half the work of reading texts.

    Of each row the number of fields, of each field its length and its bytes, big end first. Times
    are microseconds since 2000.
    """
    fields = [("fields", ">i2")]
    for name in rows.column_names:
        wide = isinstance(table.c[name].type, BigInteger | DateTime)
        fields += [(f"{name} length", ">i4"), (name, ">i8" if wide else ">i4")]
    held = np.empty(rows.num_rows, dtype=fields)
    held["fields"] = rows.num_columns
    for name in rows.column_names:
        values = rows[name].to_numpy()
        if values.dtype.kind == "M":
            values = values.astype("M8[us]").astype(np.int64) - _MICROSECONDS_TO_2000
        held[name] = values
        held[f"{name} length"] = held.dtype[name].itemsize
    return _COPY_HEADER + held.tobytes() + b"\xff\xff"


def _csv(batch: pa.RecordBatch) -> memoryview:
    """Texts stand in quotes, empty values do not: so COPY tells them apart."""
    out = pa.BufferOutputStream()
    options = pyarrow.csv.WriteOptions(include_header=False)
    pyarrow.csv.write_csv(batch, out, options)
    return memoryview(out.getvalue())


def _insert(connection: sqlite3.Connection, statement: str, rows: pa.Table) -> None:
    for batch in rows.to_batches(_BATCH):
        connection.executemany(statement, zip(*map(_values, batch.columns), strict=True))


def _values(column: pa.Array) -> Sequence[Any]:
    """What SQLite's driver takes: texts for times, numbers for money."""
    if pa.types.is_timestamp(column.type):
        return _texts(column)
    if pa.types.is_decimal(column.type):
        cents = np.frombuffer(column.buffers()[1], dtype=np.int64)
        cents = cents[column.offset : column.offset + len(column)]
        return [None if cut else value for cut, value in zip(*_known(column, cents), strict=True)]
    listed: list[Any] = column.to_pylist()
    return listed


def _known(column: pa.Array, cents: Any) -> tuple[list[bool], list[float]]:
    return column.is_null().to_pylist(), (cents / 100).tolist()


def _texts(column: pa.Array) -> list[str | None]:
    """Times as SQLAlchemy writes them in SQLite: 2024-01-17 10:30:00.000000."""
    moments = column.to_numpy(zero_copy_only=False).astype("M8[us]")
    texts = np.datetime_as_string(moments, unit="us")
    if not column.null_count:
        width = texts.dtype.itemsize // 4
        texts.view(np.uint32).reshape(len(texts), width)[:, 10] = ord(" ")
        plain: list[str | None] = texts.tolist()
        return plain
    return [None if text == "NaT" else text.replace("T", " ") for text in texts.tolist()]
