"""Files that appear whole or not at all, and what is needed to tell whether they did."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from retail_datagen.core.largefile import LargeFile

_TEMPORARY = re.compile(r"\..+\.\d+\.tmp")
_READ_BYTES = 1 << 20
_WAITING_AT_ONCE = 16


class Beneath(Protocol):
    """What a HashingFile writes to."""

    def write(self, data: bytes, /) -> object: ...

    def flush(self) -> object: ...


class Nowhere:
    """Takes bytes and forgets them."""

    def write(self, data: bytes, /) -> object:
        return None

    def flush(self) -> object:
        return None


class HashingFile:
    """A binary file for writers to write to; it counts and hashes (sha256) what passes."""

    def __init__(self, beneath: Beneath) -> None:
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
def staged_file(path: Path) -> Iterator[HashingFile]:
    """Write a hidden neighbour of `path`, for `publish` to put in its place.

    Creates the folder. Raises OSError, having left nothing behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _temporary(path)
    try:
        with LargeFile(temporary) as beneath:
            yield HashingFile(beneath)
    except BaseException:
        _remove(temporary)
        raise


def publish(paths: Sequence[Path], durable: bool = True) -> None:
    """Let staged files take their places, each whole, once all of them have reached the disk.

    Not `durable`, nobody waits for the disk. Raises OSError, having left no staged file behind;
    those before the failing one are in their places.
    """
    try:
        if durable:
            _reach_disk_together(paths)
        for path in paths:
            os.replace(_temporary(path), path)
    except BaseException:
        discard(paths)
        raise


def discard(paths: Iterable[Path]) -> None:
    """Remove staged files."""
    for path in paths:
        _remove(_temporary(path))


@contextmanager
def atomic_file(path: Path) -> Iterator[HashingFile]:
    """Write the whole of `path`, or leave what was there: it appears when the block ends.

    Creates the folder. Raises OSError, having left nothing behind.
    """
    with staged_file(path) as file:
        yield file
    publish([path])


def write_atomic(path: Path, data: bytes, durable: bool = True) -> None:
    """Write `data` as the whole of `path`, or leave what was there. Raises OSError.

    Not `durable`, it may be damaged when the machine itself fails: for what is checked when it is
    read, and can be made again.
    """
    with staged_file(path) as file:
        file.write(data)
    publish([path], durable)


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


def damage(error: Exception) -> str:
    """Why a file of ours could not be read as JSON, in words and without what it holds instead."""
    match error:
        case UnicodeDecodeError():
            return f"not UTF-8 text, from byte {error.start} on"
        case json.JSONDecodeError():
            return f"not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        case KeyError():
            return f"{error.args[0]} is missing"
        case _:
            return "a value is not one that is written there"


def sha256_of(path: Path) -> str:
    """The sha256 of a file, in hex. Raises OSError."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while block := file.read(_READ_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _temporary(path: Path) -> Path:
    return path.parent / f".{path.name}.{os.getpid()}.tmp"


def _reach_disk_together(paths: Sequence[Path]) -> None:
    """Waiting takes milliseconds a file, but hardly longer for a dozen at once."""
    if len(paths) == 1:
        _reach_disk(paths[0])
    elif paths:
        with ThreadPoolExecutor(min(len(paths), _WAITING_AT_ONCE)) as pool:
            list(pool.map(_reach_disk, paths))


def _reach_disk(path: Path) -> None:
    descriptor = os.open(_temporary(path), os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
