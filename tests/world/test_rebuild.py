"""`master --keep`: files of one's own stay as they are, and a world is rebuilt around them."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from own_files import generate, own_dcs, own_products, own_stores, read, violations, write

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.world import master
from retail_datagen.world.errors import MasterDataError, Misfit
from retail_datagen.world.files import ADDED
from retail_datagen.world.geography import MICRO
from retail_datagen.world.geometry import metres
from retail_datagen.world.master import MASTER_TABLES, digest
from retail_datagen.world.read import read_world
from retail_datagen.world.rebuild import Rebuilt, rebuild_world_files

FILES = [f"{table.name}.csv" for table in MASTER_TABLES]
PLACE = ADDED["stores"]
SUPPLIER = ADDED["products"]
THURSDAY = date(2024, 3, 7)
Prepare = Callable[[Path], None]
Snapshot = dict[str, tuple[bytes, int]]


def snapshot(folder: Path) -> Snapshot:
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.iterdir()}


@pytest.fixture
def own(config: RetailConfig, folder: Path) -> RetailConfig:
    """The configuration whose master data is the copy to spoil; few shoppers, to be fast."""
    changed = {"master": folder, "facts": folder.parent / "facts"}
    volume = config.volume.model_copy(update={"customers_per_day": 150})
    paths = config.paths.model_copy(update=changed)
    return config.model_copy(update={"paths": paths, "volume": volume})


@pytest.fixture
def rebuild(own: RetailConfig, profile: Profile) -> Callable[..., Rebuilt]:
    def run(*keep: str, **volume: int) -> Rebuilt:
        changed = {"volume": own.volume.model_copy(update=volume)}
        config = own.model_copy(update=changed)
        return rebuild_world_files(config, profile, own.paths.master, keep)

    return run


# What it is for.


@pytest.mark.parametrize(
    "keep",
    [
        ("stores.csv",),
        ("products.csv",),
        ("distribution_centers.csv",),
        ("stores.csv", "products.csv", "distribution_centers.csv"),
    ],
    ids=lambda keep: "+".join(keep),
)
def test_a_history_around_own_files_is_clean(
    own: RetailConfig, rebuild: Callable[..., Rebuilt], keep: tuple[str, ...]
) -> None:
    folder = own.paths.master
    own_stores(folder, 7, without=PLACE)
    own_products(folder, {"Fruit", "Milk", "Frozen Meals", "Shoes", "Garden"}, without=SUPPLIER)
    own_dcs(folder, 2)
    mine = {name: read(folder / name) for name in keep}
    done = rebuild(*keep)
    assert set(done.kept) == {name.removesuffix(".csv") for name in keep}
    for name, rows in mine.items():
        now = read(folder / name)
        assert [{column: row[column] for column in rows[0]} for row in now] == rows
        assert done.rows[name.removesuffix(".csv")] == len(rows)
    if "stores.csv" in keep:
        ids = {row["StoreID"] for row in mine["stores.csv"]}
        assert {row["StoreID"] for row in read(folder / "sensors.csv")} == ids
        assert {row["NearestStoreID1"] for row in read(folder / "customers.csv")} == ids
    else:
        assert done.rows["stores"] == own.volume.stores
    if "products.csv" in keep:
        sold = {row["Category"] for row in mine["products.csv"]}
        assert {row["Category"] for row in read(folder / "promotions.csv")} == sold
    if "distribution_centers.csv" in keep:
        ids = {row["DCID"] for row in mine["distribution_centers.csv"]}
        assert {row["DCID"] for row in read(folder / "stores.csv")} == ids
        assert {row["DCID"] for row in read(folder / "trucks.csv")} == ids
    report = generate(own, THURSDAY, 5)
    assert violations(report) == {}
    assert report.rows > 10_000


def test_a_rebuilt_world_depends_on_seed_and_kept_files_alone(
    own: RetailConfig, profile: Profile, rebuild: Callable[..., Rebuilt]
) -> None:
    folder = own.paths.master
    own_stores(folder, 5, without=PLACE)
    mine = (folder / "stores.csv").read_bytes()
    rebuild("stores.csv")
    first = digest(folder)
    for name in FILES:
        (folder / name).write_text("spoilt")
    (folder / "stores.csv").write_bytes(mine)
    rebuild("stores.csv")
    assert digest(folder) == first
    (folder / "stores.csv").write_bytes(mine)
    rebuild_world_files(own.model_copy(update={"seed": 7}), profile, folder, ["stores.csv"])
    assert digest(folder) != first


@pytest.mark.parametrize(
    "keep",
    [
        *([name] for name in FILES if name not in ("promotions.csv", "stores.csv")),
        ["stores.csv", "distribution_centers.csv"],
        ["promotions.csv", "campaigns.csv"],
        FILES,
    ],
    ids=lambda names: "+".join(names) if len(names) < 3 else "all",
)
def test_keeping_what_was_built_changes_nothing(
    config: RetailConfig, rebuild: Callable[..., Rebuilt], own: RetailConfig, keep: list[str]
) -> None:
    before = snapshot(own.paths.master)
    done = rebuild(*keep, customers_per_day=config.volume.customers_per_day)
    after = snapshot(own.paths.master)
    assert done.added == {}
    assert set(after) == set(before)
    assert {name: after[name] for name in keep} == {name: before[name] for name in keep}
    moved = {name for name in FILES if after[name][0] != before[name][0]}
    # Stores are placed around given DCs, which takes other numbers than placing both.
    around = {"stores.csv", "customers.csv", "trucks.csv"}
    assert moved == (around if keep == ["distribution_centers.csv"] else set())


def test_campaigns_are_made_for_own_promotions(
    own: RetailConfig, rebuild: Callable[..., Rebuilt], profile: Profile
) -> None:
    folder = own.paths.master
    mine = read(folder / "promotions.csv")[::9]
    for number, row in enumerate(mine):
        row["PromoCode"] = f"OWN-{number}"
    write(folder / "promotions.csv", mine)
    rebuild("promotions.csv")
    told = {row["PromoCode"] for row in read(folder / "campaigns.csv")}
    assert told <= {row["PromoCode"] for row in mine}
    years = {row["StartDate"][:4] for row in mine}
    assert {row["StartDate"][:4] for row in read(folder / "campaigns.csv")} >= years
    header = (folder / "promotions.csv").read_text().splitlines()[0]
    (folder / "promotions.csv").write_text(header + "\n")
    rebuild("promotions.csv")
    assert read(folder / "campaigns.csv") == []


# Columns that are added.


def test_kept_files_stay_byte_for_byte_but_for_added_columns(
    own: RetailConfig, rebuild: Callable[..., Rebuilt]
) -> None:
    path = own.paths.master / "products.csv"
    own_products(own.paths.master, {"Fruit", "Milk", "Shoes"}, without=SUPPLIER)
    header, first, second, *rest = path.read_text().splitlines()
    names = ('Two\nlines, "quoted"', "größer")
    first, second = (
        line.replace(read(path)[number]["ProductName"], '"' + name.replace('"', '""') + '"')
        for number, (line, name) in enumerate(zip((first, second), names, strict=True))
    )
    lines = [f"{header},Mine", "", f"{first},x", f'{second},"y"', "", *(f"{r}, z " for r in rest)]
    mine = "\ufeff" + "\r\n".join(lines)
    path.write_bytes(mine.encode())
    assert rebuild("products.csv").added == {"products": SUPPLIER}
    now = path.read_bytes().decode()
    supplier = iter([*SUPPLIER, *(row["SupplierID"] for row in read(path))])
    assert now == "\ufeff" + "\r\n".join(
        line + (f",{next(supplier)}" if line and not line.endswith("Two\nlines") else "")
        for line in lines
    )
    assert [row["ProductName"] for row in read(path)][:2] == list(names)
    kept = snapshot(path.parent)["products.csv"]
    assert rebuild("products.csv").added == {}
    assert snapshot(path.parent)["products.csv"] == kept


def test_stores_get_the_nearest_city_and_a_dc_among_their_neighbours(
    own: RetailConfig, rebuild: Callable[..., Rebuilt], profile: Profile
) -> None:
    folder = own.paths.master
    own_stores(folder, 20, without=PLACE)
    assert rebuild("stores.csv", dcs=4).added == {"stores": PLACE}
    world = read_world(folder, profile)
    stores, cities = world.stores, world.geographies
    away = metres(
        stores.latitude[:, None], stores.longitude[:, None], cities.latitude, cities.longitude
    )
    assert (away[np.arange(20), stores.geography] == away.min(axis=1)).all()
    assert world.dcs.dc_id.tolist() == [1, 2, 3, 4]
    assert set(stores.dc.tolist()) == {0, 1, 2, 3}
    assert _kilometres(folder, profile) == stores.dc_km.tolist()
    rows = {row["StoreID"]: row for row in read(folder / "stores.csv")}
    assert [rows[str(i)]["DCDistanceKm"] for i in stores.store_id] == list(map(str, stores.dc_km))


def test_stores_are_served_by_own_dcs_that_are_near_and_not_crowded(
    own: RetailConfig, rebuild: Callable[..., Rebuilt], profile: Profile
) -> None:
    folder = own.paths.master
    own_stores(folder, 20, without=PLACE)
    own_dcs(folder, 3)
    rebuild("stores.csv", "distribution_centers.csv")
    world = read_world(folder, profile)
    served = np.bincount(world.stores.dc)
    assert served.sum() == 20
    assert served.min() >= 1
    assert served.max() <= 9
    assert _kilometres(folder, profile) == world.stores.dc_km.tolist()


def test_a_dc_is_built_for_each_dcid_of_own_stores(
    own: RetailConfig, rebuild: Callable[..., Rebuilt], profile: Profile
) -> None:
    folder = own.paths.master
    own_stores(folder, 9, without=("DCDistanceKm",))
    rows = read(folder / "stores.csv")
    for number, row in enumerate(rows):
        row["DCID"] = str(40 + number % 2)
    write(folder / "stores.csv", rows)
    assert rebuild("stores.csv", dcs=5).added == {"stores": ("DCDistanceKm",)}
    assert [row["DCID"] for row in read(folder / "distribution_centers.csv")] == ["40", "41"]
    assert _kilometres(folder, profile) == read_world(folder, profile).stores.dc_km.tolist()


def _kilometres(folder: Path, profile: Profile) -> list[int]:
    """From each store to its DC, in the order of their identifiers, by road."""
    stores = read_world(folder, profile).stores
    dcs = sorted(read(folder / "distribution_centers.csv"), key=lambda row: int(row["DCID"]))
    latitude, longitude = (
        np.array([round(float(row[name]) * MICRO) for row in dcs])[stores.dc]
        for name in ("Latitude", "Longitude")
    )
    away = metres(stores.latitude, stores.longitude, latitude, longitude)
    return [max(1, round(1.2 * m / 1000)) for m in away.tolist()]


def test_all_products_of_a_brand_get_one_supplier(
    own: RetailConfig, rebuild: Callable[..., Rebuilt]
) -> None:
    folder = own.paths.master
    own_products(folder, {"Fruit", "Shoes", "Audio", "Snacks"}, without=SUPPLIER)
    mine = [
        row | {"SupplierID": str(900 + n)} for n, row in enumerate(read(folder / "suppliers.csv"))
    ]
    write(folder / "suppliers.csv", mine)
    rebuild("products.csv", "suppliers.csv")
    pairs = {(row["Brand"], row["SupplierID"]) for row in read(folder / "products.csv")}
    assert len(pairs) == len({brand for brand, _ in pairs})
    assert {supplier for _, supplier in pairs} <= {row["SupplierID"] for row in mine}
    assert len({supplier for _, supplier in pairs}) > 3
    # The suppliers that own products name are those that there will be.
    rows = read(folder / "products.csv")
    for number, row in enumerate(rows):
        row["SupplierID"] = str(10**9 + number % 3)
    write(folder / "products.csv", rows)
    rebuild("products.csv")
    assert {row["SupplierID"] for row in read(folder / "suppliers.csv")} == {
        row["SupplierID"] for row in rows
    }


def test_stores_may_stand_anywhere_on_earth(
    own: RetailConfig, rebuild: Callable[..., Rebuilt], profile: Profile
) -> None:
    folder = own.paths.master
    own_stores(folder, 6, without=PLACE)
    corners = [("90", "180"), ("-90", "-180"), ("0", "179.9"), ("0", "-179.9"), ("89.9", "0")]
    rows = read(folder / "stores.csv")
    for row, (latitude, longitude) in zip(rows, corners, strict=False):
        row.update(Latitude=latitude, Longitude=longitude)
    write(folder / "stores.csv", rows)
    rebuild("stores.csv", dcs=1)
    assert read_world(folder, profile).stores.dc_km.max() == 20_000
    for row in read(folder / "customers.csv"):
        assert -90 <= float(row["Latitude"]) <= 90
        assert -180 <= float(row["Longitude"]) < 180


# What is refused, and what it leaves.


def changed(file: str, line: int, **values: str) -> Prepare:
    def change(folder: Path) -> None:
        rows = read(folder / file)
        rows[line - 2].update(values)
        write(folder / file, rows)

    return change


def cut(file: str, rows: int, *without: str) -> Prepare:
    return lambda folder: write(folder / file, read(folder / file)[:rows], without)


def many_dcs(folder: Path, file: str) -> None:
    """100 rows with as many DCIDs."""
    row = read(folder / file)[0]
    rows = [row | {"StoreID": str(n), "DCID": str(n)} for n in range(1, 101)]
    write(folder / file, rows, () if "StoreID" in row else ("StoreID",))


def refused(
    own: RetailConfig, rebuild: Callable[..., Rebuilt], prepare: Prepare | None, keep: str
) -> str:
    """The error, without the folder in it. Fails unless the folder stays as it was."""
    folder = own.paths.master
    if prepare:
        prepare(folder)
    before = snapshot(folder)
    with pytest.raises(UserError) as error:
        rebuild(*keep.split(","))
    assert snapshot(folder) == before
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name]
    return str(error.value).replace(str(folder), "{folder}")


@pytest.mark.parametrize(
    ("prepare", "keep", "message"),
    [
        (None, "shops.csv", "--keep: 'shops.csv' is no file of master data; allowed: geographies"),
        (None, "", "--keep: '' is no file of master data; allowed: geographies.csv, stores.csv, "),
        (None, "stores", "--keep: 'stores' is no file of master data; allowed: geographies.csv"),
        (
            lambda folder: (folder / "stores.csv").unlink(),
            "products.csv,stores.csv",
            "--keep: {folder} has no stores.csv; put it there, or leave it out to have it built",
        ),
        (
            changed("stores.csv", 4, OpenHour="25"),
            "stores.csv",
            "{folder}/stores.csv, line 4, column OpenHour: '25' is not allowed; allowed: a whole",
        ),
        (
            changed("calendar.csv", 40, TrafficFactor="busy"),
            "calendar.csv",
            "{folder}/calendar.csv, line 40, column TrafficFactor: 'busy' is not allowed; allowed:",
        ),
        (
            changed("products.csv", 12, Category="Weapons"),
            "products.csv",
            "{folder}/products.csv, line 12, column Category: 'Weapons' is not allowed; allowed: ",
        ),
        (
            changed("products.csv", 12, Price="500000.01", MSRP="500000.01"),
            "products.csv",
            "{folder}/products.csv, line 12, column MSRP: '500000.01' is not allowed; allowed: an "
            "amount above 0 and up to 500000",
        ),
        (
            changed("products.csv", 12, Popularity="1000001"),
            "products.csv",
            "{folder}/products.csv, line 12, column Popularity: '1000001' is not allowed",
        ),
        (
            cut("products.csv", 9, "Brand"),
            "products.csv",
            "{folder}/products.csv, line 1: the header has no column Brand; allowed is ProductID,",
        ),
        (
            lambda folder: many_dcs(folder, "distribution_centers.csv"),
            "distribution_centers.csv",
            "{folder}/distribution_centers.csv: has 100 distribution centres; allowed: 99 at most",
        ),
        (
            lambda folder: many_dcs(folder, "stores.csv"),
            "stores.csv",
            "{folder}/stores.csv: has 100 distribution centres; allowed: 99 at most",
        ),
    ],
)
def test_a_mistake_is_named_as_in_the_users_folder(
    own: RetailConfig,
    rebuild: Callable[..., Rebuilt],
    prepare: Prepare | None,
    keep: str,
    message: str,
) -> None:
    assert refused(own, rebuild, prepare, keep).startswith(message)


def test_lines_of_an_error_are_those_of_the_users_file(
    own: RetailConfig, rebuild: Callable[..., Rebuilt]
) -> None:
    """Columns are added before the hours are checked; the lines are counted as they were."""
    path = own.paths.master / "stores.csv"
    own_stores(path.parent, 6, without=PLACE)
    header, *rows = path.read_text().splitlines()
    name = read(path)[0]["StoreName"]
    rows[0] = rows[0].replace(name, '"Two\n\nlines"')
    rows[5] = rows[5].replace(",21,", ",99,")
    path.write_text("\n\n".join([header, *rows]))
    assert refused(own, rebuild, None, "stores.csv").startswith(
        "{folder}/stores.csv, line 15, column CloseHour: '99' is not allowed"
    )


@pytest.mark.parametrize(
    ("prepare", "keep", "where", "remedy"),
    [
        (
            cut("stores.csv", 5),
            "stores.csv,customers.csv",
            "customers.csv, line ",
            "leave customers.csv out of --keep, which rebuilds it",
        ),
        (
            cut("stores.csv", 5),
            "stores.csv,sensors.csv",
            "sensors.csv, line ",
            "leave sensors.csv out of --keep, which rebuilds it",
        ),
        (
            changed("beacons.csv", 9, StoreID="77"),
            "beacons.csv",
            "beacons.csv, line 9, column StoreID: '77'",
            "leave beacons.csv out of --keep, which rebuilds it, or name stores.csv there too",
        ),
        (
            changed("stores.csv", 3, DCID="77"),
            "stores.csv,distribution_centers.csv",
            "stores.csv, line 3, column DCID: '77'",
            "leave distribution_centers.csv out of --keep, which rebuilds it",
        ),
        (
            lambda folder: own_dcs(folder, 2),
            "distribution_centers.csv,trucks.csv",
            "trucks.csv, line 2, column DCID: '1'",
            "leave trucks.csv out of --keep, which rebuilds it",
        ),
        (
            changed("stores.csv", 3, DCID="77"),
            "stores.csv,trucks.csv",
            "trucks.csv: no truck with DCID 77 and Refrigerated false",
            "leave trucks.csv out of --keep, which rebuilds it, or name distribution_centers.csv "
            "there too",
        ),
        (
            changed("products.csv", 3, Pack="5000"),
            "products.csv,trucks.csv",
            "trucks.csv, line 2, column Capacity: ",
            "leave trucks.csv out of --keep, which rebuilds it",
        ),
        (
            cut("suppliers.csv", 2),
            "products.csv,suppliers.csv",
            "products.csv, line ",
            "leave suppliers.csv out of --keep, which rebuilds it",
        ),
        (
            cut("products.csv", 30),
            "products.csv,promotions.csv",
            "promotions.csv, line ",
            "leave promotions.csv out of --keep, which rebuilds it",
        ),
        (
            cut("promotions.csv", 3),
            "promotions.csv,campaigns.csv",
            "campaigns.csv, line ",
            "leave campaigns.csv out of --keep, which rebuilds it",
        ),
        (
            cut("geographies.csv", 3),
            "geographies.csv,stores.csv",
            "stores.csv, line ",
            "leave the column out, and `retail-datagen master --keep stores.csv` adds the nearest "
            "city",
        ),
        (
            cut("geographies.csv", 3),
            "geographies.csv,distribution_centers.csv",
            "distribution_centers.csv, line ",
            "leave distribution_centers.csv out of --keep, which rebuilds it",
        ),
    ],
)
def test_kept_files_that_do_not_fit_each_other_are_refused(
    own: RetailConfig,
    rebuild: Callable[..., Rebuilt],
    prepare: Prepare,
    keep: str,
    where: str,
    remedy: str,
) -> None:
    message = refused(own, rebuild, prepare, keep)
    assert message.startswith("{folder}/" + where)
    assert message.endswith("; or " + remedy)


def test_what_the_remedies_say_helps(own: RetailConfig, rebuild: Callable[..., Rebuilt]) -> None:
    write(own.paths.master / "stores.csv", read(own.paths.master / "stores.csv")[:5])
    with pytest.raises(MasterDataError, match=r"or leave customers\.csv out of --keep"):
        rebuild("stores.csv", "customers.csv")
    rebuild("stores.csv")
    with pytest.raises(MasterDataError, match=r"or name stores\.csv there too$"):
        rebuild("customers.csv", stores=3)
    rebuild("customers.csv", "stores.csv", stores=3)


def test_misfits_survive_the_way_between_processes() -> None:
    misfit = Misfit("bad", "trucks.csv", "stores.csv", ("stores.csv",))
    assert str(pickle.loads(pickle.dumps(misfit))) == str(misfit)
    assert str(misfit).startswith("bad; or run `retail-datagen master --keep stores.csv`")


# Crashes.


def ended_process() -> int:
    command = [sys.executable, "-c", "import os; print(os.getpid())"]
    return int(subprocess.run(command, check=True, capture_output=True).stdout)


@pytest.mark.parametrize("killed", ["before", "after"])
def test_a_run_that_was_killed_while_it_replaced_the_folder_loses_nothing(
    own: RetailConfig, rebuild: Callable[..., Rebuilt], killed: str
) -> None:
    folder = own.paths.master
    own_stores(folder, 4)
    (folder / "notes.txt").write_text("mine")
    old = folder.parent / f".{folder.name}.old-{ended_process()}"
    mine = read(folder / "stores.csv")
    if killed == "before":
        folder.rename(old)
    else:
        shutil.copytree(folder, old)
        (folder / "notes.txt").unlink()
    master.tidy(folder)
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name]
    assert (folder / "notes.txt").read_text() == "mine"
    rebuild("stores.csv")
    assert read(folder / "stores.csv") == mine


def test_what_a_dead_process_of_the_same_number_left_is_no_obstacle(
    own: RetailConfig, rebuild: Callable[..., Rebuilt]
) -> None:
    folder = own.paths.master
    (folder.parent / f".{folder.name}.new-{os.getpid()}").mkdir()
    rebuild("stores.csv", "distribution_centers.csv")
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name]


def test_kept_files_are_not_touched_where_files_are_moved_one_by_one(
    own: RetailConfig, rebuild: Callable[..., Rebuilt], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = own.paths.master
    own_products(folder, {"Fruit", "Milk", "Shoes"})

    def refuse(self: Path, target: Path) -> Path:
        raise OSError(16, "Device or resource busy")

    gone = []

    def move(source: str, target: str) -> None:
        gone.append(sorted(set(FILES) - {entry.name for entry in folder.iterdir()}))
        os.rename(source, target)

    before = snapshot(folder)
    monkeypatch.setattr(Path, "rename", refuse)
    monkeypatch.setattr(shutil, "move", move)
    rebuild("products.csv")
    after = snapshot(folder)
    assert set(after) == set(before)
    assert after["products.csv"] == before["products.csv"]
    assert after["calendar.csv"] == before["calendar.csv"]
    assert after["promotions.csv"] != before["promotions.csv"]
    # Until the last file is there, reading refuses what is half old and half new.
    assert gone[0] == gone[-1] == ["campaigns.csv"]
