"""The days of a chunk once more as CSV, one file a table: what `--keep-csv` leaves behind."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pyarrow.parquet as pq

from retail_datagen.core.calendar import to_date
from retail_datagen.core.files import atomic_file
from retail_datagen.lake.events import Chunk
from retail_datagen.objects.base import ObjectStore
from retail_datagen.partitions.layout import Partition
from retail_datagen.partitions.manifest import Manifest
from retail_datagen.schema.csv import write_csv
from retail_datagen.schema.table import Table

Lookup = Callable[[Partition], Manifest | None]


def csv_folder(artifacts: Path, chunk: Chunk) -> Path:
    """`raw_run_2020-01-01_2020-01-30`."""
    return artifacts / f"raw_run_{to_date(chunk.first_day)}_{to_date(chunk.last_day)}"


def write_chunk(
    artifacts: Path,
    chunk: Chunk,
    tables: Mapping[str, Table],
    staging: Path,
    store: ObjectStore,
    published: Lookup,
) -> Path:
    """Write a published chunk as CSV and give its folder.

    What an earlier run published and tidied away is brought back for it. Raises OSError and
    StoreError.
    """
    folder = csv_folder(artifacts, chunk)
    for name, table in tables.items():
        with atomic_file(folder / f"{name}.csv") as file:
            begun = False
            for day in range(chunk.first_day, chunk.last_day + 1):
                manifest = published(Partition.of_day(name, day))
                for path in _parts(manifest, staging, store) if manifest else ():
                    text = io.BytesIO()
                    write_csv(table, pq.ParquetFile(path).read(), text)
                    lines = text.getvalue()
                    file.write(lines[lines.index(b"\n") + 1 :] if begun else lines)
                    begun = True
    return folder


def _parts(manifest: Manifest, staging: Path, store: ObjectStore) -> Iterator[Path]:
    """The files of a partition, staged or from the target."""
    folder = manifest.partition.folder
    for part in manifest.files:
        staged = staging / folder / part.path
        if staged.exists():
            yield staged
            continue
        with tempfile.TemporaryDirectory(prefix="retail-datagen-") as temporary:
            brought = Path(temporary) / part.path
            store.download(f"{folder}/{part.path}", brought)
            yield brought
