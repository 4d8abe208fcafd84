"""Live events by the published object API: one event at a time, then a random wait.

    generator = RealisticEventGenerator()
    generator.min_delta, generator.max_delta = 5, 30
    generator.run_realistic_simulation(duration_minutes=120)

The events are the retailer's own facts of the hour that it is, or that is asked for, as of now.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from retail_datagen.config.errors import UserError
from retail_datagen.core.rng import Stream
from retail_datagen.engine.stop import JobStopped
from retail_datagen.retailer import Config, as_config
from retail_datagen.sinks import EventSink, StreamOptions
from retail_datagen.streaming.chosen import KINDS, select
from retail_datagen.streaming.clock import Clock, WallClock
from retail_datagen.streaming.feed import Chosen, streaming_config
from retail_datagen.streaming.job import TOPICS
from retail_datagen.streaming.line import Line
from retail_datagen.streaming.live import Live, Stage, put, staged
from retail_datagen.streaming.narration import Narration
from retail_datagen.streaming.pace import Deltas
from retail_datagen.streaming.scenario import sim_start_of
from retail_datagen.streaming.stop import Stop, stopping
from retail_datagen.streaming.targets import LIVE, bring_master_data, opened, targets_of


@dataclass(frozen=True, slots=True)
class _Open:
    """A retailer on stage, and the line to the targets."""

    stage: Stage
    line: Line


class RealisticEventGenerator:
    """Sends live events to `to`, URLs of sinks; without any to where the environment says.

    `min_delta` and `max_delta` are seconds between two events; `event_weights` the share of each
    kind of event: sales, inventory, customer, price_change, restock. All three may be set anew.
    `sim_start` is a local time such as `2024-11-29T17:00`, `scenario` peak-hours, weekend or
    black-friday. Targets are opened with the first event and closed by `close`, or at the end of a
    `with` block or of a simulation.
    """

    def __init__(
        self,
        config: Config | None = None,
        to: str | Sequence[str] | None = None,
        *,
        sim_start: str | None = None,
        scenario: str | None = None,
        options: StreamOptions | None = None,
        sinks: Sequence[EventSink] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Raises ConfigError for a configuration that cannot be used.

        `sinks` are used in place of opening `to`, and left open; `clock` in place of the real one.
        """
        self.config = streaming_config(None) if config is None else as_config(config)
        stream = self.config.stream
        self.min_delta, self.max_delta = stream.min_delta_seconds, stream.max_delta_seconds
        self.event_weights = stream.event_distribution.shares
        self._targets = targets_of([to] if isinstance(to, str) else to)
        self._options = options or StreamOptions(LIVE, self.config.timezone)
        self._sim_start, self._scenario = sim_start, scenario
        self._sinks = sinks
        self._clock = clock or WallClock()
        self._selection = Stream(self.config.seed, f"stream.select.{self._clock.now()}")
        self._stack = ExitStack()
        self._open: _Open | None = None

    def __enter__(self) -> RealisticEventGenerator:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the targets; what was sent is there. Doing it twice is allowed."""
        self._open = None
        self._stack.close()

    def generate_single_event(self) -> dict[str, Any] | None:
        """Send one event of a random kind, a sale with its update of stock; the event, or None.

        None where the retailer has no more facts of that kind. Raises UserError where a target
        takes nothing.
        """
        kind = self._select_event_type()
        now = self._here()
        pieces = now.stage.next_of(kind)
        if not pieces:
            return None
        put(now.line, [(kind, pieces)])
        now.line.commit(self._clock.now())
        event: dict[str, Any] = pieces[0].stamped.rows.to_pylist()[0]
        return event

    def run_realistic_simulation(
        self, duration_minutes: float | None = None, continuous: bool = False
    ) -> None:
        """Send events until the minutes are over, or until a signal comes; `close` follows.

        `continuous` passes `duration_minutes` over. Says what it does by log lines. Raises
        UserError for waits that cannot be, and where a target takes nothing.
        """
        minutes = None if continuous else duration_minutes
        if minutes is not None and minutes <= 0:
            raise UserError(f"duration: {minutes:g} is not allowed; give minutes above 0")
        narration = Narration()
        waits = Stream(self.config.seed, f"stream.waits.{self._clock.now()}")
        pace = Deltas(self.min_delta, self.max_delta, waits)
        narration.begin(minutes)
        try:
            with stopping() as stop:
                self._run(minutes, pace, narration, stop)
        except JobStopped:
            narration.interrupted()
        finally:
            narration.end()
            self.close()

    def _run(self, minutes: float | None, pace: Deltas, narration: Narration, stop: Stop) -> None:
        ends = None if minutes is None else self._clock.now() + round(minutes * 60_000)
        while ends is None or self._clock.now() < ends:
            self._here()  # Opened before it is held: that may take a while.
            with stop.held():
                event = self.generate_single_event()
            if event:
                narration(str(event.get("event_type", "unknown")), narration.events + 1)
            wait = pace.wait()
            narration.wait(wait / 1000)
            wake = self._clock.now() + wait
            self._clock.wait_until(wake if ends is None else min(wake, ends))

    def _select_event_type(self) -> str:
        """A kind of event, each as often as its share says."""
        (kind,) = select(self._selection, self.event_weights, 1)
        return kind

    def _here(self) -> _Open:
        if self._open is None:
            with ExitStack() as stack:
                sinks = self._sinks or stack.enter_context(opened(self._targets, self._options))
                stage = stack.enter_context(staged(self._asked(), self._clock))
                bring_master_data(sinks, self.config.paths.master)
                self._open = _Open(stage, Line(sinks))
                self._stack = stack.pop_all()
        return self._open

    def _asked(self) -> Live:
        config, zone = self.config, self.config.timezone
        unknown = set(self.event_weights) - set(KINDS)
        if unknown:
            raise UserError(
                f"event_weights: {sorted(unknown)[0]!r} is not known; allowed are "
                f"{', '.join(KINDS)}"
            )
        return Live(
            source=Chosen(config, TOPICS).source,
            facts=config.paths.facts,
            zone=zone,
            seed=config.seed,
            shares=self.event_weights,
            sim_start=None if self._sim_start is None else sim_start_of(self._sim_start, zone),
            scenario=self._scenario,
        )
