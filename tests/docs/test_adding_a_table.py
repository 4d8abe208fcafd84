"""ARCHITECTURE.md says that a table is one module. Its example becomes one here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow.compute as pc
import pytest

from retail_datagen import tables
from retail_datagen.config.models import RetailConfig, Volume
from retail_datagen.retailer import Retailer

ROOT = Path(__file__).parents[2]
VOLUME = Volume(stores=3, customers_per_day=120, online_orders_per_day=5, products=200)
# What registers tables is read when modules are loaded, so the command runs in a fresh process.
COMMAND = """
import sys
from retail_datagen import tables
tables.__path__.append(sys.argv[1])
from retail_datagen.cli.app import main
main(sys.argv[2:])
"""


@pytest.fixture
def module_folder(tmp_path: Path) -> Path:
    """A folder with the example of the page as a module."""
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- table: till_hours -->\n```python\n(.*?)```", page, re.DOTALL)
    assert found
    folder = tmp_path / "more_tables"
    folder.mkdir()
    (folder / "till_hours.py").write_text(found[1], encoding="utf-8")
    return folder


@pytest.fixture
def till_hours(module_folder: Path) -> Iterator[None]:
    """The module of the page among the tables, in this process."""
    tables.__path__.append(str(module_folder))
    tables.registry.cache_clear()
    yield
    tables.__path__.remove(str(module_folder))
    sys.modules.pop("retail_datagen.tables.till_hours", None)
    tables.registry.cache_clear()


def test_one_module_makes_a_table_that_renders(till_hours: None) -> None:
    retailer = Retailer(RetailConfig(volume=VOLUME), date(2024, 1, 1))
    assert "till_hours" in retailer.tables()
    receipts = retailer.render("receipts", "2024-01-03")
    hours = retailer.render("till_hours", "2024-01-03")
    assert receipts.num_rows > 50
    assert pc.sum(hours["Receipts"]).as_py() == receipts.num_rows
    assert hours.schema == tables.registry()["till_hours"].table.arrow
    of_receipts = pc.floor_temporal(receipts["EventTS"], unit="hour")
    assert set(hours["EventTS"].to_pylist()) == set(of_receipts.to_pylist())


def test_it_is_written_and_checked_like_any_other(module_folder: Path, tmp_path: Path) -> None:
    config = RetailConfig(volume=VOLUME).model_dump_json(include={"volume"})
    (tmp_path / "small.json").write_text(config, encoding="utf-8")
    days = ["--start", "2024-01-01", "--end", "2024-01-02", "--workers", "1"]
    made = _run(module_folder, tmp_path, "generate", "--config", "small.json", *days)
    assert made.returncode == 0, made.stderr
    file = tmp_path / "data/facts/till_hours/dt=2024-01-02/till_hours_20240102.csv"
    assert file.read_text().startswith("TraceId,EventTS,StoreID,Receipts\nTRC")
    checked = _run(module_folder, tmp_path, "verify", "--json", "data/facts")
    results = {check["name"]: check for check in json.loads(checked.stdout)["checks"]}
    for name in ("key", "day", "values", "StoreID"):
        check = results[f"till_hours.{name}"]
        assert check["status"] == "ok"
        assert check["checked"] > 20


def test_without_the_module_there_is_no_such_table() -> None:
    assert "till_hours" not in tables.registry()


def _run(module_folder: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", COMMAND, str(module_folder), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
