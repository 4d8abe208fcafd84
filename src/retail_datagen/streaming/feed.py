"""Which events a job sends, by a feed's name, and as what the engine runs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import Paths, RetailConfig
from retail_datagen.engine.eventful import EventSource
from retail_datagen.engine.retail import RetailSource
from retail_datagen.engine.source import Source
from retail_datagen.events import FEEDS, Feed
from retail_datagen.schema import Table

FACTS = "facts"
"""The feed of the fact tables, one topic each, as they are."""
HUB = "hub"
NAMES = (*FEEDS, FACTS)
PROFILE = "general"
_MASTER, _FACTS = Path("data/stream/master"), Path("data/stream/facts")


@dataclass(frozen=True, slots=True)
class Chosen:
    """A retailer and which of its events are sent; the hub's are thinned to `events_per_hour`."""

    config: RetailConfig
    feed: str
    events_per_hour: float | None = None

    @property
    def source(self) -> Source:
        """What the engine runs. Raises UserError for an unknown feed or an impossible rate."""
        if self.feed == FACTS:
            return RetailSource(self.config)
        if self.feed not in FEEDS:
            raise UserError(f"feed: {self.feed!r} is not known; allowed are {', '.join(NAMES)}")
        rate = self.events_per_hour
        if rate is not None and not 0 < rate <= 1_000_000:
            raise UserError(f"events-per-hour: {rate:g} is not allowed; give more than 0")
        thinned = rate if self.feed == HUB else None
        return EventSource(self.config, Feed(self.feed, thinned, self.config.stream.hub))


def loadable(
    config: RetailConfig, feed: str | None = None, tables: Sequence[str] = ()
) -> dict[str, Table]:
    """The tables whose events come back from topics, by topic: of one feed, or of all.

    Raises UserError for an unknown feed or table.
    """
    feeds = NAMES if feed is None else (feed,)
    known = {
        name: made.table
        for chosen in feeds
        for name, made in Chosen(config, chosen).source.tables.items()
    }
    unknown = [name for name in tables if name not in known]
    if unknown:
        raise UserError(
            f"tables: {unknown[0]!r} is not known; allowed are {', '.join(sorted(known))}"
        )
    return {known[name].topic: known[name] for name in tables or known}


def streaming_config(path: Path | None) -> RetailConfig:
    """The configuration of a file; without one, that of a general retailer of ten stores.

    It lies in a folder of its own, so that it does not meet what `generate` made by its defaults.
    Raises ConfigError as `RetailConfig.from_file` does.
    """
    resolved = RetailConfig.resolve(path)
    if path is not None:
        return resolved.config
    config, layers = resolved.config, resolved.layers
    paths = Paths(
        dict=config.paths.dict,
        master=config.paths.master if layers.source("paths.master") else _MASTER,
        facts=config.paths.facts if layers.source("paths.facts") else _FACTS,
    )
    profile = config.profile if layers.source("profile") else PROFILE
    return config.model_copy(update={"profile": profile, "paths": paths})
