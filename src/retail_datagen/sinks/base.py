"""What every sink is: it takes partitions, one day of one table each, and says what it promises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from retail_datagen.config.errors import UserError
from retail_datagen.schema.stamps import Stamped
from retail_datagen.schema.table import Table
from retail_datagen.sinks.progress import PartitionRecord, Progress


class SinkError(UserError):
    """A sink that cannot be opened or written to; the message says what to do."""


class Unit(Enum):
    """The largest thing that appears whole or not at all."""

    PARTITION = "partition"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a sink promises, as data: the engine asks this, never what kind of sink it is.

    `idempotent`: writing a partition again replaces it. `transactional`: all that a `commit` lets
    appear appears together. `durable`: what was written is found again by the next process, so
    that a job can go on where it stopped. `parallel`: several processes may write different
    partitions at once, each through a sink opened by the same URL. `remembers`: the target itself
    keeps what a job must know to go on, changed together with the rows (`RememberingSink`).
    `dimensions`: it takes tables of master data, too (`DimensionSink`). `commit_rows`: how many
    rows a commit is worth, where one is dear; days are committed together until there are so many.
    `raw`: it takes messages that are broken on purpose (`RawSink`).
    """

    atomic_unit: Unit
    idempotent: bool
    transactional: bool
    durable: bool
    parallel: bool
    remembers: bool = False
    dimensions: bool = False
    commit_rows: int = 0
    raw: bool = False


class Sink(Protocol):
    """Where partitions go. Made by `open_sink`; closed by whoever opened it."""

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def name(self) -> str:
        """Short and safe in a file name.

        A durable sink without a root is remembered by its name: there, two targets that differ
        have different names.
        """
        ...

    @property
    def format(self) -> str:
        """What a partition is written as: `csv`, `parquet`, `jsonl` …"""
        ...

    @property
    def root(self) -> Path | None:
        """The folder that holds the partitions, where there is one."""
        ...

    def recover(self, tables: Iterable[str]) -> None:
        """Remove what was never committed, by whomever; only while nobody else writes."""
        ...

    def write_partition(self, table: Table, day: int, data: pa.Table) -> PartitionRecord:
        """Write one day of a table, to appear with the next `commit`.

        An idempotent sink replaces it. Raises SinkError, with nothing of the partition left
        behind if it is the atomic unit.
        """
        ...

    def commit(self) -> None:
        """Let all that was written since the last commit appear, and last.

        Each partition appears whole; together, where the sink is transactional. Only from here on
        are their records true. Raises SinkError, with nothing half-done left behind.
        """
        ...

    def check(self, record: PartitionRecord) -> bool:
        """Whether that partition is there with exactly that content."""
        ...

    def holds(self, tables: Iterable[str]) -> bool:
        """Whether there is any partition of these tables."""
        ...

    def clear(self, tables: Iterable[str]) -> None:
        """Remove every partition of these tables, and nothing else."""
        ...

    def close(self) -> None:
        """Release what the sink holds, uncommitted partitions too. Closing twice is allowed."""
        ...


class EventSink(Sink, Protocol):
    """Takes rows as events, too, one after the other."""

    def send(self, stamped: Stamped) -> None:
        """Write rows as they are stamped, to appear with the next `commit`; nothing remembers them.

        Raises SinkError.
        """
        ...


class RawSink(EventSink, Protocol):
    """A sink of messages, which also takes some that are not what they should be."""

    def messages(self, stamped: Stamped) -> list[bytes]:
        """The messages that `send` would write for these rows: [rows]."""
        ...

    def send_raw(self, stamped: Stamped, messages: Sequence[bytes]) -> None:
        """As `send`, with these messages in place of the rows' own.

        Raises SinkError.
        """
        ...


class RememberingSink(EventSink, Protocol):
    """A sink whose target says by itself what it holds, so that a job goes on from anywhere.

    What is committed and what is remembered change together, or in an order that `recover` puts
    right: after a crash each row is there once. `write_partition` writes what `progress` lacks.
    """

    @property
    def where(self) -> str:
        """The target as people know it, without secrets: the history there belongs to its feed."""
        ...

    @property
    def elsewhere(self) -> str:
        """What to choose to write to another target: `another database with --to`."""
        ...

    def read_header(self) -> str | None:
        """What `write_header` left in the target for this feed, if anything."""
        ...

    def write_header(self, text: str) -> None:
        """Note what this feed's history is made from; lasting once it returns."""
        ...

    def progress(self) -> Mapping[tuple[str, int], Progress]:
        """What the target holds of this feed, by table and day."""
        ...

    def append(self, table: Table, day: int, first: int, rows: pa.Table) -> None:
        """Write rows of a day, the first of which is its row `first`, with the next `commit`.

        Rows that are there already must not be given. Raises SinkError.
        """
        ...


class DimensionSink(Sink, Protocol):
    """A sink where facts are joined with master data."""

    def write_dimension(self, table: Table, data: pa.Table) -> None:
        """Let a table hold exactly these rows, which are no events; lasting once it returns.

        Nothing is written where it holds them already. Raises SinkError.
        """
        ...


def conform(table: Table, data: pa.Table) -> pa.Table:
    """`data` with the schema that `table` declares, nullability included; no values are copied.

    Raises ValueError when names, types or a forbidden null differ: that is an error of ours.
    """
    expected = table.arrow
    if data.column_names != expected.names:
        raise ValueError(f"{table.name} has columns {data.column_names}, not {expected.names}")
    for field, column in zip(expected, data.columns, strict=True):
        if column.type != field.type:
            raise ValueError(f"{table.name}.{field.name} is {column.type}, not {field.type}")
        if not field.nullable and column.null_count:
            raise ValueError(f"{table.name}.{field.name} holds {column.null_count} nulls")
    return pa.Table.from_arrays(data.columns, schema=expected)
