"""Databases as tests see them: a URL to write to, and a way to ask that is not the sink's."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from retail_datagen.core.calendar import to_day
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.sinks import RememberingSink, StreamOptions, open_sink

Answer = list[tuple[Any, ...]]
HERE = Path(__file__).parent
FIRST = to_day(date(2024, 1, 30))
RECEIPTS = Table(
    "receipts",
    "Receipts.",
    (
        Column("TraceId", Kind.TEXT, ""),
        Column("EventTS", Kind.TIMESTAMP, ""),
        Column("StoreID", Kind.INT, "", references="stores.StoreID"),
        Column("Total", Kind.MONEY, ""),
        Column("PromoCode", Kind.CATEGORY, "", null=True),
    ),
    ("TraceId",),
)
MOVES = Table(
    "moves",
    "Movements, without a key of their own.",
    (
        Column("TraceId", Kind.TEXT, "", references="receipts.TraceId"),
        Column("EventTS", Kind.TIMESTAMP, ""),
        Column("Units", Kind.LONG, ""),
    ),
    (),
)
STORES = Table(
    "stores",
    "Stores.",
    (
        Column("StoreID", Kind.INT, ""),
        Column("StoreName", Kind.TEXT, "", unique=True),
        Column("Opened", Kind.DATE, "", null=True),
        Column("Cold", Kind.FLAG, ""),
        Column("Latitude", Kind.FLOAT, ""),
    ),
    ("StoreID",),
)


@dataclass
class Target:
    """A database; `ask` answers a query, from outside of the sink where that can be."""

    kind: str
    url: str
    ask: Callable[[str], Answer]
    _opened: list[RememberingSink] = field(default_factory=list)

    def open(self, feed: str = "facts", zone: str = "UTC") -> RememberingSink:
        """A sink, closed with the test at the latest."""
        sink: Any = open_sink(self.url, options=StreamOptions(feed=feed, zone=zone))
        self._opened.append(sink)
        return sink

    def ids(self, table: str) -> list[str]:
        """The identifiers of a table's rows, sorted; none where there is no table."""
        return [
            str(name) for (name,) in self.ask(f"SELECT event_id FROM {table} ORDER BY event_id")
        ]

    def close(self) -> None:
        for sink in self._opened:
            sink.close()

    def killed(self, step: str) -> None:
        """Run a commit of two days in another process that dies at a step of it."""
        self.close()
        done = subprocess.run(
            [sys.executable, str(HERE / "killed_commit.py"), self.url, step],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == -9, done.stdout + done.stderr


def receipts(day: int, rows: int, first: int = 0) -> pa.Table:
    """Rows `first` to `first + rows` of a day of receipts."""
    numbers = range(first, first + rows)
    return pa.table(
        {
            "TraceId": [f"TRC{day:06d}{i:06d}" for i in numbers],
            "EventTS": pa.array([day * 86_400 + i for i in numbers]).cast(pa.timestamp("s")),
            "StoreID": pa.array([1 + i % 2 for i in numbers], pa.int32()),
            "Total": pa.array([f"{i}.05" for i in numbers]).cast(pa.decimal64(12, 2)),
            "PromoCode": pa.array(
                [None if i % 3 else 'A, "B"' for i in numbers], pa.string()
            ).dictionary_encode(),
        }
    ).cast(RECEIPTS.arrow)


def moves(day: int, rows: int) -> pa.Table:
    """A day of movements, one for each receipt."""
    return pa.table(
        {
            "TraceId": [f"TRC{day:06d}{i:06d}" for i in range(rows)],
            "EventTS": pa.array([day * 86_400 + i for i in range(rows)]).cast(pa.timestamp("s")),
            "Units": pa.array(range(rows), pa.int64()),
        }
    ).cast(MOVES.arrow)


def stores(count: int = 2) -> pa.Table:
    return pa.table(
        {
            "StoreID": pa.array(range(1, count + 1), pa.int32()),
            "StoreName": [f"Store, {i}" for i in range(count)],
            "Opened": pa.array([None if i % 2 else 1000 + i for i in range(count)])
            .cast(pa.int32())
            .cast(pa.date32()),
            "Cold": [bool(i % 2) for i in range(count)],
            "Latitude": [i + 0.1 for i in range(count)],
        }
    ).cast(STORES.arrow)


def sqlite(folder: Path) -> Target:
    path = folder / "retail.db"

    def ask(query: str) -> Answer:
        with closing(sqlite3.connect(path)) as connection:
            try:
                return connection.execute(query).fetchall()
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):
                    return []
                raise

    return Target("sqlite", f"sqlite:///{path}", ask)


def duckdb(folder: Path) -> Target:
    import duckdb as driver

    path = folder / "retail.duckdb"

    def ask(query: str) -> Answer:
        with closing(driver.connect(str(path))) as connection:
            # A name stands for a table, never for a variable of ours.
            connection.execute("SET python_enable_replacements = false")
            try:
                return connection.execute(query).fetchall()
            except driver.CatalogException:
                return []

    return Target("duckdb", f"duckdb:{path}", ask)


def postgresql(url: str) -> Target:
    import psycopg

    def ask(query: str) -> Answer:
        with psycopg.connect(url) as connection:
            try:
                return connection.execute(query.encode()).fetchall()
            except psycopg.errors.UndefinedTable:
                return []

    return Target("postgresql", url, ask)


def chdb(folder: Path) -> Target:
    from retail_datagen.sinks import SinkError
    from retail_datagen.sinks.clickhouse_client import ClickHouse

    url = f"chdb:{folder / 'retail.chdb'}"

    def ask(query: str) -> Answer:
        with closing(ClickHouse.of(url)) as clickhouse:
            try:
                return [tuple(row) for row in _in_retail(clickhouse.rows, query)]
            except SinkError as error:
                if "UNKNOWN_TABLE" in str(error) or "does not exist" in str(error):
                    return []
                raise

    return Target("chdb", url, ask)


def clickhouse(url: str) -> Target:
    """As `chdb`, over HTTP."""
    from retail_datagen.sinks import SinkError
    from retail_datagen.sinks.clickhouse_client import ClickHouse

    def ask(query: str) -> Answer:
        with closing(ClickHouse.of(url)) as server:
            try:
                return [tuple(row) for row in server.rows(query)]
            except SinkError as error:
                if "UNKNOWN_TABLE" in str(error) or "does not exist" in str(error):
                    return []
                raise

    return Target("clickhouse", url, ask)


def _in_retail(rows: Callable[[str], Sequence[Sequence[Any]]], query: str) -> Answer:
    for name in ("receipts", "moves", "stores"):
        query = query.replace(f" {name}", f" retail.{name}")
    return [tuple(row) for row in rows(query)]
