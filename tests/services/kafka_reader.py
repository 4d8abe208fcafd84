"""Reads Kafka topics back with a client that is not the one we send with: kafka-python."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition


@dataclass(frozen=True, slots=True)
class Record:
    """A message as it lies in a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes]

    @property
    def event_id(self) -> str:
        return self.headers["event_id"].decode()

    def json(self) -> dict[str, Any]:
        assert self.value is not None
        found: dict[str, Any] = json.loads(self.value, parse_float=str)
        return found


def committed(servers: str, topics: Iterable[str]) -> list[Record]:
    """All that a read_committed consumer finds in topics, a partition after the other.

    Topics that are not there have nothing. Raises AssertionError where a transaction is open.
    """
    consumer = KafkaConsumer(
        bootstrap_servers=servers,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_poll_records=100_000,
        fetch_max_bytes=64 << 20,
        max_partition_fetch_bytes=16 << 20,
    )
    try:
        there = consumer.topics()
        partitions = [
            TopicPartition(topic, number)
            for topic in topics
            if topic in there
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        if not partitions:
            return []
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        ends = consumer.end_offsets(partitions)
        found: dict[TopicPartition, list[Record]] = {p: [] for p in partitions}
        while any(consumer.position(p) < ends[p] for p in partitions):
            for partition, records in consumer.poll(timeout_ms=500).items():
                found[partition] += [
                    Record(r.topic, r.partition, r.offset, r.key, r.value, dict(r.headers))
                    for r in records
                ]
        return [record for partition in partitions for record in found[partition]]
    finally:
        consumer.close()
