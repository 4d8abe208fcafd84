"""Stores to test with: an engine on SQLite and one on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from retail_datagen.store.database import open_database
from retail_datagen.store.ledger import Ledger
from services.postgres import mortal_postgres, postgres_server, postgres_url
from stores import OPENED, items, products

__all__ = ["mortal_postgres", "postgres_server", "postgres_url"]


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, once on each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    """An empty store, once on each database."""
    opened = open_database(store_url)
    yield opened
    opened.dispose()


@pytest.fixture
def small(engine: Engine) -> Ledger:
    """A store of three products with four items each, since OPENED."""
    ledger = Ledger(engine)
    assert ledger.add_products(products(3), OPENED).created == 3
    assert ledger.add_items(items([0, 1, 2] * 4), OPENED).created == 12
    return ledger
