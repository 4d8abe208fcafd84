"""What a stream tells while it runs: typed events for whoever listens. Nothing here prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Opened:
    """Targets are open: whether `all` or `some` of them keep how far a history has come."""

    all: bool
    some: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """What was committed together: rows of each table.

    `now` is the clock's time and `until` that of the last event, both in milliseconds UTC.
    """

    rows: Mapping[str, int]
    now: int
    until: int


@dataclass(frozen=True, slots=True)
class DayDone:
    """A day is whole in the target."""

    day: int


@dataclass(frozen=True, slots=True)
class Troubled:
    """Events that a problem was made of, by its name."""

    problem: str
    events: int


Told = Opened | Sent | DayDone | Troubled
Listener = Callable[[Told], None]


@dataclass(slots=True)
class Tally:
    """What a stream has done so far: a listener."""

    rows: Counter[str] = field(default_factory=Counter)
    problems: Counter[str] = field(default_factory=Counter)
    commits: int = 0
    days: int = 0
    now: int = 0
    until: int = 0
    opened: Opened = Opened(True, True)

    def __call__(self, told: Told) -> None:
        match told:
            case Opened():
                self.opened = told
            case Sent():
                self.rows.update(told.rows)
                self.commits += 1
                self.now, self.until = told.now, max(self.until, told.until)
            case DayDone():
                self.days += 1
            case Troubled():
                self.problems[told.problem] += told.events

    @property
    def events(self) -> int:
        return self.rows.total()

    @property
    def lag_seconds(self) -> float:
        """How long after it was due the last event was committed."""
        return max(self.now - self.until, 0) / 1000
