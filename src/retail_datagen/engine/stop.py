"""Ctrl-C and SIGTERM end a job in good order: whole partitions stay, and nothing half-done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class JobStopped(KeyboardInterrupt):
    """A job was told to stop by `signum`; `finished` of `partitions` are whole.

    The same job, run again, `goes_on` behind them, unless its target remembers nothing.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signum)
        self.signum = signum
        self.finished = 0
        self.partitions = 0
        self.goes_on = True

    @property
    def exit_code(self) -> int:
        """130 for SIGINT, 143 for SIGTERM."""
        return 128 + self.signum


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Raise JobStopped in this block on SIGINT or SIGTERM; elsewhere than the main thread, don't.

    The first signal restores what was there before, so that a second one ends the process.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for signum, handler in previous.items():
            signal.signal(signum, handler)

    def stop(signum: int, frame: FrameType | None) -> None:
        restore()
        raise JobStopped(signum)

    for signum in previous:
        signal.signal(signum, stop)
    try:
        yield
    finally:
        restore()
