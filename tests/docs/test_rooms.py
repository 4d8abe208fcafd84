"""ARCHITECTURE.md shows the rooms that the import contract has, and functions that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "retail_datagen"
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def rooms_shown() -> list[set[str]]:
    """Each line's rooms, from the top: those before its text."""
    block = section("The rooms").split("```text\n")[1].split("```")[0]
    return [set(re.split(r"\s{2,}", line)[0].split()) for line in block.splitlines()]


def layers() -> list[set[str]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = settings["tool"]["importlinter"]["contracts"]
    assert contract["containers"] == ["retail_datagen"]
    assert contract["exhaustive"]
    return [set(layer.split(" | ")) for layer in contract["layers"]]


def test_the_rooms_shown_are_the_layers() -> None:
    assert rooms_shown() == layers()


def test_every_room_has_its_modules() -> None:
    there = {
        path.stem
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert set().union(*layers()) == there - {"__init__", "__main__"}


def steps() -> list[tuple[str, str]]:
    """(module, dotted name) of each function that the way of a column names."""
    found = []
    for row in section("Where a column comes from").splitlines():
        module = ""
        for text in re.findall(r"`([^`]+)`", row.split("|")[2] if "|" in row else ""):
            if text.endswith(".py"):
                module = text
            else:
                found.append((module, text))
    return found


@pytest.mark.parametrize(("module", "name"), steps())
def test_what_the_way_of_a_column_names_is_there(module: str, name: str) -> None:
    code = (PACKAGE / module).read_text(encoding="utf-8")
    for part in name.split("."):
        assert re.search(rf"\b(def|class) {part}\b", code), f"{module} has no {part}"
