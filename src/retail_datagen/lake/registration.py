"""Registers what a lake holds with a table format, a commit for each table and chunk of days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

from retail_datagen.core.calendar import to_day
from retail_datagen.lake.catalog import Catalog, read_catalog
from retail_datagen.lake.declared import declared_tables, known_tables
from retail_datagen.lake.formats import TableChunk, open_format
from retail_datagen.lake.read import read_lake
from retail_datagen.objects.base import ObjectStore
from retail_datagen.partitions.layout import INGEST
from retail_datagen.partitions.manifest import Manifest
from retail_datagen.schema.table import Table


def register_lake(
    store: ObjectStore,
    table_format: str,
    artifacts: Path,
    chunk_days: int,
    endpoint_url: str | None = None,
) -> int:
    """Register all published partitions; how many files were new or replaced.

    Doing it again changes nothing. Raises UserError.
    """
    made = open_format(table_format, store.url, artifacts, endpoint_url)
    catalog = read_catalog(store)
    tables = declared_tables(catalog, known_tables())
    found: dict[str, list[Manifest]] = {}
    for held in read_lake(store).partitions:
        if held.manifest and held.is_whole and held.partition.table in tables:
            found.setdefault(held.partition.table, []).append(held.manifest)
    return sum(
        made.register(chunk)
        for name, manifests in sorted(found.items())
        for chunk in _chunks(tables[name], manifests, catalog, chunk_days)
    )


def _chunks(
    table: Table, manifests: list[Manifest], catalog: Catalog | None, days: int
) -> Iterator[TableChunk]:
    """The partitions of a table by chunks of days; those of no day together."""
    first = catalog.first_day if catalog else 0
    grouped: dict[int, list[Manifest]] = {}
    for manifest in sorted(manifests, key=lambda m: m.partition.value):
        number = 0
        if manifest.partition.by == INGEST:
            number = (to_day(date.fromisoformat(manifest.partition.value)) - first) // days
        grouped.setdefault(number, []).append(manifest)
    for _, members in sorted(grouped.items()):
        yield TableChunk(table, tuple(members))
