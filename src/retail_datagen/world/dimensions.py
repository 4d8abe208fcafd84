"""Master data as tables that facts are joined with: every column, as declared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import plain
from retail_datagen.world.arrow import cents_of
from retail_datagen.world.files import MasterFile
from retail_datagen.world.master import MASTER_TABLES, file_of


def read_dimensions(folder: Path) -> Iterator[tuple[Table, pa.Table]]:
    """Each table of a folder with its rows, after the tables that it refers to.

    Where a column may be without a value, an empty text is none. Raises MasterDataError for what
    cannot be read.
    """
    for table in in_order_of_references(MASTER_TABLES):
        rows = MasterFile(file_of(folder, table), table).rows
        columns = [_declared(column, rows[column.name]) for column in table.columns]
        yield table, pa.Table.from_arrays(columns, schema=table.arrow)


def in_order_of_references(tables: Sequence[Table]) -> list[Table]:
    """The tables, each after those that it refers to."""
    left = {table.name: table for table in tables}
    ordered: list[Table] = []
    while left:
        free = [t for t in left.values() if not _refers_to(t) & (left.keys() - {t.name})]
        # Two that refer to each other have no order; then that of the list counts.
        ordered.append((free or list(left.values()))[0])
        del left[ordered[-1].name]
    return ordered


def _refers_to(table: Table) -> set[str]:
    return {c.references.partition(".")[0] for c in table.columns if c.references}


def _declared(column: Column, values: pa.ChunkedArray) -> pa.Array:
    """The values with the declared type."""
    if column.kind is Kind.MONEY:
        return plain(Kind.MONEY, cents_of(values))
    if column.kind not in (Kind.TEXT, Kind.CATEGORY):
        return values.combine_chunks()
    texts = values.cast(pa.string()).combine_chunks()
    if column.null:
        texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, pa.string()), texts)
    return texts.cast(column.arrow_type) if column.kind is Kind.TEXT else texts.dictionary_encode()
