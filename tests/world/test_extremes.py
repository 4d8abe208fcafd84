"""The smallest and the oddest retailers: their histories are clean, or an error says why not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from own_files import generate, own_products, own_stores, read, violations, write

from histories import history, rewrite
from retail_datagen.config.errors import UserError
from retail_datagen.config.models import Calendar, Paths, RetailConfig, Volume
from retail_datagen.world.build import build_world_files
from retail_datagen.world.rebuild import rebuild_world_files

FRIDAY = date(2024, 3, 1)
"""The first of three days, two of them a weekend."""
PROFILES = (
    "supercenter",
    "ecommerce",
    *(pytest.param(n, marks=pytest.mark.soak) for n in ("general", "grocery", "sporting-goods")),
)
Spoil = Callable[[Path], None]


def config_of(root: Path, profile: str = "supercenter", **volume: float) -> RetailConfig:
    """3 stores, 60 shoppers a day, 200 products, one year."""
    small: dict[str, float] = {
        "stores": 3,
        "customers_per_day": 60,
        "online_orders_per_day": 20,
        "customers": 1000,
        "products": 200,
    }
    return RetailConfig(
        profile=profile,
        volume=Volume.model_validate({**small, **volume}),
        calendar=Calendar(first=date(2024, 1, 1), last=date(2024, 12, 31)),
        paths=Paths(dict=root / "none", master=root / "master", facts=root / "facts"),
    )


def rebuilt(config: RetailConfig, spoil: Spoil, *keep: str) -> None:
    """Master data around files that `spoil` made of those that were built."""
    profile, folder = config.load_profile(), config.paths.master
    build_world_files(config, profile, folder)
    spoil(folder)
    rebuild_world_files(config, profile, folder, keep)


def launched(day: str) -> Spoil:
    """All products launched on that day."""
    return lambda folder: rewrite(folder / "products.csv", "LaunchDate", lambda _: day)


def cut(file: str, keep: Callable[[dict[str, str]], bool]) -> Spoil:
    """Only some of a file's rows."""
    return lambda folder: write(folder / file, [r for r in read(folder / file) if keep(r)])


@pytest.mark.parametrize(
    "volume",
    [
        {"stores": 1, "customers_per_day": 1, "online_orders_per_day": 0, "customers": 1},
        {"stores": 40, "customers_per_day": 1, "customers": 3},
        {"items_per_ticket_mean": 1.0},
        {"items_per_ticket_mean": 12.0},
    ],
    ids=lambda volume: ",".join(f"{name} {value:g}" for name, value in volume.items()),
)
def test_small_volumes(tmp_path: Path, volume: dict[str, float]) -> None:
    report = generate(config_of(tmp_path, **volume), FRIDAY, 3)
    assert violations(report) == {}
    assert report.rows > 100


@pytest.mark.parametrize("mean", [1.0, 12.0])
def test_baskets_have_the_mean_that_is_asked_for(tmp_path: Path, mean: float) -> None:
    config = config_of(tmp_path, customers_per_day=3000, items_per_ticket_mean=mean)
    told = history(config, FRIDAY, 2)
    lines = told.whole("receipt_lines").num_rows / told.whole("receipts").num_rows
    assert lines == pytest.approx(mean, rel=0.03)


@pytest.mark.parametrize(("first", "days"), [(date(2024, 1, 1), 3), (date(2024, 12, 24), 8)])
def test_a_calendar_of_one_year_has_two_ends(tmp_path: Path, first: date, days: int) -> None:
    """And a day on which everything is closed."""
    assert violations(generate(config_of(tmp_path), first, days)) == {}


@pytest.mark.parametrize("profile", PROFILES)
def test_own_products_of_one_category(tmp_path: Path, profile: str) -> None:
    """Missions, promotions, campaigns and the online shop make do with it, on Black Friday too."""
    config = config_of(tmp_path, profile)
    category = config.load_profile().categories[2].name
    rebuilt(config, lambda folder: own_products(folder, {category}), "products.csv")
    report = generate(config, date(2024, 11, 28), 3)
    assert violations(report) == {}
    checked = {r.check.name: r.checked for r in report.results}
    assert checked["receipt_lines.key"] > 100
    assert checked["online_order_lines.key"] > 20
    assert checked["marketing.key"] > 20


def one_category(folder: Path) -> None:
    """All as popular as can be, at the highest price."""
    rows = read(folder / "products.csv")
    for row in rows:
        row.update(Category="Snacks", Subcategory="Chips", Popularity="1000000")
        row.update(Cost="500000", Price="500000", MSRP="500000")
    write(folder / "products.csv", rows, ("SupplierID",))


