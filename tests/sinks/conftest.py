"""Servers, and the databases that every test of remembering sinks runs against."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from database_targets import Target, chdb, duckdb, postgresql, sqlite

from services.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url", "target"]


@pytest.fixture(params=["sqlite", "duckdb", "chdb", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Target]:
    """An empty database of each kind."""
    if request.param == "postgresql":
        made = postgresql(request.getfixturevalue("postgres_url"))
    else:
        made = {"sqlite": sqlite, "duckdb": duckdb, "chdb": chdb}[request.param](tmp_path)
    yield made
    made.close()
