"""The simulated clock, and the pacing that ties it to real time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

TICK_MS: Final = 125
"""A step of the simulation: positions change eight times a simulated second."""
_DAY_MS: Final = 86_400_000
_MOST_BEHIND: Final = 1.0
_BEGINNING: Final = datetime(1970, 1, 1)


def wall(at: int) -> datetime:
    """What the clock on the wall shows at so many ms since 1970; without a zone."""
    return _BEGINNING + timedelta(milliseconds=at)


def local_now() -> int:
    """Now, as whole seconds in ms since 1970 of the local wall clock."""
    return round((datetime.now() - _BEGINNING).total_seconds()) * 1000


class Clock:
    """Milliseconds since 1970, local wall clock; moves by whole ticks only."""

    __slots__ = ("began", "now")

    def __init__(self, began: int) -> None:
        self.began = began
        self.now = began

    def tick(self) -> None:
        self.now += TICK_MS

    @property
    def seconds(self) -> float:
        """Simulated seconds since it began."""
        return (self.now - self.began) / 1000

    @property
    def hour(self) -> int:
        """The hour of the day, 0 to 23."""
        return self.now % _DAY_MS // 3_600_000


class Pacer:
    """Tells how long to wait until real time has caught up with simulated time.

    Who falls behind by more than a second does not race to make up for it.
    """

    def __init__(self, real: Callable[[], float] = time.monotonic) -> None:
        self._real = real
        self._due = real()

    def wait_for(self, simulated_seconds: float, speed: float) -> float:
        """Real seconds to wait before the step after one of so many simulated seconds."""
        now = self._real()
        self._due = max(self._due + simulated_seconds / speed, now - _MOST_BEHIND)
        return max(self._due - now, 0.0)
