"""Rows with a column of each kind, drawn by hypothesis or plain."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from retail_datagen.core.calendar import to_day
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.stamps import Stamped, stamp

DAY = to_day(date(2024, 1, 17))
TABLE = Table(
    "price_checks",
    "A column of each kind, present and absent.",
    (
        Column("TraceId", Kind.TEXT, "Its trace."),
        Column("EventTS", Kind.TIMESTAMP, "When."),
        Column("StoreID", Kind.INT, "Where."),
        Column("Units", Kind.LONG, "How many.", null=True),
        Column("Price", Kind.MONEY, "How much."),
        Column("Refund", Kind.MONEY, "How much back.", null=True),
        Column("Note", Kind.TEXT, "Anything.", null=True),
        Column("Tender", Kind.CATEGORY, "How.", words=("CASH", "CARD")),
        Column("Promo", Kind.CATEGORY, "Which.", null=True),
        Column("SeenTS", Kind.TIMESTAMP, "When seen.", null=True),
        Column("Due", Kind.DATE, "Until when.", null=True),
        Column("IsOpen", Kind.FLAG, "Whether."),
        Column("Score", Kind.FLOAT, "How good.", null=True),
    ),
    ("TraceId",),
    schema_version=3,
)
_CENTS = st.integers(-(10**9), 10**9).map(lambda cents: Decimal(cents).scaleb(-2))
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_TIME = st.integers(0, 86_399).map(lambda second: datetime(2024, 1, 17) + timedelta(seconds=second))
Row = dict[str, Any]


def _or_none(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


ROW = st.fixed_dictionaries(
    {
        "TraceId": _TEXT,
        "EventTS": _TIME,
        "StoreID": st.integers(-(2**31), 2**31 - 1),
        "Units": _or_none(st.integers(-(2**53), 2**53)),
        "Price": _CENTS,
        "Refund": _or_none(_CENTS),
        "Note": _or_none(_TEXT),
        "Tender": st.sampled_from(["CASH", "CARD"]),
        "Promo": _or_none(_TEXT),
        "SeenTS": _or_none(_TIME),
        "Due": _or_none(st.dates(date(1900, 1, 1), date(2200, 1, 1))),
        "IsOpen": st.booleans(),
        "Score": _or_none(st.floats(allow_nan=False, allow_infinity=False)),
    }
)
PLAIN: Row = {
    "TraceId": "TRC0000000006",
    "EventTS": datetime(2024, 1, 17, 8, 30, 45),
    "StoreID": 7,
    "Units": 2**40,
    "Price": Decimal("28.06"),
    "Refund": Decimal("-0.05"),
    "Note": 'a "note" \\ with\nlines, ünïcode',
    "Tender": "CARD",
    "Promo": None,
    "SeenTS": datetime(2024, 1, 18),
    "Due": date(2024, 2, 29),
    "IsOpen": True,
    "Score": 0.5,
}


def table_of(rows: list[Row], table: Table = TABLE) -> pa.Table:
    columns = []
    for column in table.columns:
        values = [row[column.name] for row in rows]
        if column.kind is Kind.CATEGORY:
            columns.append(pa.array(values, pa.string()).dictionary_encode())
        else:
            columns.append(pa.array(values, column.arrow_type))
    return pa.Table.from_arrays(columns, schema=table.arrow)


def stamped(rows: list[Row], first: int = 0, zone: str = "UTC", table: Table = TABLE) -> Stamped:
    return stamp(table, DAY, first, table_of(rows, table), zone)


def as_json(row: Row) -> Row:
    """A row as JSON shows it, its numbers with a point as texts."""
    shown = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            value = f"{value:%Y-%m-%d %H:%M:%S}"
        elif isinstance(value, date):
            value = value.isoformat()
        elif isinstance(value, Decimal):
            value = f"{value:.2f}"
        shown[name] = value
    return shown
