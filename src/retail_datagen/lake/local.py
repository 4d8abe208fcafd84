"""What this machine remembers of a lake, made to agree with the target before a job begins."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from retail_datagen.config.errors import UserError
from retail_datagen.engine.jobstore import Header, JobStore, differences
from retail_datagen.engine.lock import JobLock
from retail_datagen.engine.source import Rendered, Retailer, Source
from retail_datagen.lake.events import Chunk
from retail_datagen.lake.target import LakeTarget
from retail_datagen.partitions.layout import MANIFEST, Partition
from retail_datagen.partitions.manifest import Manifest, ManifestError
from retail_datagen.partitions.parts import remove_uncommitted
from retail_datagen.sinks.lake import LakeSink, record_of, staging_advice

_LOCK = ".staging"


class OpenedSource:
    """A source whose retailer is open already: what this process hands to the engine.

    Workers, to which it is pickled, get the source itself.
    """

    def __init__(self, source: Source, retailer: Retailer) -> None:
        self._source, self._retailer = source, retailer

    @property
    def tables(self) -> Mapping[str, Rendered]:
        return self._source.tables

    @property
    def calendar(self) -> range:
        return self._source.calendar

    @property
    def rows_per_day(self) -> int:
        return self._source.rows_per_day

    def open(self) -> Retailer:
        return self._retailer

    def __reduce__(self) -> tuple[object, ...]:
        return _as_it_is, (self._source,)


def settle_journal(
    folder: Path,
    sink: LakeSink,
    retailer: Retailer,
    start: int,
    target: LakeTarget,
    overwrite: bool,
) -> JobStore:
    """Write a job folder's journal anew from the target's manifests, keeping plans that still hold.

    Raises UserError while another process uses the folder.
    """
    store = JobStore(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = JobLock(folder)
    except OSError as error:
        raise UserError(
            f"cannot write to {folder}: {error.strerror or error}; choose another ARTIFACT_ROOT"
        ) from error
    try:
        header = store.read_header()
        ours = (
            header is not None
            and header.history_start == start
            and not differences(header, retailer.identity, sink.format)
        )
        if overwrite or not ours:
            store.clear()
            store.write_header(Header.new(retailer.identity, start, sink.format))
        (folder / "partitions.jsonl").unlink(missing_ok=True)
        for day, manifest in sorted(target.days(retailer.tables), key=lambda found: found[0]):
            store.add(record_of(manifest, day))
    finally:
        lock.release()
    return store


@contextmanager
def staging_of_ours(staging: Path) -> Iterator[None]:
    """Keep other jobs out of a staging folder; the lock's file stays. Raises UserError."""
    folder = staging / _LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = JobLock(folder)
    except OSError as error:
        raise UserError(staging_advice(folder, error)) from error
    try:
        yield
    finally:
        lock.release()


def clear_staging(staging: Path, tables: Collection[str], kept: LakeTarget | None = None) -> None:
    """Remove what is staged of these tables, except what `kept` holds exactly so."""
    remove_uncommitted(staging, tables)
    for table in tables:
        folder = staging / table
        if kept is None:
            shutil.rmtree(folder, ignore_errors=True)
            continue
        for path in list(folder.iterdir()) if folder.is_dir() else ():
            if not _is_at(kept, table, path):
                shutil.rmtree(path, ignore_errors=True)


def clear_days(staging: Path, chunk: Chunk, tables: Collection[str]) -> None:
    """Remove what is staged of a chunk's days."""
    for table in tables:
        for day in range(chunk.first_day, chunk.last_day + 1):
            folder = staging / Partition.of_day(table, day).folder
            shutil.rmtree(folder, ignore_errors=True)


def _is_at(target: LakeTarget, table: str, path: Path) -> bool:
    partition = Partition.parse(f"{table}/{path.name}")
    published = target.manifest(partition) if partition else None
    try:
        staged = Manifest.from_json((path / MANIFEST).read_bytes())
    except (OSError, ManifestError):
        return False
    return published is not None and published.digest == staged.digest


def _as_it_is(source: Source) -> Source:
    return source
