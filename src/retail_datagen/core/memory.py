"""How this process keeps memory."""

from __future__ import annotations

import atexit
import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_LARGEST_FAST, _TRIM_THRESHOLD, _MMAP_THRESHOLD = 1, -1, -3
_LARGEST_KEPT = 256 * 1024 * 1024
_KEPT_AT_MOST = 1024 * 1024 * 1024


@contextmanager
def nothing_is_garbage() -> Iterator[None]:
    """What is made meanwhile stays to the end: modules, a world. Nobody looks for garbage in it.

    Looking took a tenth of the time of loading modules.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def no_garbage_meanwhile() -> Iterator[None]:
    """Nobody looks for garbage while lists and tuples are made by the thousand and soon let go.

    Looking through those of messages took twice the time of making them.
    """
    was_looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_looking:
            gc.enable()


def clear_up_at_exit() -> None:
    """Let the interpreter clear up as usual when it ends, after `nothing_is_garbage`.

    For libraries that report what they still have then, as DuckDB's do. It takes some 20 ms.
    """
    atexit.register(gc.unfreeze)


def reuse_memory() -> None:
    """Let glibc keep a day's arrays for the next day instead of giving every page back.

    A day's columns are a few megabytes each; by default each is mapped and zeroed anew, which
    took a third of the system time of a job: 8 % of its CPU at 1,000 stores. Small pieces are
    joined as they are let go: kept apart, as by default, the headers of messages by the million
    were joined whenever an array was made, 8 % of a Kafka job. Elsewhere than on glibc nothing
    happens.
    """
    if not sys.platform.startswith("linux"):
        return
    with suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
        libc.mallopt(_TRIM_THRESHOLD, _KEPT_AT_MOST)
        libc.mallopt(_LARGEST_FAST, 0)
