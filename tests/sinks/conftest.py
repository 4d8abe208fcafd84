"""Servers, a broker that may come to harm, and the databases that remembering sinks run against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from database_targets import Target, chdb, clickhouse, duckdb, postgresql, sqlite

from services.clickhouse import clickhouse_server, clickhouse_url
from services.kafka_broker import Broker, kafka, kafka_prefix
from services.postgres import postgres_server, postgres_url

__all__ = [
    "clickhouse_server",
    "clickhouse_url",
    "fragile",
    "kafka",
    "kafka_prefix",
    "postgres_server",
    "postgres_url",
    "target",
]


@pytest.fixture(params=["sqlite", "duckdb", "chdb", "clickhouse", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """An empty database of each kind."""
    if request.param == "postgresql":
        made = postgresql(request.getfixturevalue("postgres_url"))
    elif request.param == "clickhouse":
        made = clickhouse(request.getfixturevalue("clickhouse_url"))
    else:
        made = {"sqlite": sqlite, "duckdb": duckdb, "chdb": chdb}[request.param](tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module")
def _own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = Broker(tmp_path_factory.mktemp("kafka"))
    yield broker
    broker.kill()


@pytest.fixture
def fragile(_own: Broker) -> Broker:
    """A broker that runs and may be killed, stopped and started."""
    if not _own.is_running:
        _own.start()
    return _own
