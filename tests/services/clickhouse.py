"""ClickHouse for tests, over HTTP: a server that runs already, else its engine behind our line.

Import both fixtures into a conftest.py (`from services.clickhouse import clickhouse_server,
clickhouse_url`); then a test that takes `clickhouse_url` has an empty database of its own.

RETAIL_TEST_CLICKHOUSE is the URL of a server, such as clickhouse://default:secret@127.0.0.1:8123.
No package brings one, so that else `run_clickhouse.py` serves the embedded engine (chdb), which is
the same, to the same driver.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from retail_datagen.sinks.clickhouse_client import ClickHouse, address_of
from services.service import stop, unavailable

_PASSWORD = "t0p secret"
PASSWORD_IN_URL = "t0p%20secret"


@pytest.fixture(scope="session")
def clickhouse_server() -> Iterator[str]:
    """The URL of a server, without a database; one for each worker of the test run."""
    if running := os.environ.get("RETAIL_TEST_CLICKHOUSE"):
        yield running.rstrip("/")
        return
    with engine_behind_our_line() as url:
        yield url


@contextmanager
def engine_behind_our_line(port: int = 0) -> Iterator[str]:
    """The URL of a server of our own, on that port or on a free one."""
    try:
        import chdb  # noqa: F401
        import clickhouse_connect  # noqa: F401
    except ImportError as error:
        unavailable(f"there is no ClickHouse: {error}; install the extra clickhouse")
    script = str(Path(__file__).with_name("run_clickhouse.py"))
    with tempfile.TemporaryDirectory(prefix="clickhouse-") as folder:
        process = subprocess.Popen(
            [sys.executable, script, folder, _PASSWORD, str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            listens = process.stdout.readline().strip()
            yield f"clickhouse://default:{PASSWORD_IN_URL}@127.0.0.1:{listens}"
        finally:
            stop(process)


@pytest.fixture
def clickhouse_url(clickhouse_server: str) -> Iterator[str]:
    """The URL of a new database, which goes with the test."""
    name = f"test_{uuid.uuid4().hex}"
    with closing(ClickHouse(replace(address_of(clickhouse_server), database="default"))) as server:
        server.run(f"CREATE DATABASE {name}")
        yield f"{clickhouse_server}/{name}"
        server.run(f"DROP DATABASE {name}")
