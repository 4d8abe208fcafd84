"""Table formats: published partitions as Delta or Iceberg tables, each file where it lies."""

from __future__ import annotations

from pathlib import Path

from retail_datagen.config.errors import UserError
from retail_datagen.lake.formats.base import TableChunk, TableFormat

__all__ = ["FORMATS", "TableChunk", "TableFormat", "open_format"]

FORMATS = ("delta", "iceberg")


def open_format(
    name: str,
    url: str,
    artifacts: Path,
    endpoint_url: str | None = None,
    catalog_uri: str | None = None,
) -> TableFormat:
    """The table format of that name for the lake at `url`.

    Iceberg keeps its catalogue in a SQLite file in the folder `artifacts`, unless `catalog_uri`
    names another database. Raises UserError for another name or a package that is missing.
    """
    if name == "delta":
        from retail_datagen.lake.formats.delta import DeltaFormat

        return DeltaFormat(url, endpoint_url)
    if name == "iceberg":
        from retail_datagen.lake.formats.iceberg import IcebergFormat

        return IcebergFormat(url, artifacts, endpoint_url, catalog_uri)
    raise UserError(f"--table-format: {name!r} is none; allowed are {', '.join(FORMATS)}")
