"""Rows as JSON are what Python's own reader makes of the same values, whatever they are."""

from __future__ import annotations

import json
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import PLAIN, ROW, Row, as_json, table_of

from retail_datagen.wire.json import escaped, json_lines


def read(lines: bytes) -> list[Row]:
    return [json.loads(line, parse_float=Decimal) for line in lines.split(b"\n")[:-1]]


def shown(row: Row) -> Row:
    """A row as JSON reads it: money to the cent."""
    found = as_json(row)
    for name in ("Price", "Refund"):
        found[name] = None if found[name] is None else Decimal(found[name])
    if found["Score"] is not None:
        found["Score"] = float(found["Score"])
    return found


def numbers(row: Row) -> Row:
    return {**row, "Score": None if row["Score"] is None else float(row["Score"])}


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=30))
def test_rows_are_read_back(rows: list[Row]) -> None:
    (batch,) = table_of(rows).to_batches()
    assert [numbers(row) for row in read(json_lines(batch))] == [shown(row) for row in rows]


@settings(deadline=None)
@given(st.lists(ROW, min_size=4, max_size=20), st.data())
def test_a_slice_of_rows_is_those_rows(rows: list[Row], data: st.DataObject) -> None:
    """Offsets into Arrow's buffers are easily forgotten."""
    first = data.draw(st.integers(0, len(rows) - 1))
    count = data.draw(st.integers(1, len(rows) - first))
    (batch,) = table_of(rows).slice(first, count).to_batches()
    found = [numbers(row) for row in read(json_lines(batch))]
    assert found == [shown(row) for row in rows[first : first + count]]


def test_a_long_batch_takes_the_way_of_tables_of_texts() -> None:
    rows = [{**PLAIN, "Price": Decimal(i).scaleb(-2)} for i in range(3000)]
    (batch,) = table_of(rows).to_batches()
    assert [r["Price"] for r in read(json_lines(batch))] == [r["Price"] for r in rows]


def test_money_has_its_cents_and_columns_their_order() -> None:
    (batch,) = table_of([{**PLAIN, "Note": None, "Price": Decimal("5")}]).to_batches()
    assert json_lines(batch).decode() == (
        '{"TraceId": "TRC0000000006", "EventTS": "2024-01-17 08:30:45", "StoreID": 7, '
        '"Units": 1099511627776, "Price": 5.00, "Refund": -0.05, "Note": null, "Tender": "CARD", '
        '"Promo": null, "SeenTS": "2024-01-18 00:00:00", "Due": "2024-02-29", "IsOpen": true, '
        '"Score": 0.5}\n'
    )


def test_no_rows_are_no_lines() -> None:
    assert json_lines(table_of([]).to_batches()[0] if table_of([]).to_batches() else _none()) == b""


def _none() -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema=table_of([]).schema)


@pytest.mark.parametrize("text", ["", 'a"b', "a\\b", 'a\\"b', "\x00\x1f", "tab\t", "\u2028é😀"])
def test_texts_are_escaped(text: str) -> None:
    (found,) = escaped(pa.array([text])).to_pylist()
    assert json.loads(f'"{found}"') == text


def test_a_category_of_more_words_than_rows_shows_its_rows() -> None:
    words = pa.array([f'w"{i}' for i in range(1000)])
    column = pa.DictionaryArray.from_arrays(pa.array([999, None, 3], pa.int32()), words)
    batch = pa.record_batch([column], names=["w"])
    assert [row["w"] for row in read(json_lines(batch))] == ['w"999', None, 'w"3']
