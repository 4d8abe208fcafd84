"""RETAIL_ variables override the file; a misspelled one is an error, not a silence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from retail_datagen.config.errors import ConfigError
from retail_datagen.config.models import RetailConfig

Write = Callable[[str, object], Path]
Env = pytest.MonkeyPatch


def refused() -> str:
    with pytest.raises(ConfigError) as caught:
        RetailConfig.resolve()
    return str(caught.value)


def test_variables_override_the_file_and_texts_become_values(
    write: Write, monkeypatch: Env, tiny: str
) -> None:
    path = write("c.json", {"seed": 1, "volume": {"stores": 3, "dcs": 2}, "profile": "nowhere"})
    monkeypatch.setenv("RETAIL_SEED", "7")
    monkeypatch.setenv("RETAIL_PROFILE", tiny)
    monkeypatch.setenv("RETAIL_VOLUME__STORES", "5")
    monkeypatch.setenv("RETAIL_VOLUME__ITEMS_PER_TICKET_MEAN", "3")
    monkeypatch.setenv("RETAIL_PATHS__FACTS", "elsewhere/facts")
    monkeypatch.setenv("RETAIL_PATHS__DICT", "12")
    monkeypatch.setenv("RETAIL_CALENDAR__FIRST", "2020-01-01")
    config = RetailConfig.from_file(path)
    assert config.seed == 7
    assert config.profile == tiny
    assert (config.volume.stores, config.volume.dcs) == (5, 2)
    assert config.volume.items_per_ticket_mean == 3.0
    assert config.paths.facts == Path("elsewhere/facts")
    assert config.paths.dict == Path("12")
    assert config.calendar.first == date(2020, 1, 1)


def test_an_empty_variable_is_no_path(monkeypatch: Env) -> None:
    monkeypatch.setenv("RETAIL_PATHS__MASTER", "")
    assert refused() == (
        'RETAIL_PATHS__MASTER: paths.master is ""; allowed: text: the path of a folder'
    )


def test_variables_serve_without_a_file_and_in_any_case(monkeypatch: Env) -> None:
    monkeypatch.setenv("retail_volume__stores", "5")
    assert RetailConfig.resolve().config.volume.stores == 5


def test_python_calls_do_not_look_at_the_environment(monkeypatch: Env) -> None:
    monkeypatch.setenv("RETAIL_SEED", "7")
    assert RetailConfig().seed == 42


def test_a_section_may_be_one_json_text_and_single_fields_come_on_top(monkeypatch: Env) -> None:
    monkeypatch.setenv("RETAIL_VOLUME", '{"stores": 5, "dcs": 2}')
    monkeypatch.setenv("RETAIL_VOLUME__DCS", "3")
    config = RetailConfig.resolve().config
    assert (config.volume.stores, config.volume.dcs) == (5, 3)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("RETAIL_SEED", "abc", 'RETAIL_SEED: seed is "abc"; allowed: a whole number from 0 to '),
        ("RETAIL_SEED", "", 'RETAIL_SEED: seed is ""; allowed: a whole number from 0 to '),
        ("RETAIL_VOLUME__STORES", "0",
         "RETAIL_VOLUME__STORES: volume.stores is 0; allowed: a whole number from 1 to 9,999"),
        ("RETAIL_VOLUME__DCS", "12",
         "RETAIL_VOLUME__DCS: volume.dcs is 12; allowed: at most one for each store, here 10"),
        ("RETAIL_VOLUME", '{"store": 1}',
         'RETAIL_VOLUME: volume.store is not a field; did you mean "stores"?'),
        ("RETAIL_VOLUME", "5", 'RETAIL_VOLUME: volume is "5"; allowed: a JSON mapping'),
        ("RETAIL_OVERRIDES", "{x", 'RETAIL_OVERRIDES: overrides is "{x"; allowed: a JSON mapping'),
        ("RETAIL_PROFILE", "groceries", 'RETAIL_PROFILE: profile is "groceries"; '),
        ("RETAIL_SEDE", "1",
         'environment: RETAIL_SEDE is not a setting; did you mean "RETAIL_SEED"?'),
        ("RETAIL_VOLUME__STORE", "1",
         "environment: RETAIL_VOLUME__STORE is not a setting; "
         'did you mean "RETAIL_VOLUME__STORES"?'),
        ("RETAIL_VOLUME__STORES__X", "1",
         "environment: RETAIL_VOLUME__STORES__X is not a setting; "
         'did you mean "RETAIL_VOLUME__STORES"?'),
    ],
)  # fmt: skip
def test_a_wrong_variable_is_named(monkeypatch: Env, name: str, value: str, message: str) -> None:
    monkeypatch.setenv(name, value)
    assert refused().startswith(message)


def test_a_wrong_override_names_the_variable_or_file_that_gave_it(
    monkeypatch: Env, write: Write, tiny: str
) -> None:
    path = write("c.json", {"profile": tiny, "overrides": {"a": 1, "Tenders": {"CASH": 1}}})
    monkeypatch.setenv("RETAIL_OVERRIDES", '{"b": 2}')
    monkeypatch.setenv("RETAIL_OVERRIDES__C__D", "3")
    with pytest.raises(ConfigError) as caught:
        RetailConfig.from_file(path)
    lines = str(caught.value).splitlines()[1:]
    assert sorted(line.split(" leads ")[0].strip() for line in lines) == [
        'RETAIL_OVERRIDES: override "b"',
        'RETAIL_OVERRIDES__C__D: override "c.d"',
        'c.json: override "a"',
    ]


def test_overrides_from_the_environment(monkeypatch: Env, write: Write, tiny: str) -> None:
    overrides = {"temporal.months.0": 0.5, "tenders": {"CASH": 1}}
    path = write("c.json", {"profile": tiny, "overrides": overrides})
    monkeypatch.setenv("RETAIL_OVERRIDES", '{"Temporal.Months.0": 0.6}')
    monkeypatch.setenv("RETAIL_OVERRIDES__TENDERS__GIFT_CARD", "9")
    monkeypatch.setenv(
        "RETAIL_OVERRIDES__DEPARTMENTS__GROCERY__CATEGORIES__FROZEN_FOODS__RETURNS", "2"
    )
    profile = RetailConfig.from_file(path).load_profile()
    assert profile.temporal.months[0] == 0.6
    assert profile.tenders["CASH"] == 1
    assert profile.tenders["GIFT_CARD"] == 9
    assert profile.categories[1].returns == 2


def test_bytes_that_are_no_text_are_told(monkeypatch: Env) -> None:
    monkeypatch.setenv("RETAIL_STREAM__HUB", "caf\udce9")
    with pytest.raises(ConfigError) as caught:
        RetailConfig.resolve()
    assert str(caught.value) == (
        "RETAIL_STREAM__HUB: stream.hub is 'caf\\udce9'; allowed: text in UTF-8"
    )
