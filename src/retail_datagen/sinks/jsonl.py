"""JSON lines: `jsonl:-` for the standard output, `jsonl:PATH` for a file; one object a row.

`{"table": "receipts", "TraceId": "TRC0000000006", "EventTS": "2024-01-01 15:45:30", …}`; as events,
with the stamps that every event carries: `{"table": "receipts", "event_id": …, …}`.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Sequence
from typing import BinaryIO, Protocol

import numpy as np
import pyarrow as pa

from retail_datagen.core.files import HashingFile
from retail_datagen.schema.stamps import EVENT_ID, INSTANT, SCHEMA_VERSION, Stamped, stamp
from retail_datagen.schema.table import Table
from retail_datagen.sinks.base import Capabilities, SinkError, Unit, conform
from retail_datagen.sinks.progress import PartitionRecord
from retail_datagen.wire.json import json_lines
from retail_datagen.wire.texts import utc_texts

STDOUT = "jsonl:-"
"""The URL of the standard output."""
_BATCH_ROWS = 65_536


class Writable(Protocol):
    """Takes bytes."""

    def write(self, data: bytes, /) -> object: ...


class JsonlSink:
    """Rows of all tables, one after the other; a pipe cannot take anything back.

    With `events` all rows carry stamps, with instants by `zone`. A file begins anew with each sink
    unless `append` is on.
    """

    capabilities = Capabilities(
        atomic_unit=Unit.ROW,
        idempotent=False,
        transactional=False,
        durable=False,
        parallel=False,
        raw=True,
    )
    name = "jsonl"
    format = "jsonl"
    root = None

    def __init__(
        self, target: str = "-", *, events: bool = False, append: bool = False, zone: str = "UTC"
    ) -> None:
        self._target = target
        self._events, self._append, self._zone = events, append, zone
        self._written: dict[tuple[str, int], PartitionRecord] = {}
        self._uncommitted: dict[tuple[str, int], PartitionRecord] = {}
        self._file: BinaryIO | None = None

    def recover(self, tables: Iterable[str]) -> None:
        """A pipe has no past."""

    def write_partition(self, table: Table, day: int, data: pa.Table) -> PartitionRecord:
        data = conform(table, data)
        try:
            file = HashingFile(self._open())
            if self._events:
                write_events(stamp(table, day, 0, data, self._zone), file)
            else:
                write_jsonl(table, data, file)
        except OSError as error:
            raise self._sorry(error) from error
        record = PartitionRecord(
            table.name, day, self._target, data.num_rows, file.bytes, file.sha256
        )
        self._uncommitted[table.name, day] = record
        return record

    def send(self, stamped: Stamped) -> None:
        try:
            write_events(stamped, self._open())
        except OSError as error:
            raise self._sorry(error) from error

    def messages(self, stamped: Stamped) -> list[bytes]:
        text = io.BytesIO()
        write_events(stamped, text)
        return text.getvalue().split(b"\n")[:-1]

    def send_raw(self, stamped: Stamped, messages: Sequence[bytes]) -> None:
        try:
            self._open().write(b"".join(message + b"\n" for message in messages))
        except OSError as error:
            raise self._sorry(error) from error

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
        """The file, which begins anew with the first rows unless they are to be added to it."""
        if self._file is None:
            if self._target == "-":
                self._file = sys.stdout.buffer
            else:
                self._file = open(self._target, "ab" if self._append else "wb")  # noqa: SIM115
        return self._file


def write_jsonl(table: Table, data: pa.Table, file: HashingFile) -> None:
    """A partition as JSON lines. Raises OSError."""
    lead = f'{{"table": {json.dumps(table.name)}, '
    for batch in data.to_batches(max_chunksize=_BATCH_ROWS):
        file.write(json_lines(batch, lead))


def write_events(stamped: Stamped, file: Writable) -> None:
    """Rows with their stamps as JSON lines. Raises OSError.

    Stamps come first; a table that has a stamp's column itself holds it there.
    """
    table = stamped.table
    lead = f'{{"table": {json.dumps(table.name)}, '
    for first in range(0, stamped.rows.num_rows, _BATCH_ROWS):
        part = stamped.slice(first, _BATCH_ROWS)
        version = np.full(len(part.instant), table.schema_version, dtype=np.int32)
        stamps = {
            EVENT_ID: part.event_id,
            SCHEMA_VERSION: pa.array(version),
            INSTANT: utc_texts(part.instant),
        }
        columns = {name: column for name, column in stamps.items() if name not in table.header}
        columns |= dict(zip(part.rows.column_names, part.rows.columns, strict=True))
        for batch in pa.table(columns).combine_chunks().to_batches():
            file.write(json_lines(batch, lead))
