"""`retail-datagen master` on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from retail_datagen.cli.master_command import register
from retail_datagen.config.errors import UserError
from retail_datagen.world.master import MASTER_TABLES

RUNNER = CliRunner()
NAMES = {f"{table.name}.csv" for table in MASTER_TABLES}


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    made.callback()(lambda: None)
    register(made)
    return made


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.json"
    content = {
        "seed": 5,
        "volume": {"stores": 2, "customers": 1000, "products": 80},
        "paths": {"master": str(tmp_path / "master")},
        "calendar": {"first": "2024-01-01", "last": "2024-12-31"},
    }
    path.write_text(json.dumps(content))
    return path


def test_it_writes_every_file_and_says_how_long_each_is(
    app: typer.Typer, config: Path, tmp_path: Path
) -> None:
    result = RUNNER.invoke(app, ["master", "--config", str(config)])
    assert result.exit_code == 0, result.output
    assert {path.name for path in (tmp_path / "master").iterdir()} == NAMES
    lines = result.output.splitlines()
    assert lines[0] == f"wrote {tmp_path / 'master'}"
    counts = dict(line.split() for line in lines[2:])
    assert set(counts) == NAMES
    assert counts["customers.csv"] == "1,000"
    assert counts["calendar.csv"] == "366"


def test_it_prints_json_or_nothing(app: typer.Typer, config: Path, tmp_path: Path) -> None:
    result = RUNNER.invoke(app, ["master", "--config", str(config), "--json"])
    found = json.loads(result.output)
    assert found["folder"] == str(tmp_path / "master")
    assert found["rows"]["stores.csv"] == 2
    assert set(found["rows"]) == NAMES
    result = RUNNER.invoke(app, ["master", "--config", str(config), "--overwrite", "--quiet"])
    assert (result.exit_code, result.output) == (0, "")


def test_it_replaces_nothing_unless_asked_to(
    app: typer.Typer, config: Path, tmp_path: Path
) -> None:
    assert RUNNER.invoke(app, ["master", "--config", str(config)]).exit_code == 0
    stores = tmp_path / "master" / "stores.csv"
    written = stores.read_bytes()
    stores.write_text("mine")
    result = RUNNER.invoke(app, ["master", "--config", str(config)])
    assert isinstance(result.exception, UserError)
    assert str(tmp_path / "master") in str(result.exception)
    assert "--overwrite" in str(result.exception)
    assert stores.read_text() == "mine"
    result = RUNNER.invoke(app, ["master", "--config", str(config), "--overwrite"])
    assert result.exit_code == 0
    assert stores.read_bytes() == written
