"""Databases for the contract of sinks: how each is opened, and read by somebody else."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from retail_datagen.core.calendar import to_date
from retail_datagen.schema.sql import qualified
from retail_datagen.sinks import Sink
from retail_datagen.sinks.clickhouse import ClickHouseSink

Rows = list[dict[str, str]]
Query = Callable[[str], Sequence[Sequence[Any]]]


def rows_of_sqlite(path: Path, header: Sequence[str]) -> Callable[[Sink, str, int], Rows | None]:
    def read(sink: Sink, table: str, day: int) -> Rows | None:
        def query(statement: str) -> Sequence[Sequence[Any]]:
            with closing(sqlite3.connect(path)) as connection:
                try:
                    return connection.execute(statement).fetchall()
                except sqlite3.OperationalError as error:
                    if "no such table" in str(error):
                        return []
                    raise

        return _rows(query, table, header, f"date(EventTS) = '{to_date(day)}'")

    return read


def rows_of_duckdb(path: Path, header: Sequence[str]) -> Callable[[Sink, str, int], Rows | None]:
    def read(sink: Sink, table: str, day: int) -> Rows | None:
        def query(statement: str) -> Sequence[Sequence[Any]]:
            with closing(duckdb.connect(str(path))) as connection:
                try:
                    return connection.execute(statement).fetchall()
                except duckdb.CatalogException:
                    return []

        return _rows(query, table, header, f"EventTS::DATE = '{to_date(day)}'")

    return read


def rows_of_postgresql(url: str, header: Sequence[str]) -> Callable[[Sink, str, int], Rows | None]:
    import psycopg

    def read(sink: Sink, table: str, day: int) -> Rows | None:
        def query(statement: str) -> Sequence[Sequence[Any]]:
            with psycopg.connect(url) as connection:
                try:
                    return connection.execute(statement.encode()).fetchall()
                except psycopg.errors.UndefinedTable:
                    return []

        return _rows(query, table, header, f"EventTS::date = '{to_date(day)}'")

    return read


def rows_of_clickhouse(header: Sequence[str]) -> Callable[[Sink, str, int], Rows | None]:
    def read(sink: Sink, table: str, day: int) -> Rows | None:
        assert isinstance(sink, ClickHouseSink)
        clickhouse = sink.clickhouse

        def query(statement: str) -> Sequence[Sequence[Any]]:
            database = clickhouse.address.database
            if not clickhouse.rows(
                f"SELECT 1 FROM system.tables WHERE database = '{database}' AND name = '{table}'"
            ):
                return []
            named = qualified(database, table)
            return clickhouse.rows(statement.replace(f" FROM {table} ", f" FROM {named} "))

        return _rows(query, table, header, f"toDate(EventTS) = '{to_date(day)}'")

    return read


def _rows(query: Query, table: str, header: Sequence[str], where: str) -> Rows | None:
    columns = ", ".join(header)
    found = query(f"SELECT {columns} FROM {table} WHERE {where} ORDER BY TraceId")
    return [dict(zip(header, map(_text, row), strict=True)) for row in found] or None


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return "" if value is None else str(value).removesuffix("+00:00")
