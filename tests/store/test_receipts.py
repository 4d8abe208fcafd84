"""Store N of a generated retailer as a store of single items: its totals are those of the facts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

import duckdb
import pytest
from sqlalchemy import Engine, delete, func, select

from retail_datagen.cli.app import main
from retail_datagen.config.errors import UserError
from retail_datagen.config.models import Calendar, Paths, RetailConfig, Volume
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.retail import RetailSource
from retail_datagen.store.database import models as m
from retail_datagen.store.database import open_database
from retail_datagen.store.facts import StoreFacts, read_store
from retail_datagen.store.generate import Direct, load_items, load_products
from retail_datagen.store.ledger import Ledger
from retail_datagen.store.receipts import backfill_receipts, inventory_of
from retail_datagen.store.reset import count_rows
from retail_datagen.store.runs import Replaced
from services.service import answers, free_port, stop
from stores import items, violations

FIRST, LAST, DAYS = date(2024, 3, 4), date(2024, 3, 10), 7
STORE = 2


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Makes a week of a small retailer, once in each format."""
    return cache(lambda form: week_in(tmp_path_factory.mktemp("retailer"), form))


@pytest.fixture(params=["csv", "parquet"])
def either(request: pytest.FixtureRequest, made: Callable[[str], Path]) -> Path:
    """The week in each format, for what reads its values."""
    return made(request.param)


@pytest.fixture
def folder(made: Callable[[str], Path]) -> Path:
    """The week in one format, for what the store does with it."""
    return made("parquet")


def week_in(root: Path, form: str) -> Path:
    config = RetailConfig(
        profile="sporting-goods",
        volume=Volume(
            stores=3,
            dcs=1,
            customers_per_day=150,
            online_orders_per_day=30,
            customers=900,
            products=120,
        ),
        paths=Paths(dict=Path("no-such-folder"), master=root / "master", facts=root / "facts"),
        calendar=Calendar(first=date(2023, 1, 1), last=date(2025, 12, 31)),
    )
    request_ = JobRequest(
        source=RetailSource(config),
        target=str(root / "facts"),
        facts=root / "facts",
        first_day=to_day(FIRST),
        last_day=to_day(LAST),
        format=form,
        workers=1,
    )
    run_job(request_)
    return root / "facts"


@pytest.fixture
def light() -> Iterator[Engine]:
    engine = open_database("sqlite://")
    yield engine
    engine.dispose()


def fill(engine: Engine, facts: StoreFacts) -> None:
    target = Direct(Ledger(engine), facts.end)
    inventory = inventory_of(facts)
    load_products(target, inventory, lambda _done, _total: None)
    load_items(target, inventory, lambda _done, _total: None)


def facts_say(folder: Path, query: str) -> list[tuple[object, ...]]:
    """A query over the files themselves; {table} stands for one."""
    form = "csv" if list(folder.glob("receipts/*/*.csv")) else "parquet"
    reader = "read_csv" if form == "csv" else "read_parquet"
    names = ("receipts", "receipt_lines", "store_inventory_txn")
    sources = {n: f"{reader}('{folder}/{n}/*/*.{form}', hive_partitioning=false)" for n in names}
    found: list[tuple[object, ...]] = duckdb.sql(query.format(**sources)).fetchall()
    return found


def store_says(engine: Engine, *columns: object, group: bool = True) -> list[tuple[object, ...]]:
    asked = select(*columns)  # type: ignore[call-overload]
    with engine.connect() as connection:
        asked = asked.select_from(m.purchase_events.join(m.products))
        if group:
            asked = asked.group_by(columns[0]).order_by(columns[0])
        return [tuple(row) for row in connection.execute(asked)]


def test_totals_are_those_of_the_facts(light: Engine, either: Path) -> None:
    facts = read_store(either, STORE)
    assert (facts.first, facts.end) == (datetime(2024, 3, 4), datetime(2024, 3, 11))
    fill(light, facts)
    assert violations(light) == []
    summary = backfill_receipts(light, facts, 4, replace=False)
    assert violations(light) == []
    purchase = m.purchase_events.c
    lines = "FROM {receipt_lines} l JOIN {receipts} r USING (ReceiptId) WHERE r.StoreID = 2"
    sums = "sum(Qty)::INT, sum(ExtPrice::DECIMAL(12, 2))"
    by_product = facts_say(
        either,
        f"SELECT ProductID, {sums} {lines} GROUP BY 1 ORDER BY 1",
    )
    sku = dict(zip(facts.product_id.tolist(), facts.sku, strict=True))
    found = store_says(light, m.products.c.sku, func.count(), func.sum(purchase.unit_price))
    assert found == sorted((sku[p], n, t) for p, n, t in by_product)  # type: ignore[index]
    baskets = store_says(light, purchase.basket_id, func.count(), func.sum(purchase.unit_price))
    receipts = facts_say(
        either,
        f"SELECT ReceiptId, {sums} {lines} GROUP BY 1 ORDER BY 1",
    )
    assert baskets == [(r, n, t) for r, n, t in receipts]
    assert summary.purchases == sum(n for _, n, _ in by_product)  # type: ignore[misc]
    stock = facts_say(
        either,
        "SELECT ProductID, sum(QtyDelta)::INT FROM {store_inventory_txn} WHERE StoreID = 2 "
        "GROUP BY 1 ORDER BY 1",
    )
    with light.connect() as connection:
        levels = connection.execute(
            select(m.products.c.sku, m.stock_levels.c.on_hand)
            .join(m.stock_levels)
            .order_by(m.products.c.id)
        ).all()
    assert [tuple(row) for row in levels] == [(sku[p], n) for p, n in stock]  # type: ignore[index]


