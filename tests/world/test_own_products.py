"""Brands and products of one's own replace the profile's, category by category."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.world.build import build_world
from retail_datagen.world.master import file_of
from retail_datagen.world.own_products import BRANDS, PRODUCTS, with_own_products
from retail_datagen.world.products import PRODUCTS as TABLE
from retail_datagen.world.read import ensure_world

HEADER = "Category,Product,PriceLow,PriceHigh"


def with_folder(config: RetailConfig, folder: Path, master: Path | None = None) -> RetailConfig:
    changed = {"dict": folder, "master": master or config.paths.master}
    return config.model_copy(update={"paths": config.paths.model_copy(update=changed)})


def products_of(rows: pa.Table, category: str) -> list[dict[str, object]]:
    return [row for row in rows.to_pylist() if row["Category"] == category]


def test_own_brands_replace_those_of_their_category_alone(
    config: RetailConfig, profile: Profile, tables: dict[str, pa.Table], tmp_path: Path
) -> None:
    (tmp_path / BRANDS).write_text("Category,Brand\nSnacks,Tidewater\nSnacks,Harbour Mill\n")
    rows = build_world(with_folder(config, tmp_path), profile)["products"]
    assert {row["Brand"] for row in products_of(rows, "Snacks")} == {"Tidewater", "Harbour Mill"}
    before = {row["Brand"] for row in tables["products"].to_pylist() if row["Category"] != "Snacks"}
    after = {row["Brand"] for row in rows.to_pylist() if row["Category"] != "Snacks"}
    assert "Tidewater" not in after
    assert after & before
    own = with_own_products(profile, tmp_path)
    kept = [c for c in profile.categories if c.name != "Snacks"]
    assert [c for c in own.categories if c.name != "Snacks"] == kept


def test_own_products_have_their_names_skus_prices_and_costs(
    config: RetailConfig, profile: Profile, tmp_path: Path
) -> None:
    (tmp_path / PRODUCTS).write_text(
        f"{HEADER},SkuPrefix,CostLow,CostHigh\nSnacks,Oat Crackers,20,30,OAT,5,7.5\n"
    )
    rows = products_of(build_world(with_folder(config, tmp_path), profile)["products"], "Snacks")
    usual = next(c for c in profile.categories if c.name == "Snacks")
    brands = {brand for template in usual.templates for brand in template.brands}
    assert rows
    for row in rows:
        assert row["ProductName"] == f"{row['Brand']} Oat Crackers"
        assert row["Brand"] in brands
        assert str(row["SKU"]).startswith("OAT-")
        price, cost = float(str(row["Price"])), float(str(row["Cost"]))
        assert 19.9 <= price <= 30
        assert cost == pytest.approx(price / 4, abs=0.02)


def test_optional_columns_may_be_absent(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / PRODUCTS).write_text(f"{HEADER}\nSnacks,Oat Crackers,2,3\n")
    usual = next(c for c in profile.categories if c.name == "Snacks").templates[0]
    own = next(c for c in with_own_products(profile, tmp_path).categories if c.name == "Snacks")
    (template,) = own.templates
    assert (template.name, template.price) == ("Oat Crackers", (2, 3))
    assert template.sku_prefix == usual.sku_prefix


def test_own_brands_count_in_the_identity_of_the_world(
    config: RetailConfig, profile: Profile, tmp_path: Path
) -> None:
    digests = set()
    for brand in ("Tidewater", "Harbour Mill"):
        folder = tmp_path / brand
        folder.mkdir()
        (folder / BRANDS).write_text(f"Category,Brand\nSnacks,{brand}\n")
        own = with_folder(config, folder, folder / "master")
        digests.add(ensure_world(own, profile).digest)
        assert brand in file_of(own.paths.master, TABLE).read_text()
    assert len(digests) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (BRANDS, "Category,Brand\nSnacks,A\nSnaks,B\n", "line 3, column Category: 'Snaks' is not"),
        (BRANDS, "Category,Brand\nSnacks,\n", "line 2, column Brand: '' is not allowed"),
        (BRANDS, "Category,Brand\nSnacks,A\nSnacks,A\n", "line 3, column Brand: 'A' is not"),
        (BRANDS, "Category,Brand\nSnacks\n", "line 2: has 1 values; allowed: 2"),
        (BRANDS, "Category,Brand\n", "has no rows"),
        (BRANDS, "Category\nSnacks\n", "line 1, column Brand: is missing; allowed: Category, Br"),
        (PRODUCTS, f"{HEADER},Colour\nSnacks,A,1,2,red\n", "line 1, column Colour: is not allowed"),
        (PRODUCTS, f"{HEADER}\nSnacks,A,free,2\n", "line 2, column PriceLow: 'free' is not"),
        (PRODUCTS, f"{HEADER}\nSnacks,A,nan,2\n", "line 2, column PriceLow: 'nan' is not"),
        (PRODUCTS, f"{HEADER}\nSnacks,A,3,2\n", "column PriceHigh: '2' is not allowed; allowed: a"),
        (PRODUCTS, f"{HEADER}\nSnacks,A,1,2\nSnacks,A,1,2\n", "line 3, column Product: 'A' is"),
        (PRODUCTS, f"{HEADER},SkuPrefix\nSnacks,A,1,2,oat\n", "column SkuPrefix: 'oat' is not"),
        (PRODUCTS, f"{HEADER},CostLow,CostHigh\nSnacks,A,1,2,1,2\n", "column CostLow: '1' is not"),
        (PRODUCTS, f"{HEADER},CostLow\nSnacks,A,1,2,0.5\n", "column CostHigh: '' is not allowed"),
        ("firstnames.csv", "FirstName\nZo\n", "is no dictionary; allowed are first_names.csv, "),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    config: RetailConfig, profile: Profile, tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UserError) as error:
        build_world(with_folder(config, tmp_path), profile)
    assert str(error.value).startswith(str(tmp_path / name))
    assert message in str(error.value)


def test_an_unknown_category_lists_the_known_ones(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / BRANDS).write_text("Category,Brand\nSnaks,A\n")
    with pytest.raises(UserError) as error:
        with_own_products(profile, tmp_path)
    assert all(category.name in str(error.value) for category in profile.categories[:40])
