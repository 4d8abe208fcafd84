"""What a job's target holds: read once when the job begins, kept up to date while it publishes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_day
from retail_datagen.lake.read import Contents, read_lake
from retail_datagen.objects.base import ObjectStore
from retail_datagen.partitions.layout import CATALOG, INGEST, MANIFEST, SUCCESS, Partition
from retail_datagen.partitions.manifest import Manifest, Stamp
from retail_datagen.sinks import PartitionRecord

_AT_ONCE = 16


class LakeTarget:
    """The partitions of a lake that are whole, and whatever else lies in partitions' folders.

    One thread at a time changes one partition; different ones may be changed at once.
    """

    def __init__(self, store: ObjectStore, contents: Contents) -> None:
        self.store = store
        self._names: dict[Partition, set[str]] = {}
        self._manifests: dict[Partition, Manifest] = {}
        for held in (*contents.partitions, *contents.unfinished):
            names = set(held.files)
            names.update([MANIFEST] if held.manifest or held.problem else [])
            names.update([SUCCESS] if held.success else [])
            self._names[held.partition] = names
            # Its files may be gone, cut off by a crash of the store, or another partition's; and
            # whoever was killed before _SUCCESS had not finished.
            is_whole = held.is_whole and held.success
            if held.manifest and is_whole and held.manifest.partition == held.partition:
                self._manifests[held.partition] = held.manifest

    @classmethod
    def read(cls, store: ObjectStore) -> LakeTarget:
        """Raises StoreError."""
        return cls(store, read_lake(store))

    def manifest(self, partition: Partition) -> Manifest | None:
        """The manifest of a whole partition."""
        return self._manifests.get(partition)

    def manifests(self, table: str | None = None) -> list[Manifest]:
        """Those of all whole partitions, or of a table's."""
        found = list(self._manifests.values())
        return [m for m in found if table is None or m.partition.table == table]

    def partitions(self, table: str) -> list[Partition]:
        """Those of a table in which anything lies at all."""
        return [partition for partition in self._names if partition.table == table]

    def days(self, tables: Collection[str]) -> Iterator[tuple[int, Manifest]]:
        """The whole partitions of tables of facts, by their days."""
        for manifest in self.manifests():
            partition = manifest.partition
            if partition.table in tables and partition.by == INGEST:
                with suppress(ValueError):
                    yield to_day(date.fromisoformat(partition.value)), manifest

    def holds(self, record: PartitionRecord) -> bool:
        """Whether the target's manifest says exactly this."""
        partition = Partition.parse(record.path)
        manifest = self._manifests.get(partition) if partition else None
        return manifest is not None and manifest.digest == record.sha256

    def retract(self, partition: Partition) -> None:
        """From here on the partition does not exist, whatever lies there. Raises StoreError."""
        names = self._names.get(partition, set())
        self._manifests.pop(partition, None)
        if MANIFEST in names:
            self.store.delete(partition.manifest)
        if SUCCESS in names:
            self.store.delete(partition.success)

    def remove_others(self, manifest: Manifest) -> None:
        """Remove what lies in a partition's folder and is not part of it. Raises StoreError."""
        partition = manifest.partition
        ours = {file.path for file in manifest.files} | {MANIFEST, SUCCESS}
        for name in sorted(self._names.get(partition, set()) - ours):
            self.store.delete(f"{partition.folder}/{name}")

    def note(self, manifest: Manifest) -> None:
        """A partition was published."""
        names = {file.path for file in manifest.files} | {MANIFEST, SUCCESS}
        self._names[manifest.partition] = names
        self._manifests[manifest.partition] = manifest

    def remove(self, partition: Partition) -> None:
        """Remove a partition with all that lies in its folder. Raises StoreError."""
        self.retract(partition)
        for name in sorted(self._names.pop(partition, set()) - {MANIFEST, SUCCESS}):
            self.store.delete(f"{partition.folder}/{name}")

    def refuse_foreign(self, tables: Collection[str], stamp: Stamp) -> None:
        """Raise UserError where partitions of these tables were made from something else."""
        for manifest in self.manifests():
            was = manifest.stamp
            if manifest.partition.table not in tables:
                continue
            found = []
            if was.config_hash != stamp.config_hash:
                found.append(
                    f"config_hash was {was.config_hash[:12]}, now {stamp.config_hash[:12]}"
                )
            if was.generator_version != stamp.generator_version:
                found.append(f"version was {was.generator_version}, now {stamp.generator_version}")
            if found:
                raise other_history(self.store.url, found, f" ({manifest.partition.folder})")


def other_history(url: str, found: Iterable[str], where: str = "") -> UserError:
    """What a user is told whose prefix holds something else."""
    return UserError(
        f"{url} holds another history{where}: {'; '.join(found)}. Choose another prefix, go back "
        "to what it was made with, or start anew with --overwrite"
    )


def clear_tables(store: ObjectStore, tables: Collection[str]) -> None:
    """Remove the catalog and everything below these tables, and nothing else.

    Manifests go first: killed in the middle, what is left is not taken for data. Raises StoreError.
    """
    store.delete(CATALOG)
    keys = [found.key for found in store.list() if found.key.partition("/")[0] in tables]
    manifests = [key for key in keys if key.endswith(f"/{MANIFEST}")]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(store.delete, manifests))
        list(pool.map(store.delete, sorted(set(keys).difference(manifests))))