def test_stock_at_any_midnight_is_that_of_the_facts(light: Engine, either: Path) -> None:
    facts = read_store(either, STORE)
    fill(light, facts)
    backfill_receipts(light, facts, 1, replace=False)
    # A snapshot at midnight has what happened at midnight itself, which is the opening stock.
    stock = facts_say(
        either,
        "SELECT d, sum(QtyDelta)::INT FROM {store_inventory_txn}, "
        "generate_series(TIMESTAMP '2024-03-04', TIMESTAMP '2024-03-10', INTERVAL 1 DAY) AS s(d) "
        "WHERE StoreID = 2 AND EventTS <= d GROUP BY 1 ORDER BY 1",
    )
    taken = m.stock_snapshots.c
    with light.connect() as connection:
        found = connection.execute(
            select(taken.taken_at, func.sum(taken.on_hand))
            .group_by(taken.taken_at)
            .order_by(taken.taken_at)
        ).all()
    assert [tuple(row) for row in found] == stock
    assert len(found) == DAYS


def test_twice_is_refused_or_replaced(light: Engine, folder: Path) -> None:
    facts = read_store(folder, STORE)
    fill(light, facts)
    first = backfill_receipts(light, facts, 2, replace=False)
    with pytest.raises(UserError, match="has a past already; give --replace"):
        backfill_receipts(light, facts, 2, replace=False)
    again = backfill_receipts(light, facts, 2, replace=True)
    assert again.purchases == first.purchases
    assert again.replaced == Replaced(1, f"{FIRST}", f"{LAST}")
    assert violations(light) == []
    fill(light, facts)
    assert violations(light) == []


def test_what_is_there_is_skipped_after_a_simulation(engine: Engine, folder: Path) -> None:
    facts = read_store(folder, STORE)
    fill(engine, facts)
    ledger = Ledger(engine)
    ledger.sell([1, 2], facts.end + timedelta(hours=9))
    ledger.snapshot(facts.end + timedelta(hours=10))
    inventory = inventory_of(facts)
    loaded = load_items(Direct(ledger, facts.end), inventory, lambda _done, _total: None)
    assert (loaded.created, loaded.skipped) == (0, len(inventory.items))
    fewer = replace(inventory, items=items([0], first=90_000_001))
    fewer = replace(fewer, items=replace(fewer.items, sku=[facts.sku[0]]))
    with pytest.raises(UserError, match="items: some are not in this store yet, and cannot come"):
        load_items(Direct(ledger, facts.end), fewer, lambda _done, _total: None)
    assert violations(engine) == []


