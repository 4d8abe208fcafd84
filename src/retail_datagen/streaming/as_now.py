"""Facts as events of this moment: when they happen, and which they are, is told anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.core.arrays import I64
from retail_datagen.core.calendar import to_date
from retail_datagen.core.ids import Digits, fixed_text
from retail_datagen.schema import Kind, Table
from retail_datagen.schema.stamps import EVENT_ID, Stamped
from retail_datagen.streaming.chosen import Picked
from retail_datagen.streaming.days import local_time
from retail_datagen.streaming.line import Piece

_ROW_DIGITS = 8
_CHANGES_A_MILLISECOND = 1000


class AsNow:
    """Restamps the facts of one stream, which began at the instant `began`.

    The identifiers of facts get that instant behind them, `RCP2024112917300150042-1732899600000`:
    two streams may play the same hour into one target, and within one of them sale and update of
    stock, order and line still name each other. `facts` are all tables of the retailer, whose
    identifiers those are; what refers to master data stays.
    """

    def __init__(self, zone: str, began: int, facts: Collection[str]) -> None:
        self._zone, self._mark, self._facts = zone, f"-{began:013}", facts
        self._changes: Counter[str] = Counter()

    def __call__(self, picked: Picked, now: int) -> Piece:
        """The facts as of `now`: times and identifiers are new, all else is the fact's.

        An event's identifier says when it was sent and which fact it is:
        `live1732899600000-retail_sales_transactions-20241129-00000042`.
        """
        table, rows, count = picked.table, picked.rows, picked.rows.num_rows
        lead = f"live{now:013}-{table.name}-{to_date(picked.day):%Y%m%d}-"
        ids = fixed_text([lead.encode(), Digits(picked.row, _ROW_DIGITS)])
        fresh: dict[str, pa.Array] = {
            name: pc.binary_join_element_wise(rows[name], self._mark, "")
            for name in self._identifiers(table)
        }
        fresh[EVENT_ID] = ids
        if table.time_column:
            local = local_time(now, self._zone).replace(microsecond=0)
            fresh[table.time_column] = pa.repeat(pa.scalar(local, pa.timestamp("s")), count)
        if table.changes:
            (number,) = table.key
            fresh[number] = pa.array(self._numbered(table.name, now, count))
        for place, name in enumerate(table.header):
            if name in fresh:
                rows = rows.set_column(place, rows.schema.field(place), fresh[name])
        instant = np.full(count, now, dtype=np.int64)
        return Piece(Stamped(table, rows, ids, instant), picked.day, picked.row)

    def _identifiers(self, table: Table) -> list[str]:
        """The columns that identify facts: texts, but for those that refer to master data."""
        return [
            column.name
            for column in table.columns
            if column.kind is Kind.TEXT
            and (not column.references or column.references.partition(".")[0] in self._facts)
        ]

    def _numbered(self, name: str, now: int, count: int) -> I64:
        """The numbers of changes in their order, over streams that follow each other too."""
        first = max(self._changes[name], now * _CHANGES_A_MILLISECOND)
        self._changes[name] = first + count
        return np.arange(first, first + count, dtype=np.int64)
