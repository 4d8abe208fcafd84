"""The files of a history as tables that SQL can ask, each file read once.

What is small stays in memory, the rest lies in a database file of its own in a temporary folder, so
that memory is bounded.
Dozens of checks look at each table: loading Parquet too costs half of what reading it again does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Self

import duckdb

from retail_datagen import tables
from retail_datagen.quality.check import Helper, Rows
from retail_datagen.quality.files import (
    Flaw,
    History,
    Partition,
    flaw_of,
    master_digest,
    stamp,
)
from retail_datagen.quality.words import words_of
from retail_datagen.schema import Kind, Table
from retail_datagen.world.master import MASTER_TABLES, file_of

_SQL = {
    Kind.INT: "INTEGER",
    Kind.LONG: "BIGINT",
    Kind.MONEY: "DECIMAL(12,2)",
    Kind.TIMESTAMP: "TIMESTAMP",
    Kind.DATE: "DATE",
    Kind.TEXT: "VARCHAR",
    Kind.CATEGORY: "VARCHAR",
    Kind.FLAG: "BOOLEAN",
    Kind.FLOAT: "DOUBLE",
}
_MEMORY = "2GB"
_SMALL, _PACKED = 64 << 20, 8
"""Bytes of CSV below which a database file costs more than it is worth, and of Parquet in them."""


class Database:
    """A history in DuckDB, opened by `Database.of` and closed after use.

    Fact tables have their declared columns, `dt` (the day of their partition) and `trace` (the
    number in TraceId, NULL where it has none). Beside them there are `days` (table_name, dt),
    `files`, `journal`, `strangers`, `unreadable`, `origin` and `master_files` (file, there).
    """

    def __init__(self, history: History, connection: duckdb.DuckDBPyConnection) -> None:
        self._history = history
        self._connection = connection
        self._connection.execute("CREATE SCHEMA aligned")
        self.days: dict[str, frozenset[date]] = {}
        self._rows: dict[tuple[str, date], int] = {}
        self._other_rows: dict[str, int] = {}
        self._helpers: set[str] = set()
        self._unreadable = list(history.damaged)
        self._load_facts()
        self._load_master()
        self._load_origin()
        self._table("unreadable", "file VARCHAR, why VARCHAR", _pairs(self._unreadable))
        self._table("beginning", "dt DATE", [(self.history_start,)])

    @classmethod
    @contextmanager
    def of(cls, history: History, workspace: Path) -> Iterator[Self]:
        """The history loaded; what does not fit memory lies in `workspace` until the block ends."""
        with closing(_connect(history, workspace)) as connection:
            yield cls(history, connection)

    def has(self, name: str) -> bool:
        """Whether there is such a table, a fact table with a day of it at least."""
        return name in self.days or name in self._other_rows

    def rows(self, name: str, days: Iterable[date] | None = None) -> int:
        """Rows of a table, of those days only where it is a fact table."""
        if name not in self.days:
            return self._other_rows[name]
        chosen = self.days[name] if days is None else days
        return sum(self._rows.get((name, day), 0) for day in chosen)

    @property
    def history_start(self) -> date | None:
        """The first day of the whole history, where the files tell."""
        if self._history.origin:
            return self._history.origin.history_start
        for table in ("store_inventory_txn", "dc_inventory_txn"):
            if table in self.days:
                found = self._one(f"SELECT min(dt) FROM {table} WHERE Reason = 'INITIAL_STOCK'")
                if isinstance(found, date):
                    return found
        return None

    def make(self, helper: Helper) -> None:
        """Make a helper's table, unless it is there."""
        if helper.name not in self._helpers:
            self._connection.execute(f"CREATE TABLE {helper.name} AS {helper.query}")
            self._helpers.add(helper.name)

    def align(self, names: Sequence[str], days: frozenset[date]) -> None:
        """Until `unalign`, these tables and the table `days` show those days only."""
        wanted = ", ".join(f"DATE '{day}'" for day in sorted(days)) or "NULL"
        for name in (*names, "days"):
            self._connection.execute(
                f"CREATE VIEW aligned.{name} AS SELECT * FROM main.{name} WHERE dt IN ({wanted})"
            )
        self._connection.execute("SET search_path = 'aligned,main'")

    def unalign(self, names: Sequence[str]) -> None:
        """Show every day again."""
        self._connection.execute("SET search_path = 'main'")
        for name in (*names, "days"):
            self._connection.execute(f"DROP VIEW aligned.{name}")

    def ask(self, query: str, first: int) -> tuple[int, Rows]:
        """How many rows a query has, and the first of them in the order of its columns."""
        found = self._connection.execute(
            f"SELECT count(*) OVER (), * FROM ({query}) ORDER BY ALL LIMIT {max(first, 1)}"
        )
        rows = found.fetchall()
        if not rows:
            return 0, Rows()
        columns = tuple(str(c[0]) for c in found.description or ())
        return rows[0][0], Rows(columns[1:], tuple(row[1:] for row in rows[:first]))

    def _one(self, query: str) -> object:
        row = self._connection.execute(query).fetchone()
        return row[0] if row else None

    # Loading.

    def _load_facts(self) -> None:
        parts: dict[str, list[Partition]] = defaultdict(list)
        for partition in self._history.partitions:
            why = flaw_of(partition)
            if why:
                self._unreadable.append(Flaw(partition.name, why))
            else:
                parts[partition.table].append(partition)
        for name, those in parts.items():
            table = tables.registry()[name].table
            try:
                self._load_table(table, those)
            except duckdb.Error:
                self._load_table(table, self._readable(table, those))
        self._table("strangers", "file VARCHAR, why VARCHAR", _pairs(self._history.strangers))
        self._table(
            "days",
            "table_name VARCHAR, dt DATE",
            [(name, day) for name, those in self.days.items() for day in sorted(those)],
        )
        self._load_journal()

    def _readable(self, table: Table, partitions: list[Partition]) -> list[Partition]:
        """Those that can be read to their end; the others are noted as unreadable."""
        found = []
        for partition in partitions:
            source = _reader(table, partition.format, _texts([str(partition.path)]))
            try:
                self._connection.execute(f"CREATE OR REPLACE TEMP TABLE tried AS FROM {source}")
            except duckdb.Error as error:
                why = f"cannot be read: {_gist(error)}"
                self._unreadable.append(Flaw(partition.name, why))
            else:
                found.append(partition)
        return found

    def _load_table(self, table: Table, partitions: list[Partition]) -> None:
        """Raises duckdb.Error when a partition cannot be read."""
        if not partitions:
            return
        names = ", ".join(f'"{c.name}"' for c in table.columns)
        trace = "TRY_CAST(substr(TraceId, 4) AS BIGINT)" if "TraceId" in table.header else "NULL"
        columns = f"{names}, {trace} AS trace, dt"
        sources = []
        for form in sorted({p.format for p in partitions}):
            paths = _texts(str(p.path) for p in partitions if p.format == form)
            sources.append(f"SELECT {columns} FROM {_reader(table, form, paths)}")
        query = " UNION ALL ".join(sources)
        self._connection.execute(f"CREATE TABLE {table.name} AS {query}")
        counted = self._connection.execute(
            f"SELECT dt, count(*) FROM {table.name} GROUP BY dt"
        ).fetchall()
        self._rows |= {(table.name, day): count for day, count in counted}
        self.days[table.name] = frozenset(p.day for p in partitions)

    def _load_journal(self) -> None:
        history = self._history
        if self._has_rejects():
            self._connection.execute(
                "CREATE TABLE rejects AS SELECT s.file_path AS file, e.line AS Line,"
                ' e.column_name AS "Column", e.error_message AS Why, e.csv_line AS Text'
                " FROM reject_errors e JOIN reject_scans s USING (scan_id, file_id)"
            )
            folder = f"{history.facts}/"
            self._other_rows["rejects"] = 0
            self._connection.execute(
                "UPDATE rejects SET file = substr(file, length(?) + 1) WHERE starts_with(file, ?)",
                [folder, folder],
            )
        else:
            self._table("rejects", "file VARCHAR, Why VARCHAR", [])
        if history.journal is None:
            stamps: list[tuple[object, ...]] = [
                (p.name, p.table, p.day, None, None, None) for p in history.partitions
            ]
        else:
            stamps = [
                (p.name, p.table, p.day, self._rows.get((p.table, p.day), 0), s.bytes, s.sha256)
                for p, s in zip(history.partitions, stamp(history.partitions), strict=True)
            ]
        columns = (
            "file VARCHAR, table_name VARCHAR, dt DATE, rows BIGINT, bytes BIGINT, sha256 VARCHAR"
        )
        self._table("files", columns, stamps)
        entries = history.journal or ()
        self._table(
            "journal",
            columns,
            [(e.name, e.table, e.day, e.rows, e.bytes, e.sha256) for e in entries],
        )

    def _has_rejects(self) -> bool:
        found = self._one("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'reject_errors'")
        return bool(found)

    def _load_master(self) -> None:
        folder = self._history.master
        if not folder:
            return
        there = {table: file_of(folder, table).is_file() for table in MASTER_TABLES}
        self._table(
            "master_files",
            "file VARCHAR, there BOOLEAN",
            [(f"{folder.name}/{table.name}.csv", is_file) for table, is_file in there.items()],
        )
        for table in (table for table, is_file in there.items() if is_file):
            path = file_of(folder, table)
            try:
                self._load_master_table(table, path)
            except duckdb.Error as error:
                why = f"cannot be read: {_gist(error)}"
                self._unreadable.append(Flaw(f"{folder.name}/{path.name}", why))

    def _load_master_table(self, table: Table, path: Path) -> None:
        """Raises duckdb.Error for a column that is not there, or a value of another type."""
        columns = ", ".join(
            f'CAST("{c.name}" AS {_SQL[c.kind]}) AS "{c.name}"' for c in table.columns
        )
        self._connection.execute(
            f"CREATE TABLE {table.name} AS SELECT {columns} FROM read_csv("
            f"{_texts([str(path)])}, header=true, all_varchar=true, delim=',', quote='\"',"
            " escape='\"', nullstr='')"
        )
        count = self._one(f"SELECT count(*) FROM {table.name}")
        self._other_rows[table.name] = count if isinstance(count, int) else 0

    def _load_origin(self) -> None:
        origin, folder = self._history.origin, self._history.master
        rows = []
        if origin:
            rows = [(origin.history_start, origin.master, master_digest(folder) if folder else "")]
        self._table("origin", "history_start DATE, master VARCHAR, found VARCHAR", rows)
        self._table("words", '"column" VARCHAR, word VARCHAR', words_of(origin))

    def _table(self, name: str, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
        """A table of rows from Python; `columns` is their declaration in SQL."""
        self._connection.execute(f"CREATE TABLE {name} ({columns})")
        if rows:
            lists = [list(values) for values in zip(*rows, strict=True)]
            marks = ", ".join("unnest(?)" for _ in lists)
            self._connection.execute(f"INSERT INTO {name} SELECT {marks}", lists)
        self._other_rows[name] = len(rows)


def _connect(history: History, workspace: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(
        ":memory:" if _is_small(history) else str(workspace / "verify.duckdb"),
        config={
            "memory_limit": _MEMORY,
            "temp_directory": str(workspace / "spill"),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )


def _is_small(history: History) -> bool:
    sizes = (
        p.path.stat().st_size * (_PACKED if p.format == "parquet" else 1)
        for p in history.partitions
    )
    return sum(sizes) < _SMALL


def _reader(table: Table, form: str, paths: str) -> str:
    """The table function that reads files of a table; wrong rows of CSV go to the rejects."""
    by_day = "hive_partitioning=true, hive_types={'dt': DATE}"
    if form == "parquet":
        return f"read_parquet({paths}, {by_day})"
    columns = ", ".join(f"'{c.name}': '{_SQL[c.kind]}'" for c in table.columns)
    return (
        f"read_csv({paths}, {by_day}, columns={{{columns}}}, auto_detect=false, header=true,"
        " delim=',', quote='\"', escape='\"', nullstr='', store_rejects=true,"
        " timestampformat='%Y-%m-%d %H:%M:%S')"
    )


def _texts(values: Iterable[str]) -> str:
    """A list of texts in SQL."""
    return "[" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + "]"


def _pairs(flaws: Iterable[Flaw]) -> list[tuple[str, str]]:
    return [(flaw.name, flaw.why) for flaw in flaws]


def _gist(error: duckdb.Error) -> str:
    """What DuckDB says first, without the line that it quotes and its advice."""
    paragraph = str(error).split("\n\n")[0]
    return "; ".join(t for t in paragraph.splitlines() if not t.startswith("Original Line:"))