def test_generated_again_after_a_simulation(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"

    def run(*words: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--database-url", url])
        said = capsys.readouterr()
        assert not ended.value.code, said.err
        return said.out

    generate = ("inventory", "generate", "--store", str(STORE), "--facts", str(folder))
    first = run(*generate)
    assert "   Store: 2 of a generated retailer\n" in first
    assert "templates" not in first
    run("simulate", "--analytics", "--mode", "demo", "--unpaced", "--duration", "60", "--quiet")
    items = len(inventory_of(read_store(folder, STORE)).items)
    assert f"   Items created: 0 ({items} were there already)\n" in run(*generate)
    assert "no violation" in run("store", "verify")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Runs a command: (exit code, what it printed)."""

    def call(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return call


TEMPLATES = ("inventory", "generate", "--items", "50")


@pytest.mark.parametrize(
    ("first", "then", "held"),
    [
        ("2", "1", "holds store 2 of a retailer; store 1 cannot come into it"),
        ("2", "", "holds store 2 of a retailer; templates cannot come into it"),
        ("", "2", "holds other items: RFID-00000001 is "),
    ],
)
def test_a_database_is_one_store(
    run: Callable[..., tuple[int, str]],
    store_url: str,
    folder: Path,
    first: str,
    then: str,
    held: str,
) -> None:
    def generate(store: str) -> tuple[int, str]:
        words = ("inventory", "generate", "--store", store, "--facts", str(folder))
        return run(*(words if store else TEMPLATES), "--database-url", store_url)

    def rows() -> dict[str, int]:
        engine = open_database(store_url)
        counted = count_rows(engine)
        engine.dispose()
        return counted

    assert generate(first)[0] == 0
    there = rows()
    code, said = generate(then)
    assert code == 2
    assert held in said
    assert "`retail-datagen store reset" in said
    assert rows() == there
    assert generate(first)[0] == 0
    assert run("store", "reset", "--yes", "--database-url", store_url)[0] == 0
    assert generate(then)[0] == 0


@pytest.mark.parametrize("replace", [(), ("--replace",)], ids=["plain", "replace"])
def test_a_past_out_of_chance_is_not_replaced(
    run: Callable[..., tuple[int, str]], tmp_path: Path, folder: Path, replace: tuple[str, ...]
) -> None:
    there = ("--database-url", f"sqlite:///{tmp_path / 'store.db'}")
    store = ("--store", str(STORE), "--facts", str(folder), *there)
    assert run("inventory", "generate", *store)[0] == 0
    # The history ends long ago, so that the days of chance follow it.
    assert run("inventory", "backfill", "--days", "2", *there)[0] == 0
    code, said = run("inventory", "backfill", *store, *replace)
    assert code == 2
    assert said.startswith("error: store: the past of ")
    assert "was made without --store, and receipts do not replace it; empty it with" in said
    assert f"`retail-datagen store reset {' '.join(there)}`" in said
    assert run("store", "reset", "--yes", *there)[0] == 0
    assert run("inventory", "generate", *store)[0] == 0
    assert run("inventory", "backfill", *store, *replace)[0] == 0


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """A store that is served: the options that lead to it directly, and by its API."""
    url, port = f"sqlite:///{tmp_path / 'served.db'}", free_port()
    words = ["serve", "--port", str(port), "--database-url", url]
    command = [sys.executable, "-c", "from retail_datagen.cli.app import main; main()", *words]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, text=True)
    try:
        assert answers(f"http://127.0.0.1:{port}/healthz", process)
        yield ("--database-url", url), ("--api", f"http://127.0.0.1:{port}")
    finally:
        stop(process)


@pytest.mark.parametrize("noted", [True, False], ids=["noted", "from before the note"])
@pytest.mark.parametrize("way", ["directly then by the API", "by the API then directly"])
def test_a_served_database_is_one_store(
    run: Callable[..., tuple[int, str]],
    served: tuple[tuple[str, str], tuple[str, str]],
    folder: Path,
    way: str,
    noted: bool,
) -> None:
    first, then = served if way.startswith("directly") else served[::-1]
    store = ("inventory", "generate", "--store", str(STORE), "--facts", str(folder))
    code, said = run(*store, *first)
    assert code == 0, said
    engine = open_database(served[0][1])
    if not noted:
        with engine.begin() as connection:
            connection.execute(delete(m.counters))
    there = count_rows(engine)
    code, said = run(*TEMPLATES, *then)
    assert code == 2
    assert "templates cannot come into it" in said
    assert "`retail-datagen store reset" in said
    assert count_rows(engine) == there
    assert run(*store, *then)[0] == 0
    assert violations(engine) == []
    engine.dispose()


def test_a_past_that_something_stands_on_is_not_replaced(light: Engine, folder: Path) -> None:
    facts = read_store(folder, STORE)
    fill(light, facts)
    backfill_receipts(light, facts, 2, replace=False)
    with light.connect() as connection:
        item = connection.scalar(select(func.min(m.purchase_events.c.item_id)))
    Ledger(light).bring_back([item], datetime(2024, 4, 1), "returned")  # type: ignore[list-item]
    with pytest.raises(UserError, match="something happened since"):
        backfill_receipts(light, facts, 2, replace=True)
    assert violations(light) == []


def test_a_past_in_whose_last_hours_somebody_sold_is_not_replaced(
    light: Engine, folder: Path
) -> None:
    facts = read_store(folder, STORE)
    fill(light, facts)
    backfill_receipts(light, facts, 2, replace=False)
    with light.connect() as connection:
        columns = m.inventory_items.c
        item = connection.scalar(select(func.min(columns.id)).where(columns.status == "present"))
    Ledger(light).sell([item], facts.end - timedelta(minutes=1))  # type: ignore[list-item]
    with pytest.raises(UserError, match="something happened since"):
        backfill_receipts(light, facts, 2, replace=True)
    assert violations(light) == []


def test_another_stock_is_refused(light: Engine, folder: Path) -> None:
    facts = read_store(folder, STORE)
    with pytest.raises(UserError, match="are not in this database"):
        backfill_receipts(light, facts, 2, replace=False)
    fill(light, read_store(folder, 1))
    with pytest.raises(UserError, match=r"are not in this database|does not hold the stock"):
        backfill_receipts(light, facts, 2, replace=False)
    assert violations(light) == []


def test_what_is_wrong_with_facts_is_told(either: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"store: there is no store 9 in .*; there are 1, 2, 3"):
        read_store(either, 9)
    copy = tmp_path / "copy" / "facts"
    shutil.copytree(either, copy)
    shutil.copytree(either.parent / "master", copy.parent / "master")
    assert read_store(copy, 1).days == DAYS
    day = next((copy / "receipts" / "dt=2024-03-06").iterdir())
    day.unlink()
    with pytest.raises(UserError, match="receipts has no 2024-03-06"):
        read_store(copy, 1)
    shutil.rmtree(copy / "receipts")
    with pytest.raises(UserError, match="lacks receipts"):
        read_store(copy, 1)
