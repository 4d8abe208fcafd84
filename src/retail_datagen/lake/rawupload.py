"""Brings some partitions of a folder to a bucket: of a day, of some tables."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from retail_datagen.config.errors import UserError
from retail_datagen.lake.upload import UploadSummary, upload_lake
from retail_datagen.objects import ObjectStore
from retail_datagen.objects.base import Content, Found
from retail_datagen.objects.local import LocalStore
from retail_datagen.partitions.layout import CATALOG, INGEST, Partition


def upload_partitions(
    source: Path,
    target: ObjectStore,
    ingest_date: str | None = None,
    tables: Collection[str] = (),
    dry_run: bool = False,
) -> UploadSummary:
    """As `upload_lake`, for the partitions of a day (YYYY-MM-DD; None: all) and of some tables.

    Raises UserError where there is none.
    """
    chosen = _Chosen(source, ingest_date, tables)
    if next(chosen.list(), None) is None:
        of_day = f" {INGEST}={ingest_date}" if ingest_date else ""
        of_tables = f" of {', '.join(tables)}" if tables else ""
        raise UserError(
            f"{source} has no partition{of_day}{of_tables}; `retail-datagen lake ls {source}` "
            "shows what it has"
        )
    return upload_lake(chosen, target, dry_run)


class _Chosen(LocalStore):
    """A folder of which only some partitions are seen, and no catalog: it would say too much."""

    def __init__(self, folder: Path, ingest_date: str | None, tables: Collection[str]) -> None:
        super().__init__(folder)
        self._ingest_date, self._tables = ingest_date, tables

    def list(self, folder: str = "") -> Iterator[Found]:
        for found in super().list(folder):
            partition = Partition.parse(found.key.rpartition("/")[0])
            if partition and self._wants(partition):
                yield found

    def get(self, key: str) -> Content | None:
        return None if key == CATALOG else super().get(key)

    def _wants(self, partition: Partition) -> bool:
        of_day = partition.by == INGEST and partition.value == self._ingest_date
        of_table = not self._tables or partition.table in self._tables
        return of_table and (of_day or self._ingest_date is None)
