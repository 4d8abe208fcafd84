"""Stores to simulate in, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from live_store import url_in
from sqlalchemy import Engine

from retail_datagen.store.database.engine import open_database
from services.kafka_broker import kafka, kafka_prefix
from services.postgres import postgres_server, postgres_url

__all__ = ["kafka", "kafka_prefix", "postgres_server", "postgres_url"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty store, on SQLite."""
    opened = open_database(url_in(tmp_path))
    yield opened
    opened.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, once on each database."""
    if request.param == "sqlite":
        return url_in(tmp_path)
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def any_engine(store_url: str) -> Iterator[Engine]:
    """An empty store, once on each database."""
    opened = open_database(store_url)
    yield opened
    opened.dispose()
