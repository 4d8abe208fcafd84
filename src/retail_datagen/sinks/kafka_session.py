"""Connections of a feed to its Kafka cluster: one that looks on, and one that writes, alone."""

from __future__ import annotations

import time
from functools import cached_property
from typing import Final

from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.kafka_checkpoint import Checkpoint, Key, entries, topic_entry
from retail_datagen.sinks.kafka_cluster import Cluster, Topic
from retail_datagen.sinks.kafka_settings import Settings
from retail_datagen.sinks.kafka_transactions import Transactions
from retail_datagen.sinks.kafka_waiting import Troubles
from retail_datagen.sinks.progress import Progress

_SETTLES_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.005


class Look:
    """A connection that looks on, and disturbs nobody. Everything raises SinkError."""

    def __init__(self, settings: Settings, topic: Topic) -> None:
        self.topic = topic.name
        self.troubles = Troubles(settings.servers)
        self.cluster = Cluster(settings, self.troubles)
        self.there = set(self.cluster.topics())

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """What the feed remembers, as of when it is first asked for."""
        latest = self.cluster.latest(self.topic) if self.topic in self.there else {}
        return Checkpoint.read(self.topic, latest)

    def days(self) -> dict[Key, Progress]:
        """What is there. Raises SinkError where a topic is not, which was."""
        held = set(self.checkpoint.topics.values())
        if not held <= self.there:  # another may have made them since we looked
            self.there = self.cluster.among(held) | (self.there - held)
        lost = sorted(held - self.there)
        if lost:
            raise SinkError(
                f"topic {lost[0]} is gone, though {self.topic} tells of what it held; start anew "
                "with --overwrite"
            )
        return dict(self.checkpoint.days)


class Session(Look):
    """A connection that writes: nobody else writes this feed any more.

    `topic` is where the feed's checkpoint is, made if it is not there; `writer` the transactional
    id, None for a service without transactions.
    """

    def __init__(self, settings: Settings, topic: Topic, writer: str | None) -> None:
        super().__init__(settings, topic)
        self._settings = settings
        if topic.name not in self.there:
            self.cluster.make(topic)
            self.there.add(topic.name)
        self._notes: Transactions | None = None
        self._named = writer is not None
        self.transactions = Transactions(settings, self.troubles, writer)
        self.transactions.begin()
        self._take_back_unended()

    def ensure(self, topic: Topic) -> None:
        """Make a topic that is not there, noted first as one of ours, so that it can be dropped.

        The note does not wait for the open transaction, nor end it.
        """
        if topic.name in self.there:
            return
        ours = topic.name in self.checkpoint.made
        self._note(topic_entry(topic.name))
        # Hours may have passed since we looked: what others made since is not ours to drop.
        if self.cluster.make(topic) or ours:
            self.checkpoint.made.add(topic.name)
        else:
            self._note(topic_entry(topic.name, made=False))
        self.there.add(topic.name)

    def _note(self, entry: tuple[bytes, bytes | None]) -> None:
        if self._notes is None:
            self._notes = Transactions(self._settings, self.troubles, None)
            self._notes.begin()
        self._notes.send(self.topic, entries([entry]))
        self._notes.commit()

    def remember(self, pairs: list[tuple[bytes, bytes | None]]) -> None:
        """Write entries of the checkpoint, lasting once it returns."""
        if not pairs:
            return
        self.transactions.send(self.topic, entries(pairs))
        self.transactions.commit()
        if not self.is_settled():
            raise SinkError(
                "the Kafka broker does not finish a transaction that it said it had; what is "
                "committed is kept: run the same command again"
            )

    def is_settled(self) -> bool:
        """Whether the last commit, which wrote to the checkpoint, is one for its readers, too.

        A broker says that a transaction is committed before it notes so in the partitions; it is
        waited for. Killed between the two, and alone in its cluster, it may never note it (Kafka
        4.3.1): only the one who writes next under our name can end that transaction.
        """
        until = time.monotonic() + _SETTLES_SECONDS
        while self._is_open():
            if time.monotonic() > until:
                return False
            time.sleep(_LOOK_SECONDS)
        return True

    def _is_open(self) -> bool:
        """Whether a transaction is open in the checkpoint, which has one partition."""
        return self._named and bool(self.cluster.open_among([(self.topic, 0)]))

    def _take_back_unended(self) -> None:
        """Take back a transaction of our name that was never ended in its partitions.

        Once we may write, the coordinator holds none of ours for open. Left there, readers would
        wait at it for ever, and our next commit would let appear what we count as missing.
        """
        if not self._is_open():
            return
        begun = Checkpoint.read(self.topic, self.cluster.latest(self.topic, committed=False))
        topics = {self.topic, *begun.topics.values(), *begun.made}
        self.transactions.take_back(self.cluster.in_transaction(topics))
        if not self.is_settled():
            raise SinkError(
                f"a transaction in topic {self.topic} does not end; see what the Kafka broker "
                "says of it, and run the same command again"
            )

    def close(self) -> None:
        self.transactions.close()
