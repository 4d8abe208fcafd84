"""Small tables of events for tests of sinks, and what of them is in Kafka."""

from __future__ import annotations

from datetime import date

import pyarrow as pa

from retail_datagen.core.calendar import to_day
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch
from retail_datagen.sinks import open_sink
from retail_datagen.sinks.kafka import KafkaSink
from retail_datagen.sinks.options import KafkaOptions, StreamOptions
from services.kafka_reader import Record, committed

DAY = to_day(date(2024, 1, 17))
SALES = Table(
    "sales",
    "A sale a second.",
    (
        Column("EventTS", Kind.TIMESTAMP, "When."),
        Column("StoreID", Kind.INT, "Where."),
        Column("Number", Kind.INT, "Which of the day."),
    ),
    ("StoreID", "Number"),
)
STORES = 7


def sales(count: int, first: int = 0, day: int = DAY, table: Table = SALES) -> pa.Table:
    import numpy as np

    number = np.arange(first, first + count)
    seconds = day * 86_400 + number % 86_400
    return batch(table, {"EventTS": seconds, "StoreID": number % STORES, "Number": number})


def kafka_sink(servers: str, prefix: str, **more: object) -> KafkaSink:
    """A sink for topics of that prefix; `more` are fields of KafkaOptions."""
    options = StreamOptions(kafka=KafkaOptions(topic_prefix=prefix, **more))  # type: ignore[arg-type]
    sink = open_sink(f"kafka://{servers}", options=options)
    assert isinstance(sink, KafkaSink)
    return sink


def sent(servers: str, prefix: str, table: Table = SALES) -> list[Record]:
    return committed(servers, [f"{prefix}{table.topic}"])


def numbers(records: list[Record]) -> list[int]:
    return sorted(int(record.json()["Number"]) for record in records)
