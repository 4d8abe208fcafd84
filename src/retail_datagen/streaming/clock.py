"""Clocks of the time that is played: the real one, one that runs faster, one that leaps.

Times are instants, in milliseconds since 1970 UTC. Whoever streams asks a clock and no other.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from retail_datagen.config.errors import UserError

_LONGEST_SLEEP = 60.0


class Clock(Protocol):
    """What time is being played."""

    def now(self) -> int: ...

    def wait_until(self, instant: int) -> None:
        """Return once it is `instant`, or later."""
        ...


class WallClock:
    """The time that it is."""

    def now(self) -> int:
        return time.time_ns() // 1_000_000

    def wait_until(self, instant: int) -> None:
        while (left := instant - self.now()) > 0:
            time.sleep(min(left / 1000, _LONGEST_SLEEP))


class PlayedClock:
    """Begins at `begin` and runs at `speed`: 60 plays an hour in a minute."""

    def __init__(
        self,
        begin: int,
        speed: float = 1.0,
        seconds: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._begin, self._speed = begin, speed
        self._seconds, self._sleep = seconds, sleep
        self._since = seconds()

    def now(self) -> int:
        return self._begin + int((self._seconds() - self._since) * 1000 * self._speed)

    def wait_until(self, instant: int) -> None:
        while (left := instant - self.now()) > 0:
            self._sleep(min(max(left / 1000 / self._speed, 0.001), _LONGEST_SLEEP))


class LeapingClock:
    """Is always as late as somebody waited for: nothing is waited for."""

    def __init__(self, begin: int) -> None:
        self._now = begin

    def now(self) -> int:
        return self._now

    def wait_until(self, instant: int) -> None:
        self._now = max(self._now, instant)


def speed_of(text: str) -> float:
    """`1`, `60` or `max`, which is infinite. Raises UserError."""
    if text == "max":
        return float("inf")
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed <= 1_000_000:
        raise UserError(
            f"speed: {text!r} is not allowed; give 1 for real time, 60 for an hour a minute, or max"
        )
    return speed
