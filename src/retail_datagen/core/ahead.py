"""The next one is made while this one is used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(makers: Iterable[Callable[[], T]]) -> Iterator[T]:
    """What these make, in order, each made in a thread while whoever asks uses the one before.

    Raises what a maker raises, when it is its turn.
    """
    with ThreadPoolExecutor(1) as thread:
        being_made: Future[T] | None = None
        for make in makers:
            following = thread.submit(make)
            if being_made is not None:
                yield being_made.result()
            being_made = following
        if being_made is not None:
            yield being_made.result()
