"""Columns as texts and as lists of bytes, without a Python step for each row."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retail_datagen.core.arrays import I64
from retail_datagen.core.ids import text_column
from retail_datagen.schema.texts import as_text

_DAY = 86_400


def texts_of(column: pa.Array) -> pa.Array:
    """Each value as the text that CSV files show, null where it is null."""
    found = as_text(column)
    return found if pa.types.is_string(found.type) else found.cast(pa.string())


def utc_bytes(instants: I64) -> list[bytes]:
    """Milliseconds since 1970 UTC as `2024-01-17T08:30:45.123Z`: [rows]."""
    return _fixed_bytes(_utc(instants))


def utc_texts(instants: I64) -> pa.Array:
    """As `utc_bytes`, a column."""
    return text_column(_utc(instants))


def repeated_bytes(column: pa.Array) -> list[bytes | None]:
    """A column's texts as a list of bytes, where values are few and come again: keys of messages.

    Equal values share one object.
    """
    if not len(column):
        return []
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    encoded = column.dictionary_encode(null_encoding="encode")
    distinct: list[str | None] = texts_of(encoded.dictionary).to_pylist()
    objects = np.empty(len(distinct), dtype=object)
    objects[:] = [None if text is None else text.encode() for text in distinct]
    found: list[bytes | None] = objects[encoded.indices.to_numpy()].tolist()
    return found


def id_bytes(texts: pa.Array) -> list[bytes]:
    """A column of texts without null as a list of bytes: quick where all are equally long."""
    rows = len(texts)
    if not rows:
        return []
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)
    offsets = offsets[texts.offset : texts.offset + rows + 1]
    width = int(offsets[1] - offsets[0])
    if not width or (np.diff(offsets) != width).any():
        return [text.encode() for text in texts.to_pylist()]
    data = np.frombuffer(texts.buffers()[2], dtype=np.uint8)[offsets[0] : offsets[-1]]
    return _fixed_bytes(data.view(f"V{width}"))


def joined(pieces: list[pa.Array | pa.Scalar]) -> pa.Array:
    """Texts joined row by row: null where any piece is."""
    return pc.binary_join_element_wise(*pieces, "")


def content(texts: pa.Array) -> bytes:
    """The bytes of a text column, one text after the other."""
    if not len(texts):
        return b""
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)
    first, last = int(offsets[texts.offset]), int(offsets[texts.offset + len(texts)])
    data = texts.buffers()[2]
    return bytes(memoryview(data)[first:last]) if data else b""


def _fixed_bytes(rows: NDArray[Any]) -> list[bytes]:
    """Rows of equally many bytes, none of which ends with a zero byte."""
    found: list[bytes] = rows.view(f"S{rows.dtype.itemsize}").tolist()
    return found


def _utc(instants: I64) -> NDArray[Any]:
    """Rows of 24 bytes. Dates are few; times of day come from a table."""
    rows = np.empty(len(instants), dtype=[("date", "S11"), ("time", "S8"), ("rest", "S5")])
    if len(instants):
        second = instants // 1000
        day = second // _DAY
        days, which = np.unique(day, return_inverse=True)
        dates = [f"{date}T".encode() for date in days.astype("datetime64[D]")]
        rows["date"] = np.array(dates, dtype="S11")[which]
        rows["time"] = _times()[second - day * _DAY]
        rows["rest"] = _thousandths()[instants - second * 1000]
    return rows.view("V24")


@cache
def _times() -> NDArray[Any]:
    """`HH:MM:SS` of each second of a day."""
    second = range(_DAY)
    return np.array(
        [b"%02d:%02d:%02d" % (s // 3600, s // 60 % 60, s % 60) for s in second], dtype="S8"
    )


@cache
def _thousandths() -> NDArray[Any]:
    return np.array([b".%03dZ" % i for i in range(1000)], dtype="S5")
