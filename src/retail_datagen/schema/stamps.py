"""What every event carries beside its columns: an identifier that never changes, and its instant.

Tables hold the business's local wall clock; whoever sends rows as events adds these stamps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retail_datagen.core.arrays import I64
from retail_datagen.core.calendar import to_date
from retail_datagen.core.ids import sequence_text
from retail_datagen.schema.table import Column, Kind, Table

EVENT_ID, SCHEMA_VERSION, INSTANT = "event_id", "schema_version", "event_time_utc"
STAMPS = (
    Column(EVENT_ID, Kind.TEXT, "Which event: the same however often the day is made."),
    Column(SCHEMA_VERSION, Kind.INT, "Version of the columns' declaration."),
    Column(INSTANT, Kind.TIMESTAMP, "When, as an instant: UTC."),
)
_ROW_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Stamped:
    """Rows with their stamps: `event_id` texts, `instant` in milliseconds UTC, [rows]."""

    table: Table
    rows: pa.Table
    event_id: pa.Array
    instant: I64

    def slice(self, first: int, count: int) -> Stamped:
        """Rows `first` to `first + count`, without copying."""
        return Stamped(
            self.table,
            self.rows.slice(first, count),
            self.event_id.slice(first, count),
            self.instant[first : first + count],
        )

    def take(self, rows: NDArray[Any]) -> Stamped:
        """These rows, in this order; a row may be named twice."""
        index = pa.array(rows)
        return Stamped(
            self.table, self.rows.take(index), self.event_id.take(index), self.instant[rows]
        )


def stamp(table: Table, day: int, first: int, rows: pa.Table, zone: str) -> Stamped:
    """Stamp rows of a day (days since 1970), of which `first` is the first one's number."""
    ids = event_ids(table.name, day, first, rows.num_rows)
    return Stamped(table, rows, ids, row_instants(table, day, rows, zone))


def row_instants(table: Table, day: int, rows: pa.Table, zone: str) -> I64:
    """When each row of a day happened, in milliseconds UTC: [rows].

    Rows of a table without a time happen at the day's midnight.
    """
    name = table.time_column
    if name:
        local = rows[name].cast(pa.timestamp("s")).cast(pa.int64()).to_numpy()
    else:
        local = np.full(rows.num_rows, day * 86_400, dtype=np.int64)
    return instants(local, zone)


def event_ids(name: str, day: int, first: int, count: int) -> pa.Array:
    """`receipts-20240117-00000042`: table, day, and row of that day: [count]."""
    lead = f"{name}-{to_date(day):%Y%m%d}-"
    return sequence_text(lead.encode(), first, count, _ROW_DIGITS)


def instants(seconds: I64, zone: str) -> I64:
    """Local seconds since 1970 as milliseconds UTC: [rows]. Later local times are never earlier.

    Where clocks go back, the doubled hour is the first one; where they go forward, the hour that
    is missing is the instant of the change. `zone` is an IANA name.
    """
    if zone == "UTC":
        return seconds * 1000
    local = pa.array(seconds).cast(pa.timestamp("s"))
    utc = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")
    result: I64 = utc.cast(pa.int64()).to_numpy() * 1000
    return result
