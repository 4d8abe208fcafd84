"""What a simulation sends to topics: the books' own sales and movements, to any target."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from live_store import check_ledger, stock, url_in
from sqlalchemy import Engine, text
from test_simulate_command import environment

from published import published
from retail_datagen.config.errors import UserError
from retail_datagen.sinks import StreamOptions
from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.memory import MemorySink
from retail_datagen.store.database.engine import open_database
from retail_datagen.store.live import start_simulation
from retail_datagen.store.simulation.settings import Settings
from retail_datagen.store.where import URL_VARIABLE
from retail_datagen.streaming.outbox import Outbox, goods_of, run_of, sending
from retail_datagen.streaming.simulated import StoreEvents
from services.kafka_broker import Address
from services.kafka_reader import committed
from services.service import answers, free_port, stop, until

BUSY = Settings("stress", disappearance=0.05, duration=600, snapshot_interval=300, analytics=True)
SALES, UPDATES = "retail_sales_transactions", "retail_inventory_updates"
ALERTS, PEOPLE = "retail_restock_alerts", "retail_customer_events"
STORE = 7
OPTIONS = ("--analytics", "--mode", "stress", "--disappearance", "0.05", "--duration", "150")


def simulated(engine: Engine, open_sinks: Callable[[], Any]) -> None:
    """Busy minutes of a store with a thousand items."""
    stock(engine, 1000)
    outbox = Outbox(StoreEvents(goods_of(engine), run_of(engine), STORE), open_sinks)
    run = start_simulation(engine, BUSY, (outbox,), paced=False)
    assert run.wait(600)
    run.raise_if_failed()
    outbox.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The store that `rows` is about, afterwards."""
    opened = open_database(url_in(tmp_path_factory.mktemp("told")))
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def rows(told: Engine) -> dict[str, list[dict[str, Any]]]:
    """What was sent, by table."""
    sink = MemorySink()

    @contextmanager
    def opened() -> Iterator[list[MemorySink]]:
        yield [sink]

    simulated(told, opened)
    found: dict[str, list[dict[str, Any]]] = {}
    ids: list[str] = []
    for event in sink.events:
        found.setdefault(event.table.name, []).extend(event.rows.to_pylist())
        ids += event.event_id.to_pylist()
    assert len(set(ids)) == len(ids)
    return found


def test_sales_are_the_purchases_of_the_books(
    told: Engine, rows: dict[str, list[dict[str, Any]]]
) -> None:
    with told.connect() as connection:
        bought = connection.execute(
            text(
                "select basket_id, sku, count(*), sum(round(e.unit_price * 100)) "
                "from purchase_events e join products p on p.id = e.product_id group by 1, 2"
            )
        ).all()
    sold = {(r["transaction_id"], r["product_id"]): r for r in rows[SALES]}
    assert len(sold) == len(rows[SALES]) == len(bought) > 50
    for basket, sku, units, cents in bought:
        row = sold[basket, sku]
        assert (row["quantity"], row["total_amount"] * 100) == (units, cents)
        assert row["unit_price"] * row["quantity"] == row["total_amount"]
        assert row["store_id"] == STORE
    assert len({row["payment_method"] for row in rows[SALES]}) > 2
    baskets: dict[str, set[str]] = {}
    for row in rows[SALES]:
        baskets.setdefault(row["transaction_id"], set()).add(row["payment_method"])
    assert {len(paid) for paid in baskets.values()} == {1}


def test_every_sale_has_its_update_and_updates_add_up_to_the_stock(
    told: Engine, rows: dict[str, list[dict[str, Any]]]
) -> None:
    updates = rows[UPDATES]
    of_sale = {(r["reference_id"], r["product_id"]): r for r in updates if r["reason"] == "sale"}
    assert {
        (r["transaction_id"], r["product_id"], -r["quantity"], r["timestamp"]) for r in rows[SALES]
    } == {(*key, r["quantity_change"], r["timestamp"]) for key, r in of_sale.items()}
    assert {row["reason"] for row in updates} == {"sale", "receipt", "theft"}
    last: dict[str, int] = {}
    for row in updates:
        if row["product_id"] in last:
            assert row["on_hand"] == last[row["product_id"]] + row["quantity_change"]
        last[row["product_id"]] = row["on_hand"]
    with told.connect() as connection:
        levels = connection.execute(
            text("select sku, on_hand from stock_levels l join products p on p.id = l.product_id")
        ).all()
    assert {sku: units for sku, units in levels if sku in last} == last


def test_alerts_come_once_when_a_product_falls_below_its_threshold(
    rows: dict[str, list[dict[str, Any]]],
) -> None:
    assert rows[ALERTS]
    for row in rows[ALERTS]:
        assert row["on_hand"] < row["reorder_point"]
        assert row["recommended_quantity"] >= 1
        assert row["priority"] == ("HIGH" if row["on_hand"] else "URGENT")


def test_shoppers_enter_walk_and_leave(rows: dict[str, list[dict[str, Any]]]) -> None:
    walks: dict[int, list[str]] = {}
    for row in rows[PEOPLE]:
        walks.setdefault(row["customer_id"], []).append(row["action"])
    assert len(walks) > 50
    for actions in walks.values():
        assert actions[0] == "enter"
        assert set(actions[1:-1]) <= {"zone change"}
        assert actions.count("leave") <= 1
    assert sum(actions[-1] == "leave" for actions in walks.values()) > 30


