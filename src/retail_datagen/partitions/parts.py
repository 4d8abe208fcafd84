"""From rows to a partition's files: cut by size, hashed on the way, described in a manifest.

A partition is written into a hidden folder beside its place and renamed: it is there whole or not.
"""

from __future__ import annotations

import io
import os
import re
import shutil
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.core.files import HashingFile
from retail_datagen.core.largefile import LargeFile
from retail_datagen.partitions.layout import INGEST, MANIFEST, Partition, part_name
from retail_datagen.partitions.manifest import Manifest, PartFile, Stamp
from retail_datagen.schema.parquet import write_parquet
from retail_datagen.schema.table import Column, Kind, Table

_AIM = 0.9
"""Of the target size: rows at the end of a day take a little more than those at its beginning."""
_SAMPLE_ROWS = 16_384
_WRITE_BYTES = 1 << 20
_TEMPORARY = re.compile(r"\..+=.+\.\d+\.tmp")


def write_parts(
    table: Table, data: pa.Table, folder: Path, target_bytes: int
) -> tuple[PartFile, ...]:
    """Write `data` as the files `part-0000.parquet` and so on, none above `target_bytes`.

    Equal data gives equal files. No rows give one file without any, that has the schema. A single
    row is never cut, however large. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts: list[PartFile] = []
    first, rows = 0, _rows_that_fit(table, data, target_bytes)
    while not parts or first < data.num_rows:
        piece = data.slice(first, rows)
        part = _write(table, piece, folder / part_name(len(parts)))
        fitting = max(1, int(piece.num_rows * _AIM * target_bytes / part.bytes))
        if part.bytes > target_bytes and piece.num_rows > 1:
            rows = min(fitting, piece.num_rows - 1)
            continue
        parts.append(part)
        first, rows = first + piece.num_rows, fitting
    return tuple(parts)


def event_column(table: Table) -> Column | None:
    """The column that says when a row happened: the first time, else date, that is always set."""
    for kind in (Kind.TIMESTAMP, Kind.DATE):
        for column in table.columns:
            if column.kind is kind and not column.null:
                return column
    return None


def event_times(table: Table, data: pa.Table, day: int | None) -> tuple[str | None, str | None]:
    """The first and the last event's time in ISO 8601, a date being its first second.

    Without a column of times: the first and the last second of `day`, if there is one. None for
    both where there are no rows.
    """
    if not data.num_rows:
        return None, None
    column = event_column(table)
    if column:
        span = pc.min_max(data[column.name])
        return _iso(span["min"].as_py()), _iso(span["max"].as_py())
    if day is None:
        return None, None
    midnight = datetime.combine(to_date(day), time())
    return midnight.isoformat(), midnight.replace(hour=23, minute=59, second=59).isoformat()


def stage_partition(
    staging: Path,
    table: Table,
    partition: Partition,
    data: pa.Table,
    stamp: Stamp,
    target_bytes: int,
) -> Manifest:
    """Write a partition beside its place below `staging`, for `commit_partitions` to put there.

    Its manifest is written with it. Raises OSError, with nothing of it left behind.
    """
    folder = _temporary(staging, partition)
    shutil.rmtree(folder, ignore_errors=True)
    try:
        files = write_parts(table, data, folder, target_bytes)
        earliest, latest = event_times(table, data, _day_of(partition))
        now = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(partition, files, earliest, latest, stamp, now)
        (folder / MANIFEST).write_bytes(manifest.to_json())
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return manifest


def commit_partitions(staging: Path, partitions: Iterable[Partition]) -> None:
    """Put staged partitions in their places, each whole, replacing what is there.

    Nothing waits for the disk: what is staged is made again after a crash. Raises OSError.
    """
    for partition in partitions:
        place = staging / partition.folder
        if place.exists():
            shutil.rmtree(place)
        os.rename(_temporary(staging, partition), place)


def discard_partitions(staging: Path, partitions: Iterable[Partition]) -> None:
    """Remove what `stage_partition` wrote and nobody committed."""
    for partition in partitions:
        shutil.rmtree(_temporary(staging, partition), ignore_errors=True)


def remove_uncommitted(staging: Path, tables: Iterable[str]) -> None:
    """Remove what interrupted processes left half-done. Only while nobody else writes there."""
    for table in tables:
        folder = staging / table
        if folder.is_dir():
            for entry in list(os.scandir(folder)):
                if _TEMPORARY.fullmatch(entry.name) and entry.is_dir(follow_symlinks=False):
                    shutil.rmtree(entry.path, ignore_errors=True)


def _rows_that_fit(table: Table, data: pa.Table, target_bytes: int) -> int:
    """Rows of the first file: all, or as many as the first ones suggest."""
    if data.nbytes <= target_bytes // 2 or data.num_rows <= _SAMPLE_ROWS:
        return max(1, int(data.num_rows))
    sample = HashingFile(io.BytesIO())
    write_parquet(table, data.slice(0, _SAMPLE_ROWS), sample)
    return max(1, int(_SAMPLE_ROWS * _AIM * target_bytes / sample.bytes))


def _write(table: Table, data: pa.Table, path: Path) -> PartFile:
    with LargeFile(path) as beneath:
        file = HashingFile(beneath)
        # Pages come by the kilobyte.
        with pa.BufferedOutputStream(pa.PythonFile(file), _WRITE_BYTES) as stream:
            write_parquet(table, data, stream)
    return PartFile(path.name, data.num_rows, file.bytes, file.sha256)


def _temporary(staging: Path, partition: Partition) -> Path:
    name = f".{partition.by}={partition.value}.{os.getpid()}.tmp"
    return staging / partition.table / name


def _day_of(partition: Partition) -> int | None:
    """The day of a table of facts."""
    return to_day(date.fromisoformat(partition.value)) if partition.by == INGEST else None


def _iso(value: date) -> str:
    """A datetime as it is, a date as its first second."""
    if isinstance(value, datetime):
        return value.isoformat()
    return datetime.combine(value, time()).isoformat()
