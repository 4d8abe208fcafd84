"""A retailer's facts through Kafka into ClickHouse, whatever is killed: each of them once.

The commands themselves, in processes of their own, are killed with `kill -9`, and so is the broker.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import chdb
import duckdb
import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from retail_datagen.tables import registry
from services.kafka_broker import Broker

START, END = "2024-03-01", "2024-04-05"
ROUNDS = 12
"""Kills of the backfill, and as many of the loader; in every third the broker goes down, too."""
PREFIX = "round-"


def command(config: Path, *arguments: str) -> subprocess.Popen[bytes]:
    main = "from retail_datagen.cli.app import main; main()"
    line = [sys.executable, "-c", main, *arguments, "--config", str(config), "--quiet"]
    return subprocess.Popen(line, cwd=config.parent)


def killed_over_and_over(config: Path, broker: Broker, dice: random.Random, *what: str) -> int:
    """Run a command, killed at random moments, and at last to its end; how often it was killed."""
    killed = 0
    for turn in range(ROUNDS):
        process = command(config, *what)
        with suppress(subprocess.TimeoutExpired):
            process.wait(dice.uniform(1.0, 4.0))
        if turn % 3 == 2:
            broker.kill()
            broker.start()
            with suppress(subprocess.TimeoutExpired):
                process.wait(dice.uniform(0.2, 2.0))
        killed += process.poll() is None
        process.kill()
        process.wait()
    assert command(config, *what).wait(600) == 0
    return killed


def committed(servers: str, topic: str) -> Iterator[tuple[str, bytes]]:
    """(event_id, value) of what a read_committed consumer finds in a topic."""
    consumer = Consumer(
        {
            "bootstrap.servers": servers,
            "group.id": "test",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    with closing(consumer):
        partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
        ended = 0
        while ended < len(partitions):
            for message in consumer.consume(20_000, timeout=5.0):
                error = message.error()
                if error is None:
                    yield dict(message.headers())["event_id"].decode(), message.value()
                else:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    ended += 1


def written(servers: str, topic: str, path: Path) -> None:
    """Write a topic's messages as lines of JSON which know their event."""
    with path.open("wb") as file:
        for event_id, value in committed(servers, topic):
            file.write(b'{"event_id": "%s", %s\n' % (event_id.encode(), value[1:]))


@pytest.mark.soak
def test_a_million_events_are_the_lakes_facts_whatever_is_killed(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    volume = {"stores": 20, "dcs": 2, "customers_per_day": 2_000, "online_orders_per_day": 250}
    config.write_text(json.dumps({"seed": 11, "volume": volume}))
    days = ("--start", START, "--end", END)
    lake = ("generate", *days, "--format", "parquet", "--to", str(tmp_path / "lake"))
    assert command(config, *lake).wait(600) == 0
    broker, dice = Broker(tmp_path / "broker"), random.Random(5)
    broker.start()
    try:
        servers, place = broker.address.servers, f"chdb:{tmp_path / 'retail.chdb'}"
        kafka = f"kafka://{servers}"
        prefix = f"--topic-prefix={PREFIX}"
        sent = killed_over_and_over(
            config, broker, dice, "backfill", "--all", *days, "--to", kafka, prefix
        )
        loaded = killed_over_and_over(
            config, broker, dice, "load", "--feed", "facts", "--from", kafka, "--to", place, prefix
        )
        assert sent + loaded >= 20
        events = 0
        with closing(chdb.connect(str(tmp_path / "retail.chdb"))) as clickhouse:
            for name, fact in registry().items():
                written(servers, f"{PREFIX}{fact.table.topic}", tmp_path / "topic.jsonl")
                held = clickhouse.query(f"SELECT * FROM retail.{name}", "Parquet").bytes()
                (tmp_path / "table.parquet").write_bytes(held)
                events += same_rows(name, tmp_path)
        assert events >= 1_000_000
    finally:
        broker.kill()


def same_rows(table: str, folder: Path) -> int:
    """How many rows the lake has of a table: the very same, with their identifiers, as the others.

    `table.parquet` is what ClickHouse holds, `topic.jsonl` what Kafka does.
    """
    with closing(duckdb.connect()) as compared:
        compared.execute(
            "CREATE TABLE lake AS SELECT "
            f"printf('{table}-%s-%08d', replace(day, '-', ''), file_row_number) AS event_id, "
            "* EXCLUDE (day, file_row_number, filename) FROM "
            "(SELECT *, regexp_extract(filename, 'dt=([0-9-]+)', 1) AS day FROM "
            f"read_parquet('{folder}/lake/{table}/*/*.parquet', "
            "file_row_number=true, filename=true, hive_partitioning=false))"
        )
        columns = compared.execute("DESCRIBE lake").fetchall()
        names = ", ".join(f'"{name}"' for name, *_ in columns)
        kinds = {name: "VARCHAR" if "ENUM" in kind else kind for name, kind, *_ in columns}
        (count,) = compared.execute("SELECT count(*) FROM lake").fetchone() or (0,)
        for other in (
            f"read_parquet('{folder}/table.parquet')",
            f"read_json('{folder}/topic.jsonl', columns={kinds}, format='newline_delimited')",
        ):
            found = compared.execute(
                f"SELECT (SELECT count(*) FROM {other}), (SELECT count(*) FROM "
                f"(SELECT {names} FROM lake EXCEPT ALL SELECT {names} FROM {other}))"
            ).fetchone()
            assert found == (count, 0), (table, other)
    return int(count)
