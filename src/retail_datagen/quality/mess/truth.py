"""The truth beside a mess: what was done to which cell, so that a cleaning can be graded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retail_datagen.quality.mess.cells import as_texts
from retail_datagen.schema.arrays import batch
from retail_datagen.schema.table import Column, Encoding, Kind, Table

I64 = NDArray[np.int64]
KINDS = (
    "WHITESPACE",
    "CASING",
    "NULL",
    "SPIKE",
    "REASON_BIAS",
    "DUPLICATE",
    "LATE",
    "TYPO",
    "BROKEN_DATE",
    "ORPHAN",
    "DRIFT",
)
_SUFFIX = "_truth"


@dataclass(frozen=True, slots=True)
class Deed:
    """What one kind of mess did to a column, or (no column) to whole rows of the clean table."""

    kind: str
    column: str
    rows: I64


def truth_name(table: str) -> str:
    """`orders_truth` for `orders`."""
    return table + _SUFFIX


def truth_table(table: Table) -> Table:
    """How the truth about a table is declared."""
    return Table(
        name=truth_name(table.name),
        namespace=table.namespace,
        doc=f"What was done to which row and column of {table.name}, in that row's partition.",
        columns=(
            Column("row_key", Kind.TEXT, f"{' | '.join(table.key)} of the row."),
            Column(
                "row",
                Kind.INT,
                "Its place in the clean partition, from 0.",
                encoding=Encoding.DELTA,
            ),
            Column("column_name", Kind.CATEGORY, "Which column; empty for a whole row."),
            Column("kind", Kind.CATEGORY, "What was done.", words=KINDS),
            Column("clean_value", Kind.TEXT, "What would stand there.", null=True),
            Column("messy_value", Kind.TEXT, "What stands there.", null=True),
        ),
        key=("row", "column_name", "kind"),
    )


def truth_of(table: Table, clean: pa.Table, messy: pa.Table, deeds: list[Deed]) -> pa.Table:
    """The truth about `messy`, whose rows are still those of `clean`."""
    declared = truth_table(table)
    if not any(len(deed.rows) for deed in deeds):
        return declared.arrow.empty_table()
    return pa.concat_tables(
        [_told(declared, table, clean, messy, deed) for deed in deeds if len(deed.rows)]
    ).unify_dictionaries()


def _told(declared: Table, table: Table, clean: pa.Table, messy: pa.Table, deed: Deed) -> pa.Table:
    rows = pa.array(deed.rows)
    keys = [as_texts(_one(clean[name].take(rows))) for name in table.key]
    before, after = (_values(whole, deed.column, rows) for whole in (clean, messy))
    return batch(
        declared,
        {
            "row_key": pc.binary_join_element_wise(*keys, "|") if len(keys) > 1 else keys[0],
            "row": deed.rows,
            "column_name": _always(deed.column, len(rows)),
            "kind": _always(deed.kind, len(rows)),
            "clean_value": before,
            "messy_value": after,
        },
    )


def _values(whole: pa.Table, column: str, rows: pa.Array) -> pa.Array:
    if column not in whole.column_names:
        return pa.nulls(len(rows), pa.string())
    return as_texts(_one(whole[column].take(rows)))


def _always(text: str, rows: int) -> pa.Array:
    codes = pa.array(np.zeros(rows, dtype=np.int32))
    return pa.DictionaryArray.from_arrays(codes, pa.array([text]))


def _one(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
