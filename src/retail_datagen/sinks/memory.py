"""Memory: `memory:`, for notebooks and tests. Partitions are kept as Arrow tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence

import pyarrow as pa

from retail_datagen.schema.stamps import Stamped
from retail_datagen.schema.table import Table
from retail_datagen.sinks.base import Capabilities, Unit, conform
from retail_datagen.sinks.progress import PartitionRecord


class MemorySink:
    """Partitions in this process, under `partitions[table, day]`; what is sent, under `events`."""

    capabilities = Capabilities(
        atomic_unit=Unit.PARTITION,
        idempotent=True,
        transactional=True,
        durable=False,
        parallel=False,
        raw=True,
    )
    name = "memory"
    format = "arrow"
    root = None

    def __init__(self) -> None:
        self.partitions: dict[tuple[str, int], pa.Table] = {}
        self._records: dict[tuple[str, int], PartitionRecord] = {}
        self._staged: dict[tuple[str, int], tuple[pa.Table, PartitionRecord]] = {}
        self.events: list[Stamped] = []
        self.broken: list[bytes] = []
        self._sent: list[Stamped] = []
        self._sent_broken: list[bytes] = []

    def table(self, name: str) -> pa.Table:
        """All days of a table, in order. Raises KeyError when there is none."""
        days = sorted(day for table, day in self.partitions if table == name)
        if not days:
            raise KeyError(name)
        return pa.concat_tables([self.partitions[name, day] for day in days])

    def recover(self, tables: Iterable[str]) -> None:
        self.close()

    def write_partition(self, table: Table, day: int, data: pa.Table) -> PartitionRecord:
        data = conform(table, data)
        record = PartitionRecord(
            table.name, day, f"{table.name}/{day}", data.num_rows, data.nbytes, _digest(data)
        )
        self._staged[table.name, day] = data, record
        return record

    def send(self, stamped: Stamped) -> None:
        self._sent.append(stamped)

    def messages(self, stamped: Stamped) -> list[bytes]:
        """Events are kept as they are; this is what they would be where they are not."""
        return [json.dumps(row, default=str).encode() for row in stamped.rows.to_pylist()]

    def send_raw(self, stamped: Stamped, messages: Sequence[bytes]) -> None:
        self._sent_broken += messages

    def commit(self) -> None:
        self.events += self._sent
        self.broken += self._sent_broken
        self._sent, self._sent_broken = [], []
        for key, (data, record) in self._staged.items():
            self.partitions[key], self._records[key] = data, record
        self._staged.clear()

    def check(self, record: PartitionRecord) -> bool:
        return self._records.get((record.table, record.day)) == record

    def holds(self, tables: Iterable[str]) -> bool:
        wanted = set(tables)
        return any(table in wanted for table, _ in self.partitions)

    def clear(self, tables: Iterable[str]) -> None:
        wanted = set(tables)
        for key in [key for key in self.partitions if key[0] in wanted]:
            del self.partitions[key], self._records[key]

    def close(self) -> None:
        self._staged.clear()
        self._sent, self._sent_broken = [], []


def _digest(data: pa.Table) -> str:
    """sha256 of the table as an Arrow stream."""
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, data.schema) as writer:
        writer.write_table(data.combine_chunks())
    return hashlib.sha256(stream.getvalue()).hexdigest()
