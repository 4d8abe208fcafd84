"""Where things lie in a lake: `<table>/ingest_dt=2020-01-01/part-0000.parquet` and what is beside.

Paths are keys below the lake's prefix, with `/` between their parts on every system.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from retail_datagen.core.calendar import to_date

INGEST: Final = "ingest_dt"
"""What tables of facts are partitioned by: the day that their rows belong to."""
DEFAULT_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"
"""Hive's name for the partition of rows without a value."""
MANIFEST: Final = "_MANIFEST.json"
SUCCESS: Final = "_SUCCESS"
CATALOG: Final = "_CATALOG.json"
LEASE: Final = "_LEASE.json"

_FOLDER = re.compile(r"(?P<table>[a-z][a-z0-9_]*)/(?P<by>[a-z][a-z0-9_]*)=(?P<value>[^/]+)")
_PART = re.compile(r"part-\d{4,}\.parquet")


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """One partition of one table: `by` is the column that it is partitioned by."""

    table: str
    by: str
    value: str

    @classmethod
    def of_day(cls, table: str, day: int) -> Self:
        """A day (since 1970-01-01) of a table of facts."""
        return cls(table, INGEST, to_date(day).isoformat())

    @classmethod
    def parse(cls, folder: str) -> Self | None:
        """The partition whose folder this is; None for anything else."""
        match = _FOLDER.fullmatch(folder)
        return cls(match["table"], match["by"], match["value"]) if match else None

    @property
    def folder(self) -> str:
        return f"{self.table}/{self.by}={self.value}"

    @property
    def manifest(self) -> str:
        return f"{self.folder}/{MANIFEST}"

    @property
    def success(self) -> str:
        return f"{self.folder}/{SUCCESS}"

    def part(self, number: int) -> str:
        """The key of a data file, the first of which is 0."""
        return f"{self.folder}/{part_name(number)}"


def part_name(number: int) -> str:
    """`part-0000.parquet`."""
    return f"part-{number:04}.parquet"


def is_part(name: str) -> bool:
    """Whether a file's name is one of `part_name`."""
    return _PART.fullmatch(name) is not None
