"""Reading master data that people edited: their rows serve, their mistakes are named."""

from __future__ import annotations

import csv
import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retail_datagen.config.profile import Profile
from retail_datagen.schema import Kind
from retail_datagen.world.errors import MasterDataError
from retail_datagen.world.master import MASTER_TABLES
from retail_datagen.world.model import World
from retail_datagen.world.read import read_world


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def write(path: Path, rows: list[list[str]], ending: str = "\n") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator=ending).writerows(rows)


def edit(folder: Path, name: str, line: int, column: str, value: str) -> str:
    """Change one cell; the old value is returned. Line 1 is the header."""
    rows = rows_of(folder / f"{name}.csv")
    place = rows[0].index(column)
    old = rows[line - 1][place]
    rows[line - 1][place] = value
    write(folder / f"{name}.csv", rows)
    return old


def refusal(folder: Path, profile: Profile) -> str:
    with pytest.raises(MasterDataError) as error:
        read_world(folder, profile)
    return str(error.value)


def same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and np.array_equal(one, other)
    if isinstance(one, pa.Array):
        return bool(one.equals(other))
    if is_dataclass(one):
        return all(
            same(getattr(one, f.name), getattr(other, f.name))
            for f in fields(one)
            if f.name != "digest"
        )
    return one == other


def test_the_world_is_what_the_files_say(built: Path, profile: Profile) -> None:
    world = read_world(built, profile)
    assert re.fullmatch("[0-9a-f]{64}", world.digest)
    stores = rows_of(built / "stores.csv")
    header, row = stores[0], dict(zip(stores[0], stores[5], strict=True))
    assert header[0] == "StoreID"
    place = int(np.searchsorted(world.stores.store_id, int(row["StoreID"])))
    assert world.stores.open_hour[place] == int(row["OpenHour"])
    assert world.stores.traffic[place] == round(float(row["TrafficMultiplier"]) * 1000)
    assert world.stores.dc_km[place] == int(row["DCDistanceKm"])
    assert world.dcs.dc_id[world.stores.dc[place]] == int(row["DCID"])
    town = world.stores.geography[place]
    assert world.geographies.geography_id[town] == int(row["GeographyID"])
    assert world.stores.tax_ppm[place] == world.geographies.tax_ppm[town]
    assert profile.formats[world.stores.format[place]].name == row["Format"]

    customers = rows_of(built / "customers.csv")
    row = dict(zip(customers[0], customers[100], strict=True))
    place = int(np.searchsorted(world.customers.customer_id, int(row["CustomerID"])))
    ids = world.stores.store_id[world.customers.stores[place]].tolist()
    assert ids == [int(row[f"NearestStoreID{i}"]) for i in (1, 2, 3)]
    assert f"BLE{world.customers.ble[place]}" == row["BLEId"]
    assert f"AD{world.customers.ad[place]}" == row["AdId"]

    products = rows_of(built / "products.csv")
    row = dict(zip(products[0], products[77], strict=True))
    place = world.products.product_id.tolist().index(int(row["ProductID"]))
    assert world.categories[world.products.category[place]] == row["Category"]
    assert world.products.price[place] == round(float(row["Price"]) * 100)
    assert (np.diff(world.products.category) >= 0).all()
    parts = {(r[4], r[5]) for r in products[1:]}
    assert products[0][4:6] == ["Category", "Subcategory"]
    assert int(world.products.subcategory.max()) + 1 == len(parts)
    assert len(world.sensors) == len(world.stores.store_id)
    assert world.sensors[0][0] == "SENSOR_001_ENTRANCE"
    assert len(world.beacons[0]) == len(profile.zones)
    promotion = world.campaigns.promotion
    assert (world.promotions.first_day[promotion] == world.campaigns.first_day).all()
    named = [day.rule for day in profile.temporal.named_days]
    row_number = world.calendar.row(int(np.datetime64("2024-11-29").astype(int)))
    assert named[world.calendar.named[row_number]] == "black_friday"


def test_promotions_point_to_the_subcategories_of_products(built: Path, profile: Profile) -> None:
    world = read_world(built, profile)
    table = {r[0]: r for r in rows_of(built / "promotions.csv")[1:]}
    names = {}
    ids = world.products.product_id.tolist()
    for row in rows_of(built / "products.csv")[1:]:
        names[int(world.products.subcategory[ids.index(int(row[0]))])] = row[5]
    for i, code in enumerate(world.promotions.code):
        part = int(world.promotions.subcategory[i])
        assert (names[part] if part >= 0 else "") == table[code][3]
        assert world.categories[world.promotions.category[i]] == table[code][2]


