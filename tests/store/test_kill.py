"""kill -9 in the middle of a load or a backfill, of who writes or of the database: books agree."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from retail_datagen.store.backfill import Backfill, backfill
from retail_datagen.store.catalogue import read_catalogue
from retail_datagen.store.database import models as m
from retail_datagen.store.database import open_database
from retail_datagen.store.generate import Direct, load_items, load_products
from retail_datagen.store.items import plan_inventory
from retail_datagen.store.ledger import Ledger
from services.postgres import Postgres
from stores import violations

LOAD = """
import sys
from retail_datagen.store.catalogue import read_catalogue
from retail_datagen.store.database import open_database
from retail_datagen.store.generate import Direct, load_items, load_products
from retail_datagen.store.items import plan_inventory
from retail_datagen.store.ledger import Ledger
catalogue = read_catalogue()
inventory = plan_inventory(catalogue, catalogue.of_templates([]), 3000)
target = Direct(Ledger(open_database(sys.argv[1])), batch=100)
tell = lambda done, total: print("products", done, flush=True)
load_products(target, inventory, tell)
load_items(target, inventory, lambda done, total: print("items", done, flush=True))
"""
BACKFILL = """
import sys
from retail_datagen.store.backfill import Backfill, backfill
from retail_datagen.store.database import open_database
tell = lambda doing, done, total: print(doing, done, flush=True)
backfill(open_database(sys.argv[1]), Backfill(8, "dense", replace=True), tell)
"""


def killed_at(script: str, url: str, line: str) -> None:
    """Run a script and kill it once it says so."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, url], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        said = next((one for one in process.stdout if one.strip() == line), None)
        process.kill()
    assert process.wait() == -signal.SIGKILL
    assert said, f"it ended before it said {line!r}"


def fill(engine: Engine, count: int = 3000) -> None:
    catalogue = read_catalogue()
    inventory = plan_inventory(catalogue, catalogue.of_templates([]), count)
    target = Direct(Ledger(engine))
    load_products(target, inventory, lambda _done, _total: None)
    load_items(target, inventory, lambda _done, _total: None)


def count(engine: Engine, column: object) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count(column))) or 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("line", ["products 800", "items 100", "items 1700"])
def test_a_killed_load_goes_on(store_url: str, line: str) -> None:
    killed_at(LOAD, store_url, line)
    engine = open_database(store_url)
    assert violations(engine) == []
    fill(engine)
    assert count(engine, m.products.c.id) == 1543
    assert count(engine, m.inventory_items.c.id) == 3000
    assert violations(engine) == []
    engine.dispose()


@pytest.mark.parametrize("line", ["days 4", "snapshots 3"])
def test_a_killed_backfill_leaves_what_was_there(store_url: str, line: str) -> None:
    engine = open_database(store_url)
    fill(engine)
    backfill(engine, Backfill(2, "sparse"))
    killed_at(BACKFILL, store_url, line)
    assert violations(engine) == []
    assert count(engine, m.purchase_events.c.id) == 40
    backfill(engine, Backfill(2, "normal", replace=True))
    assert count(engine, m.purchase_events.c.id) == 100
    assert violations(engine) == []
    engine.dispose()


@pytest.mark.parametrize(("script", "line"), [(LOAD, "items 1500"), (BACKFILL, "snapshots 3")])
def test_a_killed_database_has_what_was_committed(
    mortal_postgres: Postgres, script: str, line: str, tmp_path: Path
) -> None:
    url = mortal_postgres.url
    if script == BACKFILL:
        engine = open_database(url)
        fill(engine)
        engine.dispose()
    with (tmp_path / "said").open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", script, url], stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert process.stdout is not None
        with process.stdout:
            said = next((one for one in process.stdout if one.strip() == line), None)
            mortal_postgres.kill()
        assert process.wait(30) != 0
    assert said
    mortal_postgres.start()
    engine = open_database(url)
    assert violations(engine) == []
    if script == LOAD:
        assert count(engine, m.inventory_items.c.id) >= 1500
        fill(engine)
    assert count(engine, m.inventory_items.c.id) == 3000
    assert count(engine, m.purchase_events.c.id) == 0
    assert violations(engine) == []
    engine.dispose()
