"""The content hash changes with what shapes content and with nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from retail_datagen.config.models import RetailConfig

Write = Callable[[str, object], Path]


def hashed(tiny: str, **fields: object) -> str:
    return RetailConfig.model_validate({"profile": tiny, **fields}).content_hash()


def test_it_is_a_sha256_and_stays(tiny: str) -> None:
    assert re.fullmatch("[0-9a-f]{64}", hashed(tiny))
    assert hashed(tiny) == hashed(tiny)


@pytest.mark.parametrize(
    "fields",
    [
        {"paths": {"facts": "elsewhere", "master": "m", "dict": "d"}},
        {"stream": {"hub": "other"}},
        {"realtime": {"burst": 7, "emit_interval_ms": 1}},
        {"seed": 42, "volume": {"stores": 10, "dcs": 1}},
        {"volume": {"dcs": 1, "stores": 10}},
        {"volume": {"customers": 5000}},
        {"volume": {"products": 3000}},
        {"overrides": {"temporal.months.0": 0.7}},
        {"calendar": {"first": "2015-01-01"}},
    ],
)
def test_it_does_not_change_with(tiny: str, fields: dict[str, object]) -> None:
    assert hashed(tiny, **fields) == hashed(tiny)


@pytest.mark.parametrize(
    "fields",
    [
        {"seed": 43},
        {"volume": {"stores": 11}},
        {"volume": {"customers": 5001}},
        {"volume": {"products": 2999}},
        {"calendar": {"last": "2034-12-31"}},
        {"overrides": {"temporal.months.0": 0.71}},
        {"overrides": {"tenders.CASH": 1}},
    ],
)
def test_it_changes_with(tiny: str, fields: dict[str, object]) -> None:
    assert hashed(tiny, **fields) != hashed(tiny)


def test_overrides_count_by_what_they_say(tiny: str) -> None:
    flat = {"temporal.months.0": 0.5, "returns.share": 0.1}
    deep = {"Returns": {"share": 0.1}, "temporal": {"months": {"0": 0.5}}}
    assert hashed(tiny, overrides=flat) == hashed(tiny, overrides=deep)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("season: [1,", "season: [2,", False),
        ("# The smallest", "# Not the smallest", True),
        ("A corner shop", "The corner shop", True),
        ("{size: [S, L], fat: [low, full]}", "{fat: [low, full], size: [S, L]}", False),
        ("{Frozen Foods: 1, Dairy: 2}", "{Dairy: 2, Frozen Foods: 1}", True),
        ("traffic: 1.5}", "traffic: 1.5, open_hour: 8, close_hour: 21}", True),
        ("share: 1,", "share: 1.0,", True),
    ],
)
def test_an_edited_profile_file_counts_by_content(
    write: Write, tiny: str, old: str, new: str, same: bool
) -> None:
    text = Path(tiny).read_text()
    assert old in text
    edited = write("edited.yaml", text.replace(old, new, 1))
    assert (hashed(str(edited)) == hashed(tiny)) is same
