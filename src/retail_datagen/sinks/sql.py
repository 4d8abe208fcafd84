"""The sink for databases that have transactions: SQLite, DuckDB, PostgreSQL.

Rows wait in memory until `commit`, which writes them together with the progress that they make, in
one transaction: a job killed at any moment finds both or neither. What is particular to a database
is behind `Database`, a module each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import pyarrow as pa

from retail_datagen.core.calendar import to_date
from retail_datagen.schema.sql import Dialect, create_table, stored_columns, table_name
from retail_datagen.schema.stamps import EVENT_ID, Stamped
from retail_datagen.schema.table import Column, Table
from retail_datagen.sinks.base import Capabilities, SinkError, Unit, conform
from retail_datagen.sinks.progress import PartitionRecord, Progress
from retail_datagen.sinks.staging import (
    MOST_ROWS,
    Batch,
    Change,
    Key,
    Staging,
    digest,
    id_bounds,
    stored_rows,
)

FEEDS, PROGRESS = "_retail_feeds", "_retail_progress"


class Database(Protocol):
    """A connection to one database, opened at its first use and again after `close`.

    Methods raise one of `errors`, which `explain` turns into what people are told.
    """

    @property
    def dialect(self) -> Dialect: ...

    @property
    def where(self) -> str:
        """The database as it may be shown: without secrets."""
        ...

    @property
    def mark(self) -> str:
        """What stands for a value in a statement: `?` or `%s`."""
        ...

    @property
    def keys(self) -> bool:
        """Whether tables have keys that the database holds."""
        ...

    @property
    def errors(self) -> tuple[type[Exception], ...]: ...

    def explain(self, error: Exception) -> SinkError: ...

    def begin(self) -> None:
        """Begin a transaction that no other writer's can overlap."""
        ...

    def commit(self) -> None: ...

    def rollback(self) -> None: ...

    def run(self, statement: str, values: Sequence[Any] = ()) -> None: ...

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]: ...

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns of a table; none where there is no such table."""
        ...

    def insert(self, table: str, columns: Sequence[Column], data: pa.Table) -> None:
        """Append rows, whose columns are those."""
        ...

    def empty(self, tables: Sequence[str]) -> None:
        """Remove all rows of tables that exist."""
        ...

    def connect_tables(self, tables: Sequence[Table], stamped: bool) -> None:
        """Add indexes and references to tables made in this transaction, where there are any."""
        ...

    def close(self) -> None: ...


class SqlSink:
    """Partitions as rows of tables, and events, in a database with transactions."""

    capabilities = Capabilities(
        atomic_unit=Unit.PARTITION,
        idempotent=True,
        transactional=True,
        durable=True,
        parallel=False,
        remembers=True,
        dimensions=True,
        commit_rows=100_000,
    )
    root = None
    elsewhere = "another database with --to"

    def __init__(self, database: Database, feed: str, zone: str) -> None:
        self._database = database
        self._feed = feed
        self._staging = Staging(zone)
        self._known: dict[Key, Progress] | None = None
        self._fitting: set[str] = set()
        self._ready = False
        self.where = f"the feed {feed!r} in {database.where}"
        self.format = database.dialect.name.lower()
        told = f"{database.where}\0{feed}"
        self.name = f"{self.format}-{hashlib.sha256(told.encode()).hexdigest()[:12]}"

    # What the target remembers.

    def read_header(self) -> str | None:
        return self._read_note(self._feed)

    def write_header(self, text: str) -> None:
        with self._transaction():
            self._write_note(self._feed, text)

    def progress(self) -> Mapping[Key, Progress]:
        if self._known is None:
            with self._told():
                self._prepare()
                found = self._database.rows(
                    f"SELECT progress FROM {PROGRESS} WHERE feed = {self._database.mark}",
                    (self._feed,),
                )
            read = [Progress.from_json(text) for (text,) in found]
            self._known = {(p.table, p.day): p for p in read}
        return self._known

    def recover(self, tables: Iterable[str]) -> None:
        """Nothing was left behind; what is known is read again."""
        self._staging.drop()
        self._known = None

    # What is written.

    def append(self, table: Table, day: int, first: int, rows: pa.Table) -> None:
        self._staging.append(self.progress(), table, day, first, rows)

    def write_partition(self, table: Table, day: int, data: pa.Table) -> PartitionRecord:
        return self._staging.write(self.progress(), table, day, data)

    def send(self, stamped: Stamped) -> None:
        self._staging.send(stamped)

    def commit(self) -> None:
        batch = self._staging.take()
        if not batch.changes and not batch.events:
            return
        with self._transaction():
            self._refuse_second_writer(batch)
            made = [t for t in batch.tables().values() if self._ensure(t, stamped=True)]
            for change in batch.changes:
                if change.replace:
                    self._remove(change.table, change.after.day)
            for stamped in batch.all_rows():
                self._insert(stamped.table, stored_rows(stamped), stamped=True)
            for change in batch.changes:
                self._note(change)
            self._database.connect_tables(made, stamped=True)
        if self._known is not None:
            self._known |= {(c.after.table, c.after.day): c.after for c in batch.changes}

    def write_dimension(self, table: Table, data: pa.Table) -> None:
        """Let a table hold exactly these rows, which are no events; lasting once it returns.

        Nothing is written where it holds them already. Raises SinkError.
        """
        data = conform(table, data)
        content, note = digest(data), f"table:{table_name(table)}"
        if self._read_note(note) == content:
            return
        with self._transaction():
            made = self._ensure(table, stamped=False)
            if not made:
                self._database.run(f"DELETE FROM {self._quoted(table)}")
            self._insert(table, data, stamped=False)
            self._write_note(note, content)
            self._database.connect_tables([table] if made else [], stamped=False)

    # What there is.

    def check(self, record: PartitionRecord) -> bool:
        found = self.progress().get((record.table, record.day))
        return found is not None and found.record == record

    def holds(self, tables: Iterable[str]) -> bool:
        wanted = set(tables)
        if any(table in wanted for table, _ in self.progress()):
            return True
        with self._told():
            return any(self._has_rows(self._database.dialect.named(name)) for name in wanted)

    def clear(self, tables: Iterable[str]) -> None:
        mark = self._database.mark
        with self._transaction():
            names = set()
            for table in set(tables):
                mine = (self._feed, table)
                where = f"WHERE feed = {mark} AND table_name = {mark}"
                found = self._database.rows(f"SELECT stored_as FROM {PROGRESS} {where}", mine)
                names |= {name for (name,) in found} | {self._database.dialect.named(table)}
                self._database.run(f"DELETE FROM {PROGRESS} {where}", mine)
            there = sorted(name for name in names if self._database.columns(name))
            self._database.empty(there)
            self._database.run(f"DELETE FROM {FEEDS} WHERE feed = {mark}", (self._feed,))
        self._staging.drop()
        self._known = None

    def close(self) -> None:
        self._staging.drop()
        self._known = None
        self._fitting.clear()
        self._ready = False
        self._database.close()

    # Inside a transaction.

    def _ensure(self, table: Table, stamped: bool) -> bool:
        """Whether the table had to be made. Raises SinkError where another has its name."""
        name = self._database.dialect.named(table_name(table))
        if name in self._fitting:
            return False
        named = self._database.dialect.named
        wanted = [named(c.name) for c in stored_columns(table, stamped)]
        there = self._database.columns(name)
        if there and sorted(there) != sorted(wanted):
            if self._has_rows(name):
                raise other_columns(self._database.where, name, there, wanted)
            self._database.run(f"DROP TABLE {self._quoted(table)}")
            there = ()
        if not there:
            self._database.run(
                create_table(self._database.dialect, table, stamped, self._database.keys)
            )
        self._fitting.add(name)
        return not there

    def _insert(self, table: Table, data: pa.Table, stamped: bool) -> None:
        if data.num_rows:
            name = self._database.dialect.named(table_name(table))
            self._database.insert(name, stored_columns(table, stamped), data)

    def _remove(self, table: Table, day: int) -> None:
        low, high = id_bounds(table, day, 0, MOST_ROWS)
        column = self._database.dialect.quoted(EVENT_ID)
        mark = self._database.mark
        self._database.run(
            f"DELETE FROM {self._quoted(table)} WHERE {column} BETWEEN {mark} AND {mark}",
            (low, high),
        )

    def _note(self, change: Change) -> None:
        """Keep the progress that a change makes."""
        mark, after = self._database.mark, change.after
        stored_as = self._database.dialect.named(table_name(change.table))
        self._database.run(
            f"INSERT INTO {PROGRESS} (feed, table_name, day, stored_as, progress) "
            f"VALUES ({', '.join([mark] * 5)}) ON CONFLICT (feed, table_name, day) "
            "DO UPDATE SET progress = excluded.progress",
            (self._feed, after.table, to_date(after.day).isoformat(), stored_as, after.to_json()),
        )

    def _refuse_second_writer(self, batch: Batch) -> None:
        """Raise SinkError unless progress is still what this sink thinks it is."""
        mark = self._database.mark
        for change in batch.changes:
            day = to_date(change.after.day).isoformat()
            found = self._database.rows(
                f"SELECT progress FROM {PROGRESS} WHERE feed = {mark} AND table_name = {mark} "
                f"AND day = {mark}",
                (self._feed, change.after.table, day),
            )
            if [Progress.from_json(text) for (text,) in found] != [change.before][: len(found)] or (
                change.before is not None and not found
            ):
                raise SinkError(
                    f"{self._database.where}: another job has written {change.after.table} of "
                    f"{day} meanwhile; nothing of this one was added: let one job at a time write "
                    "there, then run the same command again"
                )

    def _read_note(self, feed: str) -> str | None:
        with self._told():
            self._prepare()
            found = self._database.rows(
                f"SELECT header FROM {FEEDS} WHERE feed = {self._database.mark}", (feed,)
            )
        return str(found[0][0]) if found else None

    def _write_note(self, feed: str, text: str) -> None:
        mark = self._database.mark
        self._database.run(
            f"INSERT INTO {FEEDS} (feed, header) VALUES ({mark}, {mark}) "
            "ON CONFLICT (feed) DO UPDATE SET header = excluded.header",
            (feed, text),
        )

    def _has_rows(self, name: str) -> bool:
        quoted = self._database.dialect.quoted(name)
        return bool(self._database.columns(name)) and bool(
            self._database.rows(f"SELECT 1 FROM {quoted} LIMIT 1")
        )

    def _quoted(self, table: Table) -> str:
        return self._database.dialect.quoted(table_name(table))

    def _prepare(self) -> None:
        """Make the tables that remember, once."""
        if self._ready:
            return
        if not self._database.columns(PROGRESS):
            self._database.run(
                f"CREATE TABLE IF NOT EXISTS {FEEDS} "
                "(feed VARCHAR(200) PRIMARY KEY, header TEXT NOT NULL)"
            )
            self._database.run(
                f"CREATE TABLE IF NOT EXISTS {PROGRESS} (feed VARCHAR(200), "
                "table_name VARCHAR(200), day VARCHAR(10), stored_as VARCHAR(200) NOT NULL, "
                "progress TEXT NOT NULL, PRIMARY KEY (feed, table_name, day))"
            )
        self._ready = True

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All that is run inside lasts together, or leaves nothing. Raises SinkError."""
        with self._told():
            try:
                self._database.begin()
                self._prepare()
                yield
                self._database.commit()
            except BaseException:
                # A connection that is gone has rolled back by itself.
                with suppress(*self._database.errors):
                    self._database.rollback()
                self._fitting.clear()
                self._ready = False
                raise

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Errors of the database as SinkError; it is opened anew the next time."""
        try:
            yield
        except self._database.errors as error:
            told = self._database.explain(error)
            self._known = None
            self._ready = False
            with suppress(*self._database.errors):
                self._database.close()
            raise told from error


def other_columns(where: str, name: str, there: Iterable[str], wanted: Iterable[str]) -> SinkError:
    """The error for a table that is there and is not ours."""
    lacking = [column for column in wanted if column not in set(there)]
    beside = [column for column in there if column not in set(wanted)]
    parts = [f"lacks {', '.join(lacking)}"] * bool(lacking)
    parts += [f"has {', '.join(beside)} beside them"] * bool(beside)
    return SinkError(
        f"{where}: the table {name} has other columns: it {' and '.join(parts)}. Nothing was "
        "written; drop or rename that table, or choose another database with --to"
    )
