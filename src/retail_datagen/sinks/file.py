"""Files: `file:./data?format=csv|parquet`, or a plain path.

A partition is `<root>/<table>/dt=YYYY-MM-DD/<table>_YYYYMMDD.csv`. It appears whole or not at all.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import pyarrow as pa

from retail_datagen.core.calendar import to_date
from retail_datagen.core.files import (
    HashingFile,
    discard,
    publish,
    remove_temporaries,
    sha256_of,
    staged_file,
)
from retail_datagen.schema.csv import write_csv
from retail_datagen.schema.parquet import write_parquet
from retail_datagen.schema.table import Table
from retail_datagen.sinks.base import Capabilities, SinkError, Unit, conform
from retail_datagen.sinks.progress import PartitionRecord

FORMATS = {"csv": write_csv, "parquet": write_parquet}
_PAGED = ("parquet",)
_WRITE_BYTES = 1 << 20
_FOLDER = re.compile(r"dt=(\d{4})-(\d\d)-(\d\d)")


class FileSink:
    """Partitions as files under `root`."""

    capabilities = Capabilities(
        atomic_unit=Unit.PARTITION,
        idempotent=True,
        transactional=False,
        durable=True,
        parallel=True,
    )
    name = "file"

    def __init__(self, root: Path, format: str = "csv") -> None:
        if format not in FORMATS:
            raise SinkError(f"format: {format!r} is not known; allowed are {' and '.join(FORMATS)}")
        if root.exists() and not root.is_dir():
            raise SinkError(f"{root} is a file; the output needs a folder of its own")
        self.root = root
        self.format = format
        self._staged: dict[Path, None] = {}

    def path_of(self, table: str, day: int) -> str:
        """Where a partition lies, relative to the root, with `/` between folders."""
        date = to_date(day)
        return f"{table}/dt={date:%Y-%m-%d}/{table}_{date:%Y%m%d}.{self.format}"

    def recover(self, tables: Iterable[str]) -> None:
        self.close()
        for table in tables:
            for folder in self._day_folders(table):
                remove_temporaries(folder)
                with suppress(OSError):  # Only an empty one goes.
                    folder.rmdir()

    def write_partition(self, table: Table, day: int, data: pa.Table) -> PartitionRecord:
        data = conform(table, data)
        relative = self.path_of(table.name, day)
        path = self.root / relative
        try:
            with staged_file(path) as file, self._gathered(file) as stream:
                FORMATS[self.format](table, data, stream)
        except OSError as error:
            self.close()
            raise SinkError(_what_to_do(path, error)) from error
        self._staged[path] = None
        return PartitionRecord(table.name, day, relative, data.num_rows, file.bytes, file.sha256)

    def commit(self) -> None:
        staged = list(self._staged)
        self._staged.clear()
        try:
            publish(staged)
        except OSError as error:
            raise SinkError(_what_to_do(self.root, error)) from error

    def check(self, record: PartitionRecord) -> bool:
        path = self.root / record.path
        try:
            return path.stat().st_size == record.bytes and sha256_of(path) == record.sha256
        except OSError:
            return False

    def holds(self, tables: Iterable[str]) -> bool:
        return any(True for table in tables for _ in self._partitions(table))

    def clear(self, tables: Iterable[str]) -> None:
        for table in tables:
            for path in list(self._partitions(table)):
                path.unlink(missing_ok=True)
            for folder in list(self._day_folders(table)):
                remove_temporaries(folder)
                with suppress(OSError):
                    folder.rmdir()
            with suppress(OSError):
                (self.root / table).rmdir()

    def close(self) -> None:
        discard(self._staged)
        self._staged.clear()

    def _gathered(self, file: HashingFile) -> pa.NativeFile:
        """What the format's writer writes to: CSV comes by the megabyte, pages by the kilobyte."""
        stream = pa.PythonFile(file)
        return pa.BufferedOutputStream(stream, _WRITE_BYTES) if self.format in _PAGED else stream

    def _day_folders(self, table: str) -> Iterator[Path]:
        folder = self.root / table
        if folder.is_dir():
            yield from (f for f in folder.iterdir() if _FOLDER.fullmatch(f.name) and f.is_dir())

    def _partitions(self, table: str) -> Iterator[Path]:
        for folder in self._day_folders(table):
            stem = f"{table}_{folder.name[3:].replace('-', '')}"
            yield from (p for f in FORMATS if (p := folder / f"{stem}.{f}").is_file())


def _what_to_do(path: Path, error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = "free some space or choose another folder with --to"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        advice = "choose a folder that you may write to with --to"
    else:
        advice = "see to it"
    return (
        f"cannot write {path}: {reason}; nothing half-written was left behind, what was finished "
        f"is kept: {advice} and run the same command again"
    )
