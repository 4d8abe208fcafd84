"""What a table format does for a lake: it registers published partitions, each file where it is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from retail_datagen.config.errors import UserError
from retail_datagen.partitions.layout import DEFAULT_VALUE, INGEST
from retail_datagen.partitions.manifest import Manifest
from retail_datagen.schema.table import Column, Kind, Table

APPLICATION: Final = "retail-datagen"
_DATES: Final = (INGEST, "signup_date", "as_of")
"""Partition columns whose values are days; those of others are texts."""
CHUNK: Final = f"{APPLICATION}.chunk"
"""The property of a commit that says which chunk it registered."""


class FormatError(UserError):
    """A table format that cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class TableChunk:
    """Published partitions of one table that are registered in one commit."""

    table: Table
    manifests: tuple[Manifest, ...]

    @property
    def by(self) -> str:
        """The column that they are partitioned by."""
        return self.manifests[0].partition.by

    @property
    def digest(self) -> str:
        """Sixteen hex digits: equal for equal partitions with equal content."""
        lines = sorted(f"{m.partition.folder} {m.digest}\n" for m in self.manifests)
        return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]

    @property
    def files(self) -> dict[str, tuple[Manifest, int, int]]:
        """Manifest, rows and bytes of each file by its path below the table."""
        return {
            f"{self.by}={m.partition.value}/{file.path}": (m, file.rows, file.bytes)
            for m in self.manifests
            for file in m.files
        }

    @property
    def folders(self) -> frozenset[str]:
        """The partitions' folders below the table."""
        return frozenset(f"{self.by}={m.partition.value}" for m in self.manifests)


class TableFormat(Protocol):
    """Registers chunks. Doing it again, at any time and in any order, changes nothing."""

    def register(self, chunk: TableChunk) -> int:
        """One commit, in which all files of the chunk appear; how many were new or replaced.

        A table that does not exist is made. Raises FormatError.
        """
        ...

    def rows(self, table: str) -> int:
        """The rows that the format's own metadata say a table has; 0 where there is none."""
        ...


def value_of(manifest: Manifest) -> str | None:
    """A partition's value; None for that of rows without one."""
    value = manifest.partition.value
    return None if value == DEFAULT_VALUE else unquote(value)


def columns_with_partition(table: Table, by: str) -> tuple[Column, ...]:
    """The columns of a table, with that of the partition last where it has none."""
    if by in table.header:
        return table.columns
    if by in _DATES:
        return (*table.columns, Column(by, Kind.DATE, "The day that a row belongs to.", null=True))
    return (*table.columns, Column(by, Kind.TEXT, "What its rows have in common.", null=True))


def arrow_type(column: Column) -> pa.DataType:
    """How readers of table formats see a column."""
    special = {
        Kind.MONEY: pa.decimal128(12, 2),
        Kind.TIMESTAMP: pa.timestamp("us"),
        Kind.CATEGORY: pa.string(),
    }
    return special.get(column.kind, column.arrow_type)


def table_url(url: str, table: str) -> str:
    """Where a table lies, as the formats' libraries want it: a folder as a file: URL."""
    if "://" in url and not url.startswith("file:"):
        return f"{url.rstrip('/')}/{table}"
    path = Path(url.removeprefix("file://").removeprefix("file:"))
    return f"file://{path.absolute().as_posix()}/{table}"


def scheme(url: str) -> str:
    """`s3`, `gs`, `az`, or `file` for a folder."""
    return urlsplit(url).scheme if "://" in url else "file"


@dataclass(frozen=True, slots=True)
class Changes:
    """What registering a chunk changes, by paths below the table.

    `new` files have manifest, rows and bytes; those `replaced` are among them and were known with
    other bytes; those `gone` lay in partitions of the chunk.
    """

    new: Mapping[str, tuple[Manifest, int, int]]
    replaced: Sequence[str]
    gone: Sequence[str]


def changes(chunk: TableChunk, known: Mapping[str, int]) -> Changes:
    """How a chunk differs from what a table has: the bytes of each file, by its path."""
    files, folders = chunk.files, chunk.folders
    new = {path: file for path, file in files.items() if known.get(path) != file[2]}
    gone = [p for p in known if p.rpartition("/")[0] in folders and p not in files]
    return Changes(new, [path for path in new if path in known], gone)