def test_the_order_of_rows_and_columns_means_nothing(
    built: Path, folder: Path, profile: Profile
) -> None:
    for table in MASTER_TABLES:
        header, *rows = rows_of(folder / f"{table.name}.csv")
        turned = [[*reversed(row), "x"] for row in [header, *reversed(rows)]]
        turned[0][-1] = "OwnColumn"
        write(folder / f"{table.name}.csv", turned, ending="\r\n")
    one, other = read_world(built, profile), read_world(folder, profile)
    assert one.digest != other.digest
    for field in fields(World):
        if field.name != "digest":
            assert same(getattr(one, field.name), getattr(other, field.name)), field.name


def test_spreadsheets_may_mark_and_quote_what_they_save(
    built: Path, folder: Path, profile: Profile
) -> None:
    rows = rows_of(folder / "suppliers.csv")
    text = "\r\n".join(",".join(f'"{value}"' for value in row) for row in rows)
    (folder / "suppliers.csv").write_bytes(b"\xef\xbb\xbf" + text.encode() + b"\r\n\r\n")
    rows = rows_of(folder / "trucks.csv")
    write(folder / "trucks.csv", [[value.upper() for value in row] for row in rows[1:]])
    content = (folder / "trucks.csv").read_text()
    (folder / "trucks.csv").write_text(",".join(rows[0]) + "\n" + content)
    one, other = read_world(built, profile), read_world(folder, profile)
    assert same(one.suppliers, other.suppliers)
    assert same(one.trucks, other.trucks)


def test_quoted_values_may_hold_line_breaks(folder: Path, profile: Profile) -> None:
    """Wherever they lie: files are read in blocks, which end at lines."""
    path = folder / "products.csv"
    header, *rows = rows_of(path)
    name = header.index("ProductName")
    for row in rows:
        row[name] = "one\ntwo\n" * 200
    write(path, [header, *rows])
    assert path.stat().st_size > 3 << 17
    assert len(read_world(folder, profile).products.product_id) == len(rows)


def test_rows_may_be_added_and_taken_away(folder: Path, profile: Profile) -> None:
    stores = rows_of(folder / "stores.csv")
    mine = ["99", "Mine", *stores[1][2:]]
    mine[stores[0].index("Format")] = "flagship"
    write(folder / "stores.csv", [*stores, mine])
    for name in ("sensors", "beacons"):
        rows = rows_of(folder / f"{name}.csv")
        more = [[f"{name}_99_{zone}", "99", zone] for zone in profile.zones]
        write(folder / f"{name}.csv", [*rows, *more])
    customers = rows_of(folder / "customers.csv")
    write(folder / "customers.csv", customers[:501])
    products = rows_of(folder / "products.csv")
    parts = [row[5] for row in products]
    del products[next(i for i, part in enumerate(parts) if parts.count(part) > 1)]
    write(folder / "products.csv", products)
    write(folder / "campaigns.csv", rows_of(folder / "campaigns.csv")[:1])
    world = read_world(folder, profile)
    assert world.stores.store_id[-1] == 99
    assert world.sensors[-1][0] == "sensors_99_ENTRANCE"
    assert len(world.customers.customer_id) == 500
    assert len(world.products.product_id) == len(products) - 1
    assert world.campaigns.campaign_id == ()


