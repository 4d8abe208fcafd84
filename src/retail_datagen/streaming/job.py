"""A stream as it is asked for: which events, at which pace, with which problems."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf
from pathlib import Path

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.core.calendar import to_date
from retail_datagen.sinks import EventSink, StreamOptions
from retail_datagen.streaming.clock import Clock, LeapingClock, PlayedClock, WallClock
from retail_datagen.streaming.days import local_day
from retail_datagen.streaming.feed import Chosen
from retail_datagen.streaming.follow import SLICE_MS, Follow, run_follow
from retail_datagen.streaming.line import Line
from retail_datagen.streaming.live import Live, Stage, run_live
from retail_datagen.streaming.manner import (
    AsOfNow,
    AtOwnTime,
    InBursts,
    Manner,
    Pacing,
    PerSecond,
    Waits,
)
from retail_datagen.streaming.narration import Narration
from retail_datagen.streaming.pace import Bursts, Deltas, Pace, Rate, check_deltas
from retail_datagen.streaming.problems import Problems
from retail_datagen.streaming.targets import (
    LIVE,
    bring_master_data,
    check_takes_trouble,
    check_truth,
    line_of,
    opened,
    troubled,
)
from retail_datagen.streaming.told import Listener

TOPICS = "topics"
_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class StreamJob:
    """What to stream, where to and in which manner, for so many `minutes` or until it is stopped.

    No `tables` means all of the feed. `truth` is where the truth about `problems` goes. `master` is
    the folder whose tables go to databases, too, if any do.
    """

    chosen: Chosen
    targets: tuple[str, ...]
    options: StreamOptions
    manner: Manner
    problems: Problems
    tables: tuple[str, ...] = ()
    minutes: float | None = None
    truth: str | None = None
    master: Path | None = None

    @property
    def one_by_one(self) -> bool:
        """Whether single events go, with waits in between."""
        return isinstance(self.manner, AsOfNow) and isinstance(self.manner.pacing, Waits)

    @property
    def duration_ms(self) -> int | None:
        return None if self.minutes is None else round(self.minutes * _MINUTE)


def run_stream(
    job: StreamJob,
    listeners: Sequence[Listener] = (),
    narration: Narration | None = None,
    clock: Clock | None = None,
) -> None:
    """Stream until the end that is asked for, if any; `clock` replaces the real one.

    Raises UserError, and JobStopped on SIGINT or SIGTERM when all that was sent is committed.
    """
    check_stream(job)
    match job.manner:
        case AtOwnTime():
            _follow(job, job.manner, listeners, clock)
        case AsOfNow():
            _live(job, job.manner, listeners, narration, clock or WallClock())


def check_stream(job: StreamJob) -> None:
    """Raises UserError for what cannot be."""
    if job.minutes is not None and not 0 < job.minutes <= 10_000_000:
        raise UserError(f"duration: {job.minutes:g} is not allowed; give minutes above 0")
    if isinstance(job.manner, AtOwnTime) and job.problems and len(job.targets) > 1:
        raise UserError("problem: problems go to one target at a time; give one --to")
    if job.truth is not None:
        check_truth(job.truth, job.targets)
    if isinstance(job.manner, AsOfNow) and isinstance(job.manner.pacing, Waits):
        check_deltas(*_deltas(job.manner.pacing, job.chosen.config))


def _follow(
    job: StreamJob, manner: AtOwnTime, listeners: Sequence[Listener], clock: Clock | None
) -> None:
    config, history = job.chosen.config, manner.history
    now = time.time_ns() // 1_000_000 if clock is None else clock.now()
    begin = now if manner.sim_start is None else manner.sim_start
    interval = config.realtime.emit_interval_ms
    # A history that is played again is the same one: a file with both would hold events twice.
    append = manner.is_live or history is not None
    asked = Follow(
        source=job.chosen.source,
        targets=job.targets,
        options=replace(job.options, append=append),
        facts=config.paths.facts,
        first_day=local_day(begin, config.timezone) if history is None else history[1] + 1,
        history_start=None if history is None else history[0],
        tables=job.tables,
        tick_ms=SLICE_MS if manner.speed == inf else max(1, round(interval * manner.speed)),
        on_gap=manner.on_gap,
        duration_ms=job.duration_ms,
        master=job.master,
    )

    def make_clock(there: int | None) -> Clock:
        return clock or _clock_of(manner, there, now, config.timezone)

    with troubled(job.problems, job.truth, job.options, listeners, append) as make:

        def line_to(sink: EventSink, began: int) -> Line:
            return line_of([sink], make, began)

        run_follow(asked, make_clock, listeners, line_to=line_to if job.problems else None)


def _clock_of(manner: AtOwnTime, there: int | None, now: int, zone: str) -> Clock:
    """The clock of a history that is `there` until an instant, or not at all. Raises UserError."""
    if manner.is_live:
        if there is not None and local_day(there, zone) > local_day(now, zone) + 1:
            until = to_date(local_day(there, zone) - 1)
            raise UserError(
                f"to: the history there goes until {until}, beyond today; give --speed max to "
                "play it on, or another target"
            )
        return WallClock()
    # A played history goes on where it was, whatever the time since.
    known = [instant for instant in (there, manner.sim_start) if instant is not None]
    began = max(known, default=now)
    return LeapingClock(began) if manner.speed == inf else PlayedClock(began, manner.speed)


def _live(
    job: StreamJob,
    manner: AsOfNow,
    listeners: Sequence[Listener],
    narration: Narration | None,
    clock: Clock,
) -> None:
    config = job.chosen.config
    asked = Live(
        source=job.chosen.source,
        facts=config.paths.facts,
        zone=config.timezone,
        seed=config.seed,
        tables=job.tables,
        shares=config.stream.event_distribution.shares if _mixes(job) else None,
        sim_start=manner.sim_start,
        scenario=manner.scenario,
        duration_ms=job.duration_ms,
    )
    options = replace(job.options, feed=LIVE)
    pace = _pace_of(manner.pacing, config)
    with (
        opened(job.targets, options) as sinks,
        troubled(job.problems, job.truth, options, listeners) as make,
    ):
        if job.problems:
            check_takes_trouble(sinks)
        if narration is not None:
            narration.begin(job.minutes)

        def line(began: int) -> Line:
            bring_master_data(sinks, job.master)
            return line_of(sinks, make, began)

        run_live(asked, pace, line, clock, listeners, narration)


def _mixes(job: StreamJob) -> bool:
    """Whether kinds of events are selected by the configuration's shares."""
    return job.chosen.feed == TOPICS and not job.tables


def _pace_of(pacing: Pacing, config: RetailConfig) -> Callable[[Stage], Pace]:
    """The pace of events that happen when they are sent. Raises UserError."""
    realtime = config.realtime
    match pacing:
        case InBursts():
            return lambda stage: Bursts(realtime.burst, realtime.emit_interval_ms)
        case PerSecond():
            rate = Rate(pacing.events, realtime.emit_interval_ms)
            return lambda stage: rate
        case Waits():
            least, most = _deltas(pacing, config)
            return lambda stage: Deltas(least, most, stage.stream("waits"))


def _deltas(waits: Waits, config: RetailConfig) -> tuple[float, float]:
    """The least and the most seconds between two events."""
    stream = config.stream
    return (
        stream.min_delta_seconds if waits.least is None else waits.least,
        stream.max_delta_seconds if waits.most is None else waits.most,
    )
