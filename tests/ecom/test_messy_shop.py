"""A messy shop: the clean one with a layer over it, whatever the order of days."""

from __future__ import annotations

from collections import Counter

from conftest import START, Shop
from retail_datagen.ecom import tables as shop_tables
from retail_datagen.engine.messy import MessyRetailer
from retail_datagen.quality.mess import Mess, messy_table


def test_late_rows_arrive_and_none_is_lost_or_twice(shop: Shop) -> None:
    mess = Mess.of("medium_mess", {"late_arrivals": "0.1"})
    messy = MessyRetailer(shop.retailer, mess, 7, truth=True)
    render = messy.render(START, shop.plans.__getitem__)
    days = range(START, START + 12)
    arrived: Counter[str] = Counter()
    for day in days:
        arrived.update(render("orders", day)["order_id"].to_pylist())
    wanted: Counter[str] = Counter()
    for day in days[:-3]:
        wanted.update(shop.day("orders", day)["order_id"].to_pylist())
    assert set(arrived.values()) == {1}
    assert wanted.keys() <= arrived.keys()
    assert messy.tables["orders"].lookback_days == 3


def test_any_day_gives_the_same_alone(shop: Shop) -> None:
    mess = Mess.of("heavy_mess", {"late_arrivals": "0.05", "duplicates": "0.05", "typos": "0.1"})
    first = MessyRetailer(shop.retailer, mess, 7, truth=True).render(START, shop.plans.__getitem__)
    names = [n for name in shop_tables.registry() for n in (name, f"{name}_truth")]
    together = {(n, d): first(n, d) for d in range(START + 5, START + 9) for n in names}
    for (name, day), rows in reversed(together.items()):
        retailer = MessyRetailer(shop.retailer, mess, 7, truth=True)
        alone = retailer.render(START, shop.plans.__getitem__)(name, day)
        assert alone.equals(rows), (name, day)
        if not name.endswith("_truth"):
            declared = messy_table(shop_tables.registry()[name].table, mess)
            assert rows.schema.equals(declared.arrow)
        if day % 2:
            break


def test_a_biased_reason_fits_what_came_back(shop: Shop) -> None:
    mess = Mess.of("heavy_mess", {})
    messy = MessyRetailer(shop.retailer, mess, 7, truth=True)
    render = messy.render(START, shop.plans.__getitem__)
    biased: Counter[str] = Counter()
    for day in range(START + 30, START + 110):
        told = render("returns_truth", day).to_pylist()
        first = {}
        for row in shop.day("return_items", day).to_pylist():
            first.setdefault(row["return_id"], row["category"])
        for row in told:
            if row["kind"] == "REASON_BIAS":
                assert row["clean_value"] != row["messy_value"]
                if first[row["row_key"]] == "Clothing":
                    biased[row["messy_value"].strip().lower()] += 1
    assert biased.most_common(1)[0][0] == "does not fit"
    assert set(biased) == {"does not fit", "changed mind"}


def test_another_mess_is_another_history(shop: Shop) -> None:
    level = Mess.of("light_mess", {})
    identities = {
        MessyRetailer(shop.retailer, mess, 7, truth=False).identity.config
        for mess in (Mess(), level, Mess.of("light_mess", {"typos": "0.1"}))
    }
    assert len(identities) == 3
    assert shop.retailer.identity.config in identities
