"""Hooks: found by name, told once for each content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from retail_datagen.lake.hooks import Hook, HookError, Hooks, load_hooks
from retail_datagen.partitions.layout import Partition
from retail_datagen.partitions.manifest import Manifest, PartFile, Stamp

MANIFEST = Manifest(
    Partition("orders", "ingest_dt", "2024-01-01"),
    (PartFile("part-0000.parquet", 3, 10, "a" * 64),),
    None,
    None,
    Stamp("b", "1", "c"),
    "2024-01-01T00:00:00",
)


def test_they_are_found_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hooks_of_mine.py").write_text("def one(*a): pass\ndef two(*a): pass\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    found = load_hooks(["hooks_of_mine:one, hooks_of_mine:two", "hooks_of_mine:one"])
    assert [hook.name for hook in found] == ["hooks_of_mine:one", "hooks_of_mine:two"]
    assert load_hooks(["", " , "]) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("json", "module:function"),
        (":loads", "module:function"),
        ("no_such_module:f", "cannot be imported"),
        ("json:no_such", "no function 'no_such'"),
        ("json:__name__", "no function '__name__'"),
    ],
)
def test_what_cannot_be_called_is_refused(text: str, why: str) -> None:
    with pytest.raises(HookError, match=why):
        load_hooks([text])


def test_each_content_is_told_once_and_failures_again(tmp_path: Path) -> None:
    calls: list[tuple[Any, ...]] = []

    def good(*arguments: Any) -> None:
        calls.append(arguments)

    def bad(*arguments: Any) -> None:
        raise RuntimeError("the warehouse is shut")

    notes = tmp_path / "hooks.txt"
    hooks = Hooks([Hook("m:good", good), Hook("m:bad", bad)], notes)
    for _ in range(2):
        assert hooks.pending(MANIFEST)
        with pytest.raises(HookError, match="m:bad failed for orders/ingest_dt=2024-01-01: Runt"):
            hooks.run(MANIFEST, "there/_MANIFEST.json")
    ((table, partition, path, manifest),) = calls
    assert (table, partition) == ("orders", "ingest_dt=2024-01-01")
    assert path == "there/_MANIFEST.json"
    assert manifest["total_rows"] == 3
    with notes.open("a") as torn:
        torn.write("m:bad orders/ing")
    again = Hooks([Hook("m:good", good), Hook("m:bad", good)], notes)
    again.run(MANIFEST, "there")
    assert len(calls) == 2
    assert not Hooks([Hook("m:good", good), Hook("m:bad", bad)], notes).pending(MANIFEST)
