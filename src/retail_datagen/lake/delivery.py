"""How one partition comes to its target: files first, then its manifest, then whoever is told."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from retail_datagen.lake.hooks import Hooks
from retail_datagen.lake.target import LakeTarget
from retail_datagen.partitions.layout import Partition
from retail_datagen.partitions.manifest import Manifest


@dataclass(slots=True)
class Parcel:
    """A partition on its way, and how far it came: only what failed is tried again."""

    manifest: Manifest
    retracted: bool = False
    uploaded: set[str] = field(default_factory=set)
    published: bool = False

    @property
    def partition(self) -> Partition:
        return self.manifest.partition


class Delivery:
    """Takes staged partitions to a target. `holding` raises once the lease is lost."""

    def __init__(
        self, target: LakeTarget, staging: Path, hooks: Hooks, holding: Callable[[], None]
    ) -> None:
        self._target = target
        self._staging = staging
        self._hooks = hooks
        self._holding = holding

    def send(self, parcel: Parcel) -> None:
        """Publish a partition and tell the hooks. Raises UserError and OSError.

        Whatever happens, and whenever, a manifest is there only while it tells the truth.
        """
        if not parcel.published:
            self._publish(parcel)
            parcel.published = True
        self._hooks.run(parcel.manifest, self.manifest_path(parcel.partition))

    def is_told(self, manifest: Manifest) -> bool:
        """Whether no hook waits for this partition."""
        return not self._hooks.pending(manifest)

    def manifest_path(self, partition: Partition) -> str:
        """Where a manifest is, for people and their hooks."""
        return f"{self._target.store.url.rstrip('/')}/{partition.manifest}"

    def tidy(self, partition: Partition) -> None:
        """Remove what is staged of a partition."""
        shutil.rmtree(self._staging / partition.folder, ignore_errors=True)

    def _publish(self, parcel: Parcel) -> None:
        store, partition = self._target.store, parcel.partition
        if not parcel.retracted:
            self._holding()
            self._target.retract(partition)
            parcel.retracted = True
        for file in parcel.manifest.files:
            if file.path not in parcel.uploaded:
                self._holding()
                source = self._staging / partition.folder / file.path
                store.upload(source, f"{partition.folder}/{file.path}", file.sha256)
                parcel.uploaded.add(file.path)
        self._target.remove_others(parcel.manifest)
        self._holding()
        store.put(partition.manifest, parcel.manifest.to_json())
        store.put(partition.success, b"")
        self._target.note(parcel.manifest)
