"""What somebody damages by hand in a store's database, `store verify` names."""

from __future__ import annotations

import shutil
import sqlite3
import time
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine, text

from retail_datagen.store.backfill import Backfill, backfill
from retail_datagen.store.catalogue import read_catalogue
from retail_datagen.store.database import open_database
from retail_datagen.store.generate import Direct, load_items, load_products
from retail_datagen.store.items import plan_inventory
from retail_datagen.store.ledger import Detections, Ledger
from stores import violations

TODAY = date(2024, 6, 20)
NOW = datetime(2024, 6, 20, 10)
HOUR = timedelta(hours=1)


def live(engine: Engine, items: int = 300) -> None:
    """A store with a past and a morning of simulation in which all kinds of things happened."""
    catalogue = read_catalogue()
    inventory = plan_inventory(catalogue, catalogue.of_templates([]), items)
    ledger = Ledger(engine)
    for load in (load_products, load_items):
        load(Direct(ledger, NOW), inventory, lambda _done, _total: None)
    backfill(engine, Backfill(3, "normal", today=TODAY))
    ledger.begin_run("simulation", {}, NOW)
    with engine.connect() as connection:
        query = text("SELECT id FROM inventory_items WHERE status = 'present' ORDER BY id")
        there = np.array(connection.scalars(query).all(), dtype=np.int64)
    ledger.see(Detections(there, NOW, there * -0.1, ["S"] * len(there), there * 1.0))
    ledger.snapshot(NOW + HOUR)
    ledger.sell(there[:4], NOW + 2 * HOUR, "B1")
    ledger.lose(there[4:6], NOW + 2 * HOUR, "stolen")
    ledger.bring_back(there[4:5], NOW + 3 * HOUR)
    ledger.restock([1, 2], NOW + 3 * HOUR)
    ledger.end_run(NOW + 4 * HOUR)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with nothing wrong."""
    file = tmp_path_factory.mktemp("whole") / "store.db"
    engine = open_database(f"sqlite:///{file}")
    live(engine)
    assert violations(engine) == []
    engine.dispose()
    return file


STOLEN = "(SELECT max(id) FROM inventory_items WHERE reason = 'stolen')"
BOUGHT = "(SELECT max(id) FROM purchase_events WHERE source = 'simulation')"
PAST = "(SELECT min(id) FROM purchase_events WHERE source = 'backfill')"
THERE = "(SELECT max(id) FROM inventory_items WHERE status = 'present' AND zone_id > 0)"
SEEN = "(SELECT max(id) FROM detections)"
FIRST = "(SELECT min(id) FROM stock_movements WHERE kind = 'initial')"
DAMAGES = [
    ("items_have_a_reason", f"UPDATE inventory_items SET reason = NULL WHERE id = {STOLEN}"),
    ("items_add_up", f"UPDATE inventory_items SET status = 'gone' WHERE id = {THERE}"),
    ("items_are_where_they_were_moved", "DELETE FROM stock_movements WHERE kind = 'adjustment'"),
    ("items_come_and_go_in_turn", "UPDATE stock_movements SET item_id = 2 WHERE kind = 'sale'"),
    (
        "items_left_as_they_were_moved",
        f"UPDATE inventory_items SET reason = 'moved' WHERE id = {STOLEN}",
    ),
    (
        "items_left_as_they_were_moved",
        "UPDATE stock_movements SET reason = 'lost' WHERE kind = 'loss'",
    ),
    ("items_arrive_once", f"UPDATE stock_movements SET kind = 'adjustment' WHERE id = {FIRST}"),
    ("items_arrive_once", "UPDATE stock_movements SET kind = 'restock' WHERE kind = 'adjustment'"),
    (
        "movements_are_of_their_item",
        f"UPDATE stock_movements SET product_id = 2 WHERE id = {FIRST}",
    ),
    ("movements_are_of_their_item", f"DELETE FROM inventory_items WHERE id = {STOLEN}"),
    ("purchases_are_sales", f"DELETE FROM purchase_events WHERE id = {BOUGHT}"),
    (
        "purchases_have_their_price",
        f"UPDATE purchase_events SET unit_price = NULL WHERE id = {PAST}",
    ),
    ("purchases_have_their_price", f"UPDATE purchase_events SET unit_price = -5 WHERE id = {PAST}"),
    (
        "purchases_have_their_price",
        f"UPDATE purchase_events SET unit_price = unit_price + 0.01 WHERE id = {BOUGHT}",
    ),
    (
        "purchases_have_their_price",
        f"UPDATE purchase_events SET source = 'receipt', unit_price = 20000 WHERE id = {PAST}",
    ),
    (
        "purchases_are_of_their_run",
        f"UPDATE purchase_events SET source = 'manual' WHERE id = {PAST}",
    ),
    ("purchases_are_of_their_run", f"UPDATE purchase_events SET run_id = 2 WHERE id = {PAST}"),
    ("purchases_are_of_their_run", f"UPDATE purchase_events SET run_id = NULL WHERE id = {PAST}"),
    ("runs_are_there", f"UPDATE purchase_events SET run_id = 99 WHERE id = {PAST}"),
    ("runs_are_there", "DELETE FROM runs"),
    ("levels_are_the_movements", "UPDATE stock_levels SET on_hand = 9 WHERE product_id = 1"),
    ("levels_are_the_items", "UPDATE stock_levels SET on_hand = 9 WHERE product_id = 1"),
    ("stock_is_of_products", "INSERT INTO stock_levels VALUES (99999, 0, '2024-06-20 10:00:00')"),
    ("stock_is_of_products", "UPDATE stock_snapshots SET product_id = 8888 WHERE product_id = 3"),
    ("stock_is_of_products", f"UPDATE inventory_items SET product_id = 8888 WHERE id = {THERE}"),
    (
        "stock_is_never_negative",
        "UPDATE stock_movements SET occurred_at = '2023-01-01 00:00:00.000000' WHERE kind = 'sale'",
    ),
    ("snapshots_are_the_ledger", "UPDATE stock_snapshots SET on_hand = 77 WHERE product_id = 3"),
    (
        "snapshots_are_all_there",
        "DELETE FROM stock_snapshots WHERE product_id = 5 "
        "AND taken_at = (SELECT min(taken_at) FROM stock_snapshots)",
    ),
    (
        "snapshots_are_all_there",
        "DELETE FROM stock_snapshots WHERE taken_at = (SELECT min(taken_at) FROM stock_snapshots)",
    ),
    (
        "snapshots_are_all_there",
        "DELETE FROM stock_snapshots WHERE taken_at = (SELECT max(taken_at) FROM stock_snapshots)",
    ),
    (
        "runs_keep_to_their_time",
        "UPDATE runs SET first_at = '2024-03-02 00:00:00.000000', "
        "last_at = '2024-03-03 00:00:00.000000' WHERE first_at IS NOT NULL",
    ),
    ("items_stand_in_zones", f"UPDATE inventory_items SET zone_id = 13 WHERE id = {THERE}"),
    ("items_stand_in_zones", f"UPDATE inventory_items SET zone_id = 99 WHERE id = {THERE}"),
    ("items_stand_in_zones", f"UPDATE inventory_items SET x_position = NULL WHERE id = {THERE}"),
    ("detections_are_of_items", f"UPDATE detections SET item_id = 99999 WHERE id = {SEEN}"),
    (
        "detections_are_of_items",
        f"UPDATE detections SET seen_at = '2999-01-01 00:00:00.000000' WHERE id = {SEEN}",
    ),
    (
        "detections_are_of_items",
        f"UPDATE detections SET seen_at = '2024-06-01 00:00:00.000000' WHERE id = {SEEN}",
    ),
    ("epcs_are_of_their_item", f"UPDATE inventory_items SET epc = '{'0' * 24}' WHERE id = {THERE}"),
    (
        "epcs_are_of_their_item",
        f"UPDATE inventory_items SET epc = substr(epc, 1, 20) || 'FFFF' WHERE id = {THERE}",
    ),
    (
        "epcs_are_of_their_item",
        "UPDATE inventory_items SET epc = substr(epc, 1, 13) || 'F' || substr(epc, 15) WHERE id = "
        "(SELECT max(id) FROM inventory_items GROUP BY product_id HAVING count(*) > 1 LIMIT 1)",
    ),
]


@pytest.mark.parametrize(("check", "damage"), DAMAGES)
def test_damage_is_named(whole: Path, tmp_path: Path, check: str, damage: str) -> None:
    file = tmp_path / "store.db"
    shutil.copy(whole, file)
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA ignore_check_constraints = ON")
        assert connection.execute(damage).rowcount > 0
    connection.close()
    engine = open_database(f"sqlite:///{file}")
    found = violations(engine)
    engine.dispose()
    assert check in found


def test_nothing_is_wrong_with_a_store_that_lives(engine: Engine) -> None:
    live(engine)
    assert violations(engine) == []


def test_prices_of_before_a_change_are_not_the_products(engine: Engine) -> None:
    live(engine)
    with engine.begin() as connection:
        change = "UPDATE products SET unit_price = unit_price + 1"
        connection.execute(text(change))
    assert violations(engine) == ["purchases_have_their_price"]
    with engine.begin() as connection:
        connection.execute(text("UPDATE products SET updated_at = :now"), {"now": NOW + 9 * HOUR})
    assert violations(engine) == []


@pytest.mark.parametrize("items", [20_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_a_large_store_is_proved_in_seconds(tmp_path: Path, items: int) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'large.db'}")
    live(engine, items)
    began = time.process_time()
    assert violations(engine) == []
    assert time.process_time() - began < items / 100_000 * 15
    engine.dispose()
