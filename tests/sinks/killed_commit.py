"""Commits two days into a database and dies at a step of it, by SIGKILL. Run by tests."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from database_targets import FIRST, MOVES, RECEIPTS, moves, receipts

from retail_datagen.sinks import open_sink


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(owner: Any, name: str, calls: int) -> None:
    """Die once a method has been called so often."""
    method, left = getattr(owner, name), [calls]

    def counted(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        left[0] -= 1
        if not left[0]:
            die()
        return result

    setattr(owner, name, counted)


def main(url: str, step: str) -> None:
    sink: Any = open_sink(url)
    sink.recover([RECEIPTS.name, MOVES.name])
    for day in (FIRST, FIRST + 1):
        sink.write_partition(RECEIPTS, day, receipts(day, 500))
        sink.write_partition(MOVES, day, moves(day, 500))
    sink.append(RECEIPTS, FIRST + 2, 0, receipts(FIRST + 2, 10))
    owner = sink.clickhouse if hasattr(sink, "clickhouse") else sink._database
    kind, _, number = step.partition(":")
    if kind == "begin":
        die()
    elif kind == "insert":
        after(owner, "insert", int(number))
    elif kind == "commit" and hasattr(owner, "commit"):
        after(owner, "commit", 1)
    elif kind == "before-commit":
        owner.commit = die
    sink.commit()
    die()


main(sys.argv[1], sys.argv[2])
