"""Live play: the retailer's facts of some hour, sent now, as if they happened at this moment."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date
from retail_datagen.core.rng import Stream
from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.request import choose_tables
from retail_datagen.engine.source import Retailer, Source
from retail_datagen.engine.stop import JobStopped
from retail_datagen.engine.target import Wanted, similar_start
from retail_datagen.streaming.as_now import AsNow
from retail_datagen.streaming.chosen import KINDS, Chooser, InOrder, Mixed
from retail_datagen.streaming.clock import Clock
from retail_datagen.streaming.days import Days, local_day
from retail_datagen.streaming.line import Line, Piece
from retail_datagen.streaming.pace import Pace
from retail_datagen.streaming.scenario import busiest_hour, check_scenario, scenario_day
from retail_datagen.streaming.stop import Stop, stopping
from retail_datagen.streaming.told import Listener, Sent

WARM_UP_DAYS = 28
"""How long before the hour that is played a history of its own begins: by then trucks are under way
and what was sold comes back."""
_FARTHEST_DAYS = 400
"""A history on file that began longer ago is not walked through for the facts of an hour."""


@dataclass(frozen=True, slots=True)
class Live:
    """What to play: the facts of a source's tables around an instant, or of a scenario.

    With neither it is the hour that it is now. `shares` selects among the five kinds of events;
    without, the tables' facts follow each other. `duration_ms` ends it. `seed` decides on
    selection and waits.
    """

    source: Source
    facts: Path
    zone: str
    seed: int
    tables: tuple[str, ...] = ()
    shares: Mapping[str, float] | None = None
    sim_start: int | None = None
    scenario: str | None = None
    duration_ms: int | None = None


class Narrator(Protocol):
    """Hears of what goes on, one event after the other."""

    def __call__(self, kind: str, number: int) -> None:
        """An event was sent: its kind as its column event_type says it, or its table."""
        ...

    def wait(self, seconds: float) -> None:
        """The next event comes after so long."""
        ...


class Stage:
    """An opened retailer whose facts are sent as what happens now."""

    def __init__(self, asked: Live, retailer: Retailer, store: JobStore, clock: Clock) -> None:
        self.asked, self._clock = asked, clock
        self._zone = asked.zone
        self._began = clock.now()
        self.as_now = AsNow(self._zone, self._began, retailer.tables)
        day = self._day_played(retailer)
        start = _history_start(asked, retailer, day)
        self._days = Days(retailer, store, start)
        tables = choose_tables(asked.tables, retailer)
        busy = KINDS["sales"] if KINDS["sales"] in retailer.tables else tables[0]
        if asked.scenario is not None:
            self._played = busiest_hour(self._days, busy, day, self._zone)
        else:
            self._played = self._began if asked.sim_start is None else asked.sim_start
        self.chooser: Chooser = (
            InOrder(self._days, tables, self._zone, day)
            if asked.shares is None
            else Mixed(self._days, asked.shares, self._zone, day, self.stream("select"))
        )

    def stream(self, name: str) -> Stream:
        """Random bits of this stream, others than those of one that began at another time."""
        return Stream(self.asked.seed, f"stream.{name}.{self._began}")

    @property
    def played(self) -> int:
        """The instant of the history that is played by now."""
        return self._played + self._clock.now() - self._began

    def next(self, count: int) -> list[tuple[str, list[Piece]]]:
        """The next events, by kind, as of now."""
        now = self._clock.now()
        return [
            (kind, [self.as_now(picked, now) for picked in facts])
            for kind, facts in self.chooser.take(count, self.played)
        ]

    def next_of(self, kind: str) -> list[Piece]:
        """The next event of a kind, as of now, a sale with its update of stock; or nothing.

        Raises LookupError where kinds have no shares: facts then follow each other.
        """
        if not isinstance(self.chooser, Mixed):
            raise LookupError(f"{kind}: facts that follow each other are not chosen by their kind")
        now = self._clock.now()
        return [self.as_now(picked, now) for picked in self.chooser.of_kind(kind, 1, self.played)]

    def _day_played(self, retailer: Retailer) -> int:
        asked, today = self.asked, local_day(self._began, self._zone)
        if asked.scenario is not None:
            check_scenario(asked.scenario, asked.sim_start)
            today = scenario_day(asked.scenario, today)
        elif asked.sim_start is not None:
            today = local_day(asked.sim_start, self._zone)
        if today not in retailer.calendar:
            allowed = retailer.calendar
            raise UserError(
                f"sim-start: {to_date(today)} is outside of the calendar; allowed is "
                f"{to_date(allowed[0])} to {to_date(allowed[-1])} (calendar.first and "
                "calendar.last in the config)"
            )
        return today


@contextmanager
def staged(asked: Live, clock: Clock) -> Iterator[Stage]:
    """Open what is played; its plans lie in a folder that is removed. Raises UserError."""
    retailer = asked.source.open()
    with tempfile.TemporaryDirectory(prefix="retail-datagen-") as folder:
        yield Stage(asked, retailer, JobStore(Path(folder)), clock)


def run_live(
    asked: Live,
    pace: Callable[[Stage], Pace],
    line: Callable[[int], Line],
    clock: Clock,
    listeners: Sequence[Listener] = (),
    narrator: Narrator | None = None,
) -> None:
    """Send events until the end that was asked for, if any.

    `line` is opened for a stream that begins at an instant. Raises UserError, and JobStopped on
    SIGINT or SIGTERM, when all that was sent is committed.
    """
    with stopping() as stop, staged(asked, clock) as stage:
        began = clock.now()
        ends = None if asked.duration_ms is None else began + asked.duration_ms
        show = _Show(stage, line(began), clock, stop, listeners, narrator)
        pacing, due = pace(stage), began
        try:
            while ends is None or clock.now() < ends:
                show.send(pacing.count())
                due = pacing.next(due, clock.now())
                show.wait(due, ends)
            with stop.held():
                show.line.flush(clock.now())
        except JobStopped:
            with suppress(JobStopped), stop.hurried():
                show.line.flush(clock.now())
            raise


@dataclass(slots=True)
class _Show:
    """Events from a stage onto a line, and whoever hears of them."""

    stage: Stage
    line: Line
    clock: Clock
    stop: Stop
    listeners: Sequence[Listener]
    narrator: Narrator | None
    events: int = 0

    def send(self, count: int) -> None:
        """The next events, committed together."""
        clock, chosen = self.clock, self.stage.next(count)
        with self.stop.held():
            rows = put(self.line, chosen)
            self.line.commit(clock.now())
            # Told before a signal is heeded: what is committed counts.
            for listener in self.listeners:
                listener(Sent(rows, clock.now(), clock.now()))
        for kind, pieces in chosen:
            self.events += 1
            if self.narrator is not None:
                self.narrator(_kind_told(kind, pieces), self.events)

    def wait(self, due: int, ends: int | None) -> None:
        """Until events are due or it ends; what problems held back arrives in between."""
        if self.narrator is not None:
            self.narrator.wait(max(due - self.clock.now(), 0) / 1000)
        wake = due if ends is None else min(due, ends)
        while (arrival := self.line.next_arrival()) is not None and arrival < wake:
            self.clock.wait_until(arrival)
            with self.stop.held():
                self.line.commit(self.clock.now())
        self.clock.wait_until(wake)


def put(line: Line, chosen: Sequence[tuple[str, Sequence[Piece]]]) -> Counter[str]:
    """Hand events to a line; the rows of each table."""
    rows: Counter[str] = Counter()
    for _, pieces in chosen:
        for piece in pieces:
            line.put(piece)
            rows[piece.stamped.table.name] += piece.stamped.rows.num_rows
    return rows


def _kind_told(kind: str, pieces: Sequence[Piece]) -> str:
    rows = pieces[0].stamped.rows
    return str(rows["event_type"][0]) if "event_type" in rows.column_names else kind


def _history_start(asked: Live, retailer: Retailer, day: int) -> int:
    """Where the history begins whose facts are played: that on file, if it is this retailer's."""
    known = similar_start(asked.facts, retailer, Wanted(day, day, None))
    if known is None or day - known > _FARTHEST_DAYS:
        return max(retailer.calendar[0], day - WARM_UP_DAYS)
    return known
