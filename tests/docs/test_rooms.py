"""ARCHITECTURE.md shows the rooms of the import contract, functions that exist, who writes what."""

from __future__ import annotations

import ast
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
    """(module, dotted name) of each function that the ways of a column and an event name."""
    found = []
    ways = section("Where a column comes from") + section("Where an event comes from")
    for row in ways.splitlines():
        module = ""
        for text in re.findall(r"`([^`]+)`", row.split("|")[2] if "|" in row else ""):
            if text.endswith(".py"):
                module = text
            else:
                found.append((module, text))
    return found


@pytest.mark.parametrize(("module", "name"), steps())
def test_what_a_way_names_is_there(module: str, name: str) -> None:
    code = (PACKAGE / module).read_text(encoding="utf-8")
    for part in name.split("."):
        assert re.search(rf"\b(def|class) {part}\b", code), f"{module} has no {part}"


WRITES = {"insert", "update", "delete", "load"}
"""SQLAlchemy's statements and `database.bulk.load`."""


def writers_shown() -> dict[str, set[str]]:
    """The tables that the page says a module of the store writes."""
    found: dict[str, set[str]] = {}
    for row in section("A store's database").splitlines():
        if not re.match(r"\|.*`\w", row):
            continue
        tables, modules, _ = row.strip("|").split("|")
        for module in re.findall(r"`([^`]+)`", modules):
            found.setdefault(module, set()).update(re.findall(r"`([^`]+)`", tables))
    return found


def writers() -> dict[str, set[str]]:
    """Modules that write rows, from the store's folder, and the tables as far as they name them."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        tables = written(ast.parse(path.read_text(encoding="utf-8")))
        if tables is not None:
            found[path.relative_to(PACKAGE).as_posix().removeprefix("store/")] = tables
    return found


def written(module: ast.Module) -> set[str] | None:
    """The tables that a module writes, or None where it writes no rows."""
    imported = {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    tables, writes = set(), False
    for node in ast.walk(module):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        origin, name = imported.get(node.func.id, ("", ""))
        if name not in WRITES or not (origin.startswith("sqlalchemy") or origin.endswith(".bulk")):
            continue
        writes = True
        table = node.args[1 if name == "load" else 0]
        if isinstance(table, ast.Attribute):
            tables.add(table.attr)
        elif isinstance(table, ast.Name) and imported.get(table.id, ("",))[0].endswith(".models"):
            tables.add(imported[table.id][1])
    return tables if writes else None


def test_who_writes_a_store_is_shown() -> None:
    shown, found = writers_shown(), writers()
    assert set(found) == set(shown)
    for module, tables in found.items():
        assert tables <= shown[module], module
