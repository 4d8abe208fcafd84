"""constraints.txt fits pyproject.toml and holds names, versions and hashes only."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

import pin

TEXT = pin.FILE.read_text(encoding="utf-8")
PINS = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", TEXT, re.MULTILINE))


def test_nothing_but_names_versions_and_hashes() -> None:
    pin_line = r'[a-z0-9-]+==[0-9A-Za-z.+!]+( ; python_version < "3\.\d+")? \\'
    allowed = re.compile(rf"(#[^:]*)?|{pin_line}|    --hash=sha256:[0-9a-f]{{64}}( \\)?")
    body = TEXT.removeprefix(pin._HEAD)
    assert [line for line in body.splitlines() if not allowed.fullmatch(line)] == []
    assert "://" not in TEXT


@pytest.mark.parametrize("group", pin.GROUPS)
def test_every_requirement_is_pinned_within_its_bounds(group: str) -> None:
    selected = pin.select(pin.GROUPS[: pin.GROUPS.index(group) + 1])
    for line in pin.declared()[group]:
        wanted = Requirement(line)
        name = re.sub(r"[-_.]+", "-", wanted.name).lower()
        assert name in PINS, f"{name} is not pinned: run `python tools/pin.py resolve`"
        assert wanted.specifier.contains(PINS[name])
        assert f"{name}=={PINS[name]}" in selected


def test_a_compiled_package_has_a_hash_for_each_python_and_platform() -> None:
    numpy = TEXT.split("\nnumpy==")[1].split("==")[0]
    assert numpy.count("--hash=") == len(pin.PYTHONS) * len(pin.PLATFORMS)


def test_the_extra_gcs_is_another_name_for_cloud() -> None:
    extras = pin.tomllib.loads((pin.ROOT / "pyproject.toml").read_text())["project"]
    assert extras["optional-dependencies"]["gcs"] == extras["optional-dependencies"]["cloud"]


def test_an_unknown_group_is_an_error() -> None:
    with pytest.raises(SystemExit, match=f"no group nonsense; it has {', '.join(pin.GROUPS)}"):
        pin.select(["core", "nonsense"])
