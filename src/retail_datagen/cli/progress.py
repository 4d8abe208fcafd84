"""A job's progress on a terminal: one listener among others, that never slows the job down."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column

from retail_datagen.core.calendar import to_date
from retail_datagen.engine.events import (
    DayPlanned,
    Event,
    JobFinished,
    JobStarted,
    PartitionKept,
    PartitionWritten,
)
from retail_datagen.sinks import PartitionRecord

UPDATES_PER_SECOND = 10
_SEPARATOR = " · "
_DOING = len("generating")


@dataclass(slots=True)
class Tally:
    """What has been done so far. Times are seconds of the caller's clock."""

    tables: int = 0
    days: int = 0
    days_done: int = 0
    """Days of which every table is there."""
    partitions: int = 0
    kept: int = 0
    written: int = 0
    rows: int = 0
    planned_to: int | None = None
    began: float = 0.0
    days_of: Counter[str] = field(default_factory=Counter)
    """Days of each table that are there."""
    tables_of: Counter[int] = field(default_factory=Counter)
    """Tables that are there, of each day that is not done."""

    def add(self, event: Event, now: float) -> None:
        """Count an event."""
        match event:
            case JobStarted():
                self.tables, self.partitions, self.began = len(event.tables), event.partitions, now
                self.days = event.last_day - event.first_day + 1
            case PartitionKept():
                self.kept += 1
                self._count(event.record)
            case PartitionWritten():
                self.written += 1
                self._count(event.record)
                self.rows += event.record.rows
            case DayPlanned():
                self.planned_to = event.day

    def _count(self, record: PartitionRecord) -> None:
        self.days_of[record.table] += 1
        self.tables_of[record.day] += 1
        if self.tables_of[record.day] == self.tables:
            del self.tables_of[record.day]
            self.days_done += 1

    @property
    def done(self) -> int:
        """Partitions, that is tables of a day, that are there."""
        return self.kept + self.written

    @property
    def tables_done(self) -> int:
        """Tables of which every day is there."""
        return sum(days >= self.days for days in self.days_of.values())

    def rows_per_second(self, now: float) -> float:
        """Over the whole run."""
        return self.rows / max(now - self.began, 1e-9)

    def seconds_left(self, now: float) -> float | None:
        """What is left, at the pace so far; None before anything was written."""
        if not self.written:
            return None
        return (now - self.began) / self.written * (self.partitions - self.done)

    def line(self, now: float, width: int) -> str:
        """One line for people: what matters most comes first, and the last gives way."""
        parts = [
            f"days {self.days_done:,}/{self.days:,}",
            f"tables {self.tables_done:,}/{self.tables:,}",
        ]
        left = self.seconds_left(now)
        if left is not None:
            parts.insert(0, f"ETA {_clock(left)}")
            parts.append(f"{self.rows:,} rows")
            parts.append(f"{self.rows_per_second(now):,.0f} rows/s")
        elif self.planned_to is not None:
            parts.append(f"planned to {to_date(self.planned_to)}")
        while len(parts) > 1 and len(_SEPARATOR.join(parts)) > width:
            parts.pop()
        return _SEPARATOR.join(parts)


class Throttled:
    """Passes tallies on, `UPDATES_PER_SECOND` times a second at most, and the last one always."""

    def __init__(
        self, show: Callable[[Tally, float], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._show = show
        self._clock = clock
        self._tally = Tally()
        self._next = float("-inf")

    def __call__(self, event: Event) -> None:
        now = self._clock()
        self._tally.add(event, now)
        if now >= self._next or isinstance(event, JobFinished):
            self._next = now + 1 / UPDATES_PER_SECOND
            self._show(self._tally, now)


class ProgressBar:
    """A bar on a terminal; a context manager that is itself the listener."""

    def __init__(self, console: Console) -> None:
        bar = min(30, max(10, console.width - 80))
        self._room = console.width - _DOING - bar - 2
        self._progress = Progress(
            TextColumn("{task.description}", table_column=Column(min_width=_DOING, no_wrap=True)),
            BarColumn(bar_width=bar),
            TextColumn("{task.fields[line]}", table_column=Column(no_wrap=True)),
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._task = self._progress.add_task("opening", total=None, line="")
        self._listen = Throttled(self._show)

    def __enter__(self) -> ProgressBar:
        self._progress.start()
        self._progress.refresh()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        self._listen(event)

    def _show(self, tally: Tally, now: float) -> None:
        self._progress.update(
            self._task,
            description="generating" if tally.written else "planning",
            total=tally.partitions,
            completed=tally.done,
            line=tally.line(now, self._room),
        )
        self._progress.refresh()


def _clock(seconds: float) -> str:
    """`0:07`, `12:34` or `1:02:03`."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
