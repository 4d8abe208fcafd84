"""JSON lines: `jsonl:-` for the standard output, `jsonl:PATH` for a file; one object a row.

`{"table": "receipts", "TraceId": "TRC0000000006", "EventTS": "2024-01-01 15:45:30", …}`
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import BinaryIO

import pyarrow as pa

from retail_datagen.core.files import HashingFile
from retail_datagen.schema.table import Table
from retail_datagen.sinks.base import Capabilities, SinkError, Unit, conform
from retail_datagen.sinks.progress import PartitionRecord
from retail_datagen.wire.json import json_lines

_BATCH_ROWS = 65_536


class JsonlSink:
    """Rows of all tables, one after the other; a pipe cannot take anything back."""

    capabilities = Capabilities(
        atomic_unit=Unit.ROW,
        idempotent=False,
        transactional=False,
        durable=False,
        parallel=False,
    )
    name = "jsonl"
    format = "jsonl"
    root = None

    def __init__(self, target: str = "-") -> None:
        self._target = target
        self._written: dict[tuple[str, int], PartitionRecord] = {}
        self._uncommitted: dict[tuple[str, int], PartitionRecord] = {}
        self._file: BinaryIO | None = None

    def recover(self, tables: Iterable[str]) -> None:
        """A pipe has no past."""

    def write_partition(self, table: Table, day: int, data: pa.Table) -> PartitionRecord:
        data = conform(table, data)
        try:
            file = HashingFile(self._open())
            write_jsonl(table, data, file)
        except OSError as error:
            raise self._sorry(error) from error
        record = PartitionRecord(
            table.name, day, self._target, data.num_rows, file.bytes, file.sha256
        )
        self._uncommitted[table.name, day] = record
        return record

    def commit(self) -> None:
        try:
            self._open().flush()
        except OSError as error:
            raise self._sorry(error) from error
        self._written |= self._uncommitted
        self._uncommitted.clear()

    def check(self, record: PartitionRecord) -> bool:
        return self._written.get((record.table, record.day)) == record

    def holds(self, tables: Iterable[str]) -> bool:
        wanted = set(tables)
        return any(table in wanted for table, _ in self._written)

    def clear(self, tables: Iterable[str]) -> None:
        """Nothing can be taken back; a file begins anew each time that it is opened."""
        wanted = set(tables)
        for key in [key for key in self._written if key[0] in wanted]:
            del self._written[key]

    def close(self) -> None:
        if self._file and self._target != "-":
            self._file.close()

    def _sorry(self, error: OSError) -> SinkError:
        if isinstance(error, BrokenPipeError):
            return SinkError("whoever read the output has closed it")
        return SinkError(f"cannot write {self._target}: {error.strerror}")

    def _open(self) -> BinaryIO:
        """The file, which begins anew with the first partition."""
        if self._file is None:
            to_pipe = self._target == "-"
            self._file = sys.stdout.buffer if to_pipe else open(self._target, "wb")  # noqa: SIM115
        return self._file


def write_jsonl(table: Table, data: pa.Table, file: HashingFile) -> None:
    """A partition as JSON lines. Raises OSError."""
    lead = f'{{"table": {json.dumps(table.name)}, '
    for batch in data.to_batches(max_chunksize=_BATCH_ROWS):
        file.write(json_lines(batch, lead))
