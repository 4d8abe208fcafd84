"""Baskets: reproducible, as a behaviour and a segment make them, from the rows that were given."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.parts import BEHAVIOURS, SEGMENTS
from retail_datagen.generators.retail_patterns import (
    CustomerJourneySimulator,
    CustomerSegment,
    ShoppingBasket,
    ShoppingBehaviorType,
)
from retail_datagen.shared.models import Customer, Product, Store

Master = dict[str, pa.Table]
FAMILY = ShoppingBehaviorType.FAMILY_SHOPPING


def simulator(master: Master, **more: object) -> CustomerJourneySimulator:
    rows = master["customers"], master["products"], master["stores"]
    return CustomerJourneySimulator(*rows, **more)  # type: ignore[arg-type]


def baskets(
    made: CustomerJourneySimulator, customers: range, behaviour: ShoppingBehaviorType
) -> list[ShoppingBasket]:
    return [made.generate_shopping_basket(number, behaviour) for number in customers]


def mean_lines(found: list[ShoppingBasket]) -> float:
    return sum(len(basket.items) for basket in found) / len(found)


def test_names_are_the_profiles() -> None:
    assert tuple(kind.value for kind in ShoppingBehaviorType) == BEHAVIOURS
    assert tuple(kind.value for kind in CustomerSegment) == SEGMENTS


def test_a_customers_nth_basket_is_always_the_same(master: Master) -> None:
    one, other = simulator(master), simulator(master)
    first = [one.generate_shopping_basket(123, FAMILY) for _ in range(3)]
    other.generate_shopping_basket(7, FAMILY)
    second = []
    for number in range(3):
        second.append(other.generate_shopping_basket(123, FAMILY))
        other.generate_shopping_basket(8 + number)
    assert first == second
    assert len(set(first)) == 3
    assert simulator(master, seed=7).generate_shopping_basket(123, FAMILY) != first[0]


def test_records_frames_and_columns_give_the_same_basket(master: Master) -> None:
    expected = simulator(master).generate_shopping_basket(5, FAMILY)
    kinds = {"customers": Customer, "products": Product, "stores": Store}
    records = [
        [kind.from_row(row) for row in master[name].to_pylist()] for name, kind in kinds.items()
    ]
    frames = [master[name].to_pandas() for name in kinds]
    for rows in (records, frames):
        made = CustomerJourneySimulator(*rows)  # type: ignore[arg-type]
        assert made.generate_shopping_basket(5, FAMILY) == expected


def test_items_are_products_at_their_price_and_add_up(master: Master) -> None:
    products = {row["ProductID"]: row for row in master["products"].to_pylist()}
    for basket in baskets(simulator(master), range(1, 41), FAMILY):
        total = Decimal(0)
        for item in basket.items:
            product = products[item.product_id]
            assert item.category == product["Category"]
            assert Decimal(0) < item.unit_price <= product["Price"]
            assert item.qty >= 1
            total += item.qty * item.unit_price
        assert basket.estimated_total == total


def test_segment_and_store_are_the_customers(master: Master) -> None:
    made = simulator(master)
    for row in master["customers"].slice(0, 30).to_pylist():
        basket = made.generate_shopping_basket(row["CustomerID"])
        assert basket.segment.value == row["Segment"]
        assert basket.store_id == row["NearestStoreID1"]


def test_a_store_that_was_not_given_is_passed_over(master: Master) -> None:
    customer = master["customers"].slice(0, 1)
    other = customer["NearestStoreID2"][0].as_py()
    stores = master["stores"].filter(pc.equal(master["stores"]["StoreID"], other))
    made = CustomerJourneySimulator(customer, master["products"], stores)
    assert made.generate_shopping_basket(customer["CustomerID"][0].as_py()).store_id == other
    far = CustomerJourneySimulator(customer, master["products"], [{"StoreID": 9000}])
    assert far.generate_shopping_basket(customer["CustomerID"][0].as_py()).store_id is None


def test_behaviours_have_their_sizes(master: Master) -> None:
    made = simulator(master)
    by_kind = {kind: baskets(made, range(1, 301), kind) for kind in ShoppingBehaviorType}
    size = {kind.name: mean_lines(found) for kind, found in by_kind.items()}
    assert all(b.behavior_type is kind for kind, found in by_kind.items() for b in found)
    assert size["QUICK_TRIP"] < size["GROCERY_RUN"] < size["FAMILY_SHOPPING"]
    units = {
        kind.name: sum(i.qty for b in found for i in b.items) / sum(len(b.items) for b in found)
        for kind, found in by_kind.items()
    }
    assert units["BULK_PURCHASE"] > 1.5 * units["QUICK_TRIP"]


def test_left_to_themselves_customers_buy_the_configured_lines(master: Master) -> None:
    made = simulator(master, items_per_ticket_mean=6.0)
    found = [made.generate_shopping_basket(number) for number in range(1, 1001) for _ in range(2)]
    # Sizes fall geometrically: their standard deviation is about the mean, 0.14 for 2,000 of them.
    assert mean_lines(found) == pytest.approx(6.0, abs=0.6)
    assert {basket.behavior_type for basket in found} == set(ShoppingBehaviorType)


def test_quality_seekers_buy_dearer_products_of_a_category_than_the_budget_conscious(
    master: Master,
) -> None:
    def mean_rank(segment: str) -> float:
        everyone = master["customers"]
        column = pa.array([segment] * everyone.num_rows)
        index = everyone.column_names.index("Segment")
        made = CustomerJourneySimulator(
            everyone.set_column(index, "Segment", column), master["products"], master["stores"]
        )
        ranks = [
            rank[item.product_id]
            for basket in baskets(made, range(1, 301), FAMILY)
            for item in basket.items
        ]
        return sum(ranks) / len(ranks)

    rank: dict[int, float] = {}
    by_category: dict[str, list[dict[str, object]]] = {}
    for row in master["products"].to_pylist():
        by_category.setdefault(row["Category"], []).append(row)
    for rows in by_category.values():
        rows.sort(key=lambda row: row["Price"])  # type: ignore[arg-type,return-value]
        for place, row in enumerate(rows):
            rank[row["ProductID"]] = place / max(len(rows) - 1, 1)  # type: ignore[index]
    assert mean_rank("quality_seeker") > mean_rank("budget_conscious") + 0.1


def test_a_day_has_its_season_and_its_named_day(master: Master) -> None:
    def shares(day: date) -> Counter[str]:
        found = baskets(simulator(master, day=day), range(1, 301), FAMILY)
        return Counter(basket.mission for basket in found)

    ordinary, before_christmas = shares(date(2024, 1, 17)), shares(date(2024, 12, 20))
    assert before_christmas["gifts"] > 2 * ordinary["gifts"]


def test_a_segment_that_never_shops_so_may_still_be_asked_to(master: Master) -> None:
    profile = RetailConfig().load_profile()
    segment = CustomerSegment.CONVENIENCE_FOCUSED.value
    assert "bulk_purchase" not in profile.segments[segment].behaviours
    customer = next(r for r in master["customers"].to_pylist() if r["Segment"] == segment)
    basket = simulator(master).generate_shopping_basket(
        customer["CustomerID"], ShoppingBehaviorType.BULK_PURCHASE
    )
    assert basket.behavior_type is ShoppingBehaviorType.BULK_PURCHASE
    assert basket.segment.value == segment


def test_a_behaviour_that_nobody_has_is_refused(master: Master) -> None:
    profile = RetailConfig().load_profile()
    nobody: dict[str, object] = {
        f"segments.{name}.behaviours.bulk_purchase": 0.0
        for name, segment in profile.segments.items()
        if "bulk_purchase" in segment.behaviours
    }
    made = simulator(master, profile=RetailConfig(overrides=nobody).load_profile())
    with pytest.raises(UserError, match="no segment of the profile ever shops as bulk_purchase"):
        made.generate_shopping_basket(1, ShoppingBehaviorType.BULK_PURCHASE)


def test_an_unknown_customer_is_refused(master: Master) -> None:
    made = simulator(master)
    for number in (0, 1001, 10**12):
        with pytest.raises(UserError, match=rf"customer_id: {number} is not known; .* 1 to 1000"):
            made.generate_shopping_basket(number)


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("customers", {"Segment": "rich"}, "customers, column Segment: 'rich' is not known"),
        ("customers", {"CustomerID": 2}, "customers, column CustomerID: 2 is there twice"),
        ("products", {"Category": "Moons"}, "'Moons' is not known; .*give the profile"),
        ("products", {"Price": "free"}, "products, column Price: needed are amounts"),
        ("products", {"Price": "0.00"}, "Price and Popularity must be above 0"),
        ("products", {"LaunchDate": "soon"}, "products, column LaunchDate: needed are dates"),
        ("stores", {"StoreID": "north"}, "stores, column StoreID: needed are whole numbers"),
    ],
)
def test_rows_that_cannot_be_used_are_refused(
    master: Master, table: str, change: dict[str, object], message: str
) -> None:
    rows = master[table].slice(0, 3).to_pylist()
    spoiled = [rows[0] | change, *rows[1:]]
    for row in spoiled[1:]:
        row |= {name: type(change[name])(row[name]) for name in change}
    given = master | {table: spoiled}
    with pytest.raises(UserError, match=message):
        simulator(given)


def test_a_missing_column_is_named(master: Master) -> None:
    with pytest.raises(UserError, match="customers: no column Segment; needed are CustomerID"):
        simulator(master | {"customers": master["customers"].drop_columns("Segment")})
    with pytest.raises(UserError, match="products: there are no rows"):
        simulator(master | {"products": []})
