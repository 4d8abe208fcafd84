"""A bare loop that sends to Kafka what is handed to it, ready made: the floor of any producer.

A program of its own. It reads back what a backfill sent, so that keys, values and headers are the
same, keeps all of it in memory, and sends it again to topics of its own, in the same order, with
the same settings and as many transactions; only that is timed.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition

from retail_datagen.sinks.kafka_cluster import Cluster, Topic
from retail_datagen.sinks.kafka_settings import Settings
from retail_datagen.sinks.kafka_waiting import Troubles

Payload = tuple[str, bytes, bytes, list[tuple[str, bytes]]]
"""Topic, key, value, headers."""
_POLL_EVERY = 10_000
_READ_AT_ONCE = 20_000
_CHECKPOINTS = "retail-datagen-checkpoints-"


def main(servers: str, prefix: str, own_prefix: str, transactions: int, answer: Path) -> None:
    """Write events and seconds, as JSON, to `answer`."""
    settings = Settings(servers)
    cluster = Cluster(settings, Troubles(servers))
    topics = {
        name: partitions
        for name, partitions in cluster.topics().items()
        if name.startswith(prefix) and _CHECKPOINTS not in name
    }
    payloads = [
        # Copies, so that they lie in memory as they are sent.
        (
            own_prefix + topic.removeprefix(prefix),
            copy(key),
            copy(value),
            [(name, copy(text)) for name, text in headers],
        )
        for topic, key, value, headers in sorted(read(settings, topics), key=moment)
    ]
    for name, partitions in topics.items():
        cluster.make(Topic(own_prefix + name.removeprefix(prefix), partitions))
    gc.collect()
    gc.freeze()
    producer = settings.producer({"transactional.id": own_prefix})
    producer.list_topics(timeout=10)
    producer.init_transactions()
    size = -(-len(payloads) // transactions)
    began = time.perf_counter()
    for first in range(0, len(payloads), size):
        send(producer, payloads[first : first + size])
    seconds = time.perf_counter() - began
    answer.write_text(json.dumps({"events": len(payloads), "seconds": seconds}))


def moment(payload: Payload) -> tuple[str, str, str]:
    """Day, topic and row: what a backfill sends earlier is smaller."""
    topic, _, _, headers = payload
    _, day, row = dict(headers)["event_id"].decode().rsplit("-", 2)
    return day, topic, row


def copy(text: bytes) -> bytes:
    return bytes(memoryview(text))


def send(producer: Any, payloads: list[Payload]) -> None:
    """One transaction, as a program without cares would have it."""
    producer.begin_transaction()
    for number, (topic, key, value, headers) in enumerate(payloads):
        while True:
            try:
                producer.produce(topic, value=value, key=key, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
        if not number % _POLL_EVERY:
            producer.poll(0)
    producer.commit_transaction()


def read(settings: Settings, topics: dict[str, int]) -> list[Payload]:
    """All messages of topics, partition by partition."""
    consumer = settings.consumer({"enable.partition.eof": True})
    consumer.list_topics(timeout=10)
    consumer.assign(
        [
            TopicPartition(t, p, OFFSET_BEGINNING)
            for t, count in topics.items()
            for p in range(count)
        ]
    )
    found: list[Payload] = []
    ended = 0
    while ended < sum(topics.values()):
        for message in consumer.consume(_READ_AT_ONCE, timeout=1.0):
            error = message.error()
            if error is None:
                key, value = message.key() or b"", message.value() or b""
                found.append((message.topic(), key, value, message.headers()))
            elif error.code() == KafkaError._PARTITION_EOF:
                ended += 1
    consumer.close()
    return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))
