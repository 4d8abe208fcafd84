"""Stopping a stream within two seconds: what is being sent is finished first, if that is quick."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from retail_datagen.engine.stop import JobStopped

GRACE_SECONDS = 0.5
"""How long what is being sent may take once somebody wants to stop. A call to a broker that is not
there hears of it a second later, and closing takes a moment, too."""


class Stop:
    """Raises JobStopped where it does no harm: what is `held` is finished first if it is quick."""

    def __init__(self) -> None:
        self._signum = 0
        self._holding = False
        self._broken_off = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """While rows and what is remembered of them are on their way together."""
        self._holding = True
        try:
            yield
        finally:
            self._holding = False
            if self._signum:
                _set_alarm(0.0)
        if self._signum:
            raise JobStopped(self._signum)

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """For the last words after a signal: JobStopped if they take long, or would be in vain."""
        if self._broken_off:
            raise JobStopped(self._signum)
        self._holding = True
        _set_alarm(GRACE_SECONDS)
        try:
            yield
        finally:
            self._holding = False
            _set_alarm(0.0)

    def hear(self, signum: int) -> None:
        """A signal came. Raises JobStopped unless something is held."""
        self._signum = signum
        if not self._holding:
            raise JobStopped(signum)
        _set_alarm(GRACE_SECONDS)

    def insist(self) -> None:
        """What is held takes too long: it is broken off, and nobody will find half of it."""
        if self._holding:
            self._broken_off = True
            raise JobStopped(self._signum)


@contextmanager
def stopping() -> Iterator[Stop]:
    """Listen to SIGINT and SIGTERM in this block; elsewhere than in the main thread, don't.

    The first signal restores what was there before, so that a second one ends the process.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    signals = [signal.SIGINT, signal.SIGTERM]
    previous = {signum: signal.getsignal(signum) for signum in signals}
    alarm = signal.getsignal(signal.SIGALRM) if hasattr(signal, "SIGALRM") else None

    def restore() -> None:
        for signum, handler in previous.items():
            signal.signal(signum, handler)

    def hear(signum: int, frame: FrameType | None) -> None:
        restore()
        stop.hear(signum)

    def insist(signum: int, frame: FrameType | None) -> None:
        stop.insist()

    for signum in signals:
        signal.signal(signum, hear)
    if hasattr(signal, "SIGALRM"):
        signal.signal(signal.SIGALRM, insist)
    try:
        yield stop
    finally:
        restore()
        if hasattr(signal, "SIGALRM"):
            _set_alarm(0.0)
            signal.signal(signal.SIGALRM, alarm)


def _set_alarm(seconds: float) -> None:
    """Not on Windows, where what is held is waited for."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)
