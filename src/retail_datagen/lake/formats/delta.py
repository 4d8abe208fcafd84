"""Delta tables: `_delta_log` beside the partitions of each table names their files.

A chunk is one commit. Its application transaction, named after the chunk's content, makes doing
it again a no-op, whatever happened between the commit and whoever asked for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from urllib.parse import unquote

import pyarrow as pa

from retail_datagen.lake.formats.base import (
    APPLICATION,
    CHUNK,
    FormatError,
    TableChunk,
    arrow_type,
    changes,
    columns_with_partition,
    scheme,
    table_url,
    value_of,
)
from retail_datagen.partitions.manifest import Manifest
from retail_datagen.schema.table import Table

try:
    from deltalake import CommitProperties, DeltaTable, Transaction
    from deltalake import Schema as DeltaSchema
    from deltalake.exceptions import DeltaError
    from deltalake.transaction import AddAction, RemoveAction, create_table_with_add_actions
except ImportError as error:
    raise FormatError(
        "--table-format delta needs the package deltalake: pip install 'retail-datagen[delta]'"
    ) from error

_NONE: Mapping[str, int] = MappingProxyType({})


class DeltaFormat:
    """Registers partitions in Delta tables of the lake at `url`."""

    def __init__(self, url: str, endpoint_url: str | None = None) -> None:
        self._url = url
        self._options = _storage_options(url, endpoint_url)

    def register(self, chunk: TableChunk) -> int:
        """See TableFormat."""
        application = f"{APPLICATION}/{chunk.digest}"
        commit = CommitProperties(
            custom_metadata={CHUNK: chunk.digest},
            app_transactions=[Transaction(app_id=application, version=1)],
        )
        schema = DeltaSchema.from_arrow(_schema(chunk.table, chunk.by))
        try:
            table = self._table(chunk.table.name)
            if table is None:
                new = changes(chunk, _NONE).new
                create_table_with_add_actions(
                    table_url(self._url, chunk.table.name),
                    schema,
                    [_add(chunk.by, path, *file) for path, file in new.items()],
                    partition_by=[chunk.by],
                    name=chunk.table.name,
                    description=chunk.table.doc,
                    storage_options=self._options,
                    commit_properties=commit,
                )
                return len(new)
            if table.transaction_version(application) is not None:
                return 0
            found = changes(chunk, _files(table))
            new = found.new
            actions: list[AddAction | RemoveAction] = [
                RemoveAction(path, True, _milliseconds(chunk.manifests[0])) for path in found.gone
            ]
            # A file that is added again takes the place of the one before.
            actions += [_add(chunk.by, path, *file) for path, file in new.items()]
            if actions:
                table.create_write_transaction(
                    actions, "append", schema, [chunk.by], commit_properties=commit
                )
        except (DeltaError, OSError) as error:
            raise FormatError(
                f"{chunk.table.name} cannot be registered as a Delta table: {error}. Once that is "
                "put right, running again registers what is missing"
            ) from error
        return len(new)

    def rows(self, table: str) -> int:
        """See TableFormat."""
        found = self._table(table)
        if found is None:
            return 0
        counts = pa.table(found.get_add_actions(flatten=True)).column("num_records")
        return sum(counts.to_pylist())

    def _table(self, name: str) -> DeltaTable | None:
        url = table_url(self._url, name)
        if not DeltaTable.is_deltatable(url, self._options):
            return None
        return DeltaTable(url, storage_options=self._options)


def _files(table: DeltaTable) -> dict[str, int]:
    """The bytes of each file that a table has, by its path below the table."""
    actions = pa.table(table.get_add_actions(flatten=True))
    paths = [unquote(path) for path in actions.column("path").to_pylist()]
    return dict(zip(paths, actions.column("size_bytes").to_pylist(), strict=True))


def _add(by: str, path: str, manifest: Manifest, rows: int, size: int) -> AddAction:
    stats = json.dumps({"numRecords": rows})
    return AddAction(path, size, {by: value_of(manifest)}, _milliseconds(manifest), True, stats)


def _milliseconds(manifest: Manifest) -> int:
    """When a partition was made, in milliseconds since 1970."""
    return round(datetime.fromisoformat(manifest.created_at).timestamp() * 1000)


def _schema(table: Table, by: str) -> pa.Schema:
    return pa.schema(
        [
            pa.field(column.name, arrow_type(column), column.null)
            for column in columns_with_partition(table, by)
        ]
    )


def _storage_options(url: str, endpoint_url: str | None) -> dict[str, str] | None:
    """What the library cannot find in the environment itself."""
    if endpoint_url is None:
        return None
    match scheme(url):
        case "s3":
            return {"AWS_ENDPOINT_URL": endpoint_url, "AWS_ALLOW_HTTP": "true"}
        case "gs":
            return {"GOOGLE_BASE_URL": endpoint_url, "GOOGLE_SKIP_SIGNATURE": "true"}
        case "az":
            return {"AZURE_ENDPOINT": endpoint_url, "AZURE_ALLOW_HTTP": "true"}
    return None
