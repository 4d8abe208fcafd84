"""How fast live events go: one and a random wait, so many a second, or bursts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from retail_datagen.config.errors import UserError
from retail_datagen.core.rng import Stream

_MOST_SECONDS = 86_400
_MOST_RATE = 1_000_000


class Pace(Protocol):
    """Decides how many events go at a time, and when the next ones do."""

    def count(self) -> int:
        """Events to send now."""
        ...

    def next(self, due: int, now: int) -> int:
        """When the next ones are due, after some that were due at `due` and are sent at `now`."""
        ...


@dataclass(slots=True)
class Deltas:
    """One event, then a wait of `least` to `most` seconds, each as likely as any other."""

    least: float
    most: float
    stream: Stream

    def __post_init__(self) -> None:
        check_deltas(self.least, self.most)

    def count(self) -> int:
        return 1

    def next(self, due: int, now: int) -> int:
        return now + self.wait()

    def wait(self) -> int:
        """Milliseconds."""
        low, high = round(self.least * 1000), round(self.most * 1000)
        return low + int(self.stream.below(1, high - low + 1)[0])


@dataclass(slots=True)
class Bursts:
    """`events` every `interval_ms`, however long they take to be sent."""

    events: int
    interval_ms: int

    def count(self) -> int:
        return self.events

    def next(self, due: int, now: int) -> int:
        return due + self.interval_ms


@dataclass(slots=True)
class Rate:
    """So many events a second, sent every `interval_ms`: what is left of one goes with the next.

    What sending takes is made up for by shorter waits.
    """

    per_second: float
    interval_ms: int
    _owed: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if not 0 < self.per_second <= _MOST_RATE:
            raise UserError(
                f"rate: {self.per_second:g} is not allowed; give events a second, above 0 and "
                f"{_MOST_RATE:,} at most"
            )
        # Slower than one for each interval: then one at a time.
        self.interval_ms = max(self.interval_ms, round(min(1000 / self.per_second, 3_600_000)))

    def count(self) -> int:
        self._owed += self.per_second * self.interval_ms / 1000
        whole = int(self._owed + 1e-6)
        self._owed -= whole
        return whole

    def next(self, due: int, now: int) -> int:
        return due + self.interval_ms


def check_deltas(least: float, most: float) -> None:
    """Raises UserError for waits that cannot be."""
    for field_name, value in (("min-delta", least), ("max-delta", most)):
        if not 0 <= value <= _MOST_SECONDS:
            raise UserError(
                f"{field_name}: {value:g} is not allowed; give seconds from 0 to {_MOST_SECONDS:,}"
            )
    if least > most:
        raise UserError(
            f"min-delta: {least:g} is more than max-delta, {most:g}; give {most:g} or less, or a "
            "longer --max-delta"
        )
