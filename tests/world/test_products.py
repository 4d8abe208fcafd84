"""Products keep their promises for every packaged profile: number, ranges, uniqueness, the tail."""

from __future__ import annotations

import math
from collections import Counter
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.config.errors import UserError
from retail_datagen.config.library import packaged, profile_file, read_profile
from retail_datagen.config.profile import Profile, Template
from retail_datagen.world.product_lines import product_lines
from retail_datagen.world.products import PRODUCTS, build_products

FIRST, LAST = date(2015, 1, 1), date(2035, 12, 31)
PROFILES = {name: read_profile(profile_file(name)) for name in packaged()}


def build(profile: Profile, count: int = 0, seed: int = 42) -> pa.Table:
    return build_products(profile, count or profile.products, seed, 60, FIRST, LAST)


def cents(table: pa.Table, column: str) -> np.ndarray:
    return np.array([int(value.scaleb(2)) for value in table[column].to_pylist()])


@pytest.fixture(params=sorted(PROFILES))
def profile(request: pytest.FixtureRequest) -> Profile:
    return PROFILES[request.param]


def test_schema_and_number_are_as_declared(profile: Profile) -> None:
    table = build(profile)
    table.validate(full=True)
    assert table.schema == PRODUCTS.arrow
    assert table["ProductID"].to_pylist() == list(range(1001, 1001 + profile.products))
    assert all(table[name].null_count == 0 for name in table.column_names)


def available_products(profile: Profile) -> int:
    """How many different products the profile describes."""
    return sum(line.size for line in product_lines(profile))


def test_identities_are_unique(profile: Profile) -> None:
    table = build(profile, available_products(profile))
    assert len(set(table["SKU"].to_pylist())) == table.num_rows
    assert len(set(table["ProductName"].to_pylist())) == table.num_rows


def test_money_is_within_the_template_and_in_order(profile: Profile) -> None:
    table = build(profile)
    cost, price, msrp = (cents(table, name) for name in ("Cost", "Price", "MSRP"))
    templates = {t.sku_prefix: t for category in profile.categories for t in category.templates}
    assert (cost >= 1).all()
    assert (cost < price).all()
    assert (price <= msrp).all()
    assert (msrp <= price * 1.15).all()
    for sku, c, p in zip(table["SKU"].to_pylist(), cost, price, strict=True):
        template = templates[sku.split("-")[0]]
        low, high = (round(100 * value) for value in template.price)
        assert low <= p <= high
        ratio_low, ratio_high = template.cost_ratio
        assert ratio_low * p - 0.5 <= c <= ratio_high * p + 0.5


def test_prices_end_as_shelf_prices_do(profile: Profile) -> None:
    price = cents(build(profile), "Price")
    assert (price % 10 == 9).mean() > 0.99
    dear = price[(price >= 500) & (price < 5000)]
    assert np.isin(dear % 100, (49, 99)).mean() > 0.97


def test_products_are_grouped_by_category_in_the_profiles_order(profile: Profile) -> None:
    table = build(profile)
    seen = list(dict.fromkeys(table["Category"].to_pylist()))
    runs = sum(1 for a, b in zip(table["Category"], table["Category"][1:], strict=False) if a != b)
    assert seen == [c.name for c in profile.categories]
    assert runs == len(seen) - 1


def test_every_category_keeps_a_product_when_few_are_wanted(profile: Profile) -> None:
    table = build(profile, len(profile.categories))
    assert Counter(table["Category"].to_pylist()) == {c.name: 1 for c in profile.categories}


def test_same_seed_same_products_other_seed_others(profile: Profile) -> None:
    assert build(profile).equals(build(profile))
    assert not build(profile)["Price"].equals(build(profile, seed=43)["Price"])


def test_a_category_may_be_sold_from_the_first_day(profile: Profile) -> None:
    table = build(profile)
    early = table.filter(pc.less(table["LaunchDate"], pa.scalar(FIRST)))
    share = early.num_rows / table.num_rows
    assert set(early["Category"].to_pylist()) == {c.name for c in profile.categories}
    assert 0.93 < share < 0.97
    assert max(table["LaunchDate"].to_pylist()) <= LAST


def test_popularity_has_a_long_tail(profile: Profile) -> None:
    table = build(profile)
    popularity = np.array(table["Popularity"])
    assert popularity.min() >= 100
    assert popularity.max() <= 1_000_000
    category = np.array(table["Category"].to_pylist())
    name, size = Counter(category).most_common(1)[0]
    weights = np.sort(popularity[category == name])[::-1]
    ranks = np.arange(1, size + 1)
    slope = np.polyfit(np.log(ranks), np.log(weights), 1)[0]
    assert -1 < slope < -0.6


def test_categories_get_products_by_their_weight() -> None:
    profile = PROFILES["supercenter"]
    count = Counter(build(profile)["Category"].to_pylist())
    weight = {c.name: c.products for c in profile.categories}
    total = sum(weight.values())
    for name in ("Snacks", "Milk", "Furniture"):
        assert count[name] == pytest.approx(3000 * weight[name] / total, abs=2)


def test_larger_packs_cost_more() -> None:
    table = build(PROFILES["supercenter"], 13000)
    price, names = cents(table, "Price"), table["ProductName"].to_pylist()
    small = [p for p, n in zip(price, names, strict=True) if "Laundry Detergent" in n and "46" in n]
    large = [
        p for p, n in zip(price, names, strict=True) if "Laundry Detergent" in n and "154" in n
    ]
    assert np.mean(large) > np.mean(small) + 400


