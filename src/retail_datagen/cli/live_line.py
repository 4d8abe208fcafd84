"""A stream on a terminal: one line of counters that stays where it is. A listener."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

from retail_datagen.streaming.days import local_time
from retail_datagen.streaming.told import Tally, Told

_UPDATES_PER_SECOND = 4


class LiveLine:
    """A context manager that is itself the listener; times are shown by the business's clock."""

    def __init__(
        self, console: Console, zone: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._live = Live(Text("opening"), console=console, auto_refresh=False, transient=True)
        self._zone, self._clock = zone, clock
        self._tally = Tally()
        self._began = clock()
        self._next = self._began

    def __enter__(self) -> LiveLine:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def __call__(self, told: Told) -> None:
        self._tally(told)
        if (now := self._clock()) >= self._next:
            self._next = now + 1 / _UPDATES_PER_SECOND
            self._live.update(Text(self.line(now), no_wrap=True), refresh=True)

    def line(self, now: float) -> str:
        """What matters most comes first."""
        tally = self._tally
        parts = [
            f"{tally.events:,} events",
            f"{tally.events / max(now - self._began, 1e-3):,.1f}/s",
        ]
        if tally.until:
            parts.append(f"until {local_time(tally.until, self._zone):%Y-%m-%d %H:%M:%S}")
            parts.append(f"lag {tally.lag_seconds:.1f} s")
        parts += [f"{name} {count:,}" for name, count in tally.problems.items()]
        return " · ".join(parts)
