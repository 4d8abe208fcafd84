"""A Kafka cluster as its administrator sees it: topics made, listed, emptied and taken away."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.kafka_generations import generations
from retail_datagen.sinks.kafka_settings import Settings, driver
from retail_datagen.sinks.kafka_waiting import Patience, Troubles

_READ_AT_ONCE = 1000
_ANSWER_SECONDS = 10.0
_SPREADS_SECONDS = 3.0
"""After that, every broker knows of a topic that was made or removed."""
_LOOK_SECONDS = 0.1
_UNKNOWN = "UNKNOWN_TOPIC_OR_PART"
_BROKERS_OWN = -1
_AWAY = ("_TRANSPORT", "_TIMED_OUT", "_ALL_BROKERS_DOWN")
_LED_BY_ANOTHER = (
    "FENCED_LEADER_EPOCH",
    "UNKNOWN_LEADER_EPOCH",
    "NOT_LEADER_FOR_PARTITION",
    "LEADER_NOT_AVAILABLE",
    "_NOENT",
)
"""What is heard while partitions get a leader; the client's own word for none is `_NOENT`."""
_PASSING = _AWAY + _LED_BY_ANOTHER


class NotAllowedError(SinkError):
    """The broker does not grant what was asked for."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it is to be made. `replication` of None is the broker's own."""

    name: str
    partitions: int
    replication: int | None = None
    config: Mapping[str, str] = field(default_factory=dict)


