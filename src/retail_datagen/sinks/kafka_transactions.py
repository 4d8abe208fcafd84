"""A Kafka producer in transactions: handed lists of messages, it sends, commits or takes back.

One writer at a time: opening one ends the transaction of whoever had the same name before, and
shuts him out. Without transactions, which not every service has, messages are sent at least once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from itertools import repeat
from operator import length_hint
from typing import Any

from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.kafka_cluster import meet
from retail_datagen.sinks.kafka_settings import Settings, driver
from retail_datagen.sinks.kafka_waiting import Patience, Troubles
from retail_datagen.wire.messages import Messages

_IN_FLIGHT = 200_000
_CALL_SECONDS = 1.0
"""No call blocks longer, so that a signal is heard."""
_LAST_CALL_SECONDS = 2.0
_AGAIN = "and run the same command again"
_TAKEN_BACK = b"taken back"
"""Topics that are compacted take no message without a key."""
_ANEW = "start anew with --overwrite"
_LASTING = {
    "MSG_SIZE_TOO_LARGE": f"raise message.max.bytes there and by --kafka-config {_AGAIN}",
    "TOPIC_AUTHORIZATION_FAILED": f"be granted Write on the topic {_AGAIN}",
    "TRANSACTIONAL_ID_AUTHORIZATION_FAILED": "be granted Write and Describe on the transactional "
    f"id {_AGAIN}",
    "CLUSTER_AUTHORIZATION_FAILED": f"be granted IdempotentWrite on the cluster {_AGAIN}",
    "INVALID_TRANSACTION_TIMEOUT": f"lower transaction.timeout.ms by --kafka-config {_AGAIN}",
    "UNKNOWN_TOPIC_OR_PART": f"it was there before: {_ANEW}",
    "_UNKNOWN_TOPIC": f"it was there before: {_ANEW}",
    "_UNKNOWN_PARTITION": f"it had more partitions before: {_ANEW}",
    "INVALID_RECORD": f"see the topic's settings there {_AGAIN}",
    "POLICY_VIOLATION": f"see the broker's policies {_AGAIN}",
}
"""Errors that do not pass by themselves, and what to do about them."""


class Aborted(Exception):
    """The transaction cannot be committed; all of it has to be sent again in another one."""


class Transactions:
    """Sends messages, which appear with `commit`, all of them or none.

    `name` is the transactional id; None sends without transactions.
    """

    def __init__(self, settings: Settings, troubles: Troubles, name: str | None) -> None:
        self._settings = settings
        self._troubles = troubles
        self._name = name
        self._open = False
        self._failed: list[tuple[str, Any]] = []
        more: dict[str, Any] = {
            "error_cb": troubles.hear,
            "on_delivery": self._delivered,
            # Python is told of failures alone; a transaction says only how many there were.
            "delivery.report.only.error": True,
        }
        if name:
            more |= {"transactional.id": name, "enable.idempotence": "true"}
        self._producer = settings.producer(more)

    def begin(self) -> None:
        """Shut out whoever wrote under this name. Raises SinkError."""
        meet(self._producer, Patience(self._troubles, self._settings.wait_seconds))
        if self._name:
            self._patiently(lambda: self._producer.init_transactions(_CALL_SECONDS))

    def send(self, topic: str, messages: Messages) -> None:
        """Hand messages over, in order. Raises Aborted, SinkError."""
        self._start()
        produce = self._producer.produce
        first = 0
        while first < len(messages):
            self._make_room()
            values = iter(messages.values[first:] if first else messages.values)
            rest = messages if not first else messages.slice(first, len(messages))
            try:
                # Everything about a message happens in C.
                deque(
                    map(
                        produce,
                        repeat(topic),
                        values,
                        rest.keys,
                        repeat(-1),
                        repeat(None),
                        repeat(None),
                        repeat(0),
                        rest.headers,
                    ),
                    maxlen=0,
                )
                break
            except BufferError:
                # The message that found no room is the one before those that are left.
                first = len(messages) - length_hint(values) - 1
                self._producer.poll(0.05)
            except driver().KafkaException as error:
                self._settle(error.args[0], f"topic {topic}")
        self._producer.poll(0)

    def commit(self) -> None:
        """Let what was sent appear. Raises Aborted, SinkError."""
        if not self._open:
            return
        if self._name:
            self._patiently(lambda: self._producer.commit_transaction(_CALL_SECONDS))
        else:
            self._flush()
        self._open = False

    def flush(self) -> None:
        """Without transactions, wait until all of it has arrived; with them nothing is to be done.

        Raises SinkError.
        """
        if not self._name:
            self._flush()

    def abort(self) -> None:
        """Take back what was sent since the last commit. Raises SinkError."""
        if self._open and self._name:
            self._patiently(lambda: self._producer.abort_transaction(_CALL_SECONDS))
        self._open = False
        self._failed.clear()

    def take_back(self, partitions: Sequence[tuple[str, int]]) -> None:
        """End what was begun under this name and never ended in partitions, as if never sent.

        Only a transaction that has a message there reaches a partition, so one is sent to each and
        taken back with the rest. Raises SinkError.
        """
        try:
            self._start()
            for topic, partition in partitions:
                self._producer.produce(topic, b"", _TAKEN_BACK, partition)
            self._flush()
            self.abort()
        except Aborted as error:
            raise SinkError(
                f"an unfinished Kafka transaction cannot be taken back ({error}); what is "
                "committed is kept: run the same command again"
            ) from error

    def close(self) -> None:
        """Let go of it: what is not committed is taken back, at once or by the broker in time."""
        producer = self._producer
        if self._open and self._name:
            try:
                producer.abort_transaction(_LAST_CALL_SECONDS)
            except driver().KafkaException:
                producer.purge()
        self._open = False

    def _start(self) -> None:
        if self._open:
            return
        if self._name:
            try:
                self._producer.begin_transaction()
            except driver().KafkaException as error:
                self._settle(error.args[0], "the transaction")
        self._open = True
        self._failed.clear()

    def _make_room(self) -> None:
        """Wait until not too much is under way: memory is bounded by it."""
        patience = Patience(self._troubles, self._settings.wait_seconds)
        before = len(self._producer)
        while len(self._producer) > _IN_FLIGHT:
            self._producer.poll(0.1)
            if len(self._producer) < before:
                before = len(self._producer)
                patience.renew()
            else:
                patience.spent(pause=False)

    def _flush(self) -> None:
        patience = Patience(self._troubles, self._settings.wait_seconds)
        left = len(self._producer)
        while left:
            now = self._producer.flush(_CALL_SECONDS)
            if now and now >= left:
                patience.spent(pause=False)
            else:
                patience.renew()
            left = now
        if self._failed:
            topic, error = self._failed[0]
            self._settle(error, f"topic {topic}")

    def _patiently(self, call: Any) -> None:
        """Call again while the broker is away: such calls go on where they were."""
        patience = Patience(self._troubles, self._settings.wait_seconds)
        before = len(self._producer)
        while True:
            began = time.monotonic()
            try:
                call()
                return
            except driver().KafkaException as error:
                told = error.args[0]
                if not told.retriable() or told.txn_requires_abort():
                    self._settle(told, "the transaction")
            self._producer.poll(0)
            if len(self._producer) < before:
                before = len(self._producer)
                patience.renew()
            else:
                patience.spent(pause=time.monotonic() - began < _CALL_SECONDS / 2)

    def _settle(self, error: Any, about: str) -> None:
        """Raise what follows from an error: Aborted where trying again may help."""
        if self._failed:
            topic, error = self._failed[0]
            about = f"topic {topic}"
        self._troubles.check()
        name = error.name()
        if name in _LASTING:
            raise SinkError(
                f"Kafka does not take the messages: {about}: {error.str()}; what is committed is "
                f"kept: {_LASTING[name]}"
            )
        if name in ("_FENCED", "PRODUCER_FENCED", "INVALID_PRODUCER_EPOCH"):
            raise SinkError(
                "another job began to write the same events to this cluster and has shut this one "
                "out; what is committed is kept, nothing is there twice"
            )
        if error.fatal() or not self._name:
            raise SinkError(
                f"Kafka does not take the messages: {about}: {error.str()}; what is committed is "
                "kept: run the same command again"
            )
        raise Aborted(f"{about}: {error.str()}")

    def _delivered(self, error: Any, message: Any) -> None:
        """Called for each message that could not be delivered."""
        # Those that were only thrown away with the first one tell nothing.
        if error is not None and not self._failed and not error.name().startswith("_PURGE"):
            self._failed.append((message.topic(), error))
