"""Messages are read back as the rows that they were made of; what is no row is told apart."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import category, plain
from retail_datagen.schema.stamps import stamp
from retail_datagen.wire.messages import json_encoder
from retail_datagen.wire.reading import read_json

TABLE = Table(
    name="things",
    doc="Things.",
    columns=(
        Column("StoreID", Kind.INT, "Where."),
        Column("Number", Kind.LONG, "Large."),
        Column("EventTS", Kind.TIMESTAMP, "When."),
        Column("Day", Kind.DATE, "On."),
        Column("Price", Kind.MONEY, "Dear."),
        Column("Name", Kind.TEXT, "What.", null=True),
        Column("Word", Kind.CATEGORY, "Which.", null=True),
        Column("Good", Kind.FLAG, "Whether."),
        Column("Share", Kind.FLOAT, "How much."),
    ),
    key=("StoreID",),
)
TEXTS = st.one_of(st.none(), st.text(max_size=6))


def _things(names: list[str | None]) -> pa.Table:
    number = np.arange(len(names))
    return pa.table(
        [
            plain(Kind.INT, number),
            plain(Kind.LONG, number + (1 << 53)),
            plain(Kind.TIMESTAMP, number * 3661),
            plain(Kind.DATE, number - 2),
            plain(Kind.MONEY, number * 101 - 150),
            pa.array(names, pa.string()),
            category(number % 2, ["one", 'two "2"'], number % 3 > 0),
            pa.array(number % 2 == 0),
            pa.array(number / 3),
        ],
        schema=TABLE.arrow,
    )


def _values(names: list[str | None], enveloped: bool = False) -> list[bytes]:
    stamped = stamp(TABLE, 19_739, 0, _things(names), "UTC")
    return [value or b"" for value in json_encoder(enveloped).encode("topic", stamped).values]


@pytest.mark.parametrize("enveloped", [False, True])
@settings(deadline=None)
@given(names=st.lists(TEXTS, min_size=1, max_size=6))
def test_rows_are_read_back_as_they_were(enveloped: bool, names: list[str | None]) -> None:
    read = read_json(TABLE, _values(names, enveloped), enveloped)
    assert not read.refused
    assert read.place.tolist() == list(range(len(names)))
    assert read.rows.to_pylist() == _things(names).to_pylist()


BAD = (
    b"",
    b"\xff\xfe",
    b"{",
    b"[1]",
    b"null",
    b'"text"',
    b'{"StoreID": 1}\n{"StoreID": 2}',
    b'{"StoreID": "x"}',
    b"{}",
    b'{"a":' * 50_000,
    b'{"a":' + b"[" * 50_000,
)


@settings(deadline=None)
@given(bad=st.lists(st.tuples(st.integers(0, 9), st.sampled_from(BAD)), max_size=6))
def test_what_is_no_row_is_refused_and_nothing_else(bad: list[tuple[int, bytes]]) -> None:
    values = _values(["a"] * 10)
    for place, value in bad:
        values[place] = value
    read = read_json(TABLE, values)
    wrong = {place for place, _ in bad}
    assert [refused.place for refused in read.refused] == sorted(wrong)
    assert all(refused.reason for refused in read.refused)
    assert read.place.tolist() == [p for p in range(10) if p not in wrong]
    good = _things(["a"] * 10).take(pa.array(sorted(set(range(10)) - wrong), pa.int64()))
    assert read.rows.to_pylist() == good.to_pylist()


def test_json_with_a_registered_schema_is_read_and_other_formats_are_named() -> None:
    values = _values(["a", "b"])
    read = read_json(TABLE, [b"\0\0\0\0\7" + values[0], b"\0\0\0\0\7\2x", values[1]])
    assert read.place.tolist() == [0, 2]
    assert "registry" in read.refused[0].reason


def test_columns_that_are_not_known_are_passed_over() -> None:
    told = json.loads(_values(["a"])[0])
    value = json.dumps({"new": {"a": [1]}, **told}).encode()
    assert read_json(TABLE, [value]).rows.to_pylist() == _things(["a"]).to_pylist()


def test_columns_that_may_be_null_may_lack() -> None:
    told = json.loads(_values(["a"])[0], parse_float=Decimal)
    del told["Name"]
    read = read_json(TABLE, [json.dumps(told, default=float).encode()])
    assert read.rows["Name"].to_pylist() == [None]
    assert not read.refused
