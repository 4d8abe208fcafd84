"""Named arrays and numbers as compressed bytes: the same content gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Hashable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from hashlib import blake2b
from typing import Any, TypeVar, cast, get_type_hints

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_MAGIC = b"RDG3"
_HEAD = len(_MAGIC) + 16
"""Magic and checksum; a compressor alone would take many a changed byte without complaint."""
_CODEC = "lz4"
"""Thrice as fast as zstd at its fastest; plans are written once and read once."""
_ALIGN = 8
T = TypeVar("T")


def pack(values: Mapping[str, NDArray[Any] | int]) -> bytes:
    """Arrays (one-dimensional) and integers by name, as bytes for `unpack`."""
    heads: list[list[object]] = []
    body: list[bytes] = []
    for name, value in values.items():
        if isinstance(value, int):
            heads.append([name, "int", value])
            continue
        array = np.ascontiguousarray(value)
        raw = array.tobytes()
        heads.append([name, array.dtype.str, len(array)])
        body.append(raw + b"\0" * (-len(raw) % _ALIGN))
    head = json.dumps(heads, separators=(",", ":")).encode()
    plain = len(head).to_bytes(8, "little") + head + b"\0" * (-len(head) % _ALIGN) + b"".join(body)
    packed: bytes = pa.Codec(_CODEC).compress(plain, asbytes=True)
    rest = len(plain).to_bytes(8, "little") + packed
    return _MAGIC + blake2b(rest, digest_size=16).digest() + rest


def unpack(data: bytes) -> dict[str, NDArray[Any] | int]:
    """What `pack` was given. Raises ValueError when the bytes are damaged."""
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("not a packed record of retail-datagen")
    rest = data[_HEAD:]
    if blake2b(rest, digest_size=16).digest() != data[len(_MAGIC) : _HEAD]:
        raise ValueError("a packed record is damaged")
    size = int.from_bytes(rest[:8], "little")
    plain = pa.Codec(_CODEC).decompress(rest[8:], size, asbytes=True)
    length = int.from_bytes(plain[:8], "little")
    offset = 8 + length + (-length % _ALIGN)
    values: dict[str, NDArray[Any] | int] = {}
    for name, kind, number in json.loads(plain[8 : 8 + length]):
        if kind == "int":
            values[name] = number
            continue
        dtype = np.dtype(kind)
        values[name] = np.frombuffer(plain, dtype=dtype, count=number, offset=offset)
        used = dtype.itemsize * number
        offset += used + (-used % _ALIGN)
    return values


def flatten(record: object, prefix: str = "") -> dict[str, NDArray[Any] | int]:
    """A dataclass of arrays, integers and such dataclasses, as names with dots."""
    values: dict[str, NDArray[Any] | int] = {}
    for field in fields(record):  # type: ignore[arg-type]
        value = getattr(record, field.name)
        if is_dataclass(value):
            values |= flatten(value, f"{prefix}{field.name}.")
        else:
            values[prefix + field.name] = value
    return values


@cache
def _hints(kind: Any) -> dict[str, Any]:
    """The types of a dataclass' fields, which take longer to find out than to use."""
    return get_type_hints(kind)


def restore(kind: type[T], values: Mapping[str, NDArray[Any] | int], prefix: str = "") -> T:
    """The dataclass that `flatten` took apart. Raises KeyError when a field is missing."""
    hints = _hints(cast(Hashable, kind))
    made: dict[str, Any] = {}
    for field in fields(kind):  # type: ignore[arg-type]
        if is_dataclass(hints[field.name]):
            made[field.name] = restore(hints[field.name], values, f"{prefix}{field.name}.")
        else:
            made[field.name] = values[prefix + field.name]
    return kind(**made)
