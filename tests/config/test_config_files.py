"""Configurations are read from JSON, YAML and TOML, and everything wrong is said at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

from retail_datagen.config.errors import ConfigError, UserError
from retail_datagen.config.library import packaged
from retail_datagen.config.models import RetailConfig

Write = Callable[[str, object], Path]

PUBLISHED = """{
  "seed": 42,
  "volume": {
    "stores": 250,
    "dcs": 12,
    "customers_per_day": 20000,
    "items_per_ticket_mean": 4.2,
    "online_orders_per_day": 2500
  },
  "realtime": {
    "emit_interval_ms": 500,
    "burst": 100
  },
  "paths": {
    "dict": "data/dictionaries",
    "master": "data/master",
    "facts": "data/facts"
  },
  "stream": {
    "hub": "retail-events"
  }
}
"""


def refused(path: str | Path) -> str:
    with pytest.raises(ConfigError) as caught:
        RetailConfig.from_file(path)
    return str(caught.value)


def test_the_published_example_loads_unchanged(write: Write) -> None:
    config = RetailConfig.from_file(str(write("config.json", PUBLISHED)))
    assert config.seed == 42
    assert config.volume.model_dump() == {
        "stores": 250,
        "dcs": 12,
        "customers_per_day": 20000,
        "items_per_ticket_mean": 4.2,
        "online_orders_per_day": 2500,
        "customers": 0,
        "products": 0,
    }
    assert config.volume.customer_count == 100_000
    assert config.realtime.emit_interval_ms == 500
    assert config.realtime.burst == 100
    assert config.paths.dict == Path("data/dictionaries")
    assert config.paths.master == Path("data/master")
    assert config.paths.facts == Path("data/facts")
    assert config.stream.hub == "retail-events"
    assert config.profile == "supercenter"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.json", '{"seed": 7, "volume": {"stores": 3}, "calendar": {"first": "2020-02-03"}}'),
        ("c.yaml", "seed: 7\nvolume:\n  stores: 3\ncalendar:\n  first: 2020-02-03\n"),
        ("c.YML", "seed: 7\nvolume: {stores: 3}\ncalendar: {first: '2020-02-03'}\noverrides:\n"),
        ("c.toml", "seed = 7\n[volume]\nstores = 3\n[calendar]\nfirst = 2020-02-03\n"),
        (
            "c.json",
            '\ufeff{"seed": 7, "volume": {"stores": 3}, "calendar": {"first": "2020-02-03"}}',
        ),
    ],
)
def test_three_formats_say_the_same(write: Write, name: str, text: str) -> None:
    config = RetailConfig.from_file(write(name, text))
    assert (config.seed, config.volume.stores) == (7, 3)
    assert config.calendar.first == date(2020, 2, 3)
    assert config.volume.dcs == 1


@pytest.mark.parametrize("name", ["empty.yaml", "empty.toml", "empty.json"])
def test_an_empty_file_is_all_defaults(write: Write, name: str) -> None:
    assert RetailConfig.from_file(write(name, "")) == RetailConfig()


def test_whole_numbers_serve_where_any_number_does(write: Write) -> None:
    config = RetailConfig.from_file(write("c.yaml", "volume: {items_per_ticket_mean: 4}"))
    assert config.volume.items_per_ticket_mean == 4.0


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.ini", "", "c.ini: unknown extension '.ini' for a configuration; "
                      "allowed: .json, .yaml, .yml, .toml"),
        ("c.json", '{\n"seed": 1,,\n}', "c.json: not valid JSON: line 2, column 11: "),
        ("c.json", '{"seed": 1, "seed": 2}',
         "c.json: not valid JSON: the key 'seed' is given twice"),
        ("c.json", "{", "c.json: not valid JSON: line 1, column 2: Expecting property name"),
        ("c.yaml", "seed: 1\nvolume: [1\n", "c.yaml: not valid YAML: line 3, column 1: "),
        ("c.yaml", "seed: 1\nseed: 2\n",
         "c.yaml: not valid YAML: line 2, column 1: the key 'seed' is given twice"),
        ("c.yaml", "? [1, 2]\n: 3\n", "c.yaml: not valid YAML: line 1, column 3: "),
        ("c.yaml", "seed: \x00", "c.yaml: not valid YAML: "),
        ("c.yaml", "seed: &a [*a]\n",
         "c.yaml: seed contains itself, or more than 32 levels; allowed: plain values"),
        ("c.yaml", "volume: &a\n  stores: *a\n", "c.yaml: volume contains itself, or more than"),
        ("c.json", '{"overrides": ' + "[" * 400 + "]" * 400 + "}",
         "c.json: overrides contains itself, or more than 32 levels"),
        ("c.toml", "seed = 1\nstores =\n", "c.toml: not valid TOML: "),
        ("c.yaml", "- seed\n",
         "c.yaml: a configuration is a mapping of names to values, not a list"),
        ("c.json", "42",
         "c.json: a configuration is a mapping of names to values, not a single value"),
    ],
)  # fmt: skip
def test_unreadable_files_say_what_and_where(
    write: Write, name: str, text: str, message: str
) -> None:
    assert message in refused(write(name, text))


def test_toml_syntax_errors_name_the_line(write: Write) -> None:
    assert "line 2" in refused(write("c.toml", "seed = 1\nstores =\n"))


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    assert refused("absent.json") == "absent.json: no such configuration file"
    Path("folder.json").mkdir()
    assert refused("folder.json").startswith("folder.json: cannot be read: ")
    Path("latin.yaml").write_bytes(b"profile: caf\xe9\n")
    assert refused("latin.yaml") == "latin.yaml: not UTF-8 text (byte 12)"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"sede": 1}, 'c.json: sede is not a field; did you mean "seed"?'),
        ({"volume": {"store": 1}}, 'c.json: volume.store is not a field; did you mean "stores"?'),
        ({"stores": 1}, 'c.json: stores is not a field there; did you mean "volume.stores"?'),
        ({"paths": {"qqq": 1}},
         "c.json: paths.qqq is not a field; known are dict, master, facts"),
        ({"volume": {"stores": "10"}},
         'c.json: volume.stores is "10"; allowed: a whole number from 1 to 9,999'),
        ({"volume": {"stores": True}},
         "c.json: volume.stores is true; allowed: a whole number from 1 to 9,999"),
        ({"volume": {"stores": 2.5}},
         "c.json: volume.stores is 2.5; allowed: a whole number from 1 to 9,999"),
        ({"volume": {"stores": None}},
         "c.json: volume.stores is empty; allowed: a whole number from 1 to 9,999"),
        ({"volume": {"stores": 0}},
         "c.json: volume.stores is 0; allowed: a whole number from 1 to 9,999"),
        ({"volume": {"customers_per_day": 0}},
         "c.json: volume.customers_per_day is 0; allowed: a whole number from 1 to 2,000,000"),
        ({"volume": {"items_per_ticket_mean": "4"}},
         'c.json: volume.items_per_ticket_mean is "4"; allowed: a number from 1 to 40'),
        ({"volume": {"stores": 10, "dcs": 12}},
         "c.json: volume.dcs is 12; allowed: at most one for each store, here 10"),
        ({"volume": 3}, "c.json: volume is 3; allowed: a mapping with stores, dcs, "),
        ({"seed": -1},
         "c.json: seed is -1; allowed: a whole number from 0 to 9,223,372,036,854,775,807"),
        ({"seed": 2**63},
         "c.json: seed is 9223372036854775808; allowed: a whole number from 0 to "),
        ({"realtime": {"burst": 0}},
         "c.json: realtime.burst is 0; allowed: a whole number of 1 or more"),
        ({"paths": {"master": ""}},
         'c.json: paths.master is ""; allowed: text: the path of a folder'),
        ({"paths": {"facts": " "}},
         'c.json: paths.facts is " "; allowed: text: the path of a folder'),
        ({"paths": {"facts": "a\0b"}},
         'c.json: paths.facts is "a\\u0000b"; allowed: text: the path of a folder'),
        ({"paths": {"dict": ""}}, 'c.json: paths.dict is ""; allowed: text: the path of a folder'),
        ({"paths": {"facts": "./data/x/../master"}},
         'c.json: paths.facts is "data/x/../master"; '
         "allowed: another folder than paths.master, data/master"),
        ({"paths": {"facts": 3}}, "c.json: paths.facts is 3; allowed: text: the path of a folder"),
        ({"stream": {"hub": False}}, "c.json: stream.hub is false; allowed: text (YAML reads yes,"),
        ({"calendar": {"first": "May"}},
         'c.json: calendar.first is "May"; allowed: a date, as 2024-01-31'),
        ({"calendar": {"first": "2030-01-01", "last": "2029-12-31"}},
         'c.json: calendar.last is "2029-12-31"; allowed: a day after calendar.first, 2030-01-01'),
        ({"calendar": {"last": "9999-01-01"}},
         'c.json: calendar.last is "9999-01-01"; allowed: a day from 1970-01-01 to 2100-12-31'),
        ({"timezone": "Mars/Base"},
         'c.json: timezone is "Mars/Base"; allowed: an IANA time zone, such as Europe/Berlin'),
        ({"overrides": [1]}, "c.json: overrides is [1]; allowed: a mapping"),
        ({"overrides": {"temporal.month.0": 1}},
         'c.json: override "temporal.month.0" leads nowhere: there is no "month" under '),
        ({"overrides": {"temporal": {"months.0": -1}}},
         'c.json: override "temporal.months.0": temporal.months.0 is -1; allowed: '),
        ({"profile": "grocry"}, 'c.json: profile is "grocry"; '),
        ({"profile": "my/shop.yaml"}, 'c.json: profile is "my/shop.yaml": there is no such file'),
    ],
)  # fmt: skip
def test_a_wrong_value_names_file_field_value_and_what_is_allowed(
    write: Write, data: object, message: str
) -> None:
    assert refused(write("c.json", data)).startswith(message)


def test_a_day_that_no_month_has_names_its_field(write: Write) -> None:
    assert refused(write("c.yaml", "calendar: {first: 2023-02-29}")) == (
        'c.yaml: calendar.first is "2023-02-29"; allowed: a date, as 2024-01-31'
    )


@pytest.mark.parametrize(
    "data",
    [
        '{"profile": "\\ud800"}',
        '{"stream": {"hub": "\\ud800"}}',
        '{"stream": {"\\ud800": "x"}}',
        '{"\\ud800": 1}',
    ],
)
def test_half_a_character_is_told_as_such(write: Write, data: str) -> None:
    message = refused(write("c.json", data))
    assert message.startswith("c.json: ")
    assert "'\\ud800' holds half a character; allowed: text that UTF-8 can hold" in message
    assert "\n" not in message


def test_not_a_number_is_not_a_number(write: Write) -> None:
    text = "volume: {items_per_ticket_mean: .nan}"
    assert refused(write("c.yaml", text)) == (
        "c.yaml: volume.items_per_ticket_mean is NaN; allowed: a number from 1 to 40"
    )


def test_an_unknown_profile_lists_those_there_are(write: Write) -> None:
    message = refused(write("c.yaml", "profile: nothing"))
    assert packaged()
    for name in packaged():
        assert name in message
        assert message.count(name) == 1
    assert message.startswith('c.yaml: profile is "nothing"; allowed: ')
    assert message.endswith("or the path of a YAML file")


def test_all_problems_come_in_one_error(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETAIL_VOLUME__DCS", "many")
    data = {"sede": 1, "profile": "x", "volume": {"stores": 0, "customers_per_day": "9"}}
    lines = refused(write("c.json", data)).splitlines()
    assert lines[0] == "5 problems:"
    assert sorted(line.split(" is ")[0].strip() for line in lines[1:]) == [
        "RETAIL_VOLUME__DCS: volume.dcs",
        "c.json: profile",
        "c.json: sede",
        "c.json: volume.customers_per_day",
        "c.json: volume.stores",
    ]


def test_errors_are_for_people() -> None:
    assert issubclass(ConfigError, UserError)
    assert not issubclass(UserError, ValueError)


def test_python_calls_are_checked_as_well() -> None:
    with pytest.raises(ValidationError, match="dcs is 2; allowed: at most one for each store"):
        RetailConfig.model_validate({"volume": {"stores": 1, "dcs": 2}})
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        RetailConfig.model_validate({"volume": {"stores": 0}})
    with pytest.raises(ValidationError, match="a day after calendar"):
        RetailConfig.model_validate({"calendar": {"first": "2030-01-01", "last": "2030-01-01"}})


def test_files_are_read_whatever_the_order_of_keys(write: Write) -> None:
    data = json.loads(PUBLISHED)
    backwards = {key: data[key] for key in reversed(data)}
    one = RetailConfig.from_file(write("a.json", data))
    assert one == RetailConfig.from_file(write("b.json", backwards))
