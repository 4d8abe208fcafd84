"""CSV as it is written: the published look, and exactly what formatting each value would give."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema import texts as ours
from retail_datagen.schema.csv import csv_texts, write_csv

TABLE = Table(
    "receipt_lines",
    "",
    (
        Column("TraceId", Kind.TEXT, ""),
        Column("EventTS", Kind.TIMESTAMP, ""),
        Column("Line", Kind.INT, ""),
        Column("UnitPrice", Kind.MONEY, "", null=True),
        Column("PromoCode", Kind.CATEGORY, "", null=True),
    ),
    ("TraceId",),
)
MIDNIGHT = 1_704_067_200


def rows(seconds: list[int], cents: list[int | None], texts: list[str]) -> pa.Table:
    n = len(seconds)
    money = [None if c is None else Decimal(c).scaleb(-2) for c in cents]
    promo = pa.array([None if c is None else t for t, c in zip(texts, cents, strict=True)])
    return pa.Table.from_arrays(
        [
            pa.array(texts, pa.string()),
            pa.array(seconds, pa.int64()).cast(pa.timestamp("s")),
            pa.array(range(1, n + 1), pa.int32()),
            pa.array(money, pa.decimal64(12, 2)),
            promo.cast(pa.string()).dictionary_encode(),
        ],
        schema=TABLE.arrow,
    )


def written(data: pa.Table) -> str:
    sink = io.BytesIO()
    write_csv(TABLE, data, sink)
    return sink.getvalue().decode()


def test_it_looks_as_published() -> None:
    data = rows([MIDNIGHT + 56_730, MIDNIGHT], [1299, None], ["TRC0000000006", "TRC7"])
    assert written(data) == (
        "TraceId,EventTS,Line,UnitPrice,PromoCode\n"
        "TRC0000000006,2024-01-01 15:45:30,1,12.99,TRC0000000006\n"
        "TRC7,2024-01-01 00:00:00,2,,\n"
    )


def test_no_rows_are_a_header() -> None:
    assert written(rows([], [], [])) == "TraceId,EventTS,Line,UnitPrice,PromoCode\n"


@pytest.mark.parametrize("text", ["Smith, Jones", 'the "best"', "two\nlines", "carriage\rreturn"])
def test_texts_with_delimiters_are_quoted(text: str) -> None:
    data = rows([MIDNIGHT] * 2, [100, 200], [text, "plain"])
    lines = written(data)
    assert lines.startswith("TraceId,EventTS,Line,UnitPrice,PromoCode\n")
    read = list(csv.reader(io.StringIO(lines, newline="")))
    assert read[1] == [text, "2024-01-01 00:00:00", "1", "1.00", text]
    assert read[2][0] == "plain"


@settings(max_examples=60, deadline=None)
@given(
    cents=st.lists(
        st.none()
        | st.integers(-200_000, 700_000)
        | st.integers(0, 9_999)
        | st.integers(131_060, 131_080)
        | st.integers(524_280, 524_300),
        min_size=1,
        max_size=80,
    ),
    days=st.lists(st.integers(-1, 2), min_size=1, max_size=3),
    draw=st.randoms(use_true_random=False),
)
def test_looked_up_texts_are_the_formatted_ones(
    cents: list[int | None], days: list[int], draw: np.random.Generator
) -> None:
    """The fast way for long columns agrees with Arrow's own text, value for value."""
    seconds = [MIDNIGHT + draw.choice(days) * 86_400 + draw.randrange(86_400) for _ in cents]
    data = rows(seconds, cents, [f"T{i}" for i in range(len(cents))])
    sliced = pa.concat_tables([data, data.slice(len(data) // 2)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ours, "_WORTH_A_TABLE", 1)
        texts = csv_texts(sliced)
    for name in ("EventTS", "UnitPrice", "PromoCode"):
        assert texts[name].equals(sliced[name].cast(pa.string())), name


def test_a_long_column_takes_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    days: list[int] = []
    times_of = ours._times_of
    monkeypatch.setattr(ours, "_times_of", lambda day: days.append(day) or times_of(day))
    n = ours._WORTH_A_TABLE
    data = rows([MIDNIGHT + i for i in range(n)], [i * 20 for i in range(n)], ["T"] * n)
    last = written(data).splitlines()[-1]
    assert days == [MIDNIGHT // 86_400]
    assert last == "T,2024-01-01 00:17:03,1024,204.60,T"
