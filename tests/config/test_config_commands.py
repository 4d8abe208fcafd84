"""`init` writes a file that reads back as the defaults; `config show` says who set what."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from retail_datagen.cli.config_commands import register
from retail_datagen.config.errors import ConfigError, UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.problems import leaves

Write = Callable[[str, object], Path]


def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
    app = typer.Typer()
    register(app)
    return CliRunner().invoke(app, arguments, env=env)


def shown(*arguments: str, env: dict[str, str] | None = None) -> dict[str, tuple[object, str]]:
    result = run("config", "show", "--json", *arguments, env=env)
    assert result.exit_code == 0, result.output
    lines = json.loads(result.stdout)["values"]
    return {line["field"]: (line["value"], line["source"]) for line in lines}


@pytest.mark.parametrize("name", ["c.yaml", "c.yml", "c.toml", "c.json", "C.JSON"])
def test_init_reads_back_as_the_defaults(name: str) -> None:
    result = run("init", name)
    assert result.exit_code == 0
    assert result.stdout == f"wrote {name}\n"
    assert RetailConfig.from_file(name) == RetailConfig()


def test_init_writes_yaml_by_default() -> None:
    assert run("init").exit_code == 0
    assert RetailConfig.from_file("config.yaml") == RetailConfig()


@pytest.mark.parametrize("name", ["c.yaml", "c.toml"])
def test_init_explains_every_field(name: str) -> None:
    run("init", name)
    lines = Path(name).read_text().splitlines()
    for location, _ in leaves(RetailConfig().model_dump(mode="json")):
        at = [i for i, line in enumerate(lines) if line.strip().startswith(str(location[-1]))]
        at += [i for i, line in enumerate(lines) if line == f"[{location[-1]}]"]
        assert at, f"{location} is not in the file"
        assert lines[at[0] - 1].lstrip().startswith("# "), f"{location} is not explained"
    assert max(map(len, lines)) <= 100
    text = " ".join(line.strip("# ") for line in lines)
    assert "Receipts in stores. Allowed: a whole number from 1 to 2,000,000." in text


@pytest.mark.parametrize("name", ["c.yaml", "c.toml"])
def test_the_commented_overrides_work_once_uncommented(name: str, tiny: str) -> None:
    run("init", name)
    text = Path(name).read_text().replace('"supercenter"', json.dumps(tiny))
    for mark in ('# "temporal.', "# temporal."):
        text = text.replace(mark, mark.removeprefix("# "))
    Path(name).write_text(text)
    assert RetailConfig.from_file(name).load_profile().temporal.months[0] == 0.8


def test_init_does_not_overwrite(write: Write) -> None:
    write("c.yaml", "seed: 7\n")
    result = run("init", "c.yaml")
    assert isinstance(result.exception, UserError)
    assert str(result.exception) == "c.yaml exists already; --force replaces it"
    assert Path("c.yaml").read_text() == "seed: 7\n"
    assert run("init", "c.yaml", "--force").exit_code == 0
    assert RetailConfig.from_file("c.yaml").seed == 42


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("c.ini", "unknown extension '.ini'; allowed: .yaml, .yml, .toml, .json"),
        ("absent/c.yaml", "absent/c.yaml cannot be written: No such file or directory"),
    ],
)
def test_init_says_why_it_cannot(name: str, message: str) -> None:
    result = run("init", name)
    assert isinstance(result.exception, UserError)
    assert str(result.exception) == message
    assert not Path(name).exists()


def test_show_says_where_each_value_comes_from(write: Write, tiny: str) -> None:
    overrides = {"temporal": {"months": {"0": 0.5}}}
    data = {"profile": tiny, "volume": {"stores": 4}, "overrides": overrides}
    path = str(write("c.json", data))
    values = shown("--config", path, env={"RETAIL_SEED": "7"})
    assert values["seed"] == (7, "environment RETAIL_SEED")
    assert values["volume.stores"] == (4, "file c.json")
    assert values["volume.dcs"] == (1, "default")
    assert values["paths.dict"] == ("data/dictionaries", "default")
    assert values["profile.temporal.months.0"] == (0.5, "profile override (was 0.7)")
    config = RetailConfig().model_dump(mode="json", exclude={"overrides"})
    missing = {".".join(map(str, location)) for location, _ in leaves(config)} - set(values)
    assert not missing


def test_show_full_prints_every_value_of_the_profile(write: Write, tiny: str) -> None:
    overrides = {"temporal.weekdays": [1, 1, 1, 1, 1, 1, 1], "temporal.months.0": 0.5}
    values = shown("--full", "-c", str(write("c.json", {"profile": tiny, "overrides": overrides})))
    assert values["profile.temporal.weekdays"] == ([1.0] * 7, "profile override")
    months, source = values["profile.temporal.months"]
    assert isinstance(months, list)
    assert (months[:2], source) == ([0.5, 0.8], "profile override")
    assert values["profile.returns.share"] == (0.07, "profile tiny.yaml")
    assert values["profile.departments.Grocery.categories.Dairy.zone"][0] == "FOOD"


def test_show_prints_a_table(write: Write, tiny: str) -> None:
    path = str(write("c.json", {"profile": tiny, "overrides": {"returns.share": 0.1}}))
    result = run("config", "show", "--config", path, env={"COLUMNS": "200"})
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["volume.stores", "10", "default"] in rows
    assert ["profile.returns.share", "0.1", "profile", "override", "(was", "0.07)"] in rows
    assert f"content {RetailConfig.from_file(path).content_hash()}" in result.stdout


def test_show_has_colours_that_no_color_turns_off(write: Write, tiny: str) -> None:
    path = str(write("c.json", {"profile": tiny}))
    cyan = "\x1b[36m"
    forced = run("config", "show", "--config", path, env={"FORCE_COLOR": "1", "TERM": "xterm"})
    assert cyan in forced.stdout
    env = {"FORCE_COLOR": "1", "TERM": "xterm", "NO_COLOR": "1"}
    assert "\x1b[" not in run("config", "show", "--config", path, env=env).stdout


def test_show_without_a_file_is_defaults_and_environment() -> None:
    values = shown(env={"RETAIL_VOLUME__STORES": "3"})
    assert values["volume.stores"] == (3, "environment RETAIL_VOLUME__STORES")
    assert values["profile"] == ("supercenter", "default")


def test_show_refuses_what_from_file_refuses(write: Write) -> None:
    result = run("config", "show", "--config", str(write("c.json", {"seed": "x"})))
    assert isinstance(result.exception, ConfigError)
    assert str(result.exception).startswith('c.json: seed is "x"; allowed: a whole number')
