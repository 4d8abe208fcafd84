"""Identifier strings as columns: fixed-width text written into one byte buffer.

Every row of such a column is equally long, so the offsets are a plain range and no Python string
is ever made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_CODES = {1: "u1", 2: "<u2", 3: "V3", 4: "<u4"}
_DIGITS = {
    size: np.frombuffer(b"".join(b"%0*d" % (size, i) for i in range(10**size)), dtype=code)
    for size, code in _CODES.items()
}
"""The text of every number of 1 to 4 digits."""
_QUADS = _DIGITS[4]


@dataclass(frozen=True, slots=True)
class Digits:
    """`values` as decimal digits, padded with zeros to `width` (1 to 18 digits)."""

    values: NDArray[Any]
    width: int


def fixed_text(parts: list[bytes | Digits]) -> pa.Array:
    """A string column that joins constants and zero-padded numbers, row by row.

    Raises ValueError when a number is negative or needs more digits than its width.
    """
    return text_column(text_rows(parts))


def text_rows(parts: list[bytes | Digits]) -> NDArray[Any]:
    """The rows of `fixed_text` before they are a column, so that they can be repeated."""
    rows = next(len(p.values) for p in parts if isinstance(p, Digits))
    fields: list[tuple[str, str]] = []
    writes: list[tuple[str, NDArray[Any] | np.void]] = []
    for number, part in enumerate(parts):
        if isinstance(part, bytes):
            fields.append((f"c{number}", f"V{len(part)}"))
            writes.append((f"c{number}", np.void(part)))
            continue
        for name, code, values in _digit_fields(f"d{number}", part):
            fields.append((name, code))
            writes.append((name, values))
    text = np.empty(rows, dtype=fields)
    for name, written in writes:
        text[name] = written
    # Rows without fields are gathered ten times faster.
    return text.view(f"V{text.dtype.itemsize}")


def _digit_fields(name: str, part: Digits) -> list[tuple[str, str, NDArray[Any]]]:
    """The part as groups of four digits, most significant first: (field, dtype, bytes)."""
    rest = part.values.astype(np.int64, copy=False)
    if len(rest) and (int(rest.min()) < 0 or int(rest.max()) >= 10**part.width):
        raise ValueError(f"a number does not fit {part.width} digits")
    groups: list[tuple[str, str, NDArray[Any]]] = []
    for width in range(part.width, 4, -4):
        high = rest // 10_000
        groups.append((f"{name}_{width}", _CODES[4], _QUADS.take(rest - high * 10_000)))
        rest = high
    first = (part.width - 1) % 4 + 1
    groups.append((f"{name}_{first}", _CODES[first], _DIGITS[first].take(rest)))
    return groups[::-1]


def sequence_text(prefix: bytes, first: int, count: int, width: int) -> pa.Array:
    """`prefix` and the numbers `first` … `first + count - 1`, zero-padded to `width` (> 4)."""
    if first < 0 or first + count > 10**width:
        raise ValueError(f"numbers up to {first + count - 1} do not fit {width} digits")
    head = len(prefix) + width - 4
    text = np.empty(count, dtype=[("head", f"S{head}"), ("tail", "<u4")])
    row = 0
    while row < count:
        block, low = divmod(first + row, 10_000)
        size = min(count - row, 10_000 - low)
        text["head"][row : row + size] = prefix + b"%0*d" % (width - 4, block)
        text["tail"][row : row + size] = _QUADS[low : low + size]
        row += size
    return text_column(text)


def texts(values: Sequence[str]) -> pa.Array:
    """Strings as an Arrow column, as `pa.array` makes it, which imports pandas where it can."""
    joined = "".join(values).encode()
    lengths = np.fromiter(map(len, values), dtype=np.int64, count=len(values))
    if int(lengths.sum()) != len(joined):
        lengths = np.array([len(value.encode()) for value in values], dtype=np.int64)
    offsets = np.zeros(len(values) + 1, dtype=np.int32)
    np.cumsum(lengths, out=offsets[1:], dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(joined)]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def text_column(text: NDArray[Any]) -> pa.Array:
    """Rows of `text_rows` as an Arrow string column; the bytes are shared, not copied."""
    rows, width = len(text), text.dtype.itemsize
    if rows * width >= 2**31:
        raise ValueError("a text column of one batch must stay below 2 GiB")
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text.view(np.uint8))]
    return pa.Array.from_buffers(pa.string(), rows, buffers)
