"""Google Cloud Storage for tests: fake-gcs-server, built by Go once and kept in the user's cache.

Import both fixtures into a conftest.py (`from services.gcs_server import gcs_server, gcs_url`);
then a test that takes `gcs_url` has an empty bucket of its own:

    def test_it(gcs_url: str) -> None:
        store = open_store(gcs_url)

RETAIL_TEST_GCS is the address of a server that runs already, such as http://127.0.0.1:4443.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.service import answers, cache_folder, free_port, stop, unavailable

_VERSION = "v1.52.3"
_MODULE = f"github.com/fsouza/fake-gcs-server@{_VERSION}"
_NAME = "fake-gcs-server"
_TRIES = 5
_BUILD_SECONDS = 900


@pytest.fixture(scope="session")
def gcs_server() -> Iterator[str]:
    """The address of a server; one for each worker of the test run."""
    if running := os.environ.get("RETAIL_TEST_GCS"):
        yield running.rstrip("/")
        return
    program = _installed()
    for _ in range(_TRIES):
        address = f"127.0.0.1:{(port := free_port())}"
        options = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
        options += ["-public-host", address, "-backend", "memory", "-log-level", "error"]
        process = subprocess.Popen(
            [program, *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            if answers(f"http://{address}/storage/v1/b?project=test", process):
                yield f"http://{address}"
                return
        finally:
            stop(process)
    unavailable(f"{_NAME} did not begin to listen")


@pytest.fixture
def gcs_url(gcs_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a new bucket. The environment holds the endpoint, for `open_store(url)` and for
    processes that the test starts: STORAGE_EMULATOR_HOST.
    """
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    bucket = f"test-{uuid.uuid4().hex}"
    request = urllib.request.Request(
        f"{gcs_server}/storage/v1/b?project=test",
        data=json.dumps({"name": bucket}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()
    return f"gs://{bucket}/raw zone/lake"


def _installed() -> Path:
    """The program, built if it is not there yet. Other workers wait meanwhile."""
    folder = cache_folder() / f"{_NAME}-{_VERSION}"
    program = folder / _NAME
    if program.exists():
        return program
    go = shutil.which("go")
    if go is None:
        unavailable(f"there is no {_NAME}: it takes Go to build it; or set RETAIL_TEST_GCS")
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program.exists():
            return program
        with tempfile.TemporaryDirectory(dir=folder) as built:
            done = subprocess.run(
                [go, "install", _MODULE],
                env={**os.environ, "GOBIN": built, "GOFLAGS": "-mod=mod"},
                capture_output=True,
                text=True,
                check=False,
                timeout=_BUILD_SECONDS,
            )
            if done.returncode:
                unavailable(f"{_NAME} could not be built: {done.stderr.strip()[-300:]}")
            os.replace(Path(built, _NAME), program)
    return program
