"""Weights of which none counts are refused wherever a profile has some, by file and field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from retail_datagen.config.errors import ConfigError
from retail_datagen.config.library import packaged, profile_file, read_profile
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.problems import Location, dotted

NO_WEIGHTS = {"price", "cost_ratio", "minutes", "cost", "markdown_months", "named_days", "fees"}
"""Lists and mappings of numbers that nothing is drawn by."""
SECTIONS = {"funnel", "earned", "supply", "traffic", "webshop", "returns"}
"""Mappings of numbers whose fields have nothing to do with each other."""
OF_PARTS = ("share", "weight")
"""Fields of parts that are weights among the others of their list."""
TREES = {
    name: read_profile(profile_file(name)).model_dump(mode="json")
    for name in (*packaged(), str(Path(__file__).parent / "tiny.yaml"))
}
RULE = "; allowed: at least one above 0 (0.001 or more), and none above 1,000,000"


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def weights(node: object, at: Location = ()) -> Iterator[tuple[Location, str]]:
    """Where weights are: (location of the list or mapping, field of its parts or nothing)."""
    entries: list[tuple[str | int, object]] = []
    if isinstance(node, dict):
        entries = list(node.items())
    elif isinstance(node, list):
        entries = list(enumerate(node))
    values = [value for _, value in entries]
    if values and all(map(is_number, values)):
        is_part = isinstance(node, dict) and (at[-1] in SECTIONS or isinstance(at[-1], int))
        if at[-1] not in NO_WEIGHTS and not is_part:
            yield at, ""
        return
    for field in OF_PARTS:
        if values and all(isinstance(v, dict) and field in v for v in values):
            yield at, field
    for key, value in entries:
        yield from weights(value, (*at, key))


PLACES = [
    pytest.param(name, at, field, id=f"{Path(name).stem}-{'.'.join(map(str, at))}-{field}")
    for name, tree in TREES.items()
    for at, field in weights(tree)
    if name != "supercenter" or at[:1] != ("departments",)
]


def refused(tree: object) -> str:
    Path("shop.json").write_text(json.dumps(tree), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        RetailConfig(profile="shop.json").load_profile()
    return str(caught.value)


def changed(name: str, at: Location, field: str, value: float) -> object:
    tree = json.loads(json.dumps(TREES[name]))
    node = tree
    for key in at:
        node = node[key]
    for key in node if isinstance(node, dict) else range(len(node)):
        if field:
            node[key][field] = value
        else:
            node[key] = value
    return tree


SMALLEST = [place for place in PLACES if place.values[0] in ("grocery", "ecommerce")]
"""Places of whatever kind, to which something above 0 that rounds to it is enough."""


@pytest.mark.parametrize(("name", "at", "field"), SMALLEST)
def test_what_is_hardly_above_0_is_refused(name: str, at: Location, field: str) -> None:
    check_refused(name, at, field, 0.0004)


@pytest.mark.parametrize(("name", "at", "field"), PLACES)
def test_none_above_0_is_refused(name: str, at: Location, field: str) -> None:
    check_refused(name, at, field, 0)


def check_refused(name: str, at: Location, field: str, value: float) -> None:
    message = refused(changed(name, at, field, value))
    assert message.startswith(f"shop.json: {dotted(at, TREES[name])} has no")
    assert message.endswith(f"{field} above 0{RULE}" if field else f"none above 0{RULE}") or (
        "appetites has no share and orders above 0" in message
    )


def test_the_places_are_those_of_the_declaration() -> None:
    found = {(".".join(k for k in p.values[1] if isinstance(k, str)), p.values[2]) for p in PLACES}
    names = {place.rsplit(".", 1)[-1] for place, _ in found}
    assert names >= {
        "tenders", "modes", "reasons", "half_hours", "half_hours_weekend", "half_hours_online",
        "months", "weekdays", "quantities", "missions", "categories", "behaviours", "season",
        "devices", "channels", "signup_channels", "formats", "segments", "speeds", "appetites",
    }  # fmt: skip
    assert ("online.weekdays", "") in found
    assert ("temporal.weekdays", "") in found


def test_weights_beyond_whole_numbers_are_refused() -> None:
    message = refused(changed("grocery", ("tenders",), "", 1e300))
    assert message == f"shop.json: tenders has 1e+300{RULE}"


def test_appetites_need_somebody_who_orders() -> None:
    tree = json.loads(json.dumps(TREES["ecommerce"]))
    for appetite in tree["online"]["appetites"]:
        appetite["orders" if appetite["share"] > 0.2 else "share"] = 0
    assert refused(tree) == f"shop.json: online.appetites has no share and orders above 0{RULE}"


def test_none_at_all_is_refused_as_well() -> None:
    tree = json.loads(json.dumps(TREES["grocery"]))
    tree["tenders"] = {}
    tree["online"]["modes"] = {}
    message = refused(tree)
    assert f"shop.json: tenders has none above 0{RULE}" in message
    assert f"shop.json: online.modes has none above 0{RULE}" in message


def test_an_override_is_named() -> None:
    config = RetailConfig(overrides={"temporal.weekdays": [0] * 7})
    with pytest.raises(ConfigError) as caught:
        config.load_profile()
    text = f'override "temporal.weekdays": temporal.weekdays has none above 0{RULE}'
    assert str(caught.value) == text


def test_a_web_shop_takes_no_cash() -> None:
    tenders = dict.fromkeys(TREES["supercenter"]["tenders"], 0) | {"CASH": 1}
    with pytest.raises(ConfigError, match=r"supercenter\.yaml: tenders has none but CASH above 0"):
        RetailConfig(overrides={"tenders": tenders}).load_profile()
    config = RetailConfig.model_validate(
        {"overrides": {"tenders": tenders}, "volume": {"online_orders_per_day": 0}}
    )
    assert config.load_profile().tenders["CASH"] == 1