def test_a_product_keeps_its_sku_when_the_assortment_grows() -> None:
    profile = PROFILES["supercenter"]
    small, large = build(profile, 500), build(profile, 13000)
    known = dict(zip(large["SKU"].to_pylist(), large["ProductName"].to_pylist(), strict=True))
    assert all(
        known.get(sku, name) == name
        for sku, name in zip(
            small["SKU"].to_pylist(), small["ProductName"].to_pylist(), strict=True
        )
    )


def test_one_supplier_supplies_a_brand_of_a_product_kind() -> None:
    table = build(PROFILES["supercenter"])
    keys = zip(table["Subcategory"].to_pylist(), table["Brand"].to_pylist(), strict=True)
    pairs = set(zip(keys, table["SupplierID"].to_pylist(), strict=True))
    assert len(pairs) == len({key for key, _ in pairs})
    assert {supplier for _, supplier in pairs} <= set(range(1, 61))
    assert len({supplier for _, supplier in pairs}) > 50


def test_too_many_or_too_few_products_are_refused_with_the_number(profile: Profile) -> None:
    available = available_products(profile)
    with pytest.raises(UserError, match=rf"describes {available} products; ask for {available}"):
        build(profile, available + 1)
    categories = len(profile.categories)
    if categories > 1:
        with pytest.raises(UserError, match=rf"has {categories} categories and each needs"):
            build(profile, categories - 1)


def test_supercenter_describes_many_products() -> None:
    profile = PROFILES["supercenter"]
    assert profile.products == 3000
    assert available_products(profile) >= 12_000
    assert build(profile, 12_000).num_rows == 12_000


def test_sporting_goods_are_the_earlier_catalogues_variants() -> None:
    table = build(PROFILES["sporting-goods"])
    assert Counter(table["Category"].to_pylist()) == {
        "Footwear": 623,
        "Apparel": 424,
        "Sports Equipment": 36,
        "Fitness": 174,
        "Accessories": 120,
        "Electronics": 36,
        "Nutrition": 72,
        "Recovery": 58,
    }
    names = dict(zip(table["SKU"].to_pylist(), table["ProductName"].to_pylist(), strict=True))
    assert names["RUN-0042"] == "Running Shoes - Pro Black 9"
    assert len(set(names.values())) == 1543
    shoes = table.filter(pc.equal(table["Subcategory"], "Running Shoes"))
    assert len(set(shoes["Brand"].to_pylist())) == 5
    classes = dict(zip(table["Category"].to_pylist(), table["Demand"].to_pylist(), strict=True))
    assert (classes["Apparel"], classes["Footwear"], classes["Electronics"]) == (
        "high",
        "medium",
        "low",
    )


def with_template(template: Template) -> Profile:
    """The sporting-goods profile with one category, which sells one template."""
    profile = PROFILES["sporting-goods"]
    department = profile.departments[0]
    category = department.categories[0].model_copy(update={"templates": (template,)})
    return profile.model_copy(
        update={
            "departments": (department.model_copy(update={"categories": (category,)}),),
        }
    )


def test_a_wrong_name_format_is_an_error_for_people() -> None:
    wrong = Template(
        name="Sock",
        sku_prefix="SO",
        price=(1, 2),
        variants={"size": ("S",)},
        name_format="{template} {colour}",
    )
    with pytest.raises(UserError, match=r"'Sock': name_format names \{colour\}; allowed are"):
        build(with_template(wrong), 1)
    broken = wrong.model_copy(update={"name_format": "{template"})
    with pytest.raises(UserError, match=r"'Sock': name_format '\{template' cannot be read"):
        build(with_template(broken), 1)


def test_a_template_without_brands_or_variants_is_one_product() -> None:
    plain = Template(name="Whistle", sku_prefix="WH", price=(4.0, 4.0))
    row = build(with_template(plain), 1).to_pylist()[0]
    assert (row["ProductName"], row["SKU"], row["Brand"]) == ("Whistle", "WH-0001", "Unbranded")
    assert int(row["Price"] * 100) == 400


@settings(max_examples=60, deadline=None)
@given(
    brands=st.integers(0, 4),
    sizes=st.lists(st.integers(1, 5), max_size=3),
    low=st.integers(1, 90_000),
    spread=st.integers(0, 50_000),
    share=st.floats(0, 1),
    seed=st.integers(0, 2**63 - 1),
)
def test_any_template_gives_exactly_what_is_asked_for(
    brands: int, sizes: list[int], low: int, spread: int, share: float, seed: int
) -> None:
    template = Template(
        name="Thing",
        sku_prefix="TH",
        price=(low / 100, (low + spread) / 100),
        brands=tuple(f"Brand{i}" for i in range(brands)),
        variants={f"d{i}": tuple(f"{i}v{j}" for j in range(n)) for i, n in enumerate(sizes)},
    )
    available = max(brands, 1) * math.prod(sizes)
    count = max(1, round(available * share))
    table = build_products(with_template(template), count, seed, 3, FIRST, LAST)
    price = cents(table, "Price")
    assert table.num_rows == count == len(set(table["ProductName"].to_pylist()))
    assert low <= price.min() <= price.max() <= low + spread
