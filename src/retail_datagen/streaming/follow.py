"""Event-time play: each row goes to the target when the business's clock reaches it.

What the target itself remembers decides what is still to go, so that history and what follows it
are one: the same rows as if all of it had been sent at once, whenever one turned into the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date
from retail_datagen.engine.jobstore import read_header
from retail_datagen.engine.request import choose_tables
from retail_datagen.engine.source import Retailer, Source
from retail_datagen.engine.stop import JobStopped
from retail_datagen.engine.target import Target, Wanted, job_folder, open_target
from retail_datagen.sinks import (
    EventSink,
    Progress,
    RememberingSink,
    Sink,
    StreamOptions,
    open_sink,
)
from retail_datagen.streaming.clock import Clock
from retail_datagen.streaming.days import DayInHand, Days, local_day, midnight
from retail_datagen.streaming.delivery import Delivery, LineTo, OnLine, Remembered
from retail_datagen.streaming.line import Line
from retail_datagen.streaming.stop import Stop, stopping
from retail_datagen.streaming.targets import bring_master_data, event_sink
from retail_datagen.streaming.told import DayDone, Listener, Opened, Sent, Told

SLICE_MS = 900_000
"""What is overdue goes in slices of the played time, so that tables keep step with each other."""
ON_GAP = ("fill", "skip")
MakeClock = Callable[[int | None], Clock]
"""A clock for a history that is there until an instant, or None: nothing is there yet."""


@dataclass(frozen=True, slots=True)
class Follow:
    """What to play: a source's tables (all where none are named) into targets.

    `first_day` is where a history begins that is not there yet, and `history_start` what it counts
    from, if that is another day. `tick_ms` of played time lie between two commits, at least.
    `on_gap`: what became due while nothing ran is sent (`fill`) or left out (`skip`). Nothing is
    played beyond `until`, nor for more than `duration_ms`. `facts` is where this machine keeps its
    notes, `master` the folder whose tables go to databases, too, if any do.
    """

    source: Source
    targets: tuple[str, ...]
    options: StreamOptions
    facts: Path
    first_day: int
    tables: tuple[str, ...] = ()
    history_start: int | None = None
    tick_ms: int = 500
    on_gap: str | None = None
    until: int | None = None
    duration_ms: int | None = None
    master: Path | None = None


def run_follow(
    asked: Follow,
    make_clock: MakeClock,
    listeners: Sequence[Listener] = (),
    *,
    sinks: Sequence[Sink] | None = None,
    line_to: LineTo | None = None,
) -> None:
    """Play until the end that was asked for, if any.

    `sinks` are used in place of opening the targets; listeners hear of the first one. With
    `line_to`, a line to a sink that begins at an instant, rows are sent as events that no target
    remembers. Raises UserError, and JobStopped on SIGINT or SIGTERM: what is committed by then is
    all that was sent.
    """
    if asked.on_gap not in (None, *ON_GAP):
        raise UserError(f"on-gap: {asked.on_gap!r} is not known; allowed are {', '.join(ON_GAP)}")
    tables = choose_tables(asked.tables, asked.source)
    with stopping() as stop, ExitStack() as stack:
        retailer = asked.source.open()
        plays = []
        for number, url in enumerate(asked.targets):
            sink = sinks[number] if sinks else open_sink(url, options=asked.options)
            if not sinks:
                stack.enter_context(closing(sink))
            target = stack.enter_context(_opened(sink, asked, retailer, url))
            bring_master_data([sink], asked.master)
            heard = () if number else listeners
            delivery = _delivery(sink, line_to, asked.options.zone)
            plays.append(_Play(target, delivery, asked, retailer, tables, stop, heard))
        for listener in listeners:
            remember = [play.remembers for play in plays]
            listener(Opened(all(remember), any(remember)))
        there = [play.there_until() for play in plays]
        known = [instant for instant in there if instant is not None]
        clock = make_clock(min(known) if known else None)
        try:
            _run_all([play.run(clock) for play in plays], clock)
        except JobStopped:
            with suppress(JobStopped), stop.hurried():
                for play in plays:
                    play.flush(clock)
            raise


def _run_all(plays: Sequence[Iterator[int]], clock: Clock) -> None:
    """Let each go on when it wants to: it says until when it waits."""
    waiting = {number: clock.now() for number in range(len(plays))}
    while waiting:
        number = min(waiting, key=waiting.__getitem__)
        clock.wait_until(waiting[number])
        try:
            waiting[number] = next(plays[number])
        except StopIteration:
            del waiting[number]


def _opened(
    sink: Sink, asked: Follow, retailer: Retailer, url: str
) -> AbstractContextManager[Target]:
    event_sink(sink, url)
    first = asked.first_day
    folder = job_folder(sink, asked.facts)
    header = read_header(folder) if folder else None
    if header is not None:
        first = max(first, header.history_start)
    if first not in retailer.calendar:
        allowed = retailer.calendar
        raise UserError(
            f"start: {to_date(first)} is outside of the calendar; allowed is {to_date(allowed[0])} "
            f"to {to_date(allowed[-1])} (calendar.first and calendar.last in the config)"
        )
    return open_target(
        sink, asked.facts, retailer, Wanted(first, first, asked.history_start), False
    )


class _Play:
    """One target."""

    def __init__(
        self,
        target: Target,
        delivery: Delivery,
        asked: Follow,
        retailer: Retailer,
        tables: tuple[str, ...],
        stop: Stop,
        listeners: Sequence[Listener],
    ) -> None:
        self._target, self._delivery, self._asked = target, delivery, asked
        self._retailer, self._tables = retailer, tables
        self._stop, self._listeners = stop, listeners
        self._zone = asked.options.zone
        self._days = Days(retailer, target.store, target.history_start)
        self._day = asked.first_day
        self._hand: DayInHand | None = None
        self._is_new = True

    @property
    def remembers(self) -> bool:
        """Whether the target keeps how far this came."""
        return self._delivery.remembers

    def there_until(self) -> int | None:
        """Until when the target's history goes: when its first row that lacks is due."""
        held = self._delivery.progress()
        days = [day for table, day in held if table in self._tables]
        if not days:
            return None
        self._is_new = False
        self._day = max(days)
        whole = (held.get((name, self._day)) for name in self._tables)
        if all(progress and progress.is_whole for progress in whole):
            self._day += 1
            return midnight(self._day, self._zone)
        due = self._in_hand().next_due
        return midnight(self._day + 1, self._zone) if due is None else due

    def run(self, clock: Clock) -> Iterator[int]:
        """Play; yields until when there is nothing to do."""
        began = clock.now()
        until = self._until(began)
        skips = self._skips()
        self._delivery.begin(began)
        if skips and self._is_new:
            self._day = max(self._day, local_day(began, self._zone))
        while self._day in self._retailer.calendar and midnight(self._day, self._zone) < until:
            begins = midnight(self._day, self._zone)
            if skips and midnight(self._day + 1, self._zone) <= began:
                self._next_day()
                continue
            if clock.now() < begins:
                yield begins
                continue
            hand = self._in_hand()
            if skips:
                hand.leave_out(began - 1)
            yield from self._play(hand, clock, until)
            if until < hand.ends:
                break
            self._finish(hand, clock)
            self._next_day()
        with self._stop.held():
            self.flush(clock)

    def flush(self, clock: Clock) -> None:
        """Let go of what problems on the line hold back."""
        self._delivery.flush(clock.now())

    def _play(self, hand: DayInHand, clock: Clock, until: int) -> Iterator[int]:
        """Send the day's rows as they become due; those that go with its end are left."""
        while True:
            now = min(clock.now(), until)
            if now >= hand.ends:
                return
            due = hand.next_due
            while due is not None and due <= now:
                self._send(hand, min(now, due + SLICE_MS), clock)
                due = hand.next_due
            if now >= until:
                return
            waits_for = [hand.ends] if due is None else [due]
            if (arrival := self._delivery.next_arrival()) is not None:
                if arrival <= now:
                    with self._stop.held():
                        self._delivery.commit(clock.now())
                    arrival = self._delivery.next_arrival()
                waits_for += [arrival] if arrival is not None else []
            yield min(max(min(waits_for), now + self._asked.tick_ms), hand.ends, until)

    def _send(self, hand: DayInHand, until: int, clock: Clock) -> None:
        taken = hand.take(until)
        rows: Counter[str] = Counter()
        with self._stop.held():
            for name, first, end in taken:
                self._put(hand, name, first, end)
                rows[name] += end - first
            self._delivery.commit(clock.now())
            # Told before a signal is heeded: what is committed counts.
            self._tell(Sent(rows, clock.now(), hand.last_due(taken)))

    def _put(self, hand: DayInHand, name: str, first: int, end: int) -> None:
        part = hand.rows[name].slice(first, end - first)
        self._delivery.put(hand.tables[name], hand.day, first, part)

    def _finish(self, hand: DayInHand, clock: Clock) -> None:
        """The day is over: what is left of it goes, and it counts as whole."""
        unfinished = self._unfinished(hand) if self._delivery.remembers else ()
        taken = hand.take(None)
        rows: Counter[str] = Counter()
        with self._stop.held():
            for name, first, end in taken:
                rows[name] += end - first
                if name not in unfinished:
                    self._put(hand, name, first, end)
            records = [
                self._delivery.finish(hand.tables[name], hand.day, hand.rows[name])
                for name in unfinished
            ]
            self._delivery.commit(clock.now())
            for record in filter(None, records):
                self._target.store.add(record)
            if taken:
                self._tell(Sent(rows, clock.now(), hand.last_due(taken)))
            self._tell(DayDone(hand.day))

    def _unfinished(self, hand: DayInHand) -> tuple[str, ...]:
        """The tables whose day becomes whole in the target only now."""
        held = self._held(hand.day)
        return tuple(
            name
            for name in self._tables
            if name not in hand.left_out and not (name in held and held[name].is_whole)
        )

    def _in_hand(self) -> DayInHand:
        if self._hand is None:
            self._hand = DayInHand(
                self._days, self._tables, self._day, self._zone, self._held(self._day)
            )
        return self._hand

    def _next_day(self) -> None:
        self._hand = None
        self._day += 1

    def _held(self, day: int) -> dict[str, Progress]:
        return {name: p for (name, d), p in self._delivery.progress().items() if d == day}

    def _skips(self) -> bool:
        if self._asked.on_gap is not None:
            return self._asked.on_gap == "skip"
        return not self._delivery.remembers and self._asked.history_start is None

    def _until(self, began: int) -> int:
        ends = [midnight(self._retailer.calendar[-1] + 1, self._zone)]
        if self._asked.until is not None:
            ends.append(self._asked.until)
        if self._asked.duration_ms is not None:
            ends.append(began + self._asked.duration_ms)
        return min(ends)

    def _tell(self, told: Told) -> None:
        for listener in self._listeners:
            listener(told)


def _delivery(sink: Sink, line_to: LineTo | None, zone: str) -> Delivery:
    if sink.capabilities.remembers and line_to is None:
        return Remembered(cast(RememberingSink, sink))
    return OnLine(cast(EventSink, sink), line_to or _plain_line, zone)


def _plain_line(sink: EventSink, began: int) -> Line:
    return Line([sink])
