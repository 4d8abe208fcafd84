"""`inventory` and `store`: what they print, what they refuse, through the API and directly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retail_datagen.cli.app import main
from retail_datagen.cli.words import repeated
from retail_datagen.store import lease
from retail_datagen.store.database import open_database
from retail_datagen.store.ledger import Ledger
from services.service import free_port, stop
from stores import items, violations

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[object]:
    """Runs a command in a folder of its own, which has a store: (exit code, what it printed)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STORE_DATABASE_URL", URL)

    def call(*words: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out + said.err

    return call  # type: ignore[return-value]


URL = "sqlite:///data/store/store.db"
SHOWN = """🏪 OptiFlow Inventory Generator
===================================================================

📋 Configuration:
   Target items: 3000
   Product templates: 20
   API: http://localhost:8000

🔧 Generating product variants...
   ✅ Generated 1543 unique product variants

📊 Average 1.9 items per product variant

🏷️  Generating RFID-tagged items...
   ✅ Generated 3000 RFID-tagged items

📊 Generation Summary:
   Products: 1543
   Items: 3000

   Categories:
     • Footwear: 623 products
     • Apparel: 424 products
     • Sports Equipment: 36 products
     • Fitness: 174 products
     • Accessories: 120 products
     • Electronics: 36 products
     • Nutrition: 72 products
     • Recovery: 58 products
"""
LOADED = """
💾 Creating inventory in database...
📦 Creating 1543 products...
   Progress: 1543/1543 (100%)
✅ Created 1543 products

🏷️  Creating 3000 RFID-tagged items...
   Progress: 3000/3000 (100%)

===================================================================
✅ Inventory Generation Complete!
===================================================================
   Products created: 1543
   Items created: 3000

💡 You can now:
"""


def test_the_published_output(  # type: ignore[no-untyped-def]
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STORE_DATABASE_URL")
    code, said = run("inventory", "generate", "--items", "3000", "--dry-run")
    assert code == 0
    assert said.startswith(SHOWN)
    assert said.endswith("Dry run: nothing was created\n")
    code, said = run("inventory", "generate", "--items", "3000", "--database-url", URL)
    assert code == 0
    assert SHOWN.replace("API: http://localhost:8000", f"Database: {URL}") + LOADED in said
    code, said = run("inventory", "generate", "--items", "3100", "--database-url", URL)
    assert "   Products created: 0 (1543 were there already, " in said
    assert " with other values, which stay)\n" in said
    code, said = run("inventory", "generate", "--items", "3000", "--database-url", URL)
    assert "   Products created: 0 (1543 were there already)\n" in said
    code, said = run("inventory", "generate", "--items", "3100", "--database-url", URL)
    assert "   Items created: 0 (3100 were there already)\n" in said


def test_a_store_from_nothing_to_nothing(run) -> None:  # type: ignore[no-untyped-def]
    assert run("inventory", "generate", "--items", "500", "--database-url", URL, "-q") == (0, "")
    code, said = run("inventory", "backfill", "--days", "2", "--density", "sparse")
    assert code == 0
    assert "40 purchases, 40 items restocked, 12,344 rows of snapshots\n" in said
    code, said = run("inventory", "backfill", "--days", "2")
    assert code == 2
    assert "give --replace to replace them" in said
    code, said = run("inventory", "backfill", "--days", "1", "--replace")
    assert "50 purchases" in said
    two, one = (f"{date.today() - timedelta(days=n)}" for n in (2, 1))
    assert said.startswith(f"replaces the past of {two} to {one}, all of it\n{one} to {one}: 50")
    assert said.endswith(f"in place of the past of {two} to {one}\n")
    code, said = run("store", "verify")
    assert code == 0
    assert "21 checks passed, no violation" in said
    code, said = run("store", "verify", "--json")
    assert json.loads(said)["passed"] is True
    code, said = run("store", "reset")
    assert code == 2
    assert "550 inventory_items" in said
    assert "give --yes to empty it" in said
    code, said = run("store", "reset", "--yes")
    assert code == 0
    code, said = run("inventory", "backfill")
    assert code == 2
    assert said == (
        f"error: No products found in database ({URL}); run `retail-datagen inventory generate "
        f"--items 3000 --database-url {URL}` first\n"
    )


def test_verify_ends_with_1_where_books_do_not_agree(run) -> None:  # type: ignore[no-untyped-def]
    run("inventory", "generate", "--items", "20", "--database-url", URL, "-q")
    engine = open_database(URL)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE stock_levels SET on_hand = 8 WHERE product_id = 1")
    engine.dispose()
    code, said = run("store", "verify", "-q")
    assert code == 1
    assert "levels_are_the_items" in said


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--items", "200000"], "items: 200,000 is not possible; allowed are 0 to 125,600"),
        (["--templates", "Shovel"], "there is no template 'Shovel'; there are: Running Shoes"),
        (["--api", "x", "--database-url", URL], "leave --database-url out beside --api"),
        (["--api", "ftp://x"], "api: 'ftp://x' is not a URL; allowed are such as"),
        (["--database-url", "oracle://x"], "'oracle' is not a database of the store"),
        (["--store", "1", "--templates", "Hoodie"], "leave --templates and --template-file out"),
        (["--store", "1", "--items", "50"], "items: store N has its own stock"),
        (["--store", "1", "--seed", "7"], "seed: store N is as its own history says; leave --seed"),
        (["--facts", "x"], "facts: a history is read with --store N only; leave --facts out"),
        (["--store", "1", "--facts", "nowhere"], "nowhere is not a folder"),
        (["--database-url", "sqlite://"], "a store in memory ends with the command; give a file"),
        (["--database-url", "sqlite:///:memory:"], "a store in memory ends with the command"),
        (["--template-file", "no.yaml"], "no.yaml: no such templates file"),
        (["--api", "http://127.0.0.1:1"], "cannot be reached"),
    ],
)
def test_what_is_refused(run, words: list[str], told: str) -> None:  # type: ignore[no-untyped-def]
    code, said = run("inventory", "generate", *words)
    assert code == 2
    assert told in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "url", ["http://u:s3cret@127.0.0.1:1", "http://u:s3@cret@127.0.0.1:1", "http://u:/s3cret@h"]
)
def test_passwords_of_a_server_are_not_shown(run, url: str) -> None:  # type: ignore[no-untyped-def]
    for words in (
        ["inventory", "generate", "--items", "5"],
        ["inventory", "backfill"],
        ["simulate"],
    ):
        code, said = run(*words, "--api", url)
        assert code == 2
        assert "http://u:***@127.0.0.1:1 cannot be reached" in said or "write %40 for @" in said
        assert "cret@" not in said


