"""kill -9 in the middle of a load or a backfill, of who writes or of the database: books agree."""

from __future__ import annotations

import signal

import pytest
from sqlalchemy import Engine, func, select
from writers import Work, begin, load, reaches, replace_past

from retail_datagen.store.backfill import Backfill, backfill
from retail_datagen.store.catalogue import read_catalogue
from retail_datagen.store.database import models as m
from retail_datagen.store.database import open_database
from retail_datagen.store.generate import Direct, load_items, load_products
from retail_datagen.store.items import plan_inventory
from retail_datagen.store.ledger import Ledger
from services.postgres import Postgres
from stores import violations


def killed_at(work: Work, url: str, line: str) -> None:
    """Begin it, and kill it once it says so."""
    process, told = begin(work, url)
    reaches(line, told)
    process.kill()
    process.join()
    told.close()
    assert process.exitcode == -signal.SIGKILL


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
    killed_at(load, store_url, line)
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
    killed_at(replace_past, store_url, line)
    assert violations(engine) == []
    assert count(engine, m.purchase_events.c.id) == 40
    backfill(engine, Backfill(2, "normal", replace=True))
    assert count(engine, m.purchase_events.c.id) == 100
    assert violations(engine) == []
    engine.dispose()


@pytest.mark.parametrize(("work", "line"), [(load, "items 1500"), (replace_past, "snapshots 3")])
def test_a_killed_database_has_what_was_committed(
    mortal_postgres: Postgres, work: Work, line: str
) -> None:
    url = mortal_postgres.url
    if work is replace_past:
        engine = open_database(url)
        fill(engine)
        engine.dispose()
    process, told = begin(work, url)
    reaches(line, told)
    mortal_postgres.kill()
    process.join(30)
    told.close()
    assert process.exitcode not in (None, 0)
    mortal_postgres.start()
    engine = open_database(url)
    assert violations(engine) == []
    if work is load:
        assert count(engine, m.inventory_items.c.id) >= 1500
        fill(engine)
    assert count(engine, m.inventory_items.c.id) == 3000
    assert count(engine, m.purchase_events.c.id) == 0
    assert violations(engine) == []
    engine.dispose()
