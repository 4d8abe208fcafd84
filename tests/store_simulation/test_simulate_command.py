"""`simulate` as people run it: what it prints, what it refuses, and what a kill leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from live_store import check_ledger, count, stock, url_in
from sqlalchemy import Engine

from published import published
from retail_datagen.config.errors import UserError
from retail_datagen.store import lease
from retail_datagen.store.database.engine import open_database
from stopping import allowed

ROOT = Path(__file__).parents[2]


def command(url: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "simulation.main", "--database-url", url, *options]


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}


def simulate(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    return published("main", "--database-url", url, *options)


def begin(url: str, *options: str) -> subprocess.Popen[str]:
    """Started, and simulating."""
    process = subprocess.Popen(
        command(url, *options),
        cwd=ROOT, env={**environment(), "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "items of" in line, line + process.stdout.read()
    return process


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with a thousand items."""
    engine = open_database(url_in(tmp_path))
    stock(engine, 1000)
    engine.dispose()
    return url_in(tmp_path)


def test_it_says_what_it_does_and_what_came_of_it(url: str) -> None:
    done = simulate(
        url, "--analytics", "--mode", "stress", "--disappearance", "0.05", "--duration", "150",
        "--snapshot-interval", "30", "--unpaced",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for words in (
        "1,000 items of 1,543 products, mode stress, speed 1, disappearance 0.05, seed 42",
        "bought", "snapshot:", "finished at", "snapshots: 5", "× real time",
    ):  # fmt: skip
        assert words in done.stdout
    engine = open_database(url)
    check_ledger(engine)
    engine.dispose()


def test_its_last_status_is_json_on_demand(url: str) -> None:
    done = simulate(url, "--mode", "demo", "--duration", "60", "--unpaced", "--json")
    status = json.loads(done.stdout)
    assert status["state"] == "finished"
    assert status["settings"]["mode"] == "demo"
    assert status["now"] - status["began"] == 60_000


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--speed", "7"], "speed: 7 is not allowed; give 0.5 to 5"),
        (["--mode", "wild"], "mode: 'wild' is not a mode; allowed: demo, realistic, stress"),
        (["--disappearance", "2"], "disappearance: 2 is not allowed; give 0 to 1"),
        (["--unpaced"], "unpaced: it needs --duration"),
        (["--api", "localhost:8000"], "leave --database-url out beside --api"),
    ],
)
def test_what_is_not_allowed_is_told(url: str, options: list[str], told: str) -> None:
    done = simulate(url, *options)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_not_there_is_told() -> None:
    done = published("main", "--api", "http://127.0.0.1:9")
    assert done.returncode == 2
    assert "http://127.0.0.1:9 cannot be reached" in done.stderr
    assert "retail-datagen serve" in done.stderr


def test_a_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = simulate(url_in(tmp_path))
    assert done.returncode == 2
    assert "inventory generate" in done.stderr


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_good_order(url: str, signum: signal.Signals) -> None:
    process = begin(url, "--mode", "stress", "--speed", "5")
    time.sleep(0.5)
    process.send_signal(signum)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "stopped at" in said
    engine = open_database(url)
    assert lease.current(engine) is None
    check_ledger(engine)
    engine.dispose()


def test_the_second_is_refused(url: str) -> None:
    first = begin(url, "--mode", "demo")
    second = simulate(url)
    first.terminate()
    first.communicate(timeout=120)
    assert second.returncode == 2
    assert f"another simulation runs in this store: simulate in process {first.pid} on " in (
        second.stderr
    )


@pytest.mark.timed
def test_a_kill_leaves_clean_books_and_a_lease_that_frees_itself(
    tmp_path: Path, postgres_url: str
) -> None:
    """On both databases, so that both leases run out within one wait."""
    killed = [kill_amid_sales(url) for url in (url_in(tmp_path), postgres_url)]
    for engine, at in killed:
        while lease.current(engine) is not None:
            assert time.monotonic() < at + lease.SECONDS + allowed(2)
            time.sleep(0.2)
        again = simulate(engine.url.render_as_string(False), "--duration", "10", "--unpaced")
        assert again.returncode == 0, again.stderr
        check_ledger(engine)
        engine.dispose()


def kill_amid_sales(url: str) -> tuple[Engine, float]:
    """Stock a store, simulate and kill that; the store, whose books are checked, and when."""
    engine = open_database(url)
    stock(engine, 1000)
    process = begin(
        url, "--analytics", "--mode", "stress", "--disappearance", "0.3", "--duration", "864000",
        "--snapshot-interval", "1", "--unpaced",
    )  # fmt: skip
    until = time.monotonic() + 240
    while count(engine, "purchase_events") < 50 and time.monotonic() < until:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    at = time.monotonic()
    with pytest.raises(UserError, match=rf"in process {process.pid} on .*, since 20.* if it was"):
        lease.acquire(engine, "somebody else")
    assert count(engine, "purchase_events") >= 50
    check_ledger(engine)
    return engine, at
