"""The hub's topic, for tests that send what they like, and a ClickHouse to load it into."""

from __future__ import annotations

import json
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from loading import Failing, load_of

from retail_datagen.events.topics.hub import TABLE as HUB
from retail_datagen.sinks.kafka_cluster import Cluster
from retail_datagen.sinks.kafka_settings import Settings
from retail_datagen.sinks.kafka_waiting import Troubles
from retail_datagen.streaming.load import Load

EVENT = {
    "event_time": "2024-01-01 15:45:30",
    "store_id": 7,
    "product_id": 1001,
    "category": "Electronics",
    "transaction_type": "SALE",
    "quantity": 2,
    "unit_price": 12.99,
}


class Hub:
    """A topic of the hub with one partition, and a ClickHouse to load it into."""

    def __init__(self, servers: str, prefix: str, folder: Path) -> None:
        self.servers, self.prefix, self.folder = servers, prefix, folder
        self.topic = f"{prefix}{HUB.topic}"
        self.clickhouse = Failing.of(f"chdb:{folder / 'x.chdb'}")
        self.make()

    def make(self) -> None:
        admin = AdminClient({"bootstrap.servers": self.servers})
        admin.create_topics([NewTopic(self.topic, 1, 1)])[self.topic].result(120)
        self.producer = Producer({"bootstrap.servers": self.servers, "linger.ms": 0})

    def make_anew(self) -> None:
        Cluster(Settings(self.servers), Troubles(self.servers)).remove([self.topic])
        self.make()

    def send(self, *values: bytes | None, headers: list[tuple[str, bytes]] | None = None) -> None:
        for value in values:
            self.producer.produce(self.topic, value, b"7", 0, headers=headers or [])
        assert self.producer.flush(120) == 0

    def load(self, **more: object) -> Load:
        return load_of(
            self.servers, self.prefix, self.clickhouse, {HUB.topic: HUB}, self.folder, **more
        )

    def ask(self, query: str) -> list[tuple[object, ...]]:
        return [tuple(row) for row in self.clickhouse.rows(query)]

    def offsets(self) -> list[object]:
        rows = self.ask(f"SELECT _offset FROM {HUB.name} ORDER BY _offset")
        return [offset for (offset,) in rows]


def event(**more: object) -> bytes:
    return json.dumps({**EVENT, **more}).encode()
