"""Profiles of the user's own: found by path, checked in full, blamed by file and field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from retail_datagen.config.errors import ConfigError
from retail_datagen.config.library import packaged, profile_file, read_profile
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.parts import BEHAVIOURS, SEGMENTS

Write = Callable[[str, object], Path]
Data = dict[str, Any]


@pytest.fixture
def data(tiny: str) -> Data:
    loaded: Data = yaml.safe_load(Path(tiny).read_text())
    return loaded


def refused(path: Path) -> str:
    with pytest.raises(ConfigError) as caught:
        read_profile(path)
    return str(caught.value)


def test_a_profile_is_found_by_relative_path(write: Write, data: Data) -> None:
    path = write("shop.yaml", data)
    assert RetailConfig(profile=str(path)).load_profile().name == "tiny"
    assert RetailConfig(profile=f"./{path}").load_profile().name == "tiny"


def test_unknown_names_list_what_there_is() -> None:
    with pytest.raises(ConfigError) as caught:
        profile_file("supercentre")
    message = str(caught.value)
    assert message.startswith('profile is "supercentre"; did you mean "supercenter"? allowed: ')
    assert all(name in message for name in packaged())
    with pytest.raises(ConfigError, match=r'profile is "no\.yaml": there is no such file'):
        profile_file("no.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("missions"),
         "shop.yaml: missions is missing; allowed: a mapping of names to "),
        (lambda d: d.update(colour="red"), "shop.yaml: colour is not a field; "),
        (lambda d: d["temporal"]["months"].pop(),
         "shop.yaml: temporal.months has 11 entries; "
         "allowed: a list of 12, each a number of 0 or more"),
        (lambda d: d["temporal"].update(months=3),
         "shop.yaml: temporal.months is 3; allowed: a list"),
        (lambda d: d["temporal"]["named_days"][0].update(rule="friday"),
         'shop.yaml: temporal.named_days.friday.rule is "friday"; allowed: one of black_friday, '),
        (lambda d: d["departments"][0]["categories"][1].update(elasticity=2.3),
         "shop.yaml: departments.Grocery.categories.Frozen Foods.elasticity is 2.3; "
         "allowed: a number from 0 to 4, in steps of 0.5"),
        (lambda d: d["departments"][0]["categories"][0].update(zone="ROOF"),
         'shop.yaml: departments.Grocery.categories.Dairy.zone is "ROOF"; allowed: one of '),
        (lambda d: d["departments"][0]["categories"][1].update(name="Dairy"),
         'shop.yaml: departments.Grocery.categories.Dairy.name is "Dairy"; allowed: a name that'),
        (lambda d: d["departments"][0]["categories"][0]["templates"][0].update(price=[4, 1]),
         "shop.yaml: departments.Grocery.categories.Dairy.templates.Milk.price is [4.0, 1.0]; "
         "allowed: [low, high] with 0 < low <= high"),
        (lambda d: d["departments"][0]["categories"][0]["templates"][0].update(price=[4]),
         "shop.yaml: departments.Grocery.categories.Dairy.templates.Milk.price"),
        (lambda d: d["departments"][0]["categories"][0]["templates"][0].update(sku_prefix="m"),
         "shop.yaml: departments.Grocery.categories.Dairy.templates.Milk.sku_prefix is "
         '"m"; allowed: text that matches ^[A-Z]{2,4}$'),
        (lambda d: d["segments"].pop("brand_loyal"),
         "shop.yaml: segments is "),
        (lambda d: d["missions"]["gifts"]["categories"].update(Toys=1),
         'shop.yaml: missions.gifts.categories is "Toys"; allowed: one of Dairy, Frozen Foods'),
        (lambda d: d.update(online={"modes": {"DRONE": 1}}),
         "shop.yaml: online.modes.DRONE is not a name allowed there: Input should be "),
        (lambda d: d.update(zones=["FOOD"]),
         'shop.yaml: zones is ["FOOD"]; allowed: zones that begin with ENTRANCE and end with'),
        (lambda d: d.update(zones=[]),
         "shop.yaml: zones has 0 entries; allowed: a list of 1 or more"),
        (lambda d: d["temporal"].update(country=False),
         "shop.yaml: temporal.country is false; allowed: text (YAML reads yes, no, on and off"),
        (lambda d: d.update(inflation_percent=float("nan")),
         "shop.yaml: inflation_percent is NaN; allowed: a number from 0 to 20"),
    ],
)  # fmt: skip
def test_a_wrong_profile_names_file_path_and_value(
    write: Write, data: Data, change: Callable[[Data], object], message: str
) -> None:
    change(data)
    assert message in refused(write("shop.yaml", yaml.safe_dump(data)))


def test_all_contradictions_are_listed(write: Write, data: Data) -> None:
    data["affinities"] = [["Dairy", "Toys"]]
    data["behaviours"]["quick_trip"]["missions"]["party"] = 1
    data["segments"]["brand_loyal"]["behaviours"]["running"] = 1
    message = refused(write("shop.yaml", yaml.safe_dump(data)))
    assert message.splitlines()[0] == "3 problems:"
    assert 'shop.yaml: affinities.0 is "Toys"; allowed: one of Dairy, Frozen Foods' in message
    assert 'behaviours.quick_trip.missions is "party"; allowed: one of gifts, top_up' in message
    assert 'segments.brand_loyal.behaviours is "running"; allowed: one of ' in message


def test_the_order_of_keys_in_a_file_leaves_no_trace(write: Write, data: Data) -> None:
    def turned(node: object, key: str = "") -> object:
        if isinstance(node, dict):
            names = list(node) if key == "variants" else list(reversed(node))
            return {name: turned(node[name], name) for name in names}
        return [turned(inner) for inner in node] if isinstance(node, list) else node

    one = read_profile(write("a.yaml", yaml.safe_dump(data, sort_keys=False)))
    other = read_profile(write("b.yaml", yaml.safe_dump(turned(data), sort_keys=False)))
    assert one.model_dump_json() == other.model_dump_json()
    assert tuple(one.segments) == SEGMENTS
    assert tuple(one.behaviours) == BEHAVIOURS
    assert list(one.tenders) == sorted(one.tenders)
    assert list(one.categories[0].templates[0].variants) == ["size", "fat"]


def test_values_of_a_file_are_not_guessed(write: Write, data: Data) -> None:
    data["temporal"]["months"][0] = "0.7"
    assert 'temporal.months.0 is "0.7"; allowed: a number of 0 or more' in refused(
        write("shop.yaml", yaml.safe_dump(data))
    )
