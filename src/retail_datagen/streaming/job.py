"""A stream as it is asked for: which events, at which pace, with which problems."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date
from retail_datagen.sinks import EventSink, StreamOptions
from retail_datagen.streaming.clock import Clock, LeapingClock, PlayedClock, WallClock
from retail_datagen.streaming.days import local_day
from retail_datagen.streaming.feed import Chosen
from retail_datagen.streaming.follow import SLICE_MS, Follow, run_follow
from retail_datagen.streaming.line import Line
from retail_datagen.streaming.live import Live, Stage, run_live
from retail_datagen.streaming.narration import Narration
from retail_datagen.streaming.pace import Bursts, Deltas, Pace, Rate, check_deltas
from retail_datagen.streaming.problems import Problems
from retail_datagen.streaming.scenario import check_scenario
from retail_datagen.streaming.targets import LIVE, check_takes_trouble, line_of, opened, troubled
from retail_datagen.streaming.told import Listener

TOPICS = "topics"
_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class StreamJob:
    """What to stream and how.

    With `speed` (infinite: without waiting) each event goes at its own time; else events happen
    when they are sent: `rate` a second, in `bursts`, or one and a wait of `least` to `most`
    seconds, the configuration's where they are None. Times are instants.
    """

    chosen: Chosen
    targets: tuple[str, ...]
    options: StreamOptions
    problems: Problems
    tables: tuple[str, ...] = ()
    speed: float | None = None
    rate: float | None = None
    bursts: bool = False
    least: float | None = None
    most: float | None = None
    minutes: float | None = None
    sim_start: int | None = None
    scenario: str | None = None
    on_gap: str | None = None
    truth: str | None = None
    history: tuple[int, int] | None = None
    """First and last day of what was sent before, for targets that do not remember it."""

    @property
    def one_by_one(self) -> bool:
        """Whether single events go, with waits in between."""
        return self.speed is None and self.rate is None and not self.bursts


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
    if job.speed is not None:
        _follow(job, job.speed, listeners, clock)
    else:
        _live(job, listeners, narration, clock or WallClock())


def deltas_of(job: StreamJob) -> tuple[float, float]:
    """The least and the most seconds between two events. Raises UserError."""
    stream = job.chosen.config.stream
    least = stream.min_delta_seconds if job.least is None else job.least
    most = stream.max_delta_seconds if job.most is None else job.most
    check_deltas(least, most)
    return least, most


def check_stream(job: StreamJob) -> None:
    """Raises UserError for what contradicts itself."""
    deltas = job.least is not None or job.most is not None
    paces = {
        "--speed": job.speed is not None,
        "--rate": job.rate is not None,
        "--bursts": job.bursts,
        "--min-delta and --max-delta": deltas,
    }
    given = [name for name, is_given in paces.items() if is_given]
    if len(given) > 1:
        raise UserError(f"{' and '.join(given)} are different paces; give one of them")
    if job.minutes is not None and not 0 < job.minutes <= 10_000_000:
        raise UserError(f"duration: {job.minutes:g} is not allowed; give minutes above 0")
    if job.speed is not None and job.scenario is not None:
        raise UserError("scenario: with --speed give --sim-start, the time at which to begin")
    if job.speed is None and job.on_gap is not None:
        raise UserError("on-gap: goes with --speed, which plays a history on")
    if job.speed is not None and job.problems and len(job.targets) > 1:
        raise UserError("problem: problems go to one target at a time; give one --to")
    if job.scenario is not None:
        check_scenario(job.scenario, job.sim_start)
    deltas_of(job)


def _follow(
    job: StreamJob, speed: float, listeners: Sequence[Listener], clock: Clock | None
) -> None:
    config = job.chosen.config
    now = time.time_ns() // 1_000_000 if clock is None else clock.now()
    begin = now if job.sim_start is None else job.sim_start
    history = job.history
    zone = config.timezone
    interval = config.realtime.emit_interval_ms
    asked = Follow(
        source=job.chosen.source,
        targets=job.targets,
        options=replace(job.options, append=True),
        facts=config.paths.facts,
        first_day=local_day(begin, zone) if history is None else history[1] + 1,
        history_start=None if history is None else history[0],
        tables=job.tables,
        tick_ms=SLICE_MS if speed == float("inf") else max(1, round(interval * speed)),
        on_gap=job.on_gap,
        duration_ms=None if job.minutes is None else round(job.minutes * _MINUTE),
    )

    def make_clock(there: int | None) -> Clock:
        if clock is not None:
            return clock
        if speed == 1 and job.sim_start is None:
            if there is not None and local_day(there, zone) > local_day(now, zone) + 1:
                until = to_date(local_day(there, zone) - 1)
                raise UserError(
                    f"to: the history there goes until {until}, beyond today; give --speed max to "
                    "play it on, or another target"
                )
            return WallClock()
        # A played history goes on where it was, whatever the time since.
        known = [t for t in (there, job.sim_start) if t is not None]
        began = max(known) if known else begin
        return LeapingClock(began) if speed == float("inf") else PlayedClock(began, speed)

    with troubled(job.problems, job.truth, job.options, listeners) as make:

        def line_to(sink: EventSink, began: int) -> Line:
            return line_of([sink], make, began)

        run_follow(asked, make_clock, listeners, line_to=line_to if job.problems else None)


def _live(
    job: StreamJob, listeners: Sequence[Listener], narration: Narration | None, clock: Clock
) -> None:
    config = job.chosen.config
    asked = Live(
        source=job.chosen.source,
        facts=config.paths.facts,
        zone=config.timezone,
        seed=config.seed,
        tables=job.tables,
        shares=config.stream.event_distribution.shares if mixes(job) else None,
        sim_start=job.sim_start,
        scenario=job.scenario,
        duration_ms=None if job.minutes is None else round(job.minutes * _MINUTE),
    )
    options = replace(job.options, feed=LIVE)
    pace = pace_of(job)
    with (
        opened(job.targets, options) as sinks,
        troubled(job.problems, job.truth, options, listeners) as make,
    ):
        if job.problems:
            check_takes_trouble(sinks)
        if narration is not None:
            narration.begin(job.minutes)
        run_live(
            asked,
            pace,
            lambda began: line_of(sinks, make, began),
            clock,
            listeners,
            narration,
        )


def mixes(job: StreamJob) -> bool:
    """Whether kinds of events are selected by the configuration's shares."""
    return job.chosen.feed == TOPICS and not job.tables


def pace_of(job: StreamJob) -> Callable[[Stage], Pace]:
    """The pace of events that happen when they are sent. Raises UserError."""
    realtime = job.chosen.config.realtime
    if job.bursts:
        return lambda stage: Bursts(realtime.burst, realtime.emit_interval_ms)
    if job.rate is not None:
        rate = Rate(job.rate, realtime.emit_interval_ms)
        return lambda stage: rate
    least, most = deltas_of(job)
    return lambda stage: Deltas(least, most, stage.stream("waits"))
