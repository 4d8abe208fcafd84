"""The manifest of the whole: what a lake is made from, and which partitions it has.

`_CATALOG.json` at the prefix is written when the first job begins, not complete and without
partitions, and again at the end of each job, from the manifests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Self

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.core.files import damage
from retail_datagen.engine.jobstore import Header, differences
from retail_datagen.engine.source import Identity
from retail_datagen.objects.base import ObjectStore
from retail_datagen.partitions.layout import CATALOG, INGEST
from retail_datagen.partitions.manifest import Manifest
from retail_datagen.schema.table import Kind, Table

SCHEMA_VERSION = 1
_TYPES = {
    Kind.INT: "int",
    Kind.LONG: "bigint",
    Kind.MONEY: "decimal(12,2)",
    Kind.TIMESTAMP: "timestamp",
    Kind.DATE: "date",
    Kind.TEXT: "string",
    Kind.CATEGORY: "string",
    Kind.FLAG: "boolean",
    Kind.FLOAT: "double",
}


@dataclass(frozen=True, slots=True)
class CatalogColumn:
    """A column as SQL engines call its type."""

    name: str
    type: str
    null: bool
    doc: str


@dataclass(frozen=True, slots=True)
class CatalogPartition:
    """`digest` is `Manifest.digest`: equal for equal content."""

    value: str
    rows: int
    bytes: int
    digest: str


@dataclass(frozen=True, slots=True)
class CatalogTable:
    """A table of the lake and its partitions, in order."""

    name: str
    namespace: str
    doc: str
    partitioned_by: str
    columns: tuple[CatalogColumn, ...]
    partitions: tuple[CatalogPartition, ...] = ()

    @property
    def rows(self) -> int:
        return sum(partition.rows for partition in self.partitions)

    @property
    def bytes(self) -> int:
        return sum(partition.bytes for partition in self.partitions)


@dataclass(frozen=True, slots=True)
class Details:
    """What is needed to make the lake again, as JSON values; only whoever asked for it reads it."""

    seed: int = 0
    config: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Catalog:
    """`_CATALOG.json`. Days count from 1970-01-01; the first and the last are included."""

    identity: Identity
    details: Details
    target_bytes: int
    history_start: int
    first_day: int
    last_day: int
    tables: tuple[CatalogTable, ...]
    complete: bool
    updated_at: str

    @property
    def total_partitions(self) -> int:
        return sum(len(table.partitions) for table in self.tables)

    @property
    def total_rows(self) -> int:
        return sum(table.rows for table in self.tables)

    @property
    def total_bytes(self) -> int:
        return sum(table.bytes for table in self.tables)

    def to_json(self) -> bytes:
        document = {
            "schema_version": SCHEMA_VERSION,
            "generator_version": self.identity.version,
            "config_hash": config_hash(self.identity),
            "identity": {
                "config": self.identity.config,
                "master": self.identity.master,
                "settings": dict(self.identity.settings),
            },
            "seed": self.details.seed,
            "config": dict(self.details.config),
            "options": dict(self.details.options),
            "target_bytes": self.target_bytes,
            "history_start": to_date(self.history_start).isoformat(),
            "first_day": to_date(self.first_day).isoformat(),
            "last_day": to_date(self.last_day).isoformat(),
            "tables": [{**asdict(t), "rows": t.rows, "bytes": t.bytes} for t in self.tables],
            "total_partitions": self.total_partitions,
            "total_rows": self.total_rows,
            "total_bytes": self.total_bytes,
            "complete": self.complete,
            "updated_at": self.updated_at,
        }
        return (json.dumps(document, indent=1) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Raises ValueError, KeyError, TypeError or AttributeError for what `to_json` did not."""
        raw = json.loads(data)
        if raw["schema_version"] != SCHEMA_VERSION:
            raise ValueError(f"schema_version is {raw['schema_version']}, not {SCHEMA_VERSION}")
        known = raw["identity"]
        return cls(
            Identity(
                str(raw["generator_version"]),
                str(known["config"]),
                str(known["master"]),
                dict(known["settings"]),
            ),
            Details(int(raw["seed"]), dict(raw["config"]), dict(raw["options"])),
            int(raw["target_bytes"]),
            _day(raw["history_start"]),
            _day(raw["first_day"]),
            _day(raw["last_day"]),
            tuple(_table_from(table) for table in raw["tables"]),
            bool(raw["complete"]),
            str(raw["updated_at"]),
        )

    def differences(self, identity: Identity, target_bytes: int) -> list[str]:
        """What keeps a job from going on with this lake, in the user's words; empty if nothing."""
        header = Header(self.identity, self.history_start, "parquet", "")
        found = differences(header, identity, "parquet")
        if self.target_bytes != target_bytes:
            was, now = self.target_bytes / 2**20, target_bytes / 2**20
            found.append(f"target-size-mb was {was:g}, now {now:g}")
        return found


def config_hash(identity: Identity) -> str:
    """sha256 (hex) of what shapes the content: configuration and master data."""
    return hashlib.sha256(f"{identity.config}\n{identity.master}\n".encode()).hexdigest()


def read_catalog(store: ObjectStore) -> Catalog | None:
    """None where there is none. Raises UserError for a damaged one, and StoreError."""
    content = store.get(CATALOG)
    if content is None:
        return None
    try:
        return Catalog.from_json(content.data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{store.url}: {CATALOG} is damaged ({damage(error)}); remove it, or start anew with "
            "--overwrite, or choose another prefix"
        ) from error


def write_catalog(store: ObjectStore, catalog: Catalog) -> None:
    """Raises StoreError."""
    store.put(CATALOG, catalog.to_json())


def catalog_table(table: Table, by: str, manifests: Iterable[Manifest]) -> CatalogTable:
    """A table of ours with its partitions."""
    columns = tuple(CatalogColumn(c.name, _TYPES[c.kind], c.null, c.doc) for c in table.columns)
    partitions = tuple(
        CatalogPartition(m.partition.value, m.total_rows, m.total_bytes, m.digest)
        for m in sorted(manifests, key=lambda m: m.partition)
    )
    return CatalogTable(table.name, table.namespace, table.doc, by, columns, partitions)


def has_all_days(tables: Iterable[CatalogTable], first_day: int, last_day: int) -> bool:
    """Whether each table of facts has every day of a range."""
    days = {to_date(day).isoformat() for day in range(first_day, last_day + 1)}
    return all(
        days <= {partition.value for partition in table.partitions}
        for table in tables
        if table.partitioned_by == INGEST
    )


def _day(text: str) -> int:
    return to_day(date.fromisoformat(text))


def _table_from(raw: Mapping[str, Any]) -> CatalogTable:
    return CatalogTable(
        str(raw["name"]),
        str(raw["namespace"]),
        str(raw["doc"]),
        str(raw["partitioned_by"]),
        tuple(
            CatalogColumn(str(c["name"]), str(c["type"]), bool(c["null"]), str(c["doc"]))
            for c in raw["columns"]
        ),
        tuple(
            CatalogPartition(str(p["value"]), int(p["rows"]), int(p["bytes"]), str(p["digest"]))
            for p in raw["partitions"]
        ),
    )
