"""A partition's manifest: what is in it. Written last; a partition without one does not exist."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from retail_datagen.core.files import damage
from retail_datagen.partitions.layout import Partition

SCHEMA_VERSION = 1
"""Of the manifest itself."""


class ManifestError(ValueError):
    """A manifest that is not one of ours; the text says why."""


@dataclass(frozen=True, slots=True)
class PartFile:
    """A data file. `path` is its name in the partition's folder, `sha256` as `sha256sum` has it."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who made a partition: the run, the program, and the hash of what shaped the content."""

    batch_id: str
    generator_version: str
    config_hash: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a partition holds. Event times are ISO 8601 local times, None where it has no rows.

    Where a table has no time of its own, the lines of an order for example, they are the first
    and the last second of its day.
    """

    partition: Partition
    files: tuple[PartFile, ...]
    min_event_time: str | None
    max_event_time: str | None
    stamp: Stamp
    created_at: str

    @property
    def total_rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def total_bytes(self) -> int:
        return sum(file.bytes for file in self.files)

    @property
    def digest(self) -> str:
        """sha256 (hex) over the files' own: equal for equal content, whoever made it and when."""
        text = "".join(f"{file.sha256} {file.path}\n" for file in self.files)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> bytes:
        """As it is written, with a line end at its end."""
        document = {
            "schema_version": SCHEMA_VERSION,
            "table": self.partition.table,
            "partition": {self.partition.by: self.partition.value},
            "batch_id": self.stamp.batch_id,
            "files": [asdict(file) for file in self.files],
            "total_rows": self.total_rows,
            "min_event_time": self.min_event_time,
            "max_event_time": self.max_event_time,
            "generator_version": self.stamp.generator_version,
            "config_hash": self.stamp.config_hash,
            "created_at": self.created_at,
        }
        return (json.dumps(document, indent=2) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Raises ManifestError for what `to_json` did not write."""
        try:
            return cls._from(json.loads(data))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            if isinstance(error, ManifestError):
                raise
            raise ManifestError(damage(error)) from error

    @classmethod
    def _from(cls, raw: Mapping[str, Any]) -> Self:
        if raw["schema_version"] != SCHEMA_VERSION:
            raise ManifestError(f"schema_version is {raw['schema_version']}, not {SCHEMA_VERSION}")
        ((by, value),) = raw["partition"].items()
        files = tuple(
            PartFile(str(f["path"]), int(f["rows"]), int(f["bytes"]), str(f["sha256"]))
            for f in raw["files"]
        )
        manifest = cls(
            Partition(str(raw["table"]), str(by), str(value)),
            files,
            _time(raw["min_event_time"]),
            _time(raw["max_event_time"]),
            Stamp(str(raw["batch_id"]), str(raw["generator_version"]), str(raw["config_hash"])),
            str(raw["created_at"]),
        )
        if manifest.total_rows != raw["total_rows"]:
            raise ManifestError(
                f"total_rows is {raw['total_rows']}, but its files have {manifest.total_rows}"
            )
        return manifest


def _time(text: object) -> str | None:
    """An ISO 8601 time or None. Raises ValueError for another text."""
    return None if text is None else datetime.fromisoformat(str(text)).isoformat()
