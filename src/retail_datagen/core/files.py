"""Files that appear whole or not at all, and what is needed to tell whether they did."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
_READ_BYTES = 1 << 20


class HashingFile:
    """A binary file for writers to write to; it counts and hashes (sha256) what passes."""

    def __init__(self, beneath: BinaryIO) -> None:
        self._beneath = beneath
        self._hash = hashlib.sha256()
        self.bytes = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        self._beneath.write(data)
        self._hash.update(data)
        self.bytes += len(data)
        return len(data)

    def tell(self) -> int:
        return self.bytes

    def flush(self) -> None:
        self._beneath.flush()

    def close(self) -> None:
        """Whoever opened the file beneath closes it."""

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    @property
    def sha256(self) -> str:
        """The sha256 of what was written, in hex."""
        return self._hash.hexdigest()


@contextmanager
def atomic_file(path: Path) -> Iterator[HashingFile]:
    """Write the whole of `path`, or leave what was there: it appears when the block ends.

    What is written goes to a hidden neighbour, reaches the disk, and takes the name at the end.
    Creates the folder. Raises OSError, having left nothing behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb") as beneath:
            yield HashingFile(beneath)
            beneath.flush()
            os.fsync(beneath.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` as the whole of `path`, or leave what was there. Raises OSError."""
    with atomic_file(path) as file:
        file.write(data)


def remove_temporaries(folder: Path) -> None:
    """Remove what interrupted `atomic_file`s left right under `folder`.

    Only while nobody else writes there.
    """
    if not folder.is_dir():
        return
    for entry in os.scandir(folder):
        if _TEMPORARY.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
            with suppress(FileNotFoundError):
                os.unlink(entry.path)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex. Raises OSError."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()
