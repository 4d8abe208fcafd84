"""Iceberg tables: metadata beside the partitions of each table, and a catalogue that knows it.

Our Parquet files have neither field ids nor the column that they are partitioned by, so that
pyiceberg's `add_files`, which infers a partition from a column's statistics, cannot place them.
The tables are partitioned by identity all the same: data files are appended with the partition's
value from their manifest, which is what readers show for a column that a file lacks (the column
projection of Iceberg's specification), and a name mapping stands for the field ids. So a query
for some days opens the files of those days only, and registering reads no data file.

A chunk is one snapshot. A property of it, named after the chunk's content, makes doing it again a
no-op; should snapshots have expired, the files that the table has tell the same.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from retail_datagen.core.calendar import to_day
from retail_datagen.lake.formats.base import (
    CHUNK,
    FormatError,
    TableChunk,
    changes,
    columns_with_partition,
    scheme,
    table_url,
    value_of,
)
from retail_datagen.partitions.manifest import Manifest
from retail_datagen.schema.table import Column, Kind, Table

try:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
    from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
    from pyiceberg.partitioning import PartitionField, PartitionSpec
    from pyiceberg.schema import Schema
    from pyiceberg.table import Table as IcebergTable
    from pyiceberg.transforms import IdentityTransform
    from pyiceberg.typedef import Record
    from pyiceberg.types import (
        BooleanType,
        DateType,
        DecimalType,
        DoubleType,
        IcebergType,
        IntegerType,
        LongType,
        NestedField,
        StringType,
        TimestampType,
    )
except ImportError as error:
    raise FormatError(
        "--table-format iceberg needs the package pyiceberg: pip install 'retail-datagen[iceberg]'"
    ) from error

NAMESPACE = "lake"
_NAME_MAPPING = "schema.name-mapping.default"
_FIRST_PARTITION_ID = 1000
_TYPES: dict[Kind, IcebergType] = {
    Kind.INT: IntegerType(),
    Kind.LONG: LongType(),
    Kind.MONEY: DecimalType(12, 2),
    Kind.TIMESTAMP: TimestampType(),
    Kind.DATE: DateType(),
    Kind.TEXT: StringType(),
    Kind.CATEGORY: StringType(),
    Kind.FLAG: BooleanType(),
    Kind.FLOAT: DoubleType(),
}


class IcebergFormat:
    """Registers partitions in Iceberg tables `lake.<table>` of a SQL catalogue."""

    def __init__(
        self,
        url: str,
        artifacts: Path,
        endpoint_url: str | None = None,
        catalog_uri: str | None = None,
    ) -> None:
        self._url = url
        artifacts.mkdir(parents=True, exist_ok=True)
        uri = catalog_uri or f"sqlite:///{(artifacts / 'iceberg.db').absolute()}"
        properties = {"uri": uri, **_io_properties(url, endpoint_url)}
        self._catalog = SqlCatalog("retail", **properties)
        self._catalog.create_namespace_if_not_exists(NAMESPACE)

    @property
    def catalog(self) -> SqlCatalog:
        """The catalogue, to read tables from."""
        return self._catalog

    def register(self, chunk: TableChunk) -> int:
        """See TableFormat."""
        try:
            return self._register(chunk)
        except (CommitFailedException, OSError, ValueError) as error:
            raise FormatError(
                f"{chunk.table.name} cannot be registered as an Iceberg table: {error}. Once that "
                "is put right, running again registers what is missing"
            ) from error

    def rows(self, table: str) -> int:
        """See TableFormat."""
        found = self._find(table)
        if found is None:
            return 0
        return sum(task.file.record_count for task in found.scan().plan_files())

    def _register(self, chunk: TableChunk) -> int:
        table = self._find(chunk.table.name) or self._create(chunk.table, chunk.by)
        if any(
            snapshot.summary is not None and snapshot.summary.get(CHUNK) == chunk.digest
            for snapshot in table.metadata.snapshots
        ):
            return 0
        root = f"{table_url(self._url, chunk.table.name)}/"
        there = {
            task.file.file_path.removeprefix(root): task.file for task in table.scan().plan_files()
        }
        found = changes(chunk, {p: f.file_size_in_bytes for p, f in there.items()})
        new, gone = found.new, [*found.replaced, *found.gone]
        if not new and not gone:
            return 0
        kind = chunk.table.column(chunk.by).kind if chunk.by in chunk.table.header else Kind.DATE
        with table.transaction() as transaction:
            update = transaction.update_snapshot({CHUNK: chunk.digest})
            with update.overwrite() if gone else update.fast_append() as files:
                for path in gone:
                    files.delete_data_file(there[path])
                for path, (manifest, rows, size) in new.items():
                    value = _partition_value(kind, manifest)
                    files.append_data_file(_data_file(root + path, value, rows, size))
        return len(new)

    def _find(self, name: str) -> IcebergTable | None:
        try:
            return self._catalog.load_table((NAMESPACE, name))
        except NoSuchTableError:
            return None

    def _create(self, table: Table, by: str) -> IcebergTable:
        columns = columns_with_partition(table, by)
        schema = Schema(*(_field(number, column) for number, column in enumerate(columns, 1)))
        source = schema.find_field(by)
        spec = PartitionSpec(
            PartitionField(source.field_id, _FIRST_PARTITION_ID, IdentityTransform(), by)
        )
        return self._catalog.create_table(
            (NAMESPACE, table.name),
            schema,
            location=table_url(self._url, table.name),
            partition_spec=spec,
            properties={
                _NAME_MAPPING: schema.name_mapping.model_dump_json(),
                "comment": table.doc,
            },
        )


def _field(number: int, column: Column) -> NestedField:
    return NestedField(
        field_id=number,
        name=column.name,
        field_type=_TYPES[column.kind],
        required=not column.null,
        doc=column.doc,
    )


def _partition_value(kind: Kind, manifest: Manifest) -> str | int | None:
    """As Iceberg keeps it: dates are days since 1970."""
    value = value_of(manifest)
    return to_day(date.fromisoformat(value)) if value and kind is Kind.DATE else value


def _data_file(path: str, value: Any, rows: int, size: int) -> DataFile:
    return DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=Record(value),
        record_count=rows,
        file_size_in_bytes=size,
        sort_order_id=None,
        spec_id=0,
        equality_ids=None,
        key_metadata=None,
    )


def _io_properties(url: str, endpoint_url: str | None) -> dict[str, str]:
    """What the library cannot find in the environment itself."""
    match scheme(url):
        case "s3" if endpoint_url:
            return {"s3.endpoint": endpoint_url}
        case "gs" if endpoint_url:
            return {"gcs.service.host": endpoint_url}
    return {}
