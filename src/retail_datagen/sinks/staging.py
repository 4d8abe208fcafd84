"""What a database sink has been given and has not yet sent: rows, and the progress they make.

For the sinks of databases alone. Nothing here talks to one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from retail_datagen.core.files import HashingFile, Nowhere
from retail_datagen.schema.sql import stored_columns
from retail_datagen.schema.stamps import (
    EVENT_ID,
    INSTANT,
    SCHEMA_VERSION,
    Stamped,
    event_ids,
    stamp,
)
from retail_datagen.schema.table import Table
from retail_datagen.sinks.base import conform
from retail_datagen.sinks.progress import PartitionRecord, Progress

Key = tuple[str, int]
"""A partition: table and day."""
MOST_ROWS = 99_999_999
"""Rows of a day, as their identifiers count them."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows to be sent: row `first` and those after it, of one day of a table."""

    table: Table
    day: int
    first: int
    data: pa.Table
    zone: str

    @property
    def end(self) -> int:
        return self.first + int(self.data.num_rows)

    def stamped(self) -> Stamped:
        """With their stamps, made when they are sent: until then they only take memory."""
        return stamp(self.table, self.day, self.first, self.data, self.zone)


@dataclass(slots=True)
class Change:
    """What a commit does to one partition: `before` becomes `after` once `rows` are there.

    With `replace`, what is there of it goes first.
    """

    table: Table
    before: Progress | None
    after: Progress
    rows: list[Rows] = field(default_factory=list)
    replace: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one commit sends: changes of partitions, and events that nobody remembers."""

    changes: tuple[Change, ...]
    events: tuple[Stamped, ...]

    def tables(self) -> Mapping[str, Table]:
        """The tables of which there are rows or progress, by name."""
        found = {change.table.name: change.table for change in self.changes}
        return found | {sent.table.name: sent.table for sent in self.events}

    def all_rows(self) -> Iterator[Stamped]:
        """The rows to be inserted, table by table."""
        for name in self.tables():
            yield from self.rows_of(name)

    def count(self, name: str) -> int:
        """How many rows there are of a table."""
        ours = (rows for c in self.changes if c.table.name == name for rows in c.rows)
        sent = (s for s in self.events if s.table.name == name)
        return sum(r.end - r.first for r in ours) + sum(len(s.instant) for s in sent)

    def rows_of(self, name: str) -> Iterator[Stamped]:
        """The rows to be inserted into a table."""
        for change in self.changes:
            if change.table.name == name:
                yield from (rows.stamped() for rows in change.rows)
        yield from (sent for sent in self.events if sent.table.name == name)


class Staging:
    """Takes rows until a commit takes them: to `zone`'s instants, and less what is there."""

    def __init__(self, zone: str) -> None:
        self._zone = zone
        self._changes: dict[Key, Change] = {}
        self._events: list[Stamped] = []

    def append(
        self, known: Mapping[Key, Progress], table: Table, day: int, first: int, rows: pa.Table
    ) -> None:
        """Rows of a day that the target, which holds what is `known`, has not."""
        change = self._change(known, table, day)
        if rows.num_rows:
            change.rows.append(self._rows(table, day, first, rows))
            change.after = change.after.plus(first, first + rows.num_rows)

    def write(
        self, known: Mapping[Key, Progress], table: Table, day: int, data: pa.Table
    ) -> PartitionRecord:
        """A whole day, of which is sent what neither target nor staging has; and its record.

        A day that is there whole with other content is replaced.
        """
        data = conform(table, data)
        record = PartitionRecord(
            table.name, day, f"{table.name}/{day}", data.num_rows, data.nbytes, digest(data)
        )
        change = self._change(known, table, day)
        there = change.after.record
        if there is not None:
            if there == record:
                return record
            before = change.before
            change = Change(table, before, Progress(table.name, day))
            change.replace = before is not None
            self._changes[table.name, day] = change
        for first, end in change.after.lacks(data.num_rows):
            part = data.slice(first, end - first)
            change.rows.append(self._rows(table, day, first, part))
        held = ((0, data.num_rows),) if data.num_rows else ()
        change.after = replace(change.after, held=held, record=record)
        return record

    def send(self, stamped: Stamped) -> None:
        """Events that nothing remembers."""
        self._events.append(stamped)

    def take(self) -> Batch:
        """All that was given since the last time."""
        batch = Batch(
            tuple(c for c in self._changes.values() if c.before != c.after or c.rows),
            tuple(self._events),
        )
        self.drop()
        return batch

    def drop(self) -> None:
        """Forget what was given."""
        self._changes.clear()
        self._events.clear()

    def _change(self, known: Mapping[Key, Progress], table: Table, day: int) -> Change:
        key = table.name, day
        if key not in self._changes:
            before = known.get(key)
            self._changes[key] = Change(table, before, before or Progress(*key))
        return self._changes[key]

    def _rows(self, table: Table, day: int, first: int, rows: pa.Table) -> Rows:
        return Rows(table, day, first, conform(table, rows), self._zone)


def stored_rows(stamped: Stamped) -> pa.Table:
    """Rows as a database stores them: their own columns and those of the stamps.

    The instant is a timestamp in milliseconds, UTC, without a zone.
    """
    rows = stamped.rows
    version = np.full(rows.num_rows, stamped.table.schema_version, dtype=np.int32)
    instant = pa.array(stamped.instant, pa.int64()).view(pa.timestamp("ms"))
    stamps = {EVENT_ID: stamped.event_id, SCHEMA_VERSION: pa.array(version), INSTANT: instant}
    names = [c.name for c in stored_columns(stamped.table, stamped=True)]
    columns = [*rows.columns, *(stamps[name] for name in names[rows.num_columns :])]
    return pa.Table.from_arrays(columns, names=names)


def id_bounds(table: Table, day: int, first: int, end: int) -> tuple[str, str]:
    """The identifiers of rows `first` to `end` (exclusive) of a day: the first and the last."""
    low = event_ids(table.name, day, first, 1)[0].as_py()
    high = event_ids(table.name, day, end - 1, 1)[0].as_py()
    return low, high


def digest(data: pa.Table) -> str:
    """sha256 of the rows, as an Arrow stream of one batch."""
    file = HashingFile(Nowhere())
    with pa.ipc.new_stream(pa.PythonFile(file), data.schema) as writer:
        writer.write_table(data.combine_chunks())
    return file.sha256