@pytest.mark.parametrize(
    "words",
    [
        ["inventory", "generate"],
        ["inventory", "backfill"],
        ["store", "verify"],
        ["store", "reset"],
        ["simulate"],
        ["serve"],
    ],
)
def test_a_port_that_is_none_is_told(run, words: list[str]) -> None:  # type: ignore[no-untyped-def]
    code, said = run(*words, "--database-url", "postgresql://u:s3cret@127.0.0.1:none/db")
    assert code == 2
    assert "database-url: its port is no number" in said
    assert "s3cret" not in said


@pytest.mark.parametrize(
    "words",
    [["inventory", "backfill"], ["store", "verify"], ["store", "reset"], ["simulate"], ["serve"]],
)
def test_a_store_in_memory_is_refused(run, words: list[str]) -> None:  # type: ignore[no-untyped-def]
    code, said = run(*words, "--database-url", "sqlite:///file::memory:?uri=true")
    assert code == 2
    assert "a store in memory ends with the command; give a file, such as sqlite:///data" in said


@pytest.mark.parametrize("command", ["backfill", "verify", "reset"])
def test_a_store_that_is_not_there(run, command: str) -> None:  # type: ignore[no-untyped-def]
    group = "inventory" if command == "backfill" else "store"
    code, said = run(group, command)
    assert code == 2
    assert "there is no store in data/store/store.db; make one with" in said
    assert not Path("data").exists()


def test_several_templates_after_one_option(run) -> None:  # type: ignore[no-untyped-def]
    words = ["--templates", "Running Shoes", "yoga mat", "--dry-run"]
    code, said = run("inventory", "generate", "--items", "100", *words)
    assert code == 0
    assert "Product templates: 2" in said
    assert "Footwear: 455 products\n     • Fitness: 54 products" in said


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["--many", "--one"]),
            st.lists(st.text("abc", min_size=1), min_size=1, max_size=4),
        )
    )
)
def test_words_of_a_listed_option(given: list[tuple[str, list[str]]]) -> None:
    words = [w for option, values in given for w in [option, *values]]
    expected = []
    for option, values in given:
        if option == "--many":
            expected += [w for value in values for w in (option, value)]
        else:
            expected += [option, *values]
    assert list(repeated(words, ["--many"])) == expected


