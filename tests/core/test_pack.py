"""Packed records: what goes in comes out, the same bytes each time, and damage never passes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from retail_datagen.core.pack import flatten, pack, restore, unpack

dtypes = st.sampled_from(["<i8", "<i4", "<i2", "<u2", "|u1", "|b1", "<u8"])
arrays = dtypes.flatmap(lambda d: hnp.arrays(np.dtype(d), st.integers(0, 40)))
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
records = st.dictionaries(names, arrays | st.integers(-(2**63), 2**63 - 1), max_size=8)


@given(records)
def test_what_goes_in_comes_out(record: dict[str, object]) -> None:
    found = unpack(pack(record))  # type: ignore[arg-type]
    assert list(found) == list(record)
    for name, value in record.items():
        if isinstance(value, int):
            assert found[name] == value
            assert isinstance(found[name], int)
        else:
            assert found[name].dtype == value.dtype  # type: ignore[union-attr, attr-defined]
            assert np.array_equal(found[name], value)  # type: ignore[arg-type]


@given(records)
def test_the_same_content_is_the_same_bytes(record: dict[str, object]) -> None:
    copy = {n: v.copy() if isinstance(v, np.ndarray) else v for n, v in record.items()}
    assert pack(record) == pack(copy)  # type: ignore[arg-type]
    assert pack(unpack(pack(record))) == pack(record)  # type: ignore[arg-type]


def test_strided_arrays_are_packed_by_content() -> None:
    wide = np.arange(20, dtype=np.int32)
    assert pack({"x": wide[::2]}) == pack({"x": wide[::2].copy()})


GOOD = pack({"a": np.arange(50, dtype=np.int64) ** 2, "n": 7, "b": np.zeros(9, dtype=np.uint8)})


@settings(max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_any_changed_byte_is_found(position: int, change: int) -> None:
    damaged = bytearray(GOOD)
    damaged[position] ^= change
    with pytest.raises(ValueError, match="pack"):
        unpack(bytes(damaged))


@given(st.integers(0, len(GOOD) - 1))
def test_any_lost_end_is_found(length: int) -> None:
    with pytest.raises(ValueError, match="pack"):
        unpack(GOOD[:length])


def test_any_added_end_is_found() -> None:
    with pytest.raises(ValueError, match="pack"):
        unpack(GOOD + b"\0")


@given(st.binary(max_size=100))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="pack"):
        unpack(data)


@dataclass(frozen=True, slots=True)
class Inner:
    x: np.ndarray
    n: int


@dataclass(frozen=True, slots=True)
class Outer:
    first: Inner
    second: Inner
    n: int


@given(arrays, arrays, st.integers(0, 10), st.integers(0, 10), st.integers(0, 10))
def test_nested_records_come_back(
    one: np.ndarray, other: np.ndarray, a: int, b: int, c: int
) -> None:
    record = Outer(Inner(one, a), Inner(other, b), c)
    values = flatten(record)
    assert list(values) == ["first.x", "first.n", "second.x", "second.n", "n"]
    found = restore(Outer, unpack(pack(values)))
    assert (found.n, found.first.n, found.second.n) == (c, a, b)
    assert np.array_equal(found.first.x, one)
    assert np.array_equal(found.second.x, other)


def test_a_missing_field_is_named() -> None:
    with pytest.raises(KeyError, match=r"second\.x"):
        restore(Outer, {"first.x": np.zeros(1), "first.n": 1, "n": 2})