@pytest.mark.parametrize(
    ("name", "line", "column", "value", "allowed"),
    [
        ("geographies", 3, "TaxRate", "8.25", "a number from 0 to 0.25"),
        ("geographies", 3, "Latitude", "north", "a number"),
        ("geographies", 4, "GeographyID", "1", "each GeographyID once"),
        ("stores", 5, "StoreID", "1", "each StoreID once"),
        ("stores", 2, "StoreID", "0", "a whole number from 1 to 9999"),
        ("stores", 2, "StoreID", "", "a whole number"),
        ("stores", 13, "GeographyID", "777", "geographies.csv"),
        ("stores", 2, "DCID", "4", "distribution_centers.csv"),
        ("stores", 9, "Format", "hyper", "flagship, standard"),
        ("stores", 9, "SizeClass", "huge", "flagship, large, standard, small"),
        ("stores", 3, "OpenHour", "8.5", "a whole number"),
        ("stores", 3, "OpenHour", "24", "a whole number from 0 to 23"),
        ("stores", 3, "CloseHour", "0", "a whole number from 1 to 24"),
        ("stores", 3, "CloseHour", "1", "an hour after OpenHour"),
        ("stores", 3, "TrafficMultiplier", "0", "a number from 0.001 to 100"),
        ("stores", 3, "TrafficMultiplier", "nan", "a number from 0.001 to 100"),
        ("stores", 3, "Capacity", "-5", "a whole number from 1"),
        ("distribution_centers", 2, "Throughput", "many", "a whole number"),
        ("distribution_centers", 2, "GeographyID", "0", "geographies.csv"),
        ("distribution_centers", 4, "DCID", "1", "each DCID once"),
        ("trucks", 7, "DCID", "9", "distribution_centers.csv"),
        ("trucks", 7, "Capacity", "0", "a whole number from 1"),
        ("trucks", 7, "Refrigerated", "maybe", "true or false"),
        ("trucks", 7, "TruckId", "TRK1001", "each TruckId once"),
        ("trucks", 7, "TruckId", "", "1 to 20 letters and digits"),
        ("suppliers", 2, "LeadTimeDays", "0", "a whole number from 1 to 120"),
        ("suppliers", 2, "SupplierID", "2147483648", "a whole number"),
        ("customers", 1001, "CustomerID", "7", "each CustomerID once"),
        ("customers", 1001, "Email", "cora@gmail.com", "example.org"),
        ("customers", 1001, "Email", "cora @example.com", "example.org"),
        ("customers", 1001, "Email", "cora@example.community", "example.org"),
        ("customers", 1001, "Phone", "555-2368", "555-01xx"),
        ("customers", 1001, "Phone", "", "555-01xx"),
        ("customers", 1001, "FirstName", "Co\0ra", "a text without control characters"),
        ("customers", 1001, "City", "\x1b[31mred", "a text without control characters"),
        ("stores", 3, "Phone", "212 555 2368", "555-01xx"),
        ("suppliers", 3, "SupplierName", "A\x7fB", "a text without control characters"),
        ("customers", 1001, "Segment", "rich", "budget_conscious"),
        ("customers", 1001, "HomeGeographyID", "9999", "geographies.csv"),
        ("customers", 1001, "NearestStoreID2", "13", "stores.csv"),
        ("customers", 1001, "BLEId", "BLE5001", "BLE and 6 to 9 digits"),
        ("customers", 2, "BLEId", "BLE5001", "BLE and 6 to 9 digits"),
        ("customers", 1001, "BLEId", "BLE5000000", "as many as in the first row"),
        ("customers", 1001, "BLEId", "BLF500000", "BLE and 6 to 9 digits"),
        ("customers", 1001, "AdId", "AD50000x", "AD and 6 to 9 digits"),
        ("calendar", 31, "TrafficFactor", "-1", "a number from 0 to 50"),
        ("calendar", 31, "Event", "easter", "black_friday"),
        ("calendar", 31, "Date", "31/01/2023", "a date as YYYY-MM-DD"),
        ("calendar", 31, "Date", "2023-01-01", "each Date once"),
        ("calendar", 31, "Year", "2024", "what Date says"),
        ("calendar", 31, "Week", "9", "what Date says"),
        ("calendar", 31, "IsWeekend", "true", "what Date says"),
        ("calendar", 31, "OpensEarlier", "25", "a whole number from 0 to 24"),
        ("products", 40, "ProductID", "1001", "each ProductID once"),
        ("products", 40, "Category", "Weapons", "Fruit, Vegetables"),
        ("products", 40, "SupplierID", "999", "suppliers.csv"),
        ("products", 40, "Price", "0", "an amount above 0"),
        ("products", 40, "Price", "1.999", "at most two decimals"),
        ("products", 40, "Price", "$2", "at most two decimals"),
        ("products", 40, "Cost", "99999.99", "not above Price"),
        ("products", 40, "Price", "99999.99", "not above MSRP"),
        ("products", 40, "Pack", "0", "a whole number from 1"),
        ("products", 40, "Popularity", "-1", "a whole number from 1"),
        ("products", 40, "LaunchDate", "2024-02-30", "a date as YYYY-MM-DD"),
        ("products", 40, "Taxable", "", "true or false"),
        ("promotions", 9, "Category", "Weapons", "Fruit, Vegetables"),
        ("promotions", 9, "Subcategory", "Weapons", "subcategory of that category"),
        ("promotions", 9, "DiscountPercent", "91", "a whole number from 1 to 90"),
        ("promotions", 9, "PromoCode", "save 10", "capital letters"),
        ("promotions", 9, "EndDate", "2020-01-01", "StartDate or a later day"),
        ("campaigns", 9, "PromoCode", "NONE", "promotions.csv"),
        ("campaigns", 9, "TargetSegment", "rich", "or nothing"),
        ("campaigns", 9, "Weight", "0", "a whole number from 1"),
        ("campaigns", 9, "CampaignId", "CAMP20230101", "each CampaignId once"),
        ("campaigns", 9, "EndDate", "2020-01-01", "StartDate or a later day"),
        ("sensors", 30, "StoreID", "13", "stores.csv"),
        ("sensors", 30, "Zone", "ROOF", "ENTRANCE"),
        ("sensors", 30, "SensorId", "SENSOR_001_ENTRANCE", "each SensorId once"),
        ("beacons", 30, "Zone", "ENTRANCE", "each StoreID and Zone once"),
    ],
)
def test_a_mistake_is_named_with_its_place(
    folder: Path, profile: Profile, name: str, line: int, column: str, value: str, allowed: str
) -> None:
    old = edit(folder, name, line, column, value)
    assert old != value
    message = refusal(folder, profile)
    shown = repr(value) if value else "an empty value"
    path = folder / f"{name}.csv"
    assert message.startswith(
        f"{path}, line {line}, column {column}: {shown} is not allowed; allowed: "
    )
    assert allowed in message


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_value_of_the_wrong_type_is_found(
    folder: Path, profile: Profile, data: st.DataObject
) -> None:
    table = data.draw(st.sampled_from(MASTER_TABLES))
    typed = [c.name for c in table.columns if c.kind not in (Kind.TEXT, Kind.CATEGORY)]
    column = data.draw(st.sampled_from(typed or [table.key[0]]))
    path = folder / f"{table.name}.csv"
    count = len(rows_of(path))
    line = data.draw(st.integers(2, count))
    value = data.draw(st.sampled_from(["x", "1,5", "--", "1e", "#REF!", "ü", '"', "true false"]))
    before = path.read_bytes()
    edit(folder, table.name, line, column, value)
    try:
        assert f"{path}, line {line}, column {column}: {value!r}" in refusal(folder, profile)
    finally:
        path.write_bytes(before)


