"""Opening a store's database: its tables, URLs that are none, several at once; its lease."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from retail_datagen.config.errors import UserError
from retail_datagen.store import lease
from retail_datagen.store.database import open_database, shown_url
from retail_datagen.store.database.migrate import HEAD, revision
from retail_datagen.store.database.models import jobs, metadata
from retail_datagen.store.floor import FLOOR
from retail_datagen.store.ledger import Ledger
from retail_datagen.store.reset import count_rows, reset_store
from stores import violations


def test_revisions_make_the_tables_that_are_declared(engine: Engine) -> None:
    assert revision(engine) == HEAD
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert connection.scalar(text("SELECT count(*) FROM zones")) == len(FLOOR.zones)
    assert violations(engine) == []


def test_the_published_indexes_are_there(engine: Engine) -> None:
    found = inspect(engine)
    unique = {
        (table, tuple(one["column_names"]))
        for table in ("products", "inventory_items")
        for one in found.get_unique_constraints(table)
    }
    assert {("products", ("sku",)), ("inventory_items", ("rfid_tag",))} <= unique
    leading = {one["column_names"][0] for one in found.get_indexes("inventory_items")}
    assert "product_id" in leading


def test_whoever_opens_first_makes_the_tables(store_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: open_database(store_url), range(4)))
    for one in opened:
        assert violations(one) == []
        one.dispose()


def test_a_later_version_is_refused(store_url: str) -> None:
    engine = open_database(store_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(UserError, match="of another version"):
        open_database(store_url)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("nonsense", "database-url: this is not a URL; allowed: postgresql://"),
        ("mysql://root:secret@h/x", "database-url: 'mysql' is not a database of the store"),
        ("sqlite:///no/such/store.db", "there is no store in no/such/store.db; make one with"),
        ("postgresql://u:secret@127.0.0.1:1/x", "postgresql://u:***@127.0.0.1:1/x does not let"),
        ("postgresql://127.0.0.1:1/x?user=u&password=secret", "/x?password=***&user=u does not"),
        ("postgresql://u:pw@secret@127.0.0.1:1/x", "write %40 for @"),
        ("postgresql://u:pw@se/cret@127.0.0.1:1/x", "write %40 for @"),
        ("postgresql://u:secret@127.0.0.1:none/x", "database-url: its port is no number; allowed"),
        ("sqlite:///pyproject.toml?timeout=soon", "pyproject.toml?timeout=soon has a value that"),
    ],
)
def test_what_cannot_be_opened(url: str, told: str) -> None:
    with pytest.raises(UserError) as error:
        open_database(url, create=False)
    assert told in str(error.value)
    assert "secret" not in str(error.value)
    assert "cret@" not in str(error.value)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    file.write_text("this is a letter " * 100)
    with pytest.raises(UserError, match="cannot be used as a store"):
        open_database(f"sqlite:///{file}")


def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE products (id INTEGER)")
    with pytest.raises(UserError, match="cannot be used as a store"):
        open_database(f"sqlite:///{file}")
    with sqlite3.connect(file) as connection:
        names = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert names == [("products",)]


def test_passwords_are_not_shown(store_url: str) -> None:
    engine = open_database(store_url)
    shown = shown_url(engine)
    engine.dispose()
    assert shown.startswith(("sqlite:///", "postgresql://"))
    assert "psycopg" not in shown


def test_one_simulation_at_a_time(engine: Engine) -> None:
    lease.acquire(engine, "one, process 1")
    lease.acquire(engine, "one, process 1")
    with pytest.raises(UserError, match="another simulation runs in this store: one, process 1"):
        lease.acquire(engine, "two, process 2")
    lease.renew(engine, "one, process 1")
    with pytest.raises(lease.LeaseLost):
        lease.renew(engine, "two, process 2")
    with pytest.raises(UserError, match="stop it first"):
        reset_store(engine)
    lease.release(engine, "two, process 2")
    assert (holder := lease.current(engine))
    assert holder.name == "one, process 1"
    lease.release(engine, "one, process 1")
    assert lease.current(engine) is None


def test_a_lease_ends_by_itself(engine: Engine) -> None:
    lease.acquire(engine, "killed", seconds=0.2)
    time.sleep(0.3)
    assert lease.current(engine) is None
    with pytest.raises(lease.LeaseLost):
        lease.renew(engine, "killed")
    lease.acquire(engine, "next")


def test_reset_empties_everything(small: Ledger) -> None:
    small.begin_run("simulation", {})
    small.sell([1, 2])
    small.restock([1])
    small.snapshot()
    assert count_rows(small.engine)["inventory_items"] == 13
    reset_store(small.engine)
    assert count_rows(small.engine) == {}
    with small.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM zones")) == len(FLOOR.zones)
    assert violations(small.engine) == []


def test_tables_of_an_earlier_version_are_altered(store_url: str) -> None:
    engine = open_database(store_url)
    Ledger(engine).begin_run("simulation", {})
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE runs DROP COLUMN snapshots"))
        connection.execute(text("ALTER TABLE jobs DROP COLUMN server"))
        connection.execute(
            text("ALTER TABLE jobs ADD COLUMN cancel_requested BOOLEAN DEFAULT false NOT NULL")
        )
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    engine.dispose()
    engine = open_database(store_url)
    assert revision(engine) == HEAD
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT snapshots FROM runs")).all() == [0]
    there = {column["name"] for column in inspect(engine).get_columns("jobs")}
    assert there == set(jobs.c.keys())
    assert violations(engine) == []
    engine.dispose()
