"""From a run's CSV files to Hive partitions with their manifests.

A table with a time of its own goes by it; lines go where the row lies that they belong to.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from retail_datagen.config.errors import UserError
from retail_datagen.core.arrays import I64
from retail_datagen.core.calendar import to_date
from retail_datagen.core.version import program_version
from retail_datagen.ecom import tables as shop
from retail_datagen.ecom.lookups import CUSTOMERS, PRODUCT_CATALOG
from retail_datagen.lake.dimensions import Dimension
from retail_datagen.lake.hooks import Hook, run_hook
from retail_datagen.lake.rawrun import About
from retail_datagen.lake.request import TARGET_MB
from retail_datagen.partitions.layout import CATALOG, MANIFEST, Partition
from retail_datagen.partitions.manifest import Manifest, Stamp
from retail_datagen.partitions.parts import commit_partitions, event_column, stage_partition
from retail_datagen.quality.mess.levels import NULLED, Mess, messy_table
from retail_datagen.schema.table import Kind, Table
from retail_datagen.sinks.base import SinkError, conform
from retail_datagen.sinks.lake import staging_advice

UNKNOWN = "unknown"
_LOOKUPS: Mapping[str, tuple[Table, str]] = {
    CUSTOMERS.name: (CUSTOMERS, "signup_date"),
    PRODUCT_CATALOG.name: (PRODUCT_CATALOG, "category"),
}
_READ_AS = {
    Kind.MONEY: pa.decimal128(12, 2),
    Kind.CATEGORY: pa.string(),
    # Some runs have milliseconds behind the second.
    Kind.TIMESTAMP: pa.timestamp("ms"),
}
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Export:
    """What to export. Days count from 1970-01-01; None is the run's own first and last.

    `days` stand for themselves, whatever `first_day` and `last_day` say. No `tables` means all
    that the run has. `lookups_from` is a folder whose customers and products are taken instead of
    the run's. `name_prefix` is what the names of the source's files begin with.
    """

    source: Path
    target: Path
    first_day: int | None = None
    last_day: int | None = None
    days: tuple[int, ...] = ()
    tables: tuple[str, ...] = ()
    lookups_from: Path | None = None
    hooks: tuple[Hook, ...] = ()
    batch_id: str = ""
    target_mb: float = TARGET_MB
    name_prefix: str = ""


def export_run(wanted: Export) -> tuple[Manifest, ...]:
    """Write the run's partitions below the target, replacing those that are there.

    Each is there whole or not at all, and each hook is told of each. Raises UserError for files
    that are not a run's, for days that it lacks, and for hooks that fail.
    """
    if (wanted.target / CATALOG).exists():
        raise UserError(
            f"{wanted.target} holds a lake that `retail-datagen backlog` filled; choose another "
            "--target"
        )
    about = About.read(wanted.source)
    now = datetime.now(UTC)
    stamp = Stamp(
        wanted.batch_id or f"{now:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}",
        about.generator_version if about else program_version(),
        about.config_hash if about else UNKNOWN,
    )
    files = _files(wanted)
    run = _Run(files, about, wanted)
    made = []
    for name in files:
        for table, partition, rows in run.lookup(name) if name in _LOOKUPS else run.facts(name):
            made.append(_publish(wanted, table, partition, rows, stamp))
    return tuple(made)


class _Run:
    """The tables of a run, cut by day or by value."""

    def __init__(self, files: Mapping[str, Path], about: About | None, wanted: Export) -> None:
        self._files, self._about, self._wanted = files, about, wanted
        self._parents: dict[str, tuple[pa.Array, I64]] = {}

    def facts(self, name: str) -> Iterator[tuple[Table, Partition, pa.Table]]:
        """Each wanted day of a table, those without rows, too."""
        table, data = self._read(shop.registry()[name].table)
        rows_of = _groups(self._days_of(name, data))
        for day in self.days:
            chosen = rows_of.get(day, np.zeros(0, dtype=np.int64))
            yield table, Partition.of_day(name, day), data.take(pa.array(chosen))

    def lookup(self, name: str) -> Iterator[tuple[Table, Partition, pa.Table]]:
        """A table that is written once, cut by the column that its files then lack."""
        declared, by = _LOOKUPS[name]
        table, data = self._read(declared)
        own = replace(table, columns=tuple(c for c in table.columns if c.name != by))
        column = data[by].cast(pa.string()).combine_chunks().dictionary_encode()
        names = column.dictionary.to_pylist()
        codes = column.indices.cast(pa.int64()).fill_null(-1).to_numpy()
        groups = {None if code < 0 else names[code]: rows for code, rows in _groups(codes).items()}
        data = data.drop_columns([by])
        dimension = Dimension(
            own, by, tuple(groups), lambda value: data.take(pa.array(groups[value]))
        )
        for partition, value in dimension.partitions():
            yield own, partition, dimension.render(value)

    @cached_property
    def days(self) -> tuple[int, ...]:
        """The days that are wanted. Raises UserError for one that the run does not have."""
        first, last = self._span()
        wanted = self._wanted
        chosen = wanted.days
        if not chosen:
            since = first if wanted.first_day is None else wanted.first_day
            until = last if wanted.last_day is None else wanted.last_day
            chosen = tuple(range(since, until + 1))
        outside = [day for day in chosen if not first <= day <= last]
        if outside or not chosen:
            what = f"{to_date(outside[0])} is" if outside else "no day is chosen that is"
            raise UserError(
                f"{wanted.source}: {what} not in the run, which has {to_date(first)} to "
                f"{to_date(last)}"
            )
        return tuple(dict.fromkeys(chosen))

    def _span(self) -> tuple[int, int]:
        if self._about:
            return self._about.first_day, self._about.last_day
        dated = [n for n in self._files if n not in _LOOKUPS and _dated(shop.registry()[n].table)]
        days = [self._parent(name)[1] for name in dated]
        found = np.concatenate([np.zeros(0, dtype=np.int64), *days])
        if not len(found):
            raise UserError(f"{self._wanted.source}: none of its tables says which days it has")
        return int(found.min()), int(found.max())

    def _days_of(self, name: str, data: pa.Table) -> I64:
        """The day of each row. Raises UserError for rows that belong to none."""
        declared = shop.registry()[name].table
        if column := _dated(declared):
            return _whole_days(data[column])
        column, parent = _parent_of(declared)
        keys, days = self._parent(parent)
        found = pc.index_in(data[column].combine_chunks(), keys)
        if found.null_count:
            raise UserError(
                f"{self._files[name]}: {found.null_count:,} rows have a {column} that is not in "
                f"{parent}.csv; both have to be of the same run"
            )
        own: I64 = days[found.to_numpy()]
        return own

    def _parent(self, name: str) -> tuple[pa.Array, I64]:
        """Keys of a table, and their days."""
        if name not in self._parents:
            table = shop.registry()[name].table
            column = _dated(table)
            assert column, "those who have lines have a time"
            path = self._wanted.source / f"{self._wanted.name_prefix}{name}.csv"
            data = _read_csv(path, table, (table.key[0], column))
            self._parents[name] = data[table.key[0]].combine_chunks(), _whole_days(data[column])
        return self._parents[name]

    def _read(self, declared: Table) -> tuple[Table, pa.Table]:
        """A table's rows, and how it is declared with what a mess may have emptied."""
        data = _read_csv(self._files[declared.name], declared, declared.header)
        level = self._about.messiness_level if self._about else "none"
        if any(data[column].null_count for column in NULLED.get(declared.name, ())):
            level = "heavy_mess" if level == "none" else level
        return messy_table(declared, Mess.of(level, {})), data


