"""Row records are their tables: the same columns, in order, of types that hold the values."""

from __future__ import annotations

import csv
import doctest
import io
from datetime import date, datetime
from decimal import Decimal
from typing import get_args

import pyarrow as pa
import pytest
from pydantic import ValidationError

from retail_datagen import tables
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.csv import write_csv
from retail_datagen.shared import models
from retail_datagen.shared.models import RECORDS, Customer, Receipt, ReceiptLine, RowError
from retail_datagen.world.master import MASTER_TABLES

PYTHON_TYPES = {
    Kind.INT: int,
    Kind.LONG: int,
    Kind.MONEY: Decimal,
    Kind.TIMESTAMP: datetime,
    Kind.DATE: date,
    Kind.TEXT: str,
    Kind.CATEGORY: str,
    Kind.FLAG: bool,
    Kind.FLOAT: float,
}
DECLARED = {fact.table.name: fact.table for fact in tables.registry().values()} | {
    table.name: table for table in MASTER_TABLES
}
PUBLISHED = """TraceId,EventTS,ReceiptId,Line,ProductID,Qty,UnitPrice,ExtPrice,PromoCode
TRC0000000006,2024-01-01 15:45:30,RCP202401011545015,1,1001,2,12.99,25.98,
"""


def python_type(column: Column) -> tuple[type, ...]:
    kind = PYTHON_TYPES[column.kind]
    return (kind, type(None)) if column.null else (kind,)


def test_every_fact_table_has_a_record() -> None:
    assert set(tables.registry()) <= set(RECORDS)


@pytest.mark.parametrize("name", RECORDS)
def test_fields_are_the_declared_columns(name: str) -> None:
    table, record = DECLARED[name], RECORDS[name]
    assert record.columns() == table.header
    for field, column in zip(record.model_fields.values(), table.columns, strict=True):
        assert (get_args(field.annotation) or (field.annotation,)) == python_type(column), column


def test_the_published_line_is_read_as_it_stands() -> None:
    (row,) = csv.DictReader(io.StringIO(PUBLISHED))
    line = ReceiptLine.from_row(row)
    assert line.ext_price == Decimal("25.98")
    assert line.unit_price * line.qty == line.ext_price
    assert line.event_ts == datetime(2024, 1, 1, 15, 45, 30)
    assert line.promo_code is None


def example(column: Column) -> object:
    """A value of a column, or none where it may be absent."""
    values = {
        int: 3,
        Decimal: Decimal("1.50"),
        datetime: datetime(2024, 1, 2, 3, 4, 5),
        date: date(2024, 1, 2),
        str: "a, b",
        bool: True,
        float: 0.25,
    }
    return None if column.null else values[PYTHON_TYPES[column.kind]]


@pytest.mark.parametrize("name", RECORDS)
def test_what_is_written_as_csv_is_read_back(name: str) -> None:
    table: Table = DECLARED[name]
    record = RECORDS[name].from_row({c.name: example(c) for c in table.columns})
    file = io.BytesIO()
    write_csv(table, pa.Table.from_pylist([record.to_row()], schema=table.arrow), file)
    (row,) = csv.DictReader(io.StringIO(file.getvalue().decode()))
    assert RECORDS[name].from_row(row) == record


def receipt(**changes: object) -> dict[str, object]:
    row: dict[str, object] = {
        "TraceId": "TRC0000000006",
        "EventTS": "2024-01-01 15:45:30",
        "StoreID": "15",
        "CustomerID": "5001",
        "ReceiptId": "RCP202401011545015",
        "Subtotal": "25.98",
        "Tax": "2.08",
        "Total": "28.06",
        "TenderType": "CREDIT_CARD",
    }
    return row | changes


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("StoreID", "fifteen"),
        ("StoreID", ""),
        ("EventTS", "yesterday"),
        ("Total", "28.061"),
        ("Total", "NaN"),
    ],
)
def test_a_wrong_value_is_refused_by_column_and_value(column: str, value: str) -> None:
    with pytest.raises(RowError, match=rf"^receipts: column {column}: {value!r} is not allowed: "):
        Receipt.from_row(receipt(**{column: value}))


def test_all_that_is_wrong_is_said_at_once() -> None:
    row = receipt(StoreID="x")
    del row["Tax"], row["Total"]
    with pytest.raises(RowError) as error:
        Receipt.from_row(row)
    assert "column StoreID: 'x'" in str(error.value)
    assert "column Tax is missing; column Total is missing" in str(error.value)


def test_columns_of_ones_own_are_passed_over() -> None:
    assert Receipt.from_row(receipt(Cashier="7")) == Receipt.from_row(receipt())


def test_records_do_not_change_and_have_snake_case_names() -> None:
    made = Receipt.from_row(receipt())
    assert made.store_id == 15
    assert Customer.columns()[13] == "NearestStoreID1"
    with pytest.raises(ValidationError):
        made.store_id = 16  # type: ignore[misc]


def test_the_modules_own_example() -> None:
    assert doctest.testmod(models).attempted == 2
    assert doctest.testmod(models).failed == 0
