"""`lake verify`, `lake ls` and `lake upload` as people and scripts call them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import typer
from small_lake import FIRST, TABLES, make_lake, partition_of
from typer.testing import CliRunner, Result

from retail_datagen.cli.lake_commands import register
from retail_datagen.config.errors import UserError
from retail_datagen.engine.source import Identity
from retail_datagen.lake.catalog import Catalog, Details, catalog_table, write_catalog
from retail_datagen.lake.read import read_lake
from retail_datagen.objects import open_store

DAYS = 4


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    folder = make_lake(tmp_path / "lake", DAYS)
    store = open_store(str(folder))
    tables = tuple(
        catalog_table(TABLES[name], held[0].partition.by, [h.manifest for h in held if h.manifest])
        for name, held in read_lake(store).by_table().items()
    )
    identity = Identity("1.0", "c", "m", {})
    last = FIRST + DAYS - 1
    made = Catalog(identity, Details(), 1, FIRST, FIRST, last, tables, True, "2026-01-01")
    write_catalog(store, made)
    return folder


def run(*arguments: object) -> Result:
    app = typer.Typer()
    register(app)
    # With one group only, its name would be left out.
    app.command("other")(lambda: None)
    return CliRunner().invoke(app, ["lake", *map(str, arguments)])


def test_verify_says_what_it_found_and_ends_with_it(lake: Path) -> None:
    whole = run("verify", lake)
    assert (whole.exit_code, "no violation" in whole.stdout) == (0, True)
    path = lake / partition_of("orders", 2).part(0)
    path.write_bytes(bytes(path.stat().st_size))
    assert run("verify", lake, "--quick").exit_code == 0
    broken = run("verify", lake, "--quiet")
    assert broken.exit_code == 1
    assert partition_of("orders", 2).folder in broken.stdout
    plain = json.loads(run("verify", lake, "--json").stdout)
    assert not plain["passed"]
    assert {c["name"] for c in plain["checks"] if c["status"] == "failed"} >= {"sha256", "rows"}


def test_verify_says_what_it_cannot_know_without_a_catalog(lake: Path) -> None:
    assert "_CATALOG.json" not in run("verify", lake).stderr
    (lake / "_CATALOG.json").unlink()
    found = run("verify", lake, "--json")
    assert "no _CATALOG.json there: tables are held to what they are without" in found.stderr
    assert json.loads(found.stdout)["checks"]


def test_ls_shows_tables_and_gaps(lake: Path) -> None:
    shutil.rmtree(lake / partition_of("orders", 2).folder)
    shown = run("ls", lake)
    assert shown.exit_code == 0
    (line,) = [line for line in shown.stdout.splitlines() if line.startswith("orders ")]
    assert line.split()[2:5] == ["3", "2020-01-01", "2020-01-04"]
    assert line.split()[-1] == "2020-01-03"
    listed = {table["table"]: table for table in json.loads(run("ls", lake, "--json").stdout)}
    assert listed["orders"]["partitions"] == 3


def test_nothing_is_not_listed_as_a_lake(tmp_path: Path) -> None:
    found = run("ls", tmp_path / "nowhere")
    assert found.exit_code != 0
    assert isinstance(found.exception, UserError)
    assert f"{tmp_path / 'nowhere'} holds no lake" in str(found.exception)


def test_upload_can_be_tried_and_is_done_once(lake: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    tried = run("upload", lake, target, "--dry-run")
    assert tried.exit_code == 0
    assert not list(target.rglob("*"))
    assert f"upload   {partition_of('orders', 2).folder}" in tried.stdout
    done = json.loads(run("upload", lake, target, "--json").stdout)
    assert (done["upload"], done["keep"]) == (49, 0)
    again = run("upload", lake, target)
    assert "0 partitions uploaded (0 B), 49 there already" in again.stdout
    assert run("verify", target).exit_code == 0
