"""Identifier columns against Python's own formatting."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_datagen.core.ids import Digits, fixed_text, sequence_text, text_column, text_rows

prefixes = st.sampled_from([b"TRC", b"RCP20240101", b"A", b"SENSOR_"])


@given(
    prefixes,
    st.integers(1, 18).flatmap(
        lambda width: st.tuples(
            st.just(width), st.lists(st.integers(0, 10**width - 1), min_size=1, max_size=30)
        )
    ),
)
def test_fixed_text_is_what_formatting_gives(prefix: bytes, of: tuple[int, list[int]]) -> None:
    width, values = of
    made = fixed_text([prefix, Digits(np.array(values, dtype=np.int64), width), b"Z"])
    assert made.type == pa.string()
    assert made.to_pylist() == [f"{prefix.decode()}{v:0{width}d}Z" for v in values]
    made.validate(full=True)


@given(
    st.lists(
        st.tuples(st.integers(0, 99_999_999), st.integers(0, 2359), st.integers(0, 999)),
        min_size=1,
        max_size=20,
    )
)
def test_several_numbers_stand_beside_each_other(rows: list[tuple[int, int, int]]) -> None:
    columns = np.array(rows, dtype=np.int64).T
    parts: list[bytes | Digits] = [b"RCP", Digits(columns[0], 8), Digits(columns[1], 4)]
    parts.append(Digits(columns[2].astype(np.int32), 3))
    assert fixed_text(parts).to_pylist() == [f"RCP{a:08d}{b:04d}{c:03d}" for a, b, c in rows]


def test_no_rows_give_an_empty_column() -> None:
    made = fixed_text([b"TRC", Digits(np.zeros(0, dtype=np.int64), 10)])
    assert made.to_pylist() == []
    made.validate(full=True)
    assert sequence_text(b"TRC", 5, 0, 10).to_pylist() == []


@pytest.mark.parametrize(("value", "width"), [(-1, 4), (10_000, 4), (10, 1), (10**10, 10)])
def test_a_number_that_does_not_fit_is_refused(value: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"{width} digits"):
        fixed_text([b"X", Digits(np.array([1, value], dtype=np.int64), width)])


@given(st.integers(0, 9_999_000), st.integers(0, 300), st.integers(7, 12))
def test_a_sequence_is_what_formatting_gives(first: int, count: int, width: int) -> None:
    made = sequence_text(b"TRC", first, count, width)
    assert made.to_pylist() == [f"TRC{n:0{width}d}" for n in range(first, first + count)]


@pytest.mark.parametrize("first", [0, 9_999, 10_000, 19_990, 99_999_990])
def test_a_sequence_crosses_its_blocks(first: int) -> None:
    made = sequence_text(b"ORD", first, 25_000, 10).to_pylist()
    assert made == [f"ORD{n:010d}" for n in range(first, first + 25_000)]


def test_a_sequence_that_does_not_fit_is_refused() -> None:
    assert sequence_text(b"", 99_999, 1, 5).to_pylist() == ["99999"]
    with pytest.raises(ValueError, match="5 digits"):
        sequence_text(b"", 99_999, 2, 5)
    with pytest.raises(ValueError, match="do not fit"):
        sequence_text(b"", -1, 2, 5)


@given(st.lists(st.integers(0, 4), max_size=50))
def test_rows_can_be_repeated_before_they_are_a_column(take: list[int]) -> None:
    rows = text_rows([b"T", Digits(np.arange(5) * 1000, 6)])
    column = text_column(rows[np.array(take, dtype=np.int64)])
    assert column.to_pylist() == [f"T{i * 1000:06d}" for i in take]
