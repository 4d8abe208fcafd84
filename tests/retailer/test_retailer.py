"""A retailer in memory: any day in any order, one history, nothing written."""

from __future__ import annotations

import doctest
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import retail_datagen as rd
from retail_datagen import retailer as module
from retail_datagen import tables
from retail_datagen.config.models import Calendar, Volume
from retail_datagen.world.build import build_world_files

START = date(2024, 1, 1)
CONFIG = rd.RetailConfig(
    volume=Volume(stores=3, dcs=1, customers_per_day=100, products=200, online_orders_per_day=10),
    calendar=Calendar(first=date(2023, 1, 1), last=date(2024, 12, 31)),
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def at(folder: Path, **more: object) -> rd.RetailConfig:
    """The configuration with its paths in a folder."""
    paths = {name: folder / name for name in ("dict", "master", "facts")}
    return rd.RetailConfig.model_validate({**CONFIG.model_dump(), "paths": paths, **more})


def test_every_table_renders_with_its_declared_columns(tmp_path: Path) -> None:
    retailer = rd.Retailer(CONFIG, START)
    assert list(retailer.tables()) == list(tables.registry())
    for name, table in retailer.tables().items():
        rendered = retailer.render(name, "2024-01-03")
        assert rendered.schema.names == list(table.header)
        times = rendered["EventTS"].cast(pa.date32()).unique().to_pylist()
        assert times in ([date(2024, 1, 3)], []), name
    assert list(tmp_path.iterdir()) == [], "nothing is written"


def test_the_order_of_days_does_not_matter() -> None:
    one, other = rd.Retailer(CONFIG, START), rd.Retailer(CONFIG, START)
    days = [date(2024, 1, day) for day in (9, 2, 12, 5)]
    for name in one.tables():
        forth = [one.render(name, day) for day in days]
        back = [other.render(name, day) for day in reversed(days)]
        assert forth == back[::-1], name


def test_a_day_may_be_a_date_a_datetime_or_a_text() -> None:
    retailer = rd.Retailer(CONFIG, datetime(2024, 1, 1, 13, 30))
    assert retailer.history_start == START
    expected = retailer.render("receipts", date(2024, 1, 2))
    assert retailer.render("receipts", datetime(2024, 1, 2, 23, 59)) == expected
    assert retailer.render("receipts", "2024-01-02") == expected


def test_days_includes_both_ends() -> None:
    retailer = rd.Retailer(CONFIG, START)
    found = list(retailer.days("receipts", "2024-01-02", "2024-01-04"))
    assert found == [retailer.render("receipts", f"2024-01-0{day}") for day in (2, 3, 4)]
    assert len(list(retailer.days("receipts", START, START))) == 1


def test_a_configuration_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(CONFIG.model_dump_json())
    from_file = rd.Retailer("config.json", START)
    assert from_file.config == CONFIG
    expected = rd.Retailer(CONFIG, START).render("marketing", START)
    assert from_file.render("marketing", START) == expected


def test_what_cannot_be_rendered_is_said() -> None:
    retailer = rd.Retailer(CONFIG, START)
    for call, message in (
        (("recipts", START), "tables: 'recipts' is not known; allowed are ble_pings, "),
        (("receipts", "2023-12-31"), "day: 2023-12-31 is before the history, which begins on 2024"),
        (("receipts", "2025-01-01"), "day: 2025-01-01 is outside of the calendar; allowed is 2023"),
        (("receipts", "tomorrow"), "'tomorrow' is not a date"),
        (("receipts", 20240101), "20240101 is not a date"),
    ):
        with pytest.raises(rd.UserError, match=message):
            retailer.render(*call)
    with pytest.raises(rd.UserError, match=r"^day: 2050-01-01 is outside of the calendar; allowed"):
        rd.render("receipts", "2050-01-01", CONFIG)
    with pytest.raises(rd.UserError, match="end: 2024-01-01 is before the start, 2024-01-02"):
        retailer.days("receipts", "2024-01-02", "2024-01-01")
    with pytest.raises(rd.UserError, match="history_start: 2022-12-31 is outside of the calendar"):
        rd.Retailer(CONFIG, "2022-12-31")


def test_the_users_own_master_data_is_used(tmp_path: Path) -> None:
    config = at(tmp_path)
    build_world_files(config, config.load_profile(), tmp_path / "master")
    stores = tmp_path / "master/stores.csv"
    stores.write_text(stores.read_text().replace("\n3,", "\n77,"))
    customers = tmp_path / "master/customers.csv"
    read = pa.csv.read_csv(customers)
    for place in (1, 2, 3):
        name = f"NearestStoreID{place}"
        ids = pc.if_else(pc.equal(read[name], 3), 77, read[name])
        read = read.set_column(read.column_names.index(name), name, ids)
    pa.csv.write_csv(read, customers)
    for name, kind in (("sensors", "SensorId"), ("beacons", "BeaconId")):
        path = tmp_path / f"master/{name}.csv"
        rows = pa.csv.read_csv(path)
        ids = pc.if_else(pc.equal(rows["StoreID"], 3), 77, rows["StoreID"])
        assert kind in rows.column_names
        pa.csv.write_csv(rows.set_column(1, "StoreID", ids), path)
    found = rd.Retailer(config, START).render("receipts", "2024-01-02")["StoreID"].to_pylist()
    assert set(found) == {1, 2, 77}


def test_render_sees_that_master_data_has_changed(tmp_path: Path) -> None:
    config = at(tmp_path)
    before = rd.render("receipts", START, config, START)
    assert not (tmp_path / "master").exists()
    other = at(tmp_path, seed=7)
    build_world_files(other, other.load_profile(), tmp_path / "master")
    after = rd.render("receipts", START, config, START)
    assert after != before
    assert after == rd.Retailer(config, START).render("receipts", START)


def test_render_begins_with_the_month_unless_told_otherwise() -> None:
    expected = rd.Retailer(CONFIG, "2024-02-01").render("receipts", "2024-02-03")
    assert rd.render("receipts", "2024-02-03", CONFIG) == expected
    told = rd.render("receipts", "2024-02-03", CONFIG, "2024-01-30")
    assert told == rd.Retailer(CONFIG, "2024-01-30").render("receipts", "2024-02-03")
    assert told["TraceId"][0] != expected["TraceId"][0]


def test_a_history_on_file_is_gone_on_with(tmp_path: Path) -> None:
    config = at(tmp_path)
    start = date(2024, 1, 29)
    generator = rd.FactDataGenerator(config, tables=["receipts"], format="parquet", workers=1)
    generator.generate_historical_data(start, start)
    retailer = rd.Retailer(config)
    assert retailer.history_start == start
    expected = retailer.render("receipts", "2024-02-02")
    assert rd.render("receipts", "2024-02-02", config) == expected
    assert rd.render("receipts", "2024-01-05", config).num_rows > 0, "before it: that month's own"
    other = at(tmp_path / "other")
    assert rd.Retailer(other).history_start == START


def test_another_seed_is_another_retailer() -> None:
    one = rd.render("receipts", "2024-01-02", CONFIG, START)
    other = rd.render("receipts", "2024-01-02", CONFIG.model_copy(update={"seed": 7}), START)
    assert one != other


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = (
        "import sys, retail_datagen as rd\n"
        "heavy = {'numpy', 'pyarrow', 'pydantic', 'holidays'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert {'render', 'Retailer'} <= set(dir(rd))\n"
        "assert rd.Retailer.__module__ == 'retail_datagen.retailer'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_public_name_is_there() -> None:
    for name in rd.__all__:
        assert getattr(rd, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = rd.nothing


def test_the_modules_own_example() -> None:
    assert doctest.testmod(module).attempted == 3
    assert doctest.testmod(module).failed == 0
