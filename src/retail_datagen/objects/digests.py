"""Checksums as stores take them, of a file that is read once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

_READ_BYTES = 1 << 20


class Digest(Protocol):
    """What hashlib's and others' checksums have in common."""

    def update(self, data: bytes, /) -> object: ...


class PartedMd5:
    """The ETag that S3 gives an object sent in parts of `part_bytes`, a multiple of 1 MiB."""

    def __init__(self, part_bytes: int) -> None:
        self._part_bytes = part_bytes
        self._parts: list[bytes] = []
        self._part = hashlib.md5(usedforsecurity=False)
        self._filled = 0

    def update(self, data: bytes) -> None:
        """Takes at most 1 MiB, and that much unless it is the end."""
        self._part.update(data)
        self._filled += len(data)
        if self._filled == self._part_bytes:
            self._end_part()

    def etag(self) -> str:
        """Without quotes. Nothing may follow."""
        if not self._parts:
            return self._part.hexdigest()
        if self._filled:
            self._end_part()
        if len(self._parts) == 1:
            return self._parts[0].hex()
        together = hashlib.md5(b"".join(self._parts), usedforsecurity=False)
        return f"{together.hexdigest()}-{len(self._parts)}"

    def _end_part(self) -> None:
        self._parts.append(self._part.digest())
        self._part = hashlib.md5(usedforsecurity=False)
        self._filled = 0


def read_through(source: Path, digests: Sequence[Digest]) -> int:
    """Feed a file to digests, 1 MiB at a time; gives its size in bytes. Raises OSError."""
    size = 0
    with open(source, "rb") as file:
        while block := file.read(_READ_BYTES):
            size += len(block)
            for digest in digests:
                digest.update(block)
    return size
