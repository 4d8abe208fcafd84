"""Streams at full speed and says how much memory it takes, for tests that compare.

python memory_process.py CONFIG history|live HOURS
"""

from __future__ import annotations

import sys
from pathlib import Path

from played import HOUR, START, at
from remembering import SimulatedClock

from retail_datagen.config.models import RetailConfig
from retail_datagen.sinks import StreamOptions
from retail_datagen.sinks.jsonl import JsonlSink
from retail_datagen.streaming.clock import LeapingClock
from retail_datagen.streaming.feed import Chosen
from retail_datagen.streaming.follow import Follow, run_follow
from retail_datagen.streaming.line import Line
from retail_datagen.streaming.live import Live, run_live
from retail_datagen.streaming.pace import Rate
from retail_datagen.streaming.problems import problems_of
from retail_datagen.streaming.told import Sent, Told
from retail_datagen.streaming.trouble import TroubledLine
from retail_datagen.streaming.truth import Truth

PROBLEMS = ("out_of_order=0.1", "late=0.05", "duplicates=0.05", "bursts=0.1", "malformed=0.01")
MIX = {"sales": 0.55, "inventory": 0.25, "customer": 0.2}


class Meter:
    """Prints `minutes events kB` whenever so many minutes more have been played."""

    def __init__(self, begin: int, every_ms: int) -> None:
        self._begin, self._every = begin, every_ms
        self._next = begin
        self._events = 0

    def __call__(self, told: Told) -> None:
        if not isinstance(told, Sent):
            return
        self._events += sum(told.rows.values())
        if told.now >= self._next:
            self._next += self._every
            text = Path("/proc/self/status").read_text()
            kilobytes = int(text.partition("VmRSS:")[2].split()[0])
            print((told.now - self._begin) // 60_000, self._events, kilobytes, flush=True)


def main() -> None:
    path, what, hours = sys.argv[1:]
    config = RetailConfig.from_file(Path(path))
    chosen, until = Chosen(config, "topics"), at(0) + int(hours) * HOUR
    sink = JsonlSink("/dev/null", events=True)
    trouble = TroubledLine(problems_of(PROBLEMS, 1), at(0), Truth())
    line = Line([sink], trouble)
    if what == "history":
        asked = Follow(
            chosen.source,
            ("test",),
            StreamOptions("topics", config.timezone),
            config.paths.facts,
            START,
            tick_ms=60_000,
            until=until,
        )
        run_follow(
            asked,
            lambda there: LeapingClock(at(0)),
            [Meter(at(0), 6 * HOUR)],
            sinks=[sink],
            line_to=lambda target, began: line,
        )
        return
    live = Live(
        chosen.source,
        config.paths.facts,
        config.timezone,
        config.seed,
        shares=MIX,
        sim_start=at(0),
        duration_ms=int(hours) * HOUR,
    )
    clock = SimulatedClock(at(0))
    run_live(
        live, lambda stage: Rate(20, 500), lambda began: line, clock, [Meter(at(0), HOUR // 20)]
    )


if __name__ == "__main__":
    main()
