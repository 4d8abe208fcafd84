"""DuckDB: `duckdb:./retail.duckdb`. One file; tables without indexes, which slow it down."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from retail_datagen.schema.sql import DUCKDB
from retail_datagen.schema.table import Column, Table
from retail_datagen.sinks.base import SinkError

_VIEW = "_retail_rows"


class DuckDatabase:
    """One DuckDB file; made, with its folder, when it is first used."""

    dialect = DUCKDB
    mark = "?"
    keys = False
    errors = (duckdb.Error, OSError)

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        self._path = path
        self._opened: duckdb.DuckDBPyConnection | None = None
        self._inside = False

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._opened is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._opened = duckdb.connect(str(self._path))
        return self._opened

    def explain(self, error: Exception) -> SinkError:
        text = str(error).splitlines()[0]
        if "No space left" in text:
            advice = "free some space or choose another place with --to"
        elif "lock" in text:
            advice = "another program has it open: close it there"
        elif "not a valid DuckDB" in text:
            return SinkError(f"{self.where} is no DuckDB database ({text}); choose another file")
        else:
            advice = "see to it"
        return SinkError(
            f"cannot write {self.where}: {text}; nothing half-written was left behind, what was "
            f"finished is kept: {advice} and run the same command again"
        )

    def begin(self) -> None:
        self._connection.execute("BEGIN TRANSACTION")
        self._inside = True

    def commit(self) -> None:
        self._connection.execute("COMMIT")
        self._inside = False

    def rollback(self) -> None:
        if self._inside:
            self._inside = False
            self._connection.execute("ROLLBACK")

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._connection.execute(statement, list(values))

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, list(values)).fetchall()

    def columns(self, table: str) -> tuple[str, ...]:
        found = self.rows(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index",
            [table],
        )
        return tuple(name for (name,) in found)

    def insert(self, table: str, columns: Sequence[Column], data: pa.Table) -> None:
        names = DUCKDB.list(column.name for column in columns)
        self._connection.register(_VIEW, data.cast(_wider(data.schema)))
        self.run(f"INSERT INTO {DUCKDB.quoted(table)} ({names}) SELECT {names} FROM {_VIEW}")
        # After an error the connection goes, and its views with it.
        self._connection.unregister(_VIEW)

    def empty(self, tables: Sequence[str]) -> None:
        for table in tables:
            self.run(f"DELETE FROM {DUCKDB.quoted(table)}")

    def connect_tables(self, tables: Sequence[Table], stamped: bool) -> None:
        """Column stores scan: there is nothing to add."""

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
            self._inside = False


def _wider(schema: pa.Schema) -> pa.Schema:
    """The schema with decimals of 128 bits, the only ones that every reader knows."""
    return pa.schema(
        [
            field.with_type(pa.decimal128(field.type.precision, field.type.scale))
            if pa.types.is_decimal(field.type)
            else field
            for field in schema
        ]
    )
