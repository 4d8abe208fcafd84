"""S3 for tests: a moto server in a process of its own, on a loopback port.

Import both fixtures into a conftest.py (`from services.moto_server import moto_server, s3_url`);
then a test that takes `s3_url` has an empty bucket of its own:

    def test_it(s3_url: str) -> None:
        store = open_store(s3_url)

RETAIL_TEST_S3 is the address of a server that runs already, such as http://127.0.0.1:9000.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.service import stop, unavailable

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test-only-key-id",
    "AWS_SECRET_ACCESS_KEY": "test-only-secret-key",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "DO_NOT_TRACK": "1",
}


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    """The address of an S3 server; one for each worker of the test run."""
    if running := os.environ.get("RETAIL_TEST_S3"):
        yield running.rstrip("/")
        return
    try:
        import moto.server  # noqa: F401
    except ImportError as error:
        unavailable(f"there is no S3 server: {error}; install the extra dev")
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("run_moto.py"))],
        env={**os.environ, **CREDENTIALS},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address:
            unavailable("the moto server ended before it listened")
        yield address
    finally:
        stop(process)


@pytest.fixture
def s3_url(moto_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a new bucket. The environment holds credentials and, for `open_store(url)` and
    for processes that the test starts, the endpoint: AWS_ENDPOINT_URL.
    """
    import boto3

    for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": moto_server}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    bucket = f"test-{uuid.uuid4().hex}"
    client = boto3.client("s3", endpoint_url=moto_server, region_name="us-east-1")
    client.create_bucket(Bucket=bucket)
    client.close()
    return f"s3://{bucket}/raw zone/lake"
