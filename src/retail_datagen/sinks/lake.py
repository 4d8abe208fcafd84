"""A lake's staging: Hive partitions with their manifests, on their way to an object store.

Opened by the lake job alone, and by its workers through `lake_url`. What is committed here is not
yet published: only the job knows what its target holds, and tells by `published`.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

import pyarrow as pa

from retail_datagen.partitions.layout import MANIFEST, Partition
from retail_datagen.partitions.manifest import Manifest, ManifestError, Stamp
from retail_datagen.partitions.parts import (
    commit_partitions,
    discard_partitions,
    remove_uncommitted,
    stage_partition,
)
from retail_datagen.schema.table import Table
from retail_datagen.sinks.base import Capabilities, SinkError, Unit, conform
from retail_datagen.sinks.progress import PartitionRecord

Published = Callable[[PartitionRecord], bool]


def lake_url(staging: Path, stamp: Stamp, target_bytes: int) -> str:
    """How a lake job's workers are told where to write, and as whom."""
    options = {
        "target_bytes": target_bytes,
        "batch_id": stamp.batch_id,
        "version": stamp.generator_version,
        "config": stamp.config_hash,
    }
    return f"lake:{quote(str(staging))}?{urlencode(options)}"


def sink_of(url: str, place: str, options: Mapping[str, str]) -> LakeSink:
    """The sink that `lake_url` named. Raises SinkError for what it did not write."""
    try:
        stamp = Stamp(options["batch_id"], options["version"], options["config"])
        return LakeSink(Path(place), stamp, int(options["target_bytes"]))
    except (KeyError, ValueError) as error:
        raise SinkError(
            f"{url!r} is none that a lake job made; to fill a lake, run `retail-datagen backlog`"
        ) from error


class LakeSink:
    """Partitions as folders below a staging folder, for a publisher to take from there.

    `published` says whether the job's target holds exactly a partition; without it, `check` looks
    at what is staged.
    """

    capabilities = Capabilities(
        atomic_unit=Unit.PARTITION,
        idempotent=True,
        transactional=False,
        durable=True,
        parallel=True,
    )
    format = "parquet"
    root = None

    def __init__(
        self,
        staging: Path,
        stamp: Stamp,
        target_bytes: int,
        name: str = "lake",
        published: Published | None = None,
    ) -> None:
        self.name = name
        self._staging = staging
        self._stamp = stamp
        self._target_bytes = target_bytes
        self._published = published or self._is_staged
        self._uncommitted: dict[Partition, None] = {}

    def recover(self, tables: Iterable[str]) -> None:
        self.close()
        remove_uncommitted(self._staging, tables)

    def write_partition(self, table: Table, day: int, data: pa.Table) -> PartitionRecord:
        partition = Partition.of_day(table.name, day)
        data = conform(table, data)
        try:
            manifest = stage_partition(
                self._staging, table, partition, data, self._stamp, self._target_bytes
            )
        except OSError as error:
            self.close()
            raise SinkError(staging_advice(self._staging / partition.folder, error)) from error
        self._uncommitted[partition] = None
        return record_of(manifest, day)

    def commit(self) -> None:
        staged = list(self._uncommitted)
        self._uncommitted.clear()
        try:
            commit_partitions(self._staging, staged)
        except OSError as error:
            discard_partitions(self._staging, staged)
            raise SinkError(staging_advice(self._staging, error)) from error

    def check(self, record: PartitionRecord) -> bool:
        return self._published(record)

    def holds(self, tables: Iterable[str]) -> bool:
        """False: whether the target may be written to was decided before the job began."""
        return False

    def clear(self, tables: Iterable[str]) -> None:
        """Remove what is staged; the target was cleared before, if it was to be."""
        for table in tables:
            shutil.rmtree(self._staging / table, ignore_errors=True)

    def close(self) -> None:
        discard_partitions(self._staging, self._uncommitted)
        self._uncommitted.clear()

    def _is_staged(self, record: PartitionRecord) -> bool:
        try:
            content = (self._staging / record.path / MANIFEST).read_bytes()
            return Manifest.from_json(content).digest == record.sha256
        except (OSError, ManifestError):
            return False


def record_of(manifest: Manifest, day: int) -> PartitionRecord:
    """A partition as a job's journal has it."""
    partition = manifest.partition
    return PartitionRecord(
        partition.table,
        day,
        partition.folder,
        manifest.total_rows,
        manifest.total_bytes,
        manifest.digest,
    )


def staging_advice(path: Path, error: OSError) -> str:
    """What is wrong with a staging folder, and what to do."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        advice = "free some space, or choose smaller chunks or another staging folder (TARGET_ROOT)"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        advice = "choose a staging folder that you may write to (TARGET_ROOT)"
    else:
        advice = "see to it"
    return (
        f"cannot write {path}: {error.strerror or error}; what is published is kept: {advice} and "
        "run the same command again"
    )
