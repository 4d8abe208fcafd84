"""ClickHouse, on a server or embedded (chdb): each row once, without transactions.

ClickHouse has none, so a commit has three steps, and `recover` knows after which of them it ended:

1. an intent is written: the feed is about to add these rows of these days;
2. the rows are inserted; each carries its `event_id`;
3. one insert of one block, which is there whole or not at all, writes the progress that they make
   and takes the intent back.

Killed before 1, nothing happened. Between 1 and 3 the intent stands and progress lacks its rows:
`recover` deletes exactly those, by their identifiers, whether all of them had arrived or a part or
none, and waits until they are gone; the job then sends them again. After 3 there is no intent.
`recover` may be killed as well: it takes the intent back last, and deleting twice is deleting once.
What a server still does for a writer that is gone is ended first, so that nothing arrives later.
Readers see the rows of a commit while it goes on; that is why it does not say `transactional`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import pyarrow as pa

from retail_datagen.core.ahead import ahead
from retail_datagen.schema.sql import (
    create_merge_tree,
    qualified,
    stored_columns,
    table_name,
)
from retail_datagen.schema.stamps import EVENT_ID, Stamped
from retail_datagen.schema.table import Table
from retail_datagen.sinks.base import Capabilities, SinkError, Unit, conform
from retail_datagen.sinks.clickhouse_client import ClickHouse, literal
from retail_datagen.sinks.clickhouse_notes import DAY, HEADER, INTENT, Notes, day_entry
from retail_datagen.sinks.progress import PartitionRecord, Progress
from retail_datagen.sinks.sql import other_columns
from retail_datagen.sinks.staging import (
    MOST_ROWS,
    Batch,
    Key,
    Staging,
    digest,
    id_bounds,
    stored_rows,
)

_MASTER = "master data"
"""In place of a feed: what is noted of master data, which are the same for all of them."""
_DELETION = tuple[str, str, str]
"""Rows to be deleted: table, and the identifiers of the first and the last one."""


class ClickHouseSink:
    """Partitions and events as rows of MergeTree tables."""

    capabilities = Capabilities(
        atomic_unit=Unit.PARTITION,
        idempotent=True,
        transactional=False,
        durable=True,
        parallel=False,
        remembers=True,
        dimensions=True,
        commit_rows=100_000,
    )
    format = "clickhouse"
    root = None
    elsewhere = "another database with --to"

    def __init__(self, clickhouse: ClickHouse, feed: str, zone: str) -> None:
        self.clickhouse = clickhouse
        self._staging = Staging(zone)
        self._notes = Notes(clickhouse, feed)
        self._master_notes = Notes(clickhouse, _MASTER)
        self._fitting: set[str] = set()
        self.name = self._notes.name
        self.where = f"the feed {feed!r} in {clickhouse.address.where}"

    # What the target remembers.

    def read_header(self) -> str | None:
        return self._notes.read().get(HEADER) or None

    def write_header(self, text: str) -> None:
        self._notes.write({HEADER: text})

    def progress(self) -> Mapping[Key, Progress]:
        return self._notes.days()

    def recover(self, tables: Iterable[str]) -> None:
        self._staging.drop()
        self._forget()
        intent = self._notes.read().get(INTENT)
        if intent:
            self.clickhouse.end_queries(self._notes.query_id)
            self._delete([_deletion(entry) for entry in json.loads(intent)])
            self._notes.write({INTENT: ""})

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
        try:
            self._send(batch)
        except BaseException:
            # What arrived is taken back now, if it can be, else when a job begins.
            self._forget()
            if self.clickhouse.is_open:
                with suppress(SinkError):
                    self.recover(())
            self._forget()
            raise

    def write_dimension(self, table: Table, data: pa.Table) -> None:
        """Let a table hold exactly these rows, which are no events; lasting once it returns.

        Nothing is written where it holds them already. Raises SinkError.
        """
        data = conform(table, data)
        notes = self._master_notes
        content, note = digest(data), f"table:{table_name(table)}"
        if notes.read().get(note) == content:
            return
        self._ensure(table, stamped=False)
        name = self._qualified(table_name(table))
        notes.write({note: ""})
        self.clickhouse.run(f"TRUNCATE TABLE {name}")
        if data.num_rows:
            self.clickhouse.insert(table_name(table), data)
        notes.write({note: content})

    # What there is.

    def check(self, record: PartitionRecord) -> bool:
        found = self.progress().get((record.table, record.day))
        return found is not None and found.record == record

    def holds(self, tables: Iterable[str]) -> bool:
        wanted = set(tables)
        if any(table in wanted for table, _ in self.progress()):
            return True
        return any(self._has_rows(name) for name in wanted)

    def clear(self, tables: Iterable[str]) -> None:
        self._staging.drop()
        self._forget()
        wanted = set(tables)
        self.clickhouse.end_queries(self._notes.query_id)
        entries = {
            name: ""
            for name, text in self._notes.read().items()
            if text and name.startswith(DAY) and Progress.from_json(text).table in wanted
        }
        # Forgotten first: killed in the middle, what is left is not taken for a history.
        self._notes.write(entries | {HEADER: ""})
        for name in sorted(wanted):
            if self.clickhouse.names_of_columns(name):
                self.clickhouse.run(f"TRUNCATE TABLE {self._qualified(name)}")
        self._notes.write({INTENT: ""})
        self._forget()

    def close(self) -> None:
        self._staging.drop()
        self._forget()
        self.clickhouse.close()

    # The three steps of a commit.

    def _send(self, batch: Batch) -> None:
        if self._notes.read().get(INTENT):
            self.recover(())
        self._notes.refuse_second_writer()
        for table in batch.tables().values():
            self._ensure(table, stamped=True)
        replaced = [change for change in batch.changes if change.replace]
        whole_days = [_rows_of(c.table, c.after.day, 0, MOST_ROWS) for c in replaced]
        parts = [
            _rows_of(change.table, rows.day, rows.first, rows.end)
            for change in batch.changes
            if not change.replace
            for rows in change.rows
        ]
        if whole_days or parts:
            forgotten = {day_entry(change.after): "" for change in replaced}
            self._notes.write({INTENT: json.dumps(whole_days + parts)} | forgotten)
        self._delete(whole_days)
        # The largest last: its columns are made while all the others go in.
        tables = dict(sorted(batch.tables().items(), key=lambda item: batch.count(item[0])))
        with ThreadPoolExecutor(1) as thread:
            made_ready = ahead(thread, partial(self._rows, batch), tables, 1)
            for table, data in zip(tables.values(), made_ready, strict=True):
                if data is not None:
                    self.clickhouse.insert(table_name(table), data, self._notes.next_id())
        made = {day_entry(change.after): change.after.to_json() for change in batch.changes}
        if made:
            self._notes.write(made | {INTENT: ""})

    def _rows(self, batch: Batch, name: str) -> pa.Table | None:
        """What a batch has for a table, as ClickHouse takes it; None for nothing."""
        sent = [stored_rows(rows) for rows in batch.rows_of(name) if rows.rows.num_rows]
        return self.clickhouse.columns(pa.concat_tables(sent)) if sent else None

    def _delete(self, deletions: Iterable[_DELETION]) -> None:
        """Delete rows by their identifiers, and wait until they are gone."""
        for table, low, high in deletions:
            if self.clickhouse.names_of_columns(table):
                self.clickhouse.run(
                    f"ALTER TABLE {self._qualified(table)} DELETE "
                    f"WHERE {EVENT_ID} >= {literal(low)} AND {EVENT_ID} <= {literal(high)} "
                    "SETTINGS mutations_sync = 2"
                )

    def _ensure(self, table: Table, stamped: bool) -> None:
        """Make the table where there is none. Raises SinkError where another has its name."""
        name = table_name(table)
        if name in self._fitting:
            return
        wanted = [column.name for column in stored_columns(table, stamped)]
        # Who loads from elsewhere notes beside our columns from where.
        there = [
            column
            for column in self.clickhouse.names_of_columns(name)
            if not column.startswith("_")
        ]
        if there and sorted(there) != sorted(wanted):
            if self._has_rows(name):
                raise other_columns(self.clickhouse.address.where, name, there, wanted)
            self.clickhouse.run(f"DROP TABLE {self._qualified(name)}")
            there = []
        if not there:
            database = self.clickhouse.address.database
            self.clickhouse.run(create_merge_tree(table, stamped, database))
        self._fitting.add(name)

    def _has_rows(self, name: str) -> bool:
        return bool(self.clickhouse.names_of_columns(name)) and bool(
            self.clickhouse.rows(f"SELECT 1 FROM {self._qualified(name)} LIMIT 1")
        )

    def _qualified(self, name: str) -> str:
        return qualified(self.clickhouse.address.database, name)

    def _forget(self) -> None:
        self._notes.forget()
        self._master_notes.forget()
        self._fitting.clear()


def _rows_of(table: Table, day: int, first: int, end: int) -> _DELETION:
    low, high = id_bounds(table, day, first, end)
    return table_name(table), low, high


def _deletion(told: Sequence[str]) -> _DELETION:
    table, low, high = told
    return table, low, high
