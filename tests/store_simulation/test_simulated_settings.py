"""What is not allowed is told with what is."""

from __future__ import annotations

import pytest

from retail_datagen.config.errors import UserError
from retail_datagen.store.simulation.settings import MODES, Settings


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("mode", "wild", "demo, realistic, stress"),
        ("speed", 0.4, "0.5 to 5"),
        ("speed", 5.01, "0.5 to 5"),
        ("speed", float("nan"), "0.5 to 5"),
        ("disappearance", -0.01, "0 to 1"),
        ("disappearance", 1.5, "0 to 1"),
        ("snapshot_interval", 0, "1 to 604,800 seconds"),
        ("duration", 0, "1 to 31,622,400 seconds"),
        ("seed", -1, "0 to"),
    ],
)
def test_a_value_out_of_range_is_refused(field: str, value: object, allowed: str) -> None:
    with pytest.raises(UserError) as told:
        Settings(**{field: value})  # type: ignore[arg-type]
    assert field.replace("_", "-") in str(told.value)
    assert allowed in str(told.value)


def test_the_defaults_are_the_published_ones() -> None:
    settings = Settings()
    assert (settings.mode, settings.speed) == ("realistic", 1.0)
    assert (settings.disappearance, settings.snapshot_interval) == (0.015, 3600)
    assert not settings.analytics


def test_settings_change_as_they_are_made() -> None:
    changed = Settings(seed=9, duration=60).changed(speed=2.5, mode="demo", analytics=True)
    assert changed == Settings("demo", 2.5, seed=9, duration=60, analytics=True)
    with pytest.raises(UserError, match="speed"):
        changed.changed(speed=9)


def test_modes_differ_in_number_and_behaviour() -> None:
    demo, realistic, stress = (MODES[name] for name in ("demo", "realistic", "stress"))
    assert demo.most_shoppers < realistic.most_shoppers < stress.most_shoppers == 50
    assert len({mode.put_back for mode in MODES.values()}) == 3