@pytest.mark.parametrize(
    ("script", "words", "told"),
    [
        ("generate_inventory", ["--items", "30", "--dry-run"], "Generated 30 RFID-tagged items"),
        ("backfill_history", ["--days", "0"], "error: days: 0 is not possible"),
    ],
)
def test_the_published_scripts(script: str, words: list[str], told: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"simulation.{script}", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told in done.stdout + done.stderr


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """(address, database) of a store that is served and wants a key."""
    port, url = free_port(), f"sqlite:///{tmp_path / 'served.db'}"
    words = ["serve", "--port", str(port), "--database-url", url, "--api-key", "a key"]
    process = subprocess.Popen(
        [sys.executable, "-c", "from retail_datagen.cli.app import main; main()", *words],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline(), "it ended before it served"
        yield f"http://127.0.0.1:{port}", url
    finally:
        stop(process)


def test_through_the_api(run, served: tuple[str, str], tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    api, url = served
    code, said = run("inventory", "generate", "--items", "2500", "--api", api)
    assert code == 2
    assert "401" in said
    assert "give the key with --api-key" in said
    code, said = run("inventory", "generate", "--items", "2500", "--api", api, "--api-key", "a key")
    assert code == 0
    assert "Items created: 2500\n" in said
    code, said = run("inventory", "generate", "--items", "2500", "--api", api, "--api-key", "a key")
    assert "Items created: 0 (2500 were there already)\n" in said
    run("inventory", "generate", "--items", "2500", "--database-url", URL, "-q")
    remote, direct = open_database(url), open_database(URL)
    query = (
        "SELECT i.id, rfid_tag, epc, sku, name, category, unit_price, reorder_threshold, "
        "optimal_stock_level, x_position, y_position, zone_id, status "
        "FROM inventory_items i JOIN products p ON p.id = i.product_id ORDER BY i.id"
    )
    rows = []
    for engine in (remote, direct):
        assert violations(engine) == []
        with engine.connect() as connection:
            rows.append(connection.exec_driver_sql(query).fetchall())
        engine.dispose()
    assert rows[0] == rows[1]


def test_a_past_through_the_api(run, served: tuple[str, str]) -> None:  # type: ignore[no-untyped-def]
    api, url = served
    there = ("--api", api, "--api-key", "a key")
    code, said = run("inventory", "backfill", *there)
    assert code == 2
    assert said.startswith("error: No products found in database")
    run("inventory", "generate", "--items", "500", "-q", *there)
    past = ("inventory", "backfill", "--days", "2", "--density", "sparse", *there)
    code, said = run(*past)
    assert code == 0
    assert "40 purchases, 40 items restocked, 12,344 rows of snapshots\n" in said
    code, said = run(*past)
    assert code == 2
    assert "give --replace to replace them" in said
    code, said = run(*past, "--replace", "--until", "2024-03-01")
    assert code == 0
    assert said.startswith("2024-02-28 to 2024-02-29: 40 purchases")
    code, said = run("inventory", "backfill", "--density", "sparse", *there, "--store", "2")
    assert code == 2
    assert "store: a history is read here; name the store's database" in said
    engine = open_database(url)
    assert violations(engine) == []
    engine.dispose()


def test_without_a_server_it_is_told_how_to_do_without(  # type: ignore[no-untyped-def]
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for words in (["inventory", "backfill"], ["inventory", "generate", "-q"], ["simulate"]):
        code, said = run(*words, "--api", nobody)
        assert code == 2
        assert "start it with `retail-datagen serve`" in said
        assert "--database-url sqlite:///data/store/store.db" in said
    monkeypatch.delenv("STORE_DATABASE_URL")
    monkeypatch.setattr("retail_datagen.cli.store_place.DEFAULT_API", nobody)
    for words in (["inventory", "backfill"], ["simulate"]):
        code, said = run(*words)
        assert code == 2
        assert nobody in said


def test_what_is_told_as_json(run) -> None:  # type: ignore[no-untyped-def]
    fill = ("inventory", "generate", "--items", "200", "--templates", "Running Shoes", "--json")
    planned = json.loads(run(*fill, "--dry-run", "--database-url", URL)[1])
    made = json.loads(run(*fill, "--database-url", URL)[1])
    again = json.loads(run(*fill, "--database-url", URL)[1])
    assert planned["items"] == 200
    assert made["items"] == {"created": 200, "skipped": 0, "differing": 0}
    assert again["items"] == {"created": 0, "skipped": 200, "differing": 0}
    assert made["products"]["created"] == planned["products"] == sum(planned["categories"].values())
    past = json.loads(
        run("inventory", "backfill", "--days", "3", "--density", "sparse", "--json")[1]
    )
    assert past["purchases"] + past["missed"] == 60
    assert past["replaced"]["runs"] == 0


def test_a_past_after_the_store_was_opened(run) -> None:  # type: ignore[no-untyped-def]
    run("inventory", "generate", "--items", "300", "--quiet", "--database-url", URL)
    live = ("simulate", "--analytics", "--mode", "stress", "--unpaced", "--duration", "240")
    assert run(*live, "--database-url", URL, "--quiet")[0] == 0
    code, said = run("inventory", "backfill", "--days", "7", "--density", "normal")
    assert code == 0, said
    assert "350 purchases" in said
    assert run("store", "verify")[0] == 0
    assert run("inventory", "generate", "--items", "300", "--database-url", URL)[0] == 0
    assert run(*live, "--database-url", URL, "--quiet")[0] == 0
    assert run("store", "verify")[0] == 0


@pytest.mark.parametrize(
    ("until", "told"),
    [
        ("1900-01-01", "would begin before 1970-01-01"),
        ("9999-12-31", "is not over"),
        ("soon", "is not a day"),
    ],
)
def test_a_past_ends_by_today(run, until: str, told: str) -> None:  # type: ignore[no-untyped-def]
    run("inventory", "generate", "--items", "50", "--quiet", "--database-url", URL)
    code, said = run("inventory", "backfill", "--days", "3", "--until", until)
    assert code != 0
    assert said.startswith("error: until: ")
    assert told in said


@pytest.mark.parametrize("given", ["--days=3", "--seed=7", "--until=2024-01-03"])
def test_a_history_has_its_own_days(run, given: str) -> None:  # type: ignore[no-untyped-def]
    code, said = run("inventory", "backfill", "--store", "2", given)
    assert code == 2
    name = given[2:].partition("=")[0]
    assert said.startswith(f"error: {name}: store N is as its own history says")


def test_a_past_is_not_replaced_under_a_simulation(run) -> None:  # type: ignore[no-untyped-def]
    run("inventory", "generate", "--items", "50", "--quiet", "--database-url", URL)
    past = ("inventory", "backfill", "--days", "2", "--density", "sparse", "--replace")
    assert run(*past)[0] == 0
    engine = open_database(URL)
    lease.acquire(engine, "till, process 7")
    code, said = run(*past)
    assert code != 0
    assert "a simulation runs in this store: till, process 7" in said
    lease.release(engine, "till, process 7")
    assert run(*past)[0] == 0
    assert violations(engine) == []
    engine.dispose()


def test_a_simulation_knows_the_environments_database(  # type: ignore[no-untyped-def]
    run, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "sqlite:///elsewhere.db"
    monkeypatch.setenv("STORE_DATABASE_URL", url)
    run("inventory", "generate", "--items", "50", "--quiet", "--database-url", url)
    assert run("simulate", "--mode", "demo", "--unpaced", "--duration", "5", "--quiet")[0] == 0
    assert not Path(URL.removeprefix("sqlite:///")).exists()


def test_a_store_with_tags_of_ones_own_lives(run) -> None:  # type: ignore[no-untyped-def]
    assert run("inventory", "generate", "--items", "300")[0] == 0
    engine = open_database(URL)
    own = items([0] * 40)
    own.rfid_tag[:] = [f"I{number}" for number in range(40)]
    own.sku[:] = [f"RUN-{1 + number:04d}" for number in range(40)]
    assert Ledger(engine).add_items(own).created == 40
    assert run("inventory", "backfill", "--days", "3", "--density", "extreme")[0] == 0
    assert violations(engine) == []
    words = ("--mode", "stress", "--duration", "300", "--unpaced", "--disappearance", "0.1")
    code, said = run("simulate", *words, "--quiet")
    assert code == 0, said
    assert violations(engine) == []
    engine.dispose()
