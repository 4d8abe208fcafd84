"""The retailer's master data beside the events that a loader brings, so that they can be joined.

They are made from the configuration, as whoever sends the events makes them. What a feed remembers
in Kafka says which master data its events were made of; others are not put beside them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.core.files import damage
from retail_datagen.engine.jobstore import Header
from retail_datagen.engine.retail import RetailSource
from retail_datagen.engine.source import Identity
from retail_datagen.sinks.clickhouse import ClickHouseSink
from retail_datagen.sinks.clickhouse_client import ClickHouse
from retail_datagen.sinks.kafka_checkpoint import Checkpoint, checkpoint_topic
from retail_datagen.sinks.kafka_cluster import Cluster
from retail_datagen.sinks.kafka_settings import Settings
from retail_datagen.sinks.kafka_waiting import Troubles
from retail_datagen.streaming.feed import FACTS, NAMES, loadable
from retail_datagen.world.dimensions import read_dimensions

_MOST_TOLD = 3


@dataclass(slots=True)
class MasterData:
    """Brings master data into a ClickHouse: once, and before the events that refer to them.

    `config` is the retailer's, `topics` are those that are loaded, with the `prefix` of all that
    is at `kafka`.
    """

    config: RetailConfig
    kafka: Settings
    prefix: str
    topics: Collection[str]
    clickhouse: ClickHouse
    _known: Identity | None = None
    """Of the master data that are there, once they are."""

    def __call__(self, there: Collection[str]) -> None:
        """Bring them, if that is not done; `there` are the topics of the cluster.

        Feeds are asked each time: a history that was made anew may be another retailer's.
        Raises UserError where events were made of others, and SinkError.
        """
        identity = self._known or RetailSource(self.config).open().identity
        for feed, notes in self._feeds(there):
            self._check(feed, notes, identity)
        if self._known is None:
            self._write()
            self._known = identity

    def _feeds(self, there: Collection[str]) -> list[tuple[str, str]]:
        """Feeds that are loaded, of those that remember something; and the topic where they do."""
        found = []
        for feed in NAMES:
            loaded = {self.prefix + topic for topic in loadable(self.config, feed)}
            notes = checkpoint_topic(self.prefix, feed, None).name
            if notes in there and not loaded.isdisjoint(self.topics):
                found.append((feed, notes))
        return found

    def _check(self, feed: str, name: str, ours: Identity) -> None:
        """Raise UserError where the events of a feed were made of other master data."""
        latest = Cluster(self.kafka, Troubles(self.kafka.servers)).latest(name)
        text = Checkpoint.read(name, latest).header
        if text is None:
            return  # nothing of it is remembered, as of events that are sent as of now
        try:
            theirs = Header.from_json(text).identity
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(
                f"from: what {name} says of its history is damaged ({damage(error)}); give "
                "--no-dimensions to load without master data"
            ) from error
        if theirs.master != ours.master:
            raise UserError(
                f"config: the events of the feed {feed!r} were made of other master data than "
                f"those in {self.config.paths.master} ({_told(theirs, ours)}); give the --config "
                "that they were sent with, or --no-dimensions to load without master data"
            )

    def _write(self) -> None:
        # The connection is the loader's, who closes it.
        sink = ClickHouseSink(self.clickhouse, FACTS, self.config.timezone)
        for table, data in read_dimensions(self.config.paths.master):
            sink.write_dimension(table, data)


def _told(theirs: Identity, ours: Identity) -> str:
    """What differs: settings, as far as both know them, else the files."""
    old: Mapping[str, str] = theirs.settings
    new: Mapping[str, str] = ours.settings
    changed = [
        f"{name} was {old[name]}, here {new[name]}"
        for name in sorted(old.keys() & new.keys())
        if old[name] != new[name]
    ]
    if theirs.version != ours.version:
        changed.insert(0, f"version was {theirs.version}, here {ours.version}")
    return "; ".join(changed[:_MOST_TOLD]) or f"{theirs.master[:12]}, here {ours.master[:12]}"
