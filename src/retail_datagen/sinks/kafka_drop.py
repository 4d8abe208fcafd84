"""Taking away what jobs made in a Kafka cluster: their topics and what they remembered there."""

from __future__ import annotations

from dataclasses import dataclass

from retail_datagen.sinks.kafka_checkpoint import NAME, Checkpoint
from retail_datagen.sinks.kafka_cluster import Cluster
from retail_datagen.sinks.kafka_settings import Settings, driver, understood
from retail_datagen.sinks.kafka_url import kafka_servers
from retail_datagen.sinks.kafka_waiting import Troubles
from retail_datagen.sinks.options import KafkaOptions


@dataclass(frozen=True, slots=True)
class Made:
    """Topics that jobs made, those in which they noted it, and those of others that they filled."""

    topics: tuple[str, ...]
    checkpoints: tuple[str, ...]
    of_others: tuple[str, ...] = ()


class Removal:
    """What there is to remove from the cluster of a URL's place, under the options' prefix.

    Raises SinkError where no broker answers or it refuses.
    """

    def __init__(self, place: str, options: KafkaOptions) -> None:
        driver()
        self.servers = kafka_servers(place, options)
        settings = Settings(self.servers, understood(options.config), options.wait_seconds)
        self._cluster = Cluster(settings, Troubles(self.servers, kept="nothing was removed"))
        self._prefix = options.topic_prefix

    def find(self) -> Made:
        """Looks only."""
        there = self._cluster.topics()
        checkpoints = tuple(sorted(n for n in there if n.startswith(self._prefix + NAME)))
        told = [Checkpoint.read(name, self._cluster.latest(name)) for name in checkpoints]
        made = {topic for one in told for topic in one.made}
        filled = {topic for one in told for topic in one.topics.values()} - made
        topics, of_others = (tuple(sorted(names & there.keys())) for names in (made, filled))
        return Made(topics, checkpoints, of_others)

    def remove(self, made: Made) -> None:
        """The notes last: stopped in the middle, the rest is still found."""
        if made.topics:
            self._cluster.remove(made.topics)
        if made.checkpoints:
            self._cluster.remove(made.checkpoints)
