"""What tests of streams share: a small retailer, its feeds, and a history sent at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
from remembering import RememberingMemory, Store

from retail_datagen.config.models import Calendar, Paths, RetailConfig, Volume
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.source import Source
from retail_datagen.schema.stamps import instants
from retail_datagen.sinks import StreamOptions
from retail_datagen.streaming.feed import Chosen

START = to_day(date(2024, 3, 8))
HOUR = 3_600_000
DAY = 24 * HOUR
ZONE = "America/New_York"
"""Its clocks go forward on the third day of the tests' history, 10 March 2024."""


def config_of(master: Path) -> RetailConfig:
    return RetailConfig(
        seed=5,
        volume=Volume(
            stores=2,
            dcs=1,
            customers_per_day=40,
            online_orders_per_day=6,
            customers=300,
            products=120,
        ),
        paths=Paths(dict=Path("no-such-folder"), master=master, facts=master.parent / "facts"),
        calendar=Calendar(first=date(2023, 1, 1), last=date(2025, 12, 31)),
        timezone=ZONE,
    )


def at(day: int, hour: float = 0.0) -> int:
    """The instant of a local hour of a day of the tests' history, counted from its first."""
    return int(instants(np.array([(START + day) * 86_400 + round(hour * 3600)]), ZONE)[0])


@dataclass
class Played:
    """A retailer and its feeds, opened once each."""

    config: RetailConfig
    _histories: dict[tuple[str, int], str] = field(default_factory=dict)

    def feed(self, name: str) -> Chosen:
        return Chosen(self.config, name, 20.0 if name == "hub" else None)

    def options(self, feed: str) -> StreamOptions:
        return StreamOptions(feed=feed, zone=ZONE)

    def digest(self, feed: Chosen, days: int) -> str:
        """Of a history of so many days that was sent as one."""
        key = feed.feed, days
        if key not in self._histories:
            store = Store()
            send(feed.source, store, range(START, START + days), self.config.paths.facts)
            self._histories[key] = store.digest()
        return self._histories[key]


def send(source: Source, store: Store, days: range, facts: Path) -> None:
    """A backfill."""
    sink = RememberingMemory(store, ZONE)
    run_job(JobRequest(source, "test", facts, days[0], days[-1], workers=1), sink=sink)


def shares(kinds: Sequence[str]) -> dict[str, float]:
    return {kind: kinds.count(kind) / len(kinds) for kind in dict.fromkeys(kinds)}
