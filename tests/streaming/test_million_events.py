"""A retailer's facts through Kafka into ClickHouse, whatever is killed: each of them once.

The commands themselves, in processes of their own, are killed with `kill -9`, and so is the broker.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import chdb
import duckdb
import pytest

from retail_datagen.tables import registry
from services.kafka_broker import Broker
from services.kafka_reader import committed
from services.kills import killed_over_and_over

START, END = "2024-03-01", "2024-04-05"
ROUNDS = 12
"""Kills of the backfill, and as many of the loader; in every third the broker goes down, too."""
PREFIX = "round-"


def command(config: Path, *arguments: str) -> subprocess.Popen[str]:
    main = "from retail_datagen.cli.app import main; main()"
    line = [sys.executable, "-c", main, *arguments, "--config", str(config), "--quiet"]
    return subprocess.Popen(line, cwd=config.parent, text=True)


def killed(config: Path, broker: Broker, dice: random.Random, *what: str) -> int:
    """Run a command, killed at random moments, and at last to its end; how often it was killed."""
    found = killed_over_and_over(
        lambda: command(config, *what),
        *(ROUNDS, broker, dice),
        before=(1.0, 4.0),
        after=(0.2, 2.0),
    )
    assert command(config, *what).wait(600) == 0
    return found


def written(servers: str, topic: str, path: Path) -> None:
    """Write what a read_committed consumer finds as lines of JSON which know their event."""
    with path.open("wb") as file:
        for record in committed(servers, [topic]):
            assert record.value is not None
            file.write(b'{"event_id": "%s", %s\n' % (record.event_id.encode(), record.value[1:]))


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
        sent = killed(config, broker, dice, "backfill", "--all", *days, "--to", kafka, prefix)
        loaded = killed(
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
