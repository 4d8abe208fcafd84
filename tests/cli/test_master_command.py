"""`retail-datagen master` on the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from retail_datagen.cli.app import main
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


def test_it_rebuilds_around_files_of_ones_own_and_says_what_it_added(
    app: typer.Typer, config: Path, tmp_path: Path
) -> None:
    master = tmp_path / "master"
    assert RUNNER.invoke(app, ["master", "--config", str(config)]).exit_code == 0
    products = (master / "products.csv").read_bytes()
    header, *rows = (master / "stores.csv").read_text().splitlines()
    place = header.split(",").index("DCID")
    mine = [",".join(v for i, v in enumerate(r.split(",")) if i != place) for r in [header, *rows]]
    (master / "stores.csv").write_text("\n".join(mine))
    keep = ["master", "--config", str(config), "--keep", " products.csv,stores.csv"]
    result = RUNNER.invoke(app, keep)
    assert result.exit_code == 0, result.output
    found = [line.split(maxsplit=2) for line in result.output.splitlines()[2:]]
    fates = {name: fate.strip() for name, _, fate in found}
    assert set(fates) == NAMES
    assert fates.pop("stores.csv") == "kept, added DCID"
    assert fates.pop("products.csv") == "kept"
    assert set(fates.values()) == {"rebuilt"}
    assert (master / "products.csv").read_bytes() == products
    assert (master / "stores.csv").read_text() == "\n".join(
        f"{row},{value}" for row, value in zip(mine, ["DCID", "1", "1"], strict=True)
    )
    (master / "stores.csv").write_text("\n".join(mine))
    found = json.loads(RUNNER.invoke(app, [*keep, "--json"]).output)
    assert found["kept"] == ["stores.csv", "products.csv"]
    assert found["added"] == {"stores.csv": ["DCID"]}
    assert found["rows"]["stores.csv"] == 2
    assert set(found["rows"]) == NAMES
    result = RUNNER.invoke(app, [*keep, "--quiet"])
    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize("keep", ["", ",", "stores.csv,", "shops.csv"])
def test_a_list_of_files_that_names_another_is_refused(
    app: typer.Typer, config: Path, tmp_path: Path, keep: str
) -> None:
    """An empty one too, such as an unset variable: it must not replace everything."""
    assert RUNNER.invoke(app, ["master", "--config", str(config)]).exit_code == 0
    (tmp_path / "master" / "stores.csv").write_text("mine")
    result = RUNNER.invoke(app, ["master", "--config", str(config), "--overwrite", "--keep", keep])
    assert isinstance(result.exception, UserError)
    assert "is no file of master data; allowed: geographies.csv" in str(result.exception)
    assert (tmp_path / "master" / "stores.csv").read_text() == "mine"


def test_files_that_are_not_there_cannot_be_kept(
    app: typer.Typer, config: Path, tmp_path: Path
) -> None:
    result = RUNNER.invoke(app, ["master", "--config", str(config), "--keep", "stores.csv"])
    assert isinstance(result.exception, UserError)
    assert f"{tmp_path / 'master'} has no stores.csv" in str(result.exception)
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.json"]


def test_files_that_a_killed_run_had_put_aside_are_back_before_anything_is_written(
    app: typer.Typer, config: Path, tmp_path: Path
) -> None:
    assert RUNNER.invoke(app, ["master", "--config", str(config)]).exit_code == 0
    (tmp_path / "master").rename(tmp_path / f".master.old-{os.getpid()}")
    result = RUNNER.invoke(app, ["master", "--config", str(config)])
    assert isinstance(result.exception, UserError)
    assert "is not empty" in str(result.exception)
    assert {path.name for path in (tmp_path / "master").iterdir()} == NAMES


COMMANDS = (
    ("master",),
    ("master", "--overwrite"),
    ("master", "--keep", "stores.csv"),
    ("generate", "--start", "2024-01-01", "--end", "2024-01-02"),
    ("generate", "--start", "2024-01-01", "--end", "2024-01-02", "--workers", "3"),
    ("generate", "--start", "2024-01-01", "--end", "2024-01-02", "--dry-run"),
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("place", ["notes.txt", "notes.txt/master"])
def test_a_file_in_the_folders_place_is_left_alone(
    command: tuple[str, ...],
    place: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("mine")
    Path("c.json").write_text(json.dumps({"paths": {"master": place, "facts": "facts"}}))
    with pytest.raises(SystemExit) as ended:
        main([*command, "--config", "c.json"])
    assert ended.value.code == 2
    assert capsys.readouterr().err.rstrip() == (
        "error: paths.master: notes.txt is a file; master data needs a folder of its own"
    )
    assert Path("notes.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.json", "notes.txt"]