class Cluster:
    """Asks the cluster and waits for it, as long as its settings say.

    Every method raises SinkError when no broker answers in time or the broker refuses.
    """

    def __init__(self, settings: Settings, troubles: Troubles) -> None:
        self._settings = settings
        self._troubles = troubles
        self._admin = settings.admin({"error_cb": troubles.hear})

    def topics(self) -> dict[str, int]:
        """How many partitions each topic has that may be seen; waits for a broker."""
        patience = Patience(self._troubles, self._settings.wait_seconds)
        while True:
            try:
                listed = self._admin.list_topics(timeout=1.0)
            except driver().KafkaException as error:
                self._admin.poll(0)  # only so are callbacks called
                self._refuse(error.args[0], "list topics")
                patience.spent(pause=True)
                continue
            return {name: len(t.partitions) for name, t in listed.topics.items() if not t.error}

    def among(self, topics: Collection[str]) -> set[str]:
        """Those of these topics that are there; a broker that lists not all of them is asked again.

        For topics that were there: a broker that lags hears of a topic later than others.
        """
        spread = time.monotonic() + _SPREADS_SECONDS
        while True:
            found = self.topics().keys() & set(topics)
            if len(found) == len(topics) or time.monotonic() > spread:
                return found
            time.sleep(_LOOK_SECONDS)

    def make(self, topic: Topic) -> bool:
        """Make a topic that was not there when we looked; brokers know it once this returns.

        False where another has made it since.
        """
        from confluent_kafka.cimpl import NewTopic

        replication = _BROKERS_OWN if topic.replication is None else topic.replication
        new = NewTopic(topic.name, topic.partitions, replication, config=dict(topic.config))
        patience = Patience(self._troubles, self._settings.wait_seconds)
        asked = False
        while True:
            error = _outcome(self._admin.create_topics([new], request_timeout=10.0)[topic.name])
            if error is None or error.name() == "TOPIC_ALREADY_EXISTS":
                break
            if "AUTHORIZATION" in error.name():
                raise SinkError(
                    f"topic {topic.name} is not there, and may not be made here "
                    f"({error.str()}): have it made with {topic.partitions} partitions, or be "
                    "granted Create on it"
                )
            if not _is_passing(error):
                raise SinkError(f"topic {topic.name} cannot be made: {error.str()}")
            asked = True  # it may be made all the same, and is ours then
            patience.spent(pause=True)
        while topic.name not in self.topics():
            patience.spent(pause=True)
        return error is None or asked

    def remove(self, topics: Collection[str]) -> None:
        """Take topics away, those that are there; none of them is there once this returns.

        Brokers hear of a removal later than who asked for it. Until then they list the topic, and
        take messages for it that they throw away with it.
        """
        removed = self._generations(topics)
        for name, future in self._admin.delete_topics(list(topics), operation_timeout=30.0).items():
            error = _outcome(future)
            if error is not None and error.name() != _UNKNOWN:
                raise SinkError(f"topic {name} cannot be removed: {error.str()}")
        patience = Patience(self._troubles, self._settings.wait_seconds)
        while removed.items() & self._generations(removed).items():
            patience.spent(pause=True)
        self._await_unlisted(set(topics) - removed.keys())

    def _await_unlisted(self, removed: set[str]) -> None:
        """For clusters whose topics have no generation: one that was made anew is listed, too."""
        spread = time.monotonic() + _SPREADS_SECONDS
        while removed & self.topics().keys() and time.monotonic() < spread:
            time.sleep(_LOOK_SECONDS)

    def _generations(self, topics: Collection[str]) -> dict[str, str]:
        """Which making of each topic is there; a reader may have one made anew by asking for it."""
        patience = Patience(self._troubles, self._settings.wait_seconds)
        while True:
            try:
                return generations(self._admin, topics, _ANSWER_SECONDS)
            except driver().KafkaException as error:
                self._refuse(error.args[0], "ask for topics")
                patience.spent(pause=True)

    def empty(self, topic: str) -> bool:
        """Delete all messages of a topic; False where its kind does not allow it."""
        from confluent_kafka import OFFSET_END, TopicPartition

        partitions = self.topics().get(topic, 0)
        ends = [TopicPartition(topic, number, OFFSET_END) for number in range(partitions)]
        for future in self._admin.delete_records(ends).values() if ends else ():
            error = _outcome(future)
            if error is not None and error.name() == "POLICY_VIOLATION":
                return False
            if error is not None:
                raise SinkError(f"messages of topic {topic} cannot be deleted: {error.str()}")
        return True

    def in_transaction(self, topics: Iterable[str]) -> list[tuple[str, int]]:
        """The partitions of topics in which a transaction is open."""
        there = self.topics()
        return self.open_among(
            [(name, number) for name in topics for number in range(there.get(name, 0))]
        )

    def open_among(self, places: Collection[tuple[str, int]]) -> list[tuple[str, int]]:
        """Of partitions, those in which a transaction is open: what follows is not read."""
        from confluent_kafka import IsolationLevel

        stable = self._ends(places, IsolationLevel.READ_COMMITTED)
        end = self._ends(places, IsolationLevel.READ_UNCOMMITTED)
        return sorted(place for place, offset in stable.items() if offset < end[place])

    def begins(self, places: Collection[tuple[str, int]]) -> dict[tuple[str, int], int] | None:
        """Where each of these partitions begins, which moves when messages are deleted.

        None where that is not told at once.
        """
        from confluent_kafka import IsolationLevel
        from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

        earliest = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
        try:
            return self._offsets(places, earliest, IsolationLevel.READ_UNCOMMITTED)
        except driver().KafkaException:
            return None

    def _ends(
        self, places: Collection[tuple[str, int]], isolation: Any
    ) -> dict[tuple[str, int], int]:
        """Where readers of that isolation find the end of each partition; waits for a broker."""
        from confluent_kafka.admin import OffsetSpec  # type: ignore[attr-defined]

        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        patience = Patience(self._troubles, self._settings.wait_seconds)
        spread = time.monotonic() + _SPREADS_SECONDS
        while True:
            try:
                return self._offsets(places, latest, isolation)
            except driver().KafkaException as error:
                told = error.args[0]
                self._refuse(told, "ask for the ends of topics")
                if told.name() != _UNKNOWN and not _is_passing(told):
                    raise SinkError(f"the ends of topics are not told: {told.str()}") from error
            patience.spent(pause=True)
            there = self.topics()  # who leads may be another since
            gone = sorted({topic for topic, _ in places} - there.keys())
            if gone and time.monotonic() > spread:
                raise SinkError(f"topic {gone[0]} was taken away; run the same command again")

    def _offsets(
        self, places: Collection[tuple[str, int]], spec: Any, isolation: Any
    ) -> dict[tuple[str, int], int]:
        """Asked once. Raises KafkaException."""
        from confluent_kafka import TopicPartition

        if not places:
            return {}
        asked = {TopicPartition(*place): spec for place in places}
        answers = self._admin.list_offsets(asked, isolation_level=isolation, request_timeout=1)
        return {(p.topic, p.partition): a.result().offset for p, a in answers.items()}

    def latest(self, topic: str, committed: bool = True) -> dict[bytes, bytes]:
        """The last value of each key of a topic of one partition, tombstones left out.

        With `committed` off, what is in an open transaction counts as well.
        """
        from confluent_kafka import OFFSET_BEGINNING, TopicPartition

        consumer = self._settings.consumer(
            {
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 10,
                "isolation.level": "read_committed" if committed else "read_uncommitted",
                "error_cb": self._troubles.hear,
            }
        )
        patience = Patience(self._troubles, self._settings.wait_seconds)
        found: dict[bytes, bytes] = {}
        try:
            meet(consumer, patience)
            consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
            at_end = False
            while not at_end:
                messages = consumer.consume(_READ_AT_ONCE, timeout=0.2)
                at_end = self._fold(topic, messages, patience, found)
                if not messages:
                    patience.spent(pause=False)
                    if not self.among({topic}):
                        return {}  # it was removed a moment ago, which a consumer is not told
            return found
        finally:
            consumer.close()

    def _fold(
        self, topic: str, messages: Iterable[Any], patience: Patience, found: dict[bytes, bytes]
    ) -> bool:
        """Let `found` have the last values by these messages; whether they reach the end."""
        for message in messages:
            error = message.error()
            if error is None:
                patience.renew()
                key, value = message.key() or b"", message.value()
                if value is None:
                    found.pop(key, None)
                else:
                    found[key] = value
            elif error.code() == error._PARTITION_EOF:
                return True
            elif error.name() != "GROUP_AUTHORIZATION_FAILED":  # nothing here needs a group
                self._refuse(error, f"read topic {topic}")
                patience.spent(pause=False)
        return False

    def _refuse(self, error: Any, what: str) -> None:
        if "AUTHORIZATION" in error.name():
            raise NotAllowedError(
                f"the Kafka broker at {self._settings.servers} does not let us {what}: "
                f"{error.str()}"
            )


def meet(client: Any, patience: Patience) -> None:
    """Wait until a client knows its cluster: what it is asked before that it tries again seldom.

    Raises SinkError when patience is at its end.
    """
    while True:
        try:
            client.list_topics(timeout=1.0)
            return
        except driver().KafkaException:
            patience.spent(pause=True)


def _outcome(future: Future[Any]) -> Any:
    """The KafkaError of what was asked for, or None."""
    try:
        future.result()
    except driver().KafkaException as error:
        return error.args[0]
    return None


def _is_passing(error: Any) -> bool:
    """Whether it may be otherwise in a moment."""
    return error.retriable() or error.name() in _PASSING
