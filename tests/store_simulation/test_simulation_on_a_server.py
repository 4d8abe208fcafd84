"""`simulate --api`: the server simulates, and the command line starts it, follows it, stops it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from live_store import check_ledger, count, stock, url_in
from sqlalchemy import Engine
from test_simulate_command import ROOT, environment

from published import published
from retail_datagen.config.errors import UserError
from retail_datagen.store import lease
from retail_datagen.store.database.engine import open_database
from retail_datagen.store.http import StoreClient
from retail_datagen.store.remote_run import RemoteRun
from retail_datagen.store.simulation.settings import Settings
from services.service import answers, free_port, stop

KEY = "a key of the test's"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A store with a thousand items."""
    opened = open_database(url_in(tmp_path_factory.mktemp("served")))
    stock(opened, 1000)
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def address(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of that store, which wants a key."""
    pytest.importorskip("uvicorn", reason="the extra store is not installed")
    port = free_port()
    served = subprocess.Popen(
        [sys.executable, "-c", "from retail_datagen.cli.app import main; main()", "serve",
         "--port", str(port), "--database-url", str(engine.url), "--api-key", KEY],
        cwd=tmp_path_factory.mktemp("server"), env=environment(), stdout=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    try:
        assert answers(f"http://127.0.0.1:{port}/healthz", served)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(served)


def command(address: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "simulation.main", "--api", address, *options]


def with_key() -> dict[str, str]:
    return {**environment(), "STORE_API_KEY": KEY, "PYTHONUNBUFFERED": "1"}


def test_it_is_followed_to_its_end(address: str, engine: Engine) -> None:
    items = count(engine, "inventory_items", status="present")
    done = published(
        "main", "--api", address, "--mode", "stress", "--speed", "5", "--duration", "10",
        "--analytics", "--snapshot-interval", "5", "--disappearance", "0.1", STORE_API_KEY=KEY,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"{address} simulates: mode stress, speed 5, disappearance 0.1" in done.stdout
    assert done.stdout.count(f"snapshot: {items:,} items") == 2
    assert re.search(r"^finished at .*sold \d+", done.stdout, re.MULTILINE), done.stdout
    check_ledger(engine)


def test_it_is_stopped_by_ctrl_c_and_refused_twice(address: str, engine: Engine) -> None:
    first = subprocess.Popen(
        command(address, "--mode", "demo", "--json"),
        cwd=ROOT, env=with_key(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with StoreClient(address, KEY) as server:
        run = RemoteRun(server)
        while run.status()["state"] != "running":
            assert first.poll() is None
        with pytest.raises(UserError, match="409: a simulation runs already"):
            run.start(Settings("demo"))
        here = published("main", "--database-url", str(engine.url))
        assert "another simulation runs in this store: the store's service" in here.stderr
        first.send_signal(signal.SIGINT)
        said, told = first.communicate(timeout=240)
        assert first.returncode == 0, told
        assert json.loads(said)["state"] == "stopped"
        assert run.status()["state"] == "stopped"
    assert lease.current(engine) is None


def test_without_the_key_it_says_so(address: str) -> None:
    done = published("main", "--api", address)
    assert done.returncode == 2
    assert "401" in done.stderr
    assert "give the key with --api-key" in done.stderr
