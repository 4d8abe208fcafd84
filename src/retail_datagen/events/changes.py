"""Change data capture: how topics say what became of the rows of a table that changes in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I64, Bool
from retail_datagen.core.calendar import to_date
from retail_datagen.core.ids import texts
from retail_datagen.events.base import NAMESPACE
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import Values, batch, category, plain
from retail_datagen.schema.table import Changes

OPS = ("c", "u", "d", "r")
CREATE, UPDATE, DELETE, READ = range(4)
_ROWS_A_DAY = 100_000_000


@dataclass(frozen=True, slots=True)
class Changed:
    """Changes of a day by time: [changes]. `second` counts from the day's midnight.

    `key`, `before` and `after` hold columns by their names in the table that changes; what has no
    before (created, read) or no after (deleted) may hold anything there.
    """

    second: I64
    op: I64
    key: Mapping[str, Values]
    before: Mapping[str, Values]
    after: Mapping[str, Values]


def change_table(
    name: str, changes: str, doc: str, key: tuple[Column, ...], state: tuple[Column, ...]
) -> Table:
    """The topic `name` of the changes of the table `changes`, with its key and other columns."""
    return Table(
        name=name,
        doc=doc,
        columns=(
            Column(
                "op",
                Kind.CATEGORY,
                "c created, u updated, d deleted, r read by the snapshot "
                "that the history begins with.",
                words=OPS,
                example="u",
            ),
            Column("source_ts", Kind.TIMESTAMP, "When it changed.", example="2024-01-01 15:45:30"),
            Column(
                "source_seq",
                Kind.LONG,
                "Date, number of the change that day: in order.",
                example="2024010100000042",
            ),
            *key,
            *(_state("before", column) for column in state),
            *(_state("after", column) for column in state),
        ),
        key=("source_seq",),
        namespace=NAMESPACE,
        message_key=key[0].name,
        changes=Changes(changes, tuple(column.name for column in key)),
    )


def changes_of(table: Table, day: int, changed: Changed) -> pa.Table:
    """The rows of a day of a change table."""
    count = len(changed.op)
    had = (changed.op == UPDATE) | (changed.op == DELETE)
    has = changed.op != DELETE
    first = int(f"{to_date(day):%Y%m%d}") * _ROWS_A_DAY
    columns: dict[str, Values] = {
        "op": category(changed.op, texts(OPS)),
        "source_ts": changed.second + day * 86_400,
        "source_seq": np.arange(first, first + count),
        **changed.key,
    }
    for lead, present, values in (("before", had, changed.before), ("after", has, changed.after)):
        for name, column in values.items():
            kind = table.column(f"{lead}_{name}").kind
            columns[f"{lead}_{name}"] = _where(present, kind, column)
    return batch(table, columns)


def _state(lead: str, column: Column) -> Column:
    doc = f"{column.doc} {'Until then.' if lead == 'before' else 'From then on.'}"
    # A database need not look up each reference twice.
    references = column.references if lead == "after" else ""
    return replace(
        column,
        name=f"{lead}_{column.name}",
        doc=doc,
        references=references,
        null=True,
        encoding=Encoding.PLAIN if column.kind is Kind.TEXT else column.encoding,
    )


def _where(present: Bool, kind: Kind, column: Values) -> pa.Array | pa.ChunkedArray:
    """The column with null where nothing is present."""
    if isinstance(column, np.ndarray):
        return plain(kind, column, present)
    if present.all():
        return column
    return column.take(pa.array(np.arange(len(present)), mask=~present))
