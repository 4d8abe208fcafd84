"""Values as the texts that CSV files and messages show.

pyarrow spends most of a row on times (100 ns) and money (75 ns). Times within one day and amounts
below 5,242.88 are therefore looked up as ready texts (12 ns).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.core.arrays import U8

_FEWEST_BITS, _MOST_BITS = 17, 19
"""Tables of amounts reach to 1,310.71 and, where that is not enough, to 5,242.87."""
_DAY = 86_400
_WORTH_A_TABLE = 1_024
"""Rows from which looking texts up beats formatting them, tables to be made included."""


def as_text(array: pa.Array) -> pa.Array:
    """Times, money and categories as texts, other columns as they are; null stays null."""
    if pa.types.is_timestamp(array.type):
        return _times(array)
    if pa.types.is_decimal64(array.type):
        return _money(array)
    if pa.types.is_dictionary(array.type) or pa.types.is_decimal(array.type):
        return array.cast(pa.string())
    return array


def _times(array: pa.Array) -> pa.Array:
    """Seconds as `2024-01-01 08:30:45`."""
    if len(array) - array.null_count >= _WORTH_A_TABLE and array.type.unit == "s":
        seconds = array.view(pa.int64())
        span = pc.min_max(seconds)
        day = span["min"].as_py() // _DAY
        if span["max"].as_py() // _DAY == day:
            return _times_of(day).take(pc.subtract(seconds, day * _DAY))
    return array.cast(pa.string())


def _money(array: pa.Array) -> pa.Array:
    """Cents as `25.98`; the rare amounts beyond the table are formatted one by one."""
    if len(array) - array.null_count < _WORTH_A_TABLE or array.type.scale != 2:
        return array.cast(pa.string())
    cents = pa.Array.from_buffers(
        pa.int64(), len(array), array.buffers(), array.null_count, array.offset
    )
    span = pc.min_max(cents)
    highest = span["max"].as_py()
    table = _amounts(min(max(highest.bit_length(), _FEWEST_BITS), _MOST_BITS))
    if span["min"].as_py() >= 0 and highest < len(table):
        return table.take(cents)
    beyond = pc.or_(pc.less(cents, 0), pc.greater_equal(cents, len(table)))
    if pc.sum(beyond).as_py() > len(array) // 4:
        return array.cast(pa.string())
    texts = table.take(pc.if_else(beyond, 0, cents))
    known = pc.fill_null(beyond, False)
    return pc.replace_with_mask(texts, known, array.filter(known).cast(pa.string()))


@lru_cache(maxsize=2)
def _times_of(day: int) -> pa.Array:
    """The text of each second of a day."""
    date = pa.array([day], pa.int32()).cast(pa.date32()).cast(pa.string())[0].as_py()
    texts = _times_of_any_day().copy()
    texts[:, : len(date)] = np.frombuffer(date.encode(), dtype=np.uint8)
    ends = np.arange(0, texts.size + 1, texts.shape[1], dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), _DAY, [None, pa.py_buffer(ends), pa.py_buffer(texts)])


@lru_cache(maxsize=1)
def _times_of_any_day() -> U8:
    """`1970-01-01 00:00:00` and so on: [seconds of a day, 19 characters]."""
    texts = pa.array(np.arange(_DAY)).cast(pa.timestamp("s")).cast(pa.string())
    return np.frombuffer(texts.buffers()[2], dtype=np.uint8).reshape(_DAY, -1)


@lru_cache(maxsize=_MOST_BITS - _FEWEST_BITS + 1)
def _amounts(bits: int) -> pa.Array:
    """The text of each amount below 2**bits cents."""
    cents = pa.py_buffer(np.arange(1 << bits, dtype=np.int64))
    return pa.Array.from_buffers(pa.decimal64(12, 2), 1 << bits, [None, cents]).cast(pa.string())
