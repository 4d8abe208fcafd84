"""One partition's files against its manifest and its declaration, and the columns checks read."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from retail_datagen.core.calendar import DAY_SECONDS, to_date
from retail_datagen.lake.columns import MISSING, Columns, id_numbers, says, whole_numbers
from retail_datagen.lake.findings import Findings
from retail_datagen.lake.read import Held, Reader
from retail_datagen.lake.rules import Needs
from retail_datagen.partitions.layout import INGEST, Partition
from retail_datagen.partitions.manifest import Manifest, PartFile
from retail_datagen.schema.table import Kind, Table

_STORED = {
    Kind.MONEY: pa.decimal128(12, 2),
    Kind.TIMESTAMP: pa.timestamp("ms"),
    Kind.CATEGORY: pa.string(),
}
"""What Parquet gives back where it is not what was written."""


@dataclass(slots=True)
class Loaded:
    """A partition that was read: columns by name, None where its files cannot be used."""

    partition: Partition
    columns: Columns | None
    findings: Findings = field(default_factory=Findings)


class _Damaged(Exception):
    """A file that is not to be used for anything; what is wrong has been noted."""


def load(reader: Reader, held: Held, table: Table | None, needs: Needs) -> Loaded:
    """Check the files of a partition and read what is needed of them.

    Raises StoreError or OSError where the store itself fails.
    """
    findings = Findings()
    manifest = held.manifest
    if manifest is None or not held.is_whole:
        return Loaded(held.partition, None, findings)
    work = _Partition(held.partition, manifest, table, needs, findings)
    try:
        files = [work.open(reader, file) for file in manifest.files]
        columns = work.columns(files)
    except _Damaged:
        columns = None
    return Loaded(held.partition, columns, findings)


@dataclass(frozen=True, slots=True)
class _Partition:
    partition: Partition
    manifest: Manifest
    table: Table | None
    needs: Needs
    findings: Findings

    def open(self, reader: Reader, file: PartFile) -> pq.ParquetFile:
        """A data file, once its bytes and its footer are what the manifest says."""
        content = reader.read(f"{self.partition.folder}/{file.path}")
        digest = hashlib.sha256(content).hexdigest()
        self._look("sha256", digest != file.sha256, f"{file.path} has {digest}")
        try:
            parquet = pq.ParquetFile(pa.BufferReader(content))
        except (pa.ArrowException, OSError):
            self._look("rows", True, f"{file.path} is no Parquet file")
            raise _Damaged from None
        rows = parquet.metadata.num_rows
        self._look("rows", rows != file.rows, f"{file.path} has {rows:,} rows, not {file.rows:,}")
        if self.table is not None:
            wrong = _differences(parquet.schema_arrow, self.table, self.partition.by)
            self._look("schema", bool(wrong), f"{file.path}: {wrong}")
        if digest != file.sha256:
            raise _Damaged
        return parquet

    def _look(self, check: str, broken: bool, example: str) -> None:
        self.findings.look(check, self.partition.folder, 1, int(broken), example)

    def columns(self, files: list[pq.ParquetFile]) -> Columns:
        """The needed columns of all files; those that are not as declared are left out."""
        if self.table is None:
            return {}
        if not files:
            read = (*self.needs.numbers, *self.needs.words)
            return {name: np.empty(0, dtype=np.int64) for name in read}
        times = _event_column(files[0].schema_arrow, self.table)
        wanted = {*self.needs.numbers, *self.needs.words, *self.needs.key, times}
        names = [name for name in files[0].schema_arrow.names if name in wanted]
        try:
            data = pa.concat_tables([file.read(columns=names, use_threads=False) for file in files])
        except (pa.ArrowException, OSError) as error:
            self._look("rows", True, f"cannot be read: {str(error).splitlines()[0]}")
            raise _Damaged from None
        self._event_times(data, times)
        self._key(data)
        return dict(self._numbers(data))

    def _numbers(self, data: pa.Table) -> Iterator[tuple[str, np.ndarray]]:
        for name in self.needs.numbers:
            if name not in data.column_names:
                continue
            column = data.column(name)
            try:
                if name not in self.needs.ids:
                    yield name, whole_numbers(column)
                    continue
                numbers = id_numbers(column, *self.needs.ids[name])
            except TypeError:
                continue
            malformed = numbers == MISSING
            example = str(column[int(malformed.argmax())]) if malformed.any() else ""
            folder = self.partition.folder
            self.findings.look("ids", folder, len(numbers), int(malformed.sum()), example)
            yield name, numbers
        for name, word in self.needs.words.items():
            if name in data.column_names:
                yield name, says(data.column(name), word)

    def _key(self, data: pa.Table) -> None:
        key = list(self.needs.key)
        if not key or any(name not in data.column_names for name in key):
            return
        groups = data.group_by(key, use_threads=False).aggregate([([], "count_all")])
        twice = data.num_rows - groups.num_rows
        example = ""
        if twice:
            count = groups.column("count_all")
            row = groups.take([int(np.argmax(np.asarray(count)))]).to_pylist()[0]
            example = ", ".join(f"{name} {row[name]}" for name in key)
        self.findings.look("unique", self.partition.folder, data.num_rows, twice, example)

    def _event_times(self, data: pa.Table, column: str | None) -> None:
        if self.partition.by != INGEST:
            return
        found: tuple[str | None, str | None] = (None, None)
        # Data of which no column was read has no rows to count.
        if column is None and self.manifest.total_rows:
            found = _bounds_of_day(self.partition)
        elif data.num_rows:
            seconds = whole_numbers(data.column(column))
            found = _iso(int(seconds.min())), _iso(int(seconds.max()))
        said = self.manifest.min_event_time, self.manifest.max_event_time
        self._look(
            "event_times", said != found, f"{said[0]} to {said[1]}, not {found[0]} to {found[1]}"
        )


def _event_column(schema: pa.Schema, table: Table) -> str | None:
    """The first time of a table that is in every row, else the first date, or None."""
    for kind, stored in ((Kind.TIMESTAMP, pa.types.is_timestamp), (Kind.DATE, pa.types.is_date)):
        for column in table.columns:
            field = schema.field(column.name) if column.name in schema.names else None
            if column.kind is kind and field and not field.nullable and stored(field.type):
                return column.name
    return None


def _iso(seconds: int) -> str:
    day, second = divmod(seconds, DAY_SECONDS)
    hours, rest = divmod(second, 3600)
    return datetime.combine(to_date(day), time(hours, rest // 60, rest % 60)).isoformat()


def _bounds_of_day(partition: Partition) -> tuple[str, str]:
    return f"{partition.value}T00:00:00", f"{partition.value}T23:59:59"


@lru_cache(maxsize=256)
def _declared(table: Table, by: str) -> tuple[tuple[str, pa.DataType, bool], ...]:
    return tuple((c.name, _STORED.get(c.kind, c.arrow_type), c.null) for c in table.columns)


def _differences(schema: pa.Schema, table: Table, by: str) -> str:
    """How a file's columns differ from the declared ones, that of the partition aside."""
    declared = [column for column in _declared(table, by) if column[0] != by]
    stored = [field for field in schema if field.name != by]
    names = [name for name, _, _ in declared]
    if [field.name for field in stored] != names:
        there = {field.name for field in stored}
        lacks = [f"no {name}" for name in names if name not in there]
        more = [f"unknown: {field.name}" for field in stored if field.name not in names]
        return ", ".join((*lacks, *more)) or "columns in another order"
    wrong = [
        f"{name} is {field.type}, not {kind}"
        for field, (name, kind, _) in zip(stored, declared, strict=True)
        if field.type != kind
    ]
    wrong += [
        f"{name} may be null"
        for field, (name, _, null) in zip(stored, declared, strict=True)
        if field.nullable and not null
    ]
    return ", ".join(wrong)
