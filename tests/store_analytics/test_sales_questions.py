"""What SQL answers about sales is what counting the known sales one by one gives."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta
from itertools import combinations

import pytest
from sqlalchemy import Connection

from retail_datagen.store.analytics.abc import abc_analysis
from retail_datagen.store.analytics.affinity import affinity
from retail_datagen.store.analytics.categories import category_performance
from retail_datagen.store.analytics.overview import overview
from retail_datagen.store.analytics.series import sales_time_series
from retail_datagen.store.analytics.velocity import product_velocity, top_products
from retail_datagen.store.analytics.window import Bucket
from store_analytics.conftest import (
    CATEGORIES,
    NOW,
    PRODUCTS,
    Past,
    Sale,
    cents,
    length,
    since,
    sku,
)


def revenue(sales: list[Sale]) -> float:
    return round(sum(sale.price for sale in sales), 2)


def baskets(sales: list[Sale]) -> int:
    named = {sale.basket for sale in sales if sale.basket}
    return len(named) + sum(sale.basket is None for sale in sales)


@pytest.mark.parametrize("days", [1, 30, 365])
def test_the_overview_adds_up(connection: Connection, past: Past, days: int) -> None:
    told = overview(connection, days)
    sales = past.within(days)
    assert told.as_of == NOW
    assert (told.sales.units, told.sales.revenue) == (len(sales), pytest.approx(revenue(sales)))
    assert told.sales.baskets == baskets(sales)
    assert told.items.present == sum(past.left)
    assert told.items.sold == len(past.sales)
    assert told.items.total == (
        told.items.present + told.items.sold + told.items.stolen + told.items.lost
    )
    assert told.items.stolen + told.items.lost == len(past.lost)
    begin = since(days)
    assert told.restocked == sum(at > begin for _, at in past.restocked)
    lost = [product for product, at, _ in past.lost if at > begin]
    assert told.shrinkage.units == len(lost)
    assert told.shrinkage.value == pytest.approx(sum(cents(p) for p in lost) / 100)
    value = sum(left * cents(p) for p, left in enumerate(past.left)) / 100
    assert told.stock.value == pytest.approx(value)
    assert told.stock.out_of_stock == sum(left == 0 for left in past.left)
    assert told.stock.low == sum(0 < left < 5 for left in past.left)


def test_what_came_before_is_compared(connection: Connection, past: Past) -> None:
    now = past.within(20)
    before = past.before(20)
    told = overview(connection, 20).sales
    assert told.units_change == pytest.approx(len(now) / len(before) - 1, abs=1e-4)
    assert told.revenue_change == pytest.approx(revenue(now) / revenue(before) - 1, abs=1e-4)


@pytest.mark.parametrize("days", [7, 30])
def test_velocity_counts_units_a_day(connection: Connection, past: Past, days: int) -> None:
    units = Counter(sale.product for sale in past.within(days))
    told = {one.sku: one for one in product_velocity(connection, days, 100)}
    assert len(told) == PRODUCTS
    for p in range(PRODUCTS):
        one = told[sku(p)]
        assert one.units == units[p]
        assert one.units_per_day == pytest.approx(units[p] / length(days), abs=1e-4)
        assert one.on_hand == past.left[p]
        if units[p]:
            cover = past.left[p] * length(days) / units[p]
            assert one.days_of_cover == pytest.approx(cover, abs=0.06)
            assert one.last_sold_at == max(s.at for s in past.sales if s.product == p)
        else:
            assert (one.days_of_cover, one.pace) == (None, "none")


def test_velocity_is_ordered_and_of_a_category(connection: Connection) -> None:
    fastest = product_velocity(connection, 30, 100)
    assert [o.units for o in fastest] == sorted((o.units for o in fastest), reverse=True)
    assert fastest[0].pace == "fast"
    slowest = product_velocity(connection, 30, 100, order="slowest")
    assert slowest == fastest[::-1]
    shoes = product_velocity(connection, 30, 100, "Footwear")
    assert shoes == [one for one in fastest if one.category == "Footwear"]
    assert product_velocity(connection, 30, 3) == fastest[:3]


@pytest.mark.parametrize("by", ["units", "revenue"])
def test_top_products_are_those_that_sell_best(connection: Connection, past: Past, by: str) -> None:
    sales = past.within(30)
    measure: dict[int, float] = defaultdict(float)
    for sale in sales:
        measure[sale.product] += 1 if by == "units" else sale.price
    whole = sum(measure.values())
    best = sorted(measure, key=lambda p: (-round(measure[p], 2), sku(p)))
    told = top_products(connection, 30, 5, by)  # type: ignore[arg-type]
    assert [one.sku for one in told] == [sku(p) for p in best[:5]]
    assert [one.rank for one in told] == [1, 2, 3, 4, 5]
    for one, product in zip(told, best, strict=False):
        assert one.share == pytest.approx(measure[product] / whole, abs=1e-5)


def test_categories_add_up(connection: Connection, past: Past) -> None:
    told = {one.category: one for one in category_performance(connection, 30)}
    assert set(told) == set(CATEGORIES)
    for category, one in told.items():
        sales = [sale for sale in past.within(30) if sale.category == category]
        mine = [p for p in range(PRODUCTS) if CATEGORIES[p % 3] == category]
        assert (one.products, one.units) == (len(mine), len(sales))
        assert one.revenue == pytest.approx(revenue(sales))
        assert one.on_hand == sum(past.left[p] for p in mine)
        assert one.sell_through == pytest.approx(one.units / (one.units + one.on_hand), abs=1e-5)
    assert sum(one.revenue_share for one in told.values()) == pytest.approx(1, abs=1e-4)


def begin(at: datetime, bucket: Bucket) -> datetime:
    day = at.replace(hour=0, minute=0)
    return {
        "hour": at.replace(minute=0),
        "day": day,
        "week": day - timedelta(days=day.weekday()),
        "month": day.replace(day=1),
    }[bucket]


@pytest.mark.parametrize(
    ("bucket", "days", "points"),
    [("hour", 3, 3 * 24 + 19), ("day", 30, 31), ("week", 35, 6), ("month", 60, 3)],
)
def test_the_series_has_every_bucket_and_every_sale(
    connection: Connection, past: Past, bucket: Bucket, days: int, points: int
) -> None:
    told = sales_time_series(connection, days, bucket)
    assert len(told) == points
    assert [p.at for p in told] == sorted({begin(p.at, bucket) for p in told})
    by_bucket: dict[datetime, list[Sale]] = defaultdict(list)
    for sale in past.sales:
        by_bucket[begin(sale.at, bucket)].append(sale)
    for point in told:
        sales = by_bucket[point.at]
        assert point.units == len(sales)
        assert point.revenue == pytest.approx(revenue(sales))
        assert point.baskets == baskets(sales)


@pytest.mark.parametrize("bucket", ["hour", "day"])
def test_the_series_adds_up_to_the_overview(connection: Connection, bucket: Bucket) -> None:
    told, whole = sales_time_series(connection, 30, bucket), overview(connection, 30).sales
    assert sum(point.units for point in told) == whole.units
    assert sum(point.revenue for point in told) == pytest.approx(whole.revenue)
    assert sum(point.baskets for point in told) == whole.baskets


def test_the_series_of_a_product_and_of_a_category(connection: Connection, past: Past) -> None:
    one = sales_time_series(connection, 60, sku=sku(1))
    assert sum(point.units for point in one) == sum(
        sale.product == 1 for sale in past.sales if sale.at >= one[0].at
    )
    shoes = sales_time_series(connection, 60, category="Footwear")
    assert sum(point.units for point in shoes) == sum(
        sale.category == "Footwear" for sale in past.sales if sale.at >= shoes[0].at
    )


def test_abc_is_cumulative(connection: Connection, past: Past) -> None:
    told = abc_analysis(connection, 60, 100)
    made: dict[int, float] = defaultdict(float)
    for sale in past.within(60):
        made[sale.product] += sale.price
    order = sorted(range(PRODUCTS), key=lambda p: (-round(made[p], 2), sku(p)))
    assert [one.sku for one in told.products] == [sku(p) for p in order]
    whole, before = sum(made.values()), 0.0
    for one, product in zip(told.products, order, strict=True):
        share = before / whole
        expected = "A" if share < 0.8 else "B" if share < 0.95 else "C"
        assert one.grade == (expected if made[product] else "C")
        before += made[product]
    assert sum(grade.products for grade in told.grades) == PRODUCTS
    assert sum(grade.revenue for grade in told.grades) == pytest.approx(whole)
    assert {one.grade for one in told.products} == {"A", "B", "C"}


@pytest.mark.parametrize("level", ["product", "category"])
def test_affinity_counts_pairs_of_baskets(connection: Connection, past: Past, level: str) -> None:
    held: dict[str, set[str]] = defaultdict(set)
    for sale in past.within(60):
        if sale.basket:
            held[sale.basket].add(sku(sale.product) if level == "product" else sale.category)
    single = Counter(what for basket in held.values() for what in basket)
    pairs = Counter(pair for basket in held.values() for pair in combinations(sorted(basket), 2))
    told = affinity(connection, 60, 1000, level, min_baskets=2)  # type: ignore[arg-type]
    assert told.baskets == len(held)
    found = {tuple(sorted((one.first, one.second))): one for one in told.pairs}
    assert {pair: one.baskets for pair, one in found.items()} == {
        pair: n for pair, n in pairs.items() if n >= 2
    }
    assert found
    for (first, second), one in found.items():
        lift = pairs[first, second] * len(held) / (single[first] * single[second])
        assert one.lift == pytest.approx(lift, abs=1e-3)
        assert one.confidence == pytest.approx(one.baskets / single[one.first], abs=1e-5)
        assert one.reverse_confidence == pytest.approx(one.baskets / single[one.second], abs=1e-5)
    assert [one.lift for one in told.pairs] == sorted((o.lift for o in told.pairs), reverse=True)


def test_affinity_without_pairs_still_counts_baskets(connection: Connection, past: Past) -> None:
    told = affinity(connection, 60, 10, min_baskets=1_000)
    assert told.pairs == []
    assert told.baskets == len({s.basket for s in past.within(60) if s.basket})