def test_a_sku_is_one_products(folder: Path, profile: Profile) -> None:
    taken = rows_of(folder / "products.csv")[1][1]
    edit(folder, "products", 40, "SKU", taken)
    assert refusal(folder, profile) == (
        f"{folder / 'products.csv'}, line 40, column SKU: {taken!r} is not allowed; allowed: each "
        "SKU once"
    )


@pytest.mark.parametrize("phone", ["(212) 555-0123", "+1 212-555-0123", "212.555-0199"])
def test_phone_numbers_of_nobody_may_have_an_area(
    folder: Path, profile: Profile, phone: str
) -> None:
    edit(folder, "customers", 1001, "Phone", phone)
    read_world(folder, profile)


def test_blank_lines_are_counted(folder: Path, profile: Profile) -> None:
    edit(folder, "stores", 4, "OpenHour", "77")
    path = folder / "stores.csv"
    path.write_text(path.read_text().replace("\n3,", "\n\n\n3,", 1))
    assert f"{path}, line 6, column OpenHour: '77'" in refusal(folder, profile)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda rows: [rows[0][:-1], *rows[1:]], "line 1: the header has no column Longitude"),
        (lambda rows: [["Store", *rows[0][1:]], *rows[1:]], "the header has no column StoreID"),
        (lambda rows: [[*rows[0], "City"], *rows[1:]], "line 1: the header names City twice"),
        (lambda rows: rows[:1], "has no rows"),
        (lambda rows: [], "line 1: the header has no column StoreID"),
        (lambda rows: [*rows[:5], rows[5][:-1], *rows[6:]], "line 6: 17 values"),
        (lambda rows: [*rows[:5], [*rows[5], "x"], *rows[6:]], "line 6: 19 values"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(
    folder: Path, profile: Profile, spoil: object, message: str
) -> None:
    path = folder / "stores.csv"
    write(path, spoil(rows_of(path)))  # type: ignore[operator]
    found = refusal(folder, profile)
    assert found.startswith(f"{path}")
    assert message in found


def test_a_file_in_another_encoding_is_refused(folder: Path, profile: Profile) -> None:
    path = folder / "stores.csv"
    content = path.read_bytes().split(b"\n")
    content[6] = content[6].replace(b",", b"\xe9,", 3)
    path.write_bytes(b"\n".join(content))
    assert f"{path}, line 7: not UTF-8 text" in refusal(folder, profile)


def test_a_store_without_a_sensor_is_refused(folder: Path, profile: Profile) -> None:
    path = folder / "sensors.csv"
    rows = rows_of(path)
    gone = rows.pop(20)
    write(path, rows)
    assert f"no row for StoreID {gone[1]}, Zone {gone[2]}" in refusal(folder, profile)


def test_a_calendar_with_a_gap_is_refused(folder: Path, profile: Profile) -> None:
    path = folder / "calendar.csv"
    rows = rows_of(path)
    gone = rows.pop(200)
    write(path, rows)
    assert f"{path}: no row for {gone[0]}" in refusal(folder, profile)
    write(path, [rows[0], *rows[250:]])
    world = read_world(folder, profile)
    assert len(world.calendar.traffic_ppm) == len(rows) - 250


def test_categories_without_products_are_left_out(folder: Path, profile: Profile) -> None:
    path = folder / "products.csv"
    rows = rows_of(path)
    write(path, [row for row in rows if row[4] != "Fruit"])
    message = refusal(folder, profile)
    assert message.startswith(f"{folder / 'promotions.csv'}, line ")
    assert "column Category: 'Fruit' is not allowed" in message
    assert "retail-datagen master --keep products.csv" in message
    write(folder / "promotions.csv", rows_of(folder / "promotions.csv")[:1])
    write(folder / "campaigns.csv", rows_of(folder / "campaigns.csv")[:1])
    world = read_world(folder, profile)
    assert world.categories == tuple(c.name for c in profile.categories if c.name != "Fruit")
    assert np.bincount(world.products.category).min() > 0
    meat = next(row for row in rows if row[4] == "Meat")
    place = world.products.product_id.tolist().index(int(meat[0]))
    assert world.categories[world.products.category[place]] == "Meat"


def test_more_products_than_plans_can_number_are_refused(folder: Path, profile: Profile) -> None:
    path = folder / "products.csv"
    header, row, *_ = rows_of(path)
    rows = [[str(1001 + number), *row[1:]] for number in range(65_001)]
    write(path, [header, *rows])
    assert refusal(folder, profile) == f"{path}: has 65001 products; allowed: 65000 at most"


def test_every_dc_needs_trucks_of_both_kinds(folder: Path, profile: Profile) -> None:
    path = folder / "trucks.csv"
    rows = rows_of(path)
    write(path, [row for row in rows if row[1:4:2] != ["2", "true"]])
    assert f"{path}: no truck with DCID 2 and Refrigerated true" in refusal(folder, profile)
    write(path, [row for row in rows if row[1:4:2] != ["3", "false"]])
    message = refusal(folder, profile)
    assert f"{path}: no truck with DCID 3 and Refrigerated false" in message
    assert "retail-datagen master --keep stores.csv,distribution_centers.csv" in message


def test_every_truck_holds_four_of_the_largest_case(folder: Path, profile: Profile) -> None:
    edit(folder, "trucks", 5, "Capacity", "800")
    edit(folder, "products", 9, "Pack", "200")
    read_world(folder, profile)
    edit(folder, "trucks", 5, "Capacity", "799")
    message = refusal(folder, profile)
    place = f"{folder / 'trucks.csv'}, line 5, column Capacity: '799' is not allowed"
    assert message.startswith(f"{place}; allowed: at least 800 units")
    assert "largest Pack in products.csv, 200" in message
    assert "retail-datagen master --keep products.csv" in message


@pytest.mark.parametrize(
    ("name", "column", "value", "kept"),
    [
        ("customers", "NearestStoreID2", "13", "stores.csv"),
        ("stores", "DCID", "4", "stores.csv"),
        ("sensors", "StoreID", "13", "stores.csv"),
        ("products", "SupplierID", "999", "products.csv"),
        ("promotions", "Subcategory", "Weapons", "products.csv"),
        ("campaigns", "PromoCode", "NONE", "products.csv,promotions.csv"),
    ],
)
def test_a_reference_to_nothing_says_how_to_rebuild(
    folder: Path, profile: Profile, name: str, column: str, value: str, kept: str
) -> None:
    edit(folder, name, 9, column, value)
    assert f"or run `retail-datagen master --keep {kept}`" in refusal(folder, profile)


def test_events_and_factors_of_the_calendar_are_the_users(folder: Path, profile: Profile) -> None:
    rows = rows_of(folder / "calendar.csv")
    line = next(i for i, row in enumerate(rows) if row[0] == "2024-03-06") + 1
    edit(folder, "calendar", line, "Event", "black_friday")
    edit(folder, "calendar", line, "TrafficFactor", "2.75")
    edit(folder, "calendar", line, "ClosesLater", "3")
    found = read_world(folder, profile).calendar
    row = found.row(int(np.datetime64("2024-03-06").astype(int)))
    assert found.traffic_ppm[row] == 2_750_000
    assert found.closes_later[row] == 3
    assert profile.temporal.named_days[found.named[row]].rule == "black_friday"
    assert found.named[row + 1] == -1
