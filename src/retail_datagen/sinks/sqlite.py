"""SQLite: `sqlite:retail.db` or `sqlite:///retail.db`. One file, no server.

Times are texts that SQLite's own functions understand; money is numeric, exact to the cent.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from retail_datagen.schema.csv import csv_texts
from retail_datagen.schema.sql import SQLITE, create_indexes
from retail_datagen.schema.stamps import INSTANT
from retail_datagen.schema.table import Column, Table
from retail_datagen.sinks.base import SinkError

_BATCH_ROWS = 50_000
_WAIT_SECONDS = 10.0


class SqliteDatabase:
    """One SQLite file; made, with its folder, when it is first used."""

    dialect = SQLITE
    mark = "?"
    errors = (sqlite3.Error, OSError)

    def __init__(self, path: Path, keys: bool = True) -> None:
        self.where = str(path)
        self.keys = keys
        self._path = path
        self._opened: sqlite3.Connection | None = None

    @property
    def _connection(self) -> sqlite3.Connection:
        if self._opened is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._opened = sqlite3.connect(
                self._path, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            # Readers go on while a job writes; each commit reaches the disk.
            self._opened.execute("PRAGMA journal_mode = WAL")
            self._opened.execute("PRAGMA synchronous = FULL")
        return self._opened

    def explain(self, error: Exception) -> SinkError:
        text = str(error)
        if "is full" in text or getattr(error, "errno", None) == 28:
            advice = "free some space or choose another place with --to"
        elif "locked" in text:
            advice = "another program writes to it: wait for it to end"
        elif "not a database" in text or "malformed" in text:
            return SinkError(f"{self.where} is no SQLite database ({text}); choose another file")
        elif isinstance(error, sqlite3.IntegrityError):
            advice = (
                "rows with that key are there already, or come twice: write to a new file, or "
                "without keys (?keys=off)"
            )
        elif "readonly" in text or "unable to open" in text or isinstance(error, OSError):
            advice = "choose a file that you may write with --to"
        else:
            advice = "see to it"
        return SinkError(
            f"cannot write {self.where}: {text}; nothing half-written was left behind, what was "
            f"finished is kept: {advice} and run the same command again"
        )

    def begin(self) -> None:
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._connection.execute(statement, values)

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, values).fetchall()

    def columns(self, table: str) -> tuple[str, ...]:
        return tuple(
            name for (name,) in self.rows("SELECT name FROM pragma_table_info(?)", [table])
        )

    def insert(self, table: str, columns: Sequence[Column], data: pa.Table) -> None:
        names = [column.name for column in columns]
        marks = ", ".join("?" * len(names))
        statement = f"INSERT INTO {SQLITE.quoted(table)} ({SQLITE.list(names)}) VALUES ({marks})"
        for first in range(0, data.num_rows, _BATCH_ROWS):
            texts = csv_texts(data.slice(first, _BATCH_ROWS))
            values = [_values(column) for column in texts.columns]
            if names[-1].endswith(INSTANT):
                values[-1] = [f"{instant}Z" for instant in values[-1]]
            self._connection.executemany(statement, zip(*values, strict=True))

    def empty(self, tables: Sequence[str]) -> None:
        for table in tables:
            self.run(f"DELETE FROM {SQLITE.quoted(table)}")

    def connect_tables(self, tables: Sequence[Table], stamped: bool) -> None:
        """Indexes; what refers to what is not held here, verify does."""
        if self.keys:
            for table in tables:
                for statement in create_indexes(SQLITE, table, stamped):
                    self.run(statement)

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None


def _values(column: pa.ChunkedArray) -> list[Any]:
    """A column as SQLite takes it: dates are texts, too."""
    dates = pa.types.is_date(column.type)
    values: list[Any] = (column.cast(pa.string()) if dates else column).to_pylist()
    return values
