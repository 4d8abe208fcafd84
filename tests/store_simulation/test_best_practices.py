"""The published best practices, from nothing to live: each command, and clean books after it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from live_store import check_ledger, count
from test_simulate_command import environment

from published import published
from retail_datagen.cli.app import main
from retail_datagen.store.database.engine import open_database
from retail_datagen.store.where import URL_VARIABLE
from services.service import answers, free_port, stop

MONTH = pytest.param(30, marks=pytest.mark.soak)
TRUNCATE = """
  TRUNCATE TABLE inventory_items CASCADE;
  TRUNCATE TABLE products CASCADE;
  TRUNCATE TABLE purchase_events CASCADE;
  TRUNCATE TABLE stock_snapshots CASCADE;
"""
"""Published: how the database is cleared."""


@dataclass(frozen=True)
class Shop:
    """A store in a database; `through` is what commands are given to reach it."""

    url: str
    through: tuple[str, ...]

    def run(self, script: str, *options: str) -> str:
        """A published script; afterwards the books are clean. What it printed."""
        done = published(script, *self.through, *options)
        assert done.returncode == 0, done.stdout + done.stderr
        self.check()
        return done.stdout

    def check(self) -> None:
        engine = open_database(self.url)
        check_ledger(engine)
        engine.dispose()

    def count(self, table: str) -> int:
        engine = open_database(self.url)
        found = count(engine, table)
        engine.dispose()
        return found


@pytest.fixture
def shop(store_url: str) -> Shop:
    return Shop(store_url, ("--database-url", store_url))


@pytest.fixture
def served(store_url: str, tmp_path: Path) -> Iterator[Shop]:
    """A store behind a server, as after `docker compose up`."""
    pytest.importorskip("uvicorn", reason="the extra store is not installed")
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-c", "from retail_datagen.cli.app import main; main()", "serve",
         "--port", str(port)],
        cwd=tmp_path, env={**os.environ, **environment(), URL_VARIABLE: store_url},
        stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        assert answers(f"{address}/healthz", server, 60)
        yield Shop(store_url, ("--api", address))
    finally:
        stop(server)


@pytest.mark.parametrize("days", [2, MONTH])
@pytest.mark.parametrize(
    ("density", "mode"),
    [("sparse", "demo"), ("normal", "realistic"), ("dense", "stress"), ("extreme", "stress")],
)
def test_from_nothing_to_live(shop: Shop, density: str, mode: str, days: int) -> None:
    assert "Items created: 3000\n" in shop.run("generate_inventory", "--items", "3000")
    past = shop.run("backfill_history", "--days", str(days), "--density", density)
    a_day = {"sparse": 20, "normal": 50, "dense": 100, "extreme": 200}[density]
    assert f"{a_day * days:,} purchases" in past
    live = shop.run("main", "--analytics", "--mode", mode, "--unpaced", "--duration", "60")
    assert "finished at" in live
    assert shop.count("purchase_events") >= a_day * days


def test_through_a_server_and_again_after_a_reset(
    served: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for asks in ("cli.simulate_command", "store.remote_backfill"):
        monkeypatch.setattr(f"retail_datagen.{asks}._ASK_SECONDS", 0.1)
    for again in (False, True):
        assert "Items created: 3000\n" in served.run("generate_inventory", "--items", "3000")
        assert "200 purchases" in served.run(
            "backfill_history", "--days", "2", "--density", "dense"
        )
        live = served.run("main", "--analytics", "--speed", "5", "--duration", "5")
        assert "finished at" in live
        if not again:
            clear(served)
            assert served.count("inventory_items") == served.count("purchase_events") == 0


def clear(shop: Shop) -> None:
    """As published, on PostgreSQL; with our command elsewhere."""
    if shop.url.startswith("sqlite"):
        with pytest.raises(SystemExit) as ended:
            main(["store", "reset", "--yes", "--database-url", shop.url])
        assert not ended.value.code
        return
    engine = open_database(shop.url)
    with engine.begin() as connection:
        connection.exec_driver_sql(TRUNCATE)
    engine.dispose()


@pytest.mark.parametrize(
    ("items", "templates"),
    [
        (5000, ()),
        (10_000, ()),
        (2000, ("Running Shoes", "Training Shoes", "Basketball Shoes")),
        (1500, ("Dumbbells", "Yoga Mat", "Resistance Bands", "Foam Roller")),
        (3000, ("Athletic T-Shirt", "Athletic Shorts", "Hoodie", "Yoga Pants")),
    ],
)
def test_larger_stores_and_other_mixes(
    tmp_path: Path, items: int, templates: tuple[str, ...]
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    shop = Shop(url, ("--database-url", url))
    chosen = ("--templates", *templates) if templates else ()
    said = shop.run("generate_inventory", "--items", str(items), *chosen)
    assert f"Items created: {items}\n" in said
    assert shop.count("inventory_items") == items
