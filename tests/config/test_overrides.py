"""Any value of a profile can be overridden by its path, and nothing else changes with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.config.errors import ConfigError
from retail_datagen.config.library import packaged, profile_file, read_profile
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.problems import dotted, leaves
from retail_datagen.config.profile import Profile

TINY = Path(__file__).parent / "tiny.yaml"
TREE = read_profile(TINY).model_dump(mode="json")
NUMBERS = [
    location
    for location, value in leaves(TREE)
    if isinstance(value, int | float) and not isinstance(value, bool)
]


def tailored(overrides: dict[str, object]) -> Profile:
    return RetailConfig(profile=str(TINY), overrides=overrides).load_profile()


def refused(overrides: dict[str, object]) -> str:
    with pytest.raises(ConfigError) as caught:
        tailored(overrides)
    return str(caught.value)


def nested(location: tuple[str | int, ...], value: object) -> dict[str, object]:
    for key in reversed(location):
        value = {str(key): value}
    assert isinstance(value, dict)
    return value


@settings(deadline=None)
@given(st.sampled_from(NUMBERS), st.sampled_from(["dotted", "indexed", "nested", "upper"]))
def test_any_number_alone_is_overridden(location: tuple[str | int, ...], style: str) -> None:
    before = dict(leaves(TREE))
    value = near(location, before[location])
    if style == "nested":
        overrides = nested(location, value)
    elif style == "indexed":
        overrides = {".".join(map(str, location)): value}
    else:
        path = dotted(location, TREE)
        overrides = {path.upper().replace("_", " ") if style == "upper" else path: value}
    after = dict(leaves(tailored(overrides).model_dump(mode="json")))
    assert after.pop(location) == value
    assert before.pop(location) != value
    assert after == before


def near(location: tuple[str | int, ...], value: object) -> float:
    """Another value that is valid there: all bounds leave one of these open."""
    assert isinstance(value, int | float)
    for other in (value + 1, value - 1, value / 2 or 0.5, value + 0.01):
        tree = Profile.model_validate(TREE).model_dump(mode="json")
        parent = tree
        for key in location[:-1]:
            parent = parent[key]
        parent[location[-1]] = other
        try:
            Profile.model_validate(tree, strict=False)
        except ValueError:
            continue
        return other
    raise AssertionError(f"no other value for {location}")


@pytest.mark.parametrize(
    ("path", "value", "read"),
    [
        ("departments.Grocery.categories.Dairy.season.0", 2.0, lambda p: p.categories[0].season[0]),
        ("departments.0.categories.1.season.11", 2.0, lambda p: p.categories[1].season[11]),
        ("departments.grocery.categories.frozen foods.returns", 3.0,
         lambda p: p.categories[1].returns),
        ("departments.grocery.categories.frozen-foods.templates.st. louis ribs.demand", "high",
         lambda p: p.categories[1].templates[1].demand),
        ("temporal.months.0", 0.5, lambda p: p.temporal.months[0]),
        ("temporal.named_days.black_friday.factor", 4.0, lambda p: p.temporal.named_days[0].factor),
        ("formats.big_box.traffic", 1.8, lambda p: p.formats[1].traffic),
        ("returns.share", 0.1, lambda p: p.returns.share),
        ("tenders.cash", 50, lambda p: p.tenders["CASH"]),
        ("temporal.weekdays", [1, 1, 1, 1, 1, 1, 1], lambda p: list(p.temporal.weekdays)),
    ],
)  # fmt: skip
def test_paths_go_by_key_index_and_name(
    path: str, value: object, read: Callable[[Profile], object]
) -> None:
    assert read(tailored({})) != value
    assert read(tailored({path: value})) == value


def test_nested_mappings_say_the_same_as_dotted_paths() -> None:
    flat: dict[str, object] = {
        "temporal.weekdays": [1, 1, 1, 1, 1, 1, 2],
        "temporal.months.0": 0.5,
        "departments.Grocery.categories.Dairy.season.3": 2,
    }
    deep: dict[str, object] = {
        "departments": {"Grocery": {"categories.Dairy": {"season": {"3": 2}}}},
        "temporal": {"months.0": 0.5, "weekdays": [1, 1, 1, 1, 1, 1, 2]},
    }
    assert tailored(flat) == tailored(deep)


def test_list_indexes_in_yaml_need_no_quotes(tmp_path: Path) -> None:
    file = tmp_path / "c.yaml"
    file.write_text(f"profile: {TINY}\noverrides:\n  temporal:\n    months: {{0: 0.5}}\n")
    assert RetailConfig.from_file(file).load_profile().temporal.months[0] == 0.5


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"temporal.month.0": 1},
         'override "temporal.month.0" leads nowhere: there is no "month" under "temporal"; '
         'did you mean "months"? known are months, weekdays, '),
        ({"nothing": 1},
         'override "nothing" leads nowhere: there is no "nothing" in a profile; '),
        ({"temporal.months.12": 1},
         'override "temporal.months.12" leads nowhere: there is no "12" under "temporal.months"; '
         "allowed: 0 to 11"),
        ({"departments.Grocery.categories.Diary.season.0": 1},
         'override "departments.Grocery.categories.Diary.season.0" leads nowhere: '
         'there is no "Diary" under "departments.Grocery.categories"; '
         'did you mean "Dairy"? known are Dairy, Frozen Foods'),
        ({"returns": {"share": {"x": 1}}},
         'override "returns.share.x" leads nowhere: "returns.share" is a single value, 0.07'),
        ({"tenders": 5},
         'override "tenders": tenders is 5; allowed: a mapping of names to a number'),
        ({"temporal.months.0": "1"},
         'override "temporal.months.0": temporal.months.0 is "1"; '
         "allowed: a number of 0 or more"),
        ({"temporal.months.0": -1},
         'override "temporal.months.0": temporal.months.0 is -1; allowed: a number of 0 or more'),
        ({"returns.share": 2},
         'override "returns.share": returns.share is 2; allowed: a number from 0 to 1'),
        ({"temporal.weekdays": [1, 1]},
         'override "temporal.weekdays": temporal.weekdays has 2 entries; '
         "allowed: a list of 7, each a number of 0 or more"),
        ({"departments.Grocery.categories.Dairy.zone": "ROOF"},
         'override "departments.Grocery.categories.Dairy.zone": '
         'departments.Grocery.categories.Dairy.zone is "ROOF"; '
         "allowed: one of CHECKOUT, ENTRANCE, FOOD"),
        ({"formats.corner.open_hour": 22},
         'override "formats.corner.open_hour": formats.corner.close_hour is 21; '),
        ({"temporal.months.0": 1, "temporal.months": [1] * 12},
         'override "temporal.months" overlaps the override "temporal.months.0"'),
        ({"temporal.months.0": 1, "temporal": {"Months": {"0": 2}}},
         'override "temporal.Months.0" overlaps the override "temporal.months.0"'),
    ],
)  # fmt: skip
def test_wrong_overrides_are_named(overrides: dict[str, object], message: str) -> None:
    assert refused(overrides).startswith(message)


def test_every_wrong_path_is_listed() -> None:
    assert refused({"a": 1, "temporal": {"b": 2, "c": 3}}).startswith("3 problems:\n")


@pytest.mark.parametrize("name", packaged())
def test_packaged_profiles_load_and_take_the_documented_overrides(name: str) -> None:
    profile = read_profile(profile_file(name))
    assert profile.name == name
    for example in RetailConfig.model_fields["overrides"].examples or ():
        changed = RetailConfig(profile=name, overrides=example).load_profile()
        assert changed.temporal.months[0] == example["temporal.months.0"]
        assert changed.temporal.months[1:] == profile.temporal.months[1:]