def test_the_highest_prices_and_weights(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    config = config.model_copy(update={"overrides": {"returns.share": 0.4}})
    rebuilt(config, one_category, "products.csv")
    report = generate(config, FRIDAY, 5)
    assert violations(report) == {}
    checked = {r.check.name: r.checked for r in report.results}
    assert checked["store_returns.refund"] > 20


def test_many_products_of_the_highest_weight_are_all_sold(tmp_path: Path) -> None:
    config = config_of(tmp_path, products=9000, customers_per_day=3000)
    config = config.model_copy(
        update={"overrides": {"departments.Pantry.categories.Snacks.elasticity": 4.0}}
    )

    def spoil(folder: Path) -> None:
        one_category(folder)
        promotion = read(folder / "promotions.csv")[0]
        promotion.update(
            Category="Snacks",
            Subcategory="",
            DiscountPercent="60",
            StartDate="2024-03-01",
            EndDate="2024-03-03",
        )
        write(folder / "promotions.csv", [promotion])

    rebuilt(config, spoil, "products.csv", "promotions.csv")
    told = history(config, FRIDAY, 1)
    sold = told.columns("receipt_lines", "ProductID")[0]
    count = np.bincount(sold - sold.min())
    assert len(np.unique(sold)) > 0.6 * 9000
    assert count.max() < 25


def test_odd_stores(tmp_path: Path) -> None:
    """One never closes, one opens at night, one has no room, and all stand at one place."""
    config = config_of(tmp_path, dcs=2)
    odd = (
        {"OpenHour": "0", "CloseHour": "24"},
        {"OpenHour": "2", "CloseHour": "3"},
        {"Capacity": "1"},
        {"TrafficMultiplier": "0.001"},
        {"TrafficMultiplier": "100"},
    )

    def spoil(folder: Path) -> None:
        own_stores(folder, len(odd), ("GeographyID", "DCID", "DCDistanceKm"))
        rows = read(folder / "stores.csv")
        for row, change in zip(rows, odd, strict=True):
            row.update(change, Latitude="40", Longitude="-80")
        write(folder / "stores.csv", rows)

    rebuilt(config, spoil, "stores.csv")
    assert violations(generate(config, FRIDAY, 3)) == {}


def test_a_history_begins_with_the_first_launch(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    rebuilt(config, launched("2024-03-02"), "products.csv")
    with pytest.raises(UserError) as error:
        generate(config, FRIDAY, 3)
    assert str(error.value) == (
        "start: 2024-03-01 is outside of the calendar; allowed is 2024-03-02 to 2024-12-31 "
        "(calendar.csv, and the first LaunchDate of products.csv)"
    )
    assert not config.paths.facts.exists()
    assert violations(generate(config, date(2024, 3, 2), 3)) == {}


def test_products_may_be_launched_while_the_history_goes_on(tmp_path: Path) -> None:
    config = config_of(tmp_path)

    def spoil(folder: Path) -> None:
        rows = read(folder / "products.csv")
        for number, row in enumerate(rows[5:]):
            row["LaunchDate"] = f"2024-03-{2 + number % 3:02}"
        write(folder / "products.csv", rows)

    rebuilt(config, spoil, "products.csv")
    assert violations(generate(config, FRIDAY, 5)) == {}


def test_a_calendar_of_ones_own_bounds_the_days(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    rebuilt(config, cut("calendar.csv", lambda row: row["Date"][:7] == "2024-03"), "calendar.csv")
    for first, days, field in ((date(2024, 2, 29), 3, "start"), (date(2024, 3, 30), 3, "end")):
        with pytest.raises(UserError, match=f"^{field}: .* allowed is 2024-03-01 to 2024-03-31 "):
            generate(config, first, days)
    assert not config.paths.facts.exists()
    assert violations(generate(config, date(2024, 3, 29), 3)) == {}


def test_a_world_without_a_day_to_generate_is_refused(tmp_path: Path) -> None:
    config = config_of(tmp_path)
    rebuilt(config, launched("2025-01-01"), "products.csv")
    with pytest.raises(UserError, match=r"the first LaunchDate of products\.csv is 2025-01-01"):
        generate(config, FRIDAY, 3)


@pytest.mark.soak
def test_the_most_stores(tmp_path: Path) -> None:
    """Built, rebuilt around themselves, and a day planned and rendered."""
    config = config_of(tmp_path, stores=9999, dcs=99, customers_per_day=20_000, customers=20_000)
    profile, folder = config.load_profile(), config.paths.master
    build_world_files(config, profile, folder)
    place = ("GeographyID", "DCID", "DCDistanceKm")
    write(folder / "stores.csv", read(folder / "stores.csv"), place)
    assert rebuild_world_files(config, profile, folder, ["stores.csv"]).added == {"stores": place}
    told = history(config, FRIDAY, 1)
    receipts = told.columns("receipts", "StoreID")[0]
    assert len(receipts) > 15_000
    assert receipts.max() == 9999
