"""What is committed in Kafka topics, from given positions on; for the loader alone.

Positions are ours, kept where the messages go: no consumer group has any.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.kafka_cluster import Cluster
from retail_datagen.sinks.kafka_emptied import Emptied
from retail_datagen.sinks.kafka_generations import generations, since_emptied
from retail_datagen.sinks.kafka_settings import REGISTRY, Settings, driver, understood
from retail_datagen.sinks.kafka_url import kafka_servers
from retail_datagen.sinks.kafka_waiting import Patience, Troubles
from retail_datagen.sinks.options import KafkaOptions, redacted

_LOG = logging.getLogger(__name__)
_ANSWER_SECONDS = 2.0
_TOLD_EVERY = 5.0
_SETTINGS = {
    "enable.partition.eof": "true",
    "auto.offset.reset": "error",
    "queued.max.messages.kbytes": "32768",
}
_UNKNOWN = ("UNKNOWN_TOPIC_OR_PART", "_UNKNOWN_TOPIC", "_UNKNOWN_PARTITION")
Place = tuple[str, int]
"""A topic and one of its partitions."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What there is to read: a cluster's own identifier, and how many partitions each topic has.

    `generations` are those of the topics that were asked about.
    """

    identifier: str
    topics: Mapping[str, int]
    generations: Mapping[str, str]


class TopicChangedError(SinkError):
    """What is read is not there any more: deleted by retention, taken away or made anew."""


Headers = dict[str, Any]
"""Bytes by name; None for a header without a value."""


@dataclass(slots=True)
class Arrived:
    """Messages of one topic, in the order in which they were read: [messages]."""

    partition: list[int] = field(default_factory=list)
    offset: list[int] = field(default_factory=list)
    value: list[bytes | None] = field(default_factory=list)
    headers: list[Headers] = field(default_factory=list)

    def extend(self, later: Arrived) -> None:
        self.partition += later.partition
        self.offset += later.offset
        self.value += later.value
        self.headers += later.headers


class TopicReader:
    """Reads topics. Methods raise SinkError for what does not pass by itself."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._troubles = Troubles(settings.servers)
        self._consumer = settings.consumer({**_SETTINGS, "error_cb": self._hear})
        self._admin = settings.admin({"error_cb": self._troubles.hear})
        self._emptied = Emptied(Cluster(settings, self._troubles))
        self._ends: dict[Place, int] = {}
        """Where partitions ended when we began with them, of those not read that far."""
        self._down_since: float | None = None
        self._told = 0.0

    def look(self, topics: Iterable[str]) -> Listing:
        """What there is to read. Waits for a broker as long as the settings say."""
        wanted = list(topics)
        patience = Patience(self._troubles, self._settings.wait_seconds)
        while True:
            try:
                return self._listing(wanted)
            except driver().KafkaException as error:
                self._refuse(error.args[0], "list topics")
                patience.spent(pause=True)

    def glance(self, topics: Iterable[str]) -> Listing | None:
        """As `look`, without waiting; None where no broker answers."""
        try:
            return self._listing(topics)
        except (driver().KafkaException, SinkError):
            return None

    def follow(self, positions: Mapping[Place, int]) -> set[Place]:
        """Read these partitions, too, from those offsets on; those that are still there."""
        from confluent_kafka import TopicPartition

        new = {}
        for (topic, partition), wanted in sorted(positions.items()):
            try:
                offset, end = self._there(topic, partition, wanted)
            except TopicChangedError as error:
                _LOG.warning("%s", str(error).partition(";")[0])
                continue
            new[topic, partition] = TopicPartition(topic, partition, offset)
            if offset < end:
                self._ends[topic, partition] = end
        if new:
            self._consumer.incremental_assign(list(new.values()))
        return set(new)

    def leave(self) -> None:
        """Read nothing any more, until `follow` says what."""
        self._consumer.unassign()
        self._ends.clear()

    def read(self, most: int, seconds: float) -> Mapping[str, Arrived]:
        """At most so many messages, by topic; returns early when as many are there."""
        found: dict[str, Arrived] = {}
        for message in self._consumer.consume(most, timeout=seconds):
            topic, partition, offset = message.topic(), message.partition(), message.offset()
            error = message.error()
            if topic is None or partition is None or offset is None or error is not None:
                self._settle(error, str(topic), -1 if partition is None else partition)
                continue
            arrived = found.get(topic)
            if arrived is None:
                arrived = found[topic] = Arrived()
            arrived.partition.append(partition)
            arrived.offset.append(offset)
            arrived.value.append(message.value())
            arrived.headers.append(dict(message.headers() or ()))
        for topic, arrived in found.items():
            # Offsets of a partition ascend: the last one that is noted is the highest.
            last_of = dict(zip(arrived.partition, arrived.offset, strict=True))
            for partition, last in last_of.items():
                if last + 1 >= self._ends.get((topic, partition), last + 2):
                    del self._ends[topic, partition]
        self._troubles.check()
        if found:
            self._back()
        return found

    @property
    def at_end(self) -> bool:
        """Whether all that was committed when reading began has been read."""
        return not self._ends

    @property
    def waited(self) -> float:
        """Seconds since the broker was heard of last, while it is away."""
        return 0.0 if self._down_since is None else time.monotonic() - self._down_since

    @property
    def last_trouble(self) -> str:
        return self._troubles.last

    def close(self) -> None:
        self._consumer.close()

    def _listing(self, topics: Iterable[str]) -> Listing:
        """Raises KafkaException or SinkError where no broker answers."""
        found = self._consumer.list_topics(timeout=_ANSWER_SECONDS)
        there = {t.topic: len(t.partitions) for t in found.topics.values() if not t.error}
        wanted = sorted(there.keys() & set(topics))
        made = generations(self._admin, wanted, _ANSWER_SECONDS)
        for topic, when in self._emptied.among(wanted, there).items():
            made[topic] = since_emptied(made.get(topic, ""), when)
        return Listing(str(found.cluster_id), there, made)

    def _there(self, topic: str, partition: int, offset: int) -> tuple[int, int]:
        """`offset`, or the first that is still there, and where the partition ends.

        Raises SinkError where the offset cannot be of this partition.
        """
        from confluent_kafka import TopicPartition

        patience = Patience(self._troubles, self._settings.wait_seconds)
        while True:
            try:
                low, high = self._consumer.get_watermark_offsets(
                    TopicPartition(topic, partition), timeout=_ANSWER_SECONDS
                )
                break
            except driver().KafkaException as error:
                self._refuse(error.args[0], f"read topic {topic}")
                patience.spent(pause=True)
                if error.args[0].name() in _UNKNOWN and topic not in self.look(()).topics:
                    raise _taken_away(topic) from error
        if offset > high:
            raise SinkError(
                f"topic {topic} has {high} messages in partition {partition}, of which {offset} "
                "were loaded: it was made anew since. Load into another database, or remove what "
                "was loaded with `retail-datagen clickhouse drop`"
            )
        if 0 < offset < low:
            _LOG.warning(
                "topic %s, partition %d: the broker deleted %d messages before they were loaded",
                topic,
                partition,
                low - offset,
            )
        return max(offset, int(low)), int(high)

    def _settle(self, error: Any, topic: str, partition: int) -> None:
        """What comes in place of a message."""
        if error.code() == error._PARTITION_EOF:
            self._ends.pop((topic, partition), None)
            self._back()
        elif error.name() in ("_AUTO_OFFSET_RESET", "OFFSET_OUT_OF_RANGE"):
            raise TopicChangedError(
                f"topic {topic}: what partition {partition} holds has changed under us (deleted "
                "by retention, or made anew); run the same command again"
            )
        elif error.name() in _UNKNOWN:
            raise _taken_away(topic)
        else:
            self._refuse(error, f"read topic {topic}")
            self._hear(error)

    def _refuse(self, error: Any, what: str) -> None:
        if "AUTHORIZATION" in error.name():
            raise SinkError(
                f"the Kafka broker at {self._settings.servers} does not let us {what}: "
                f"{error.str()}"
            )

    def _hear(self, error: Any) -> None:
        """What the client tells of its connections."""
        self._troubles.hear(error)
        if error.name() != "_ALL_BROKERS_DOWN":
            return
        now = time.monotonic()
        if self._down_since is None:
            self._down_since = now
        if now - self._told >= _TOLD_EVERY:
            self._told = now
            _LOG.warning(
                "waiting for the Kafka broker at %s (%s)", self._settings.servers, self.last_trouble
            )

    def _back(self) -> None:
        if self._down_since is not None:
            self._down_since = None
            _LOG.warning("the Kafka broker at %s answers again", self._settings.servers)


def _taken_away(topic: str) -> TopicChangedError:
    return TopicChangedError(f"topic {topic} was taken away; run the same command again")


def settings_of(url: str, options: KafkaOptions) -> tuple[Settings, str]:
    """How to reach the cluster of `kafka://host:9092?topic_prefix=…`, and that prefix.

    Raises SinkError for a URL that is none.
    """
    scheme, _, rest = url.partition(":")
    place, _, query = rest.partition("?")
    asked = dict(parse_qsl(query, keep_blank_values=True))
    prefix = asked.pop("topic_prefix", options.topic_prefix)
    if scheme != "kafka" or asked:
        raise SinkError(
            f"from: {redacted(url)!r} is no Kafka cluster; write kafka://host:9092, and nothing "
            "but topic_prefix=… behind a question mark"
        )
    config = understood(options.config)
    client = {name: value for name, value in config.items() if not name.startswith(REGISTRY)}
    return Settings(kafka_servers(place, options), client, options.wait_seconds), prefix
