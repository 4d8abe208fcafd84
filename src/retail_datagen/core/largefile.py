"""A file written from end to end: a small one as usual, a large one straight to the disk."""

from __future__ import annotations

import errno
import mmap
import os
import sys
from pathlib import Path
from typing import Self

if sys.platform == "linux":
    import fcntl

_BUFFER_BYTES = 1 << 20
_CACHED_BYTES = 8 << 20
_AS_IT_IS = getattr(os, "O_BINARY", 0)
"""On Windows: no line ends are changed."""


class LargeFile:
    """Creates or replaces `path`. What exceeds eight mebibytes goes past the kernel's page cache.

    The way through it and from there to the disk takes 0.9 s of CPU a gigabyte, against 0.1; so
    much is rarely read again while the cache would still hold it. Where the system or the file
    system knows no direct writing, all is written as usual. Raises OSError.
    """

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _AS_IT_IS
        self._descriptor = os.open(path, flags, 0o666)
        # Direct writing asks for memory that begins on a page, as a mapping does.
        self._buffer = mmap.mmap(-1, _BUFFER_BYTES)
        self._used = 0
        self._written = 0
        self._direct = False
        self._may_be_direct = sys.platform == "linux"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        try:
            if failed is None:
                self._finish()
        finally:
            os.close(self._descriptor)
            self._buffer.close()

    def write(self, data: bytes) -> None:
        rest = memoryview(data).cast("B")
        while len(rest):
            now = rest[: _BUFFER_BYTES - self._used]
            self._buffer[self._used : self._used + len(now)] = now
            self._used += len(now)
            rest = rest[len(now) :]
            if self._used == _BUFFER_BYTES:
                self._bypass_cache(self._may_be_direct and self._written >= _CACHED_BYTES)
                self._put(_BUFFER_BYTES)

    def flush(self) -> None:
        """Nothing: what is not a whole buffer waits for the file's end."""

    def _finish(self) -> None:
        """The rest is no multiple of a disk's blocks."""
        self._bypass_cache(False)
        self._put(self._used)

    def _put(self, size: int) -> None:
        with memoryview(self._buffer) as whole:
            done = 0
            while done < size:
                try:
                    done += os.write(self._descriptor, whole[done:size])
                except OSError as error:
                    if not self._direct or error.errno != errno.EINVAL:
                        raise
                    self._may_be_direct = False
                    self._bypass_cache(False)
        self._written += size
        self._used = 0

    def _bypass_cache(self, wanted: bool) -> None:
        if sys.platform != "linux" or wanted == self._direct:
            return
        flags = fcntl.fcntl(self._descriptor, fcntl.F_GETFL)
        flags = flags | os.O_DIRECT if wanted else flags & ~os.O_DIRECT
        try:
            fcntl.fcntl(self._descriptor, fcntl.F_SETFL, flags)
            self._direct = wanted
        except OSError as error:
            if not wanted or error.errno != errno.EINVAL:
                raise
            self._may_be_direct = False