def test_a_target_that_fails_ends_the_simulation_and_the_books_are_whole(engine: Engine) -> None:
    class Full(MemorySink):
        def commit(self) -> None:
            raise SinkError("the disk is full")

    @contextmanager
    def opened() -> Iterator[list[Full]]:
        yield [Full()]

    with pytest.raises(UserError, match="the disk is full"):
        simulated(engine, opened)
    check_ledger(engine)


def test_a_target_that_takes_nothing_does_not_hold_up_the_end(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stuck(MemorySink):
        def commit(self) -> None:
            stuck.set()
            released.wait(600)

    @contextmanager
    def opened() -> Iterator[list[Stuck]]:
        yield [Stuck()]

    stuck, released = threading.Event(), threading.Event()
    monkeypatch.setattr("retail_datagen.streaming.outbox._WAITING", 3)
    monkeypatch.setattr("retail_datagen.streaming.outbox._LAST_WORDS_SECONDS", 1.0)
    stock(engine, 100)
    outbox = Outbox(StoreEvents(goods_of(engine), run_of(engine), STORE), opened)
    run = start_simulation(engine, replace(BUSY, duration=None), (outbox,), paced=False)
    # What came before is taken; then as much waits as may, and the simulation with it.
    assert stuck.wait(120)
    until(outbox._waiting.full)
    assert not run.wait(1)
    with pytest.raises(UserError, match="the target takes nothing; 3 happenings"):
        outbox.close()
    released.set()
    run.stop()
    check_ledger(engine)


def test_a_target_that_cannot_be_opened_is_told_before_anything_happens(engine: Engine) -> None:
    with (
        pytest.raises(UserError, match="carrier-pigeon"),
        sending(("carrier-pigeon:home",), StreamOptions(), engine, 1),
    ):
        pytest.fail("it was opened")


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with a thousand items."""
    engine = open_database(url_in(tmp_path))
    stock(engine, 1000)
    engine.dispose()
    return url_in(tmp_path)


def live(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Two busy minutes by the command."""
    return published("main", "--database-url", url, *OPTIONS, "--unpaced", *options)


def test_the_command_sends_to_several_targets(url: str, tmp_path: Path) -> None:
    lines, database = tmp_path / "events", tmp_path / "events.db"
    done = live(url, "--to", f"jsonl:{lines}", "--to", f"sqlite:///{database}")
    assert done.returncode == 0, done.stderr
    sold = int(done.stdout.split(" items sold")[0].split()[-1].replace(",", ""))
    connection = sqlite3.connect(database)
    assert connection.execute(f"select sum(quantity) from {SALES}").fetchone() == (sold,)
    connection.close()
    told = [json.loads(line) for line in lines.read_text().splitlines()]
    sales = [row for row in told if row["event_type"] == "sale"]
    assert sum(int(row["quantity"]) for row in sales) == sold > 0


def test_twice_into_one_target_gives_every_identifier_once(url: str, tmp_path: Path) -> None:
    database = tmp_path / "events.db"
    for _ in range(2):
        done = live(url, "--to", f"sqlite:///{database}")
        assert done.returncode == 0, done.stderr
    connection = sqlite3.connect(database)
    for table, key in ((SALES, "event_id"), (UPDATES, "update_id"), (PEOPLE, "event_id")):
        rows, ids = connection.execute(f"select count(*), count(distinct {key}) from {table}"
                                       ).fetchone()  # fmt: skip
        assert rows == ids > 0
    connection.close()


def test_a_server_sends_what_its_simulation_does(
    url: str, tmp_path: Path, kafka: Address, kafka_prefix: str
) -> None:
    pytest.importorskip("uvicorn", reason="the extra store is not installed")
    port = free_port()
    served = subprocess.Popen(
        [sys.executable, "-c", "from retail_datagen.cli.app import main; main()", "serve",
         "--port", str(port), "--to", f"kafka://{kafka.servers}", "--store-id", str(STORE),
         "--topic-prefix", kafka_prefix],
        cwd=tmp_path, env={**environment(), URL_VARIABLE: url}, stdout=subprocess.DEVNULL,
        text=True,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    topic = f"{kafka_prefix}retail-sales-transactions"
    try:
        assert answers(f"{address}/healthz", served)
        done = published(
            "main", "--api", address, "--mode", "stress", "--speed", "5",
            "--disappearance", "0.3", "--seed", "3", "--duration", "45", "--json",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        sold = json.loads(done.stdout)["counts"]["sold"]
        deadline = time.monotonic() + 240
        found: list[dict[str, Any]] = []
        while sum(int(row["quantity"]) for row in found) < sold and time.monotonic() < deadline:
            time.sleep(0.5)
            found = [record.json() for record in committed(kafka.servers, [topic])]
    finally:
        stop(served)
    assert sum(int(row["quantity"]) for row in found) == sold > 0
    assert {row["store_id"] for row in found} == {STORE}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--to", "jsonl:-"], "to: a server's simulation sends where `serve --to` says"),
        (["--unpaced", "--duration", "5"], "unpaced: a server keeps to real time"),
        (["--store-id", "3"], "store-id: it is the store's number in what --to sends"),
        (["--topic-prefix", "x-"], "topic-prefix: --topic-prefix is about Kafka"),
    ],
)
def test_what_only_a_server_can_do_is_not_asked_of_one(options: list[str], told: str) -> None:
    done = published("main", "--api", "http://127.0.0.1:9", *options)
    assert done.returncode == 2
    assert told in done.stderr
