"""PostgreSQL: `postgresql://user:password@host:5432/database`; needs psycopg 3.

Rows go in by COPY, as the CSV that this project writes fastest. Tables have the keys and references
that their declarations name, held by the database; `?keys=off` leaves them out. Names are in lower
case, so that `SELECT StoreID` works without quotes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import pyarrow as pa

from retail_datagen.schema.csv import write_rows
from retail_datagen.schema.sql import (
    POSTGRESQL,
    add_reference,
    create_indexes,
    references,
    table_name,
)
from retail_datagen.schema.table import Column, Kind, Table
from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.options import redacted, refuse_unclear_password

if TYPE_CHECKING:
    import psycopg

_CONNECT_SECONDS = 10
_LOCK = 0x7E7A11
"""One writer at a time: the number of an advisory lock that each transaction takes."""
_TEXTS = (Kind.TEXT, Kind.CATEGORY)
_UNIQUE_COLUMNS = """
SELECT t.relname, a.attname
FROM pg_constraint c
JOIN pg_class t ON t.oid = c.conrelid
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
WHERE c.contype IN ('p', 'u') AND cardinality(c.conkey) = 1 AND pg_table_is_visible(t.oid)
"""


class PostgresDatabase:
    """One database of a server. Raises SinkError where psycopg is not installed."""

    dialect = POSTGRESQL
    mark = "%s"

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise SinkError(
                "PostgreSQL needs psycopg, which is not installed: "
                "pip install 'retail-datagen[postgres]'"
            ) from error
        self._psycopg = psycopg
        self.errors = (psycopg.Error, OSError)
        refuse_unclear_password(url)
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        keys = query.pop("keys", "on")
        if keys not in ("on", "off"):
            raise SinkError(f"keys: {keys!r} is not known; allowed are on and off")
        self.keys = keys == "on"
        self._secrets = [s for s in (parts.password, query.get("password")) if s]
        self._secrets += [unquote(secret) for secret in self._secrets]
        self._url = urlunsplit(parts._replace(scheme="postgresql", query=urlencode(query)))
        self.where = redacted(self._url)
        self._opened: psycopg.Connection[tuple[Any, ...]] | None = None

    @property
    def _connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        if self._opened is None:
            self._opened = self._psycopg.connect(
                self._url, autocommit=True, connect_timeout=_CONNECT_SECONDS
            )
            self._opened.execute("SET TIME ZONE 'UTC'")
            self._opened.execute("SET client_min_messages TO warning")
        return self._opened

    def explain(self, error: Exception) -> SinkError:
        text = next(iter(str(error).strip().splitlines()), type(error).__name__)
        for secret in self._secrets:
            text = text.replace(secret, "***")
        state = getattr(error, "sqlstate", None) or ""
        detail = getattr(getattr(error, "diag", None), "message_detail", None) or ""
        kept = "nothing half-written was left behind, what was finished is kept"
        again = "and run the same command again"
        if state == "28P01" or "password authentication failed" in text:
            what = "user or password is wrong: see to the URL, or set PGPASSWORD or a .pgpass file"
        elif state == "3D000" or ("database" in text and "does not exist" in text):
            what = "create that database (CREATE DATABASE …), or name another in the URL"
        elif state == "23503" and "still referenced" in detail:
            what = (
                f"{detail} Another feed's table refers to it: start that one anew first, or give "
                "each feed a database of its own"
            )
        elif state == "23503":
            what = (
                f"{detail} What it refers to is not there: load from the history's first day, with "
                "all tables and the master data, or without keys (?keys=off)"
            )
        elif state == "23505":
            what = (
                f"{detail} That row is there already, or came twice: start anew with --overwrite, "
                "or write without keys (?keys=off)"
            )
        elif state == "53100" or "No space left" in text:
            what = f"free some space on the server {again}"
        elif state == "42501":
            what = f"let the user create tables and write in that database {again}"
        elif not state or state.startswith(("08", "57P")):
            what = f"is the server running and reachable there? See to it {again}"
        else:
            what = f"see to it {again}"
        return SinkError(f"cannot write {self.where}: {text}; {kept}: {what}")

    def begin(self) -> None:
        self._connection.execute("BEGIN")
        self._connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))

    def commit(self) -> None:
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        if self._opened is not None and not self._opened.closed:
            self._opened.execute("ROLLBACK")

    def run(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._connection.execute(statement.encode(), values or None)

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(query.encode(), values or None).fetchall()

    def columns(self, table: str) -> tuple[str, ...]:
        found = self.rows(
            "SELECT a.attname FROM pg_attribute a JOIN pg_class t ON t.oid = a.attrelid "
            "WHERE t.relname = %s AND pg_table_is_visible(t.oid) AND t.relkind IN ('r', 'p', 'v') "
            "AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
            [table],
        )
        return tuple(str(name) for (name,) in found)

    def insert(self, table: str, columns: Sequence[Column], data: pa.Table) -> None:
        names = POSTGRESQL.list(column.name for column in columns)
        # An empty field is a null, unless the column has none: there it is an empty text.
        filled = [c.name for c in columns if c.kind in _TEXTS and not c.null]
        force = f", FORCE_NOT_NULL ({POSTGRESQL.list(filled)})" if filled else ""
        statement = (
            f"COPY {POSTGRESQL.quoted(table)} ({names}) FROM STDIN (FORMAT csv, HEADER true{force})"
        )
        with self._connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            write_rows(data, _Pipe(copy))

    def empty(self, tables: Sequence[str]) -> None:
        if not tables:
            return
        names = POSTGRESQL.list(tables)
        try:
            with self._connection.transaction():
                self.run(f"TRUNCATE {names}")
        except self._psycopg.errors.FeatureNotSupported:
            # Somebody else's table refers to one of ours: it must not lose rows.
            for table in tables:
                self.run(f"DELETE FROM {POSTGRESQL.quoted(table)}")

    def connect_tables(self, tables: Sequence[Table], stamped: bool) -> None:
        """Indexes, a coarse one by time, and references to columns that are unique."""
        if not self.keys or not tables:
            return
        # Tables with checks that are still to come cannot be altered.
        self.run("SET CONSTRAINTS ALL IMMEDIATE")
        unique = {(str(table), str(column)) for table, column in self.rows(_UNIQUE_COLUMNS)}
        for table in tables:
            for statement in create_indexes(POSTGRESQL, table, stamped):
                self.run(statement)
            if stamped and table.time_column:
                name = POSTGRESQL.quoted(table_name(table))
                time = POSTGRESQL.quoted(table.time_column)
                self.run(f"CREATE INDEX ON {name} USING brin ({time})")
            for reference in references(table):
                named = POSTGRESQL.named
                if (named(reference.table), named(reference.target)) in unique:
                    self.run(add_reference(POSTGRESQL, table, reference))

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None


class _Pipe:
    """What the CSV writer writes to."""

    closed = False

    def __init__(self, copy: psycopg.Copy) -> None:
        self._copy = copy

    def write(self, data: bytes) -> int:
        self._copy.write(data)
        return len(data)

    def flush(self) -> None:
        """COPY takes what it is given."""

    def close(self) -> None:
        """COPY ends with its block."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False
