"""The generated pages say what the program is now, and leave nothing out."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from retail_datagen import tables
from retail_datagen.world.master import MASTER_TABLES

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import reference

DECLARED = [*(fact.table for fact in tables.registry().values()), *MASTER_TABLES]


@pytest.mark.parametrize("name", reference.PAGES)
def test_page_is_not_stale(name: str) -> None:
    on_file = (reference.FOLDER / name).read_text(encoding="utf-8")
    assert on_file == reference.PAGES[name](), f"docs/reference/{name} is stale: run `make docs`"


def test_every_command_is_documented() -> None:
    page = (reference.FOLDER / "cli.md").read_text(encoding="utf-8")
    known = reference.commands()
    assert {"generate", "verify", "master", "init", "config show"} <= set(known)
    for name, shown in known.items():
        assert f"## retail-datagen {name}".strip() + "\n" in page
        assert "Usage: retail-datagen" in shown
        # A command without a text of its own shows nothing between usage and options.
        assert re.search(r"\n\n  \w", shown), f"{name} has no help"
        for option in re.findall(r"^  (?:-\w, )?(--[\w-]+)(.*)", shown, re.MULTILINE):
            assert option[1].strip(), f"{name} {option[0]} has no help"


def test_every_setting_says_what_it_means() -> None:
    page = (reference.FOLDER / "config.md").read_text(encoding="utf-8")
    settings = page.split("## Settings")[1].split("## Profiles")[0]
    rows = [line for line in settings.splitlines() if line.startswith("| `")]
    assert len(rows) > 15
    assert [row for row in rows if re.search(r"\|\s*\|$", row)] == []


@pytest.mark.parametrize("table", DECLARED, ids=lambda table: table.name)
def test_every_column_is_documented_and_points_to_one_that_exists(table: reference.Table) -> None:
    columns = {f"{t.name}.{c.name}" for t in DECLARED for c in t.columns}
    assert table.doc
    for column in table.columns:
        assert column.doc, f"{table.name}.{column.name} has no text"
        assert not column.references or column.references in columns


def test_a_missing_page_is_found_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["reference.py", "--check"])
    assert reference.main() == 1
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(sys, "argv", ["reference.py"])
    assert reference.main() == 0
    assert {path.name for path in tmp_path.iterdir()} == set(reference.PAGES)
    monkeypatch.setattr(sys, "argv", ["reference.py", "--check"])
    assert reference.main() == 0
