"""Each check finds the damage that is planted for it, shows it, and no other check complains."""

from __future__ import annotations

from pathlib import Path

import pytest
from copies import Copy
from damage import Damage
from damages import DAMAGES

from retail_datagen.config.models import RetailConfig
from retail_datagen.quality.catalog import checks
from retail_datagen.quality.check import Result, Status
from retail_datagen.quality.verify import verify
from retail_datagen.world.errors import MasterDataError
from retail_datagen.world.master import MASTER_TABLES
from retail_datagen.world.read import read_world

_TOGETHER = 9
"""Damages of one copy, each on a day of its own: a copy costs more than a damage."""


def _groups() -> list[list[Damage]]:
    """The damages, those together that no check could mistake for each other."""
    groups: list[list[Damage]] = []
    for damage in DAMAGES:
        for group in groups:
            touched = frozenset[str]().union(*(d.touches for d in group)) - {"files.master"}
            if (
                len(group) < _TOGETHER
                and not damage.alone
                and not any(d.alone for d in group)
                and not damage.touches & touched
            ):
                group.append(damage)
                break
        else:
            groups.append([damage])
    return groups


@pytest.mark.parametrize("group", _groups(), ids=lambda group: group[0].check)
def test_each_damage_is_found_and_nothing_else(
    group: list[Damage], csv_history: Path, tmp_path: Path
) -> None:
    copy = Copy.of(csv_history, tmp_path / "copy")
    copy.forget_journal()
    shown = {}
    for number, damage in enumerate(group):
        copy.day = number + 1
        shown[damage.check] = damage.plant(copy)
    failed = {r.check.name: r for r in verify(copy.root).with_status(Status.FAILED)}
    for damage in group:
        assert damage.breaks <= set(failed), damage.check
        assert shows(failed[damage.check], shown[damage.check]), failed[damage.check]
    assert set(failed) <= {name for damage in group for name in damage.touches}


def shows(result: Result, text: str) -> bool:
    """Whether one of the rows that a result shows holds a text."""
    return any(text in str(value) for row in result.first.values for value in row)


def test_every_check_has_a_damage() -> None:
    from test_verify_files import JOURNAL
    from test_verify_schema import DERIVED

    covered = {damage.check for damage in DAMAGES} | DERIVED | JOURNAL
    assert {check.name for check in checks()} == covered


def _of_master_alone() -> list[Damage]:
    """The damages that are told without a look at the facts."""
    files = {"master_files", *(table.name for table in MASTER_TABLES)}
    alone = {check.name for check in checks() if set(check.needs) <= files}
    return [damage for damage in DAMAGES if damage.check in alone]


@pytest.mark.parametrize("damage", _of_master_alone(), ids=lambda damage: damage.check)
def test_what_verify_fails_in_master_data_is_not_read(
    damage: Damage, csv_history: Path, tmp_path: Path
) -> None:
    copy = Copy.of(csv_history, tmp_path / "copy")
    master = copy.root / "master"
    profile = RetailConfig().load_profile()
    read_world(master, profile)
    damage.plant(copy)
    with pytest.raises(MasterDataError) as caught:
        read_world(master, profile)
    assert str(master) in str(caught.value)
