"""A fact table: its schema, the function that renders a day of it, and how far that looks back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa

from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.tables.context import Day


@dataclass(frozen=True, slots=True)
class FactTable:
    """`render(day)` gives the day's rows, by time, with the columns of `table`.

    `lookback_days` is how many earlier days' plans it reads.
    """

    table: Table
    render: Callable[[Day], pa.Table]
    lookback_days: int = 0


def trace_column(doc: str, *, sequential: bool = True) -> Column:
    """TraceId, the first column of every fact table."""
    encoding = Encoding.DELTA_TEXT if sequential else Encoding.PLAIN
    return Column("TraceId", Kind.TEXT, doc, encoding=encoding, example="TRC0000000006")


def time_column(doc: str) -> Column:
    """EventTS, the second column of every fact table."""
    return Column("EventTS", Kind.TIMESTAMP, doc, example="2024-01-01 15:45:30")
