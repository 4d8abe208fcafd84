"""Columns of Parquet files as whole numbers, for checks: no row is an object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.core.calendar import DAY_SECONDS, I64

Columns: TypeAlias = Mapping[str, I64]
"""A table's columns by name: money in cents, times and dates in seconds since 1970."""

MISSING: Final = np.iinfo(np.int64).min
"""Stands for a null, and for an identifier that is none."""
RUNNING: Final = 10**10
"""What the running number of an identifier is below; a date of eight digits may come before it."""


def whole_numbers(column: pa.ChunkedArray) -> I64:
    """Numbers, money (cents), times and dates (seconds). Raises TypeError for anything else."""
    array = _one(column)
    kind = array.type
    if pa.types.is_decimal(kind) and kind.scale == 2:
        words = kind.byte_width // 8
        stored = np.frombuffer(array.buffers()[1] or b"", dtype=np.int64)
        values = stored[array.offset * words : (array.offset + len(array)) * words : words]
    elif pa.types.is_timestamp(kind):
        values = _stored(array.cast(pa.timestamp("s"), safe=False).view(pa.int64()))
    elif pa.types.is_date32(kind):
        values = _stored(array.view(pa.int32())).astype(np.int64) * DAY_SECONDS
    elif pa.types.is_signed_integer(kind):
        values = _stored(array).astype(np.int64)
    else:
        raise TypeError(f"{kind} is neither a number nor a time")
    if not array.null_count:
        return values
    return np.where(np.asarray(array.is_valid()), values, MISSING)


def id_numbers(column: pa.ChunkedArray, prefix: str, digits: int) -> I64:
    """The number of each `prefix` and its digits; MISSING for whatever is not written like that.

    Raises TypeError for a column of something else than texts.
    """
    array = _one(column)
    if not pa.types.is_string(array.type):
        raise TypeError(f"{array.type} is not text")
    width = len(prefix) + digits
    ends = np.frombuffer(array.buffers()[1] or b"", dtype=np.int32)
    ends = ends[array.offset : array.offset + len(array) + 1]
    if len(array) and not array.null_count and bool((np.diff(ends) == width).all()):
        letters = np.frombuffer(array.buffers()[2], dtype=np.uint8)[ends[0] : ends[-1]]
        return _fixed_width(letters.reshape(-1, width), prefix)
    fits = pc.fill_null(pc.match_substring_regex(array, f"^{prefix}[0-9]{{{digits}}}$"), False)
    texts = pc.if_else(fits, array, pa.scalar(None, array.type))
    numbers = pc.utf8_slice_codeunits(texts, len(prefix)).cast(pa.int64())
    return np.asarray(pc.fill_null(numbers, MISSING), dtype=np.int64)


def _fixed_width(letters: np.ndarray[tuple[int, int], np.dtype[np.uint8]], prefix: str) -> I64:
    begin = np.frombuffer(prefix.encode(), dtype=np.uint8)
    # What is below "0" wraps round and is larger than nine, too.
    digits = letters[:, len(prefix) :] - np.uint8(ord("0"))
    powers = 10 ** np.arange(digits.shape[1] - 1, -1, -1, dtype=np.int64)
    good = (letters[:, : len(prefix)] == begin).all(axis=1) & (digits.max(axis=1) <= 9)
    return np.where(good, digits.astype(np.int64) @ powers, MISSING)


def says(column: pa.ChunkedArray, word: str) -> I64:
    """1 where a text is that word, however its letters and blanks are; else 0."""
    texts = _one(column).cast(pa.string())
    same = pc.equal(pc.utf8_lower(pc.utf8_trim_whitespace(texts)), word)
    return np.asarray(pc.fill_null(same, False).cast(pa.int64()))


def _one(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return array.dictionary_decode() if pa.types.is_dictionary(array.type) else array


def _stored(array: pa.Array) -> I64:
    """An array's values; those of nulls are whatever stands there."""
    dtype = array.type.to_pandas_dtype()
    stored = np.frombuffer(array.buffers()[1] or b"", dtype=dtype)
    values: I64 = stored[array.offset : array.offset + len(array)]
    return values
