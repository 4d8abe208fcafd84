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

_QUADS = np.frombuffer(b"".join(b"%04d" % i for i in range(10_000)), dtype="<u4")


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
    writes: list[tuple[str, NDArray[Any] | bytes]] = []
    for number, part in enumerate(parts):
        if isinstance(part, bytes):
            fields.append((f"c{number}", f"S{len(part)}"))
            writes.append((f"c{number}", part))
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
    width = part.width
    while width > 0:
        if width > 4:
            high = rest // 10_000
            quad = _QUADS[rest - high * 10_000]
            rest = high
        else:
            quad = _QUADS[rest]
        size = min(width, 4)
        code = "<u4" if size == 4 else f"V{size}"
        if size < 4:
            tail = np.ascontiguousarray(quad.view(np.uint8).reshape(-1, 4)[:, 4 - size :])
            quad = tail.view(f"V{size}").reshape(-1)
        groups.append((f"{name}_{width}", code, quad))
        width -= size
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
    encoded = [value.encode() for value in values]
    lengths = np.array([len(value) for value in encoded], dtype=np.int32)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def text_column(text: NDArray[Any]) -> pa.Array:
    """Rows of `text_rows` as an Arrow string column; the bytes are shared, not copied."""
    rows, width = len(text), text.dtype.itemsize
    if rows * width >= 2**31:
        raise ValueError("a text column of one batch must stay below 2 GiB")
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(text.view(np.uint8))]
    return pa.Array.from_buffers(pa.string(), rows, buffers)
