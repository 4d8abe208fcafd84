"""The web shop's own lake, as the job writes it, keeps every rule; what is damaged comes back."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from folder_store import FolderStore

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import Calendar, Paths, RetailConfig, Signups, Volume
from retail_datagen.core.calendar import to_day
from retail_datagen.ecom import lookups
from retail_datagen.ecom import tables as shop_tables
from retail_datagen.engine.online import OnlineRetailer, OnlineSource
from retail_datagen.engine.source import Retailer
from retail_datagen.lake.catalog import read_catalog
from retail_datagen.lake.declared import declared_tables, expected_of, known_tables
from retail_datagen.lake.dimensions import Dimension
from retail_datagen.lake.findings import LakeReport
from retail_datagen.lake.job import run_lake_job
from retail_datagen.lake.repair import repair_lake
from retail_datagen.lake.request import LakeRequest
from retail_datagen.lake.verify import Expected, verify_lake
from retail_datagen.partitions.layout import CATALOG, INGEST, Partition
from retail_datagen.schema import Table

START = to_day(date(2023, 11, 1))
DAYS = 45
ORDERS = Partition.of_day("orders", START + 3)
ITEMS = Partition.of_day("order_items", START + 40)


def _dimension(table: Table, by: str, rows: pa.Table) -> Dimension:
    column = rows.column(by).cast(pa.string())
    values = sorted(column.unique().to_pylist(), key=lambda value: value or "")

    def render(value: str | None) -> pa.Table:
        chosen = pc.is_null(column) if value is None else pc.equal(column, value)
        return rows.filter(chosen).drop_columns([by])

    without = tuple(c for c in table.columns if c.name != by)
    return Dimension(replace(table, columns=without), by, values, render)


def _dimensions(retailer: Retailer) -> Iterator[Dimension]:
    assert isinstance(retailer, OnlineRetailer)
    context = retailer.context(START, _no_plan)
    yield _dimension(lookups.CUSTOMERS, "signup_date", lookups.customers(context))
    products = lookups.product_catalog(context)
    yield _dimension(lookups.PRODUCT_CATALOG, "category", products)


def _no_plan(day: int) -> object:
    raise AssertionError("dimension tables need no plan")


def _request(folder: Path, url: Path) -> LakeRequest:
    config = RetailConfig(
        seed=7,
        profile="ecommerce",
        volume=Volume(
            stores=2,
            dcs=1,
            customers_per_day=40,
            online_orders_per_day=200,
            customers=3_000,
            products=200,
        ),
        signups=Signups(first=date(2023, 10, 15), last=date(2023, 12, 10), guest_share=0.25),
        paths=Paths(dict=Path("no-such-folder"), master=folder / "master", facts=folder / "facts"),
        calendar=Calendar(first=date(2023, 1, 1), last=date(2025, 12, 31)),
    )
    return LakeRequest(
        OnlineSource(config),
        str(url),
        START,
        START + DAYS - 1,
        folder / "artifacts",
        folder / "staging",
        tables=tuple(shop_tables.registry()),
        dimensions=_dimensions,
        workers=1,
    )


@pytest.fixture(scope="session")
def shop_lake(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, LakeRequest]:
    """Not to be changed."""
    folder = tmp_path_factory.mktemp("shop-lake")
    request = _request(folder, folder / "lake")
    run_lake_job(request, store=FolderStore(folder / "lake"))
    return folder / "lake", request


def _verified(lake: Path) -> LakeReport:
    store = FolderStore(lake)
    catalog = read_catalog(store)
    assert catalog
    return verify_lake(store, declared_tables(catalog, known_tables()), expected_of(catalog))


def _digests(lake: Path) -> dict[str, str]:
    return {
        path.relative_to(lake).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in lake.rglob("part-*")
    }


def test_a_lake_of_the_shop_keeps_every_rule(shop_lake: tuple[Path, LakeRequest]) -> None:
    found = _verified(shop_lake[0])
    assert found.violations == ()
    assert [outcome.check.name for outcome in found.outcomes if outcome.skipped] == []
    assert found.unknown == ()
    assert next(o.checked for o in found.outcomes if o.check.name == "refund_of_item") > 500


def test_what_is_damaged_is_made_again_and_nothing_else(
    shop_lake: tuple[Path, LakeRequest], tmp_path: Path
) -> None:
    whole, request = shop_lake
    lake = Path(shutil.copytree(whole, tmp_path / "lake"))
    path = lake / ORDERS.part(0)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    shutil.rmtree(lake / ITEMS.folder)
    category = next((lake / "product_catalog").iterdir())
    (category / "part-0000.parquet").unlink()
    gone = Partition.parse(f"product_catalog/{category.name}")
    assert gone
    untouched = lake / Partition.of_day("orders", START + 4).part(0)
    before = untouched.stat().st_mtime_ns

    store = FolderStore(lake)
    again = replace(request, artifacts=tmp_path / "artifacts", staging=tmp_path / "staging")
    seen = repair_lake(store, known_tables(), lambda _: again, dry_run=True)
    assert (lake / ORDERS.manifest).exists()
    done = repair_lake(store, known_tables(), lambda _: again)
    assert set(done.remade) == set(seen.remade) == {ORDERS, ITEMS, gone}
    assert _digests(lake) == _digests(whole)
    assert untouched.stat().st_mtime_ns == before
    assert _verified(lake).passed
    assert repair_lake(store, known_tables(), lambda _: again).remade == ()


def test_what_no_job_of_the_lake_makes_is_left_and_named(
    shop_lake: tuple[Path, LakeRequest], tmp_path: Path
) -> None:
    whole, request = shop_lake
    lake = Path(shutil.copytree(whole, tmp_path / "lake"))
    later, half = (Partition.of_day("orders", START + DAYS + n) for n in (5, 6))
    notes = Partition.of_day("notes", START)
    shutil.copytree(lake / ORDERS.folder, lake / later.folder)
    for partition in (half, notes):
        (lake / partition.folder).mkdir(parents=True)
        (lake / partition.part(0)).write_bytes(b"x")
    category = next((lake / "product_catalog").iterdir())
    (category / "_SUCCESS").unlink()
    before = _digests(lake)

    store = FolderStore(lake)
    again = replace(request, artifacts=tmp_path / "artifacts", staging=tmp_path / "staging")
    found = repair_lake(store, known_tables(), lambda _: again)
    assert [p.folder for p in found.remade] == [f"product_catalog/{category.name}"]
    assert set(found.left) == {later, half, notes}
    assert _digests(lake) == before
    assert (lake / later.manifest).exists()


def test_before_its_first_job_is_done_all_of_a_lake_is_its_own() -> None:
    expected = Expected(START, START + DAYS, ("orders",))
    assert expected.has(Partition("customers", "signup_date", "2023-01-01"))
    assert expected.has(ORDERS)
    assert not expected.has(Partition.of_day("orders", START - 1))
    assert not expected.has(Partition("orders", INGEST, "someday"))


def test_a_lake_without_a_catalog_cannot_be_repaired(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"has no {CATALOG}"):
        repair_lake(FolderStore(tmp_path), {}, lambda _: pytest.fail("not asked"))