def _publish(
    wanted: Export, table: Table, partition: Partition, rows: pa.Table, stamp: Stamp
) -> Manifest:
    try:
        data = conform(table, _shaped(table, rows))
    except ValueError as error:
        raise UserError(f"{wanted.source}: {error}; make the run again") from error
    target_bytes = int(wanted.target_mb * 2**20)
    try:
        manifest = stage_partition(wanted.target, table, partition, data, stamp, target_bytes)
        commit_partitions(wanted.target, [partition])
        (wanted.target / partition.success).write_bytes(b"")
    except OSError as error:
        raise SinkError(staging_advice(wanted.target, error)) from error
    for hook in wanted.hooks:
        run_hook(hook, manifest, str(wanted.target / partition.folder / MANIFEST))
    return manifest


def _files(wanted: Export) -> dict[str, Path]:
    """The file of each table that is wanted. Raises UserError where one is missing."""
    known = (*shop.registry(), *_LOOKUPS)
    unknown = [name for name in wanted.tables if name not in known]
    if unknown:
        raise UserError(f"table: {unknown[0]!r} is not known; allowed are {', '.join(known)}")
    found = {}
    for name in known:
        folder = wanted.lookups_from if name in _LOOKUPS and wanted.lookups_from else wanted.source
        prefix = wanted.name_prefix if folder == wanted.source else ""
        path = folder / f"{prefix}{name}.csv"
        asked = name in wanted.tables or (not wanted.tables and folder != wanted.source)
        if path.is_file():
            if not wanted.tables or name in wanted.tables:
                found[name] = path
        elif asked:
            raise UserError(f"{path} is not there; give the folder that has the table's CSV")
    if not found:
        raise UserError(
            f"{wanted.source} has no table's CSV, such as {wanted.name_prefix}orders.csv"
        )
    return found


def _read_csv(path: Path, table: Table, columns: tuple[str, ...]) -> pa.Table:
    """Columns of a file. Raises UserError for one that does not hold them."""
    types = {n: _READ_AS.get(table.column(n).kind, table.column(n).arrow_type) for n in columns}
    options = pacsv.ConvertOptions(
        column_types=types,
        include_columns=list(columns),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    try:
        return pacsv.read_csv(path, convert_options=options)
    except FileNotFoundError:
        raise UserError(f"{path} is not there; the days of its lines cannot be told") from None
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path} cannot be read as {table.name}: {error}") from error


def _shaped(table: Table, rows: pa.Table) -> pa.Table:
    """What was read, in the types that the table declares."""
    arrays = []
    for column in table.columns:
        array = rows[column.name].combine_chunks()
        own = column.kind is Kind.CATEGORY
        arrays.append(array.dictionary_encode() if own else array.cast(column.arrow_type))
    return pa.table(arrays, names=list(table.header))


def _dated(table: Table) -> str | None:
    """The column that says which day a row belongs to, whatever a mess does to others."""
    column = event_column(messy_table(table, Mess.of("heavy_mess", {})))
    return column.name if column else None


def _parent_of(table: Table) -> tuple[str, str]:
    """(column, table): whose rows the lines of a table belong to."""
    for column in table.columns:
        parent = column.references.partition(".")[0]
        if parent in shop.registry():
            return column.name, parent
    raise LookupError(f"{table.name} has neither a time nor a parent")


def _whole_days(times: pa.ChunkedArray) -> I64:
    if times.null_count:
        raise UserError(f"{times.null_count:,} rows have no time that says their day")
    milliseconds: I64 = times.cast(pa.int64()).to_numpy()
    return milliseconds // _DAY_MS


def _groups(keys: I64) -> dict[int, I64]:
    """The rows of each key, in their order."""
    order = np.argsort(keys, kind="stable")
    values, first = np.unique(keys[order], return_index=True)
    return dict(zip(values.tolist(), np.split(order, first[1:]), strict=bool(len(values))))
