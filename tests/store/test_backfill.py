"""A past for a store: its books, its days and hours, and that it can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, func, select

from retail_datagen.config.errors import UserError
from retail_datagen.config.library import profile_file, read_profile
from retail_datagen.core.calendar import to_day
from retail_datagen.store import lease
from retail_datagen.store.backfill import DENSITIES, Backfill, backfill
from retail_datagen.store.catalogue import PROFILE, read_catalogue
from retail_datagen.store.database import models as m
from retail_datagen.store.database import open_database, shown_url
from retail_datagen.store.epc import epcs, ours
from retail_datagen.store.generate import Direct, load_items, load_products
from retail_datagen.store.items import plan_inventory
from retail_datagen.store.ledger import Detections, Ledger
from retail_datagen.store.past import CLOSES, OPENS, Past, Shelf, draw_past
from retail_datagen.store.runs import Replaced
from stores import items, products, violations

TODAY = date(2024, 6, 20)
NOW = datetime(2024, 6, 20, 10)
CATEGORIES = ("Footwear", "Apparel", "Fitness", "Nutrition", "Somewhere else")
FOREIGN = "3074257BF7194E4000001A85"
"""GS1's example, with another company's prefix."""
GIVEN = ((700_002, 1), (1_000_001, 2), (1, 3))


def fill(engine: Engine, count: int = 3000, at: datetime = NOW) -> Ledger:
    catalogue = read_catalogue()
    inventory = plan_inventory(catalogue, catalogue.of_templates([]), count)
    target = Direct(Ledger(engine), at)
    load_products(target, inventory, lambda _done, _total: None)
    load_items(target, inventory, lambda _done, _total: None)
    return Ledger(engine)


@pytest.fixture
def light() -> Iterator[Engine]:
    """A store in memory."""
    engine = open_database("sqlite://")
    yield engine
    engine.dispose()


def rows(engine: Engine, *columns: object) -> list[tuple[object, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns))]  # type: ignore[call-overload]


def present(engine: Engine) -> dict[int, int]:
    return dict(rows(engine, m.stock_levels.c.product_id, m.stock_levels.c.on_hand))  # type: ignore[arg-type]


@pytest.mark.parametrize("density", DENSITIES)
def test_every_density(engine: Engine, density: str) -> None:
    fill(engine)
    before = present(engine)
    wanted = DENSITIES[density]
    days = 2 if wanted.purchases >= 100 else 4
    summary = backfill(engine, Backfill(days, density, today=TODAY))
    assert summary.purchases == summary.restocked == days * wanted.purchases
    assert summary.snapshots == days * wanted.snapshots * 1543
    first = TODAY - timedelta(days=days)
    assert (summary.first_day, summary.last_day) == (f"{first}", "2024-06-19")
    assert present(engine) == before
    assert violations(engine) == []
    # Most of what was bought was in the inventory; nothing is invented for a purchase.
    bought = rows(engine, m.inventory_items.c.rfid_tag, m.inventory_items.c.reason)
    tags = [str(tag) for tag, reason in bought if reason == "sold"]
    assert len(tags) == summary.purchases
    generated = sum(tag < "RFID-10000000" for tag in tags)
    assert generated > 0.7 * len(tags)
    columns = m.purchase_events.c
    baskets = dict.fromkeys(rows(engine, columns.basket_id, columns.occurred_at))
    assert len({basket for basket, _ in baskets}) == len(baskets)
    assert 1.8 < summary.purchases / len(baskets) < 2.7
    taken = {at for (at,) in rows(engine, m.stock_snapshots.c.taken_at)}
    assert len(taken) == days * wanted.snapshots
    assert min(taken) == datetime(first.year, first.month, first.day)


def test_the_same_seed_the_same_past(light: Engine) -> None:
    def past() -> list[tuple[object, ...]]:
        columns = m.purchase_events.c
        with light.connect() as connection:
            found = connection.execute(
                select(m.inventory_items.c.rfid_tag, columns.occurred_at, columns.unit_price)
                .join(m.inventory_items, m.inventory_items.c.id == columns.item_id)
                .order_by(columns.occurred_at, m.inventory_items.c.product_id, columns.item_id)
            )
            return [(row[0] if row[0] < "RFID-1" else "", *row[1:]) for row in found]

    fill(light)
    backfill(light, Backfill(4, "sparse", today=TODAY))
    first = past()
    backfill(light, Backfill(4, "sparse", seed=43, replace=True, today=TODAY))
    assert past() != first
    backfill(light, Backfill(4, "sparse", replace=True, today=TODAY))
    assert past() == first
    assert len(first) == 80


def full_shelf(each: int) -> Shelf:
    catalogue = read_catalogue()
    stock = np.full(len(catalogue), each, dtype=np.int64)
    return Shelf(catalogue.category, catalogue.popularity, stock)


def test_days_and_hours_are_the_profiles() -> None:
    first = to_day(date(2024, 3, 4))
    past = draw_past(full_shelf(50), read_profile(profile_file(PROFILE)), first, 70, 200, 42)
    weekday = np.bincount((past.sale_second // 86_400 + 3) % 7)
    assert weekday[5] > weekday[4] > weekday[1] > weekday[0]
    assert 1.7 < weekday[5] / weekday[0] < 2.3
    weekend = (past.sale_second // 86_400 + 3) % 7 >= 5
    hour = np.bincount(past.sale_second[~weekend] % 86_400 // 3600, minlength=24)
    assert np.flatnonzero(hour).tolist() == list(range(OPENS, CLOSES))
    assert hour[18] > 1.6 * hour[15]
    assert hour[12] > hour[10]


def test_popular_products_are_bought_more_often() -> None:
    shelf = full_shelf(200)
    first = to_day(date(2024, 3, 4))
    past = draw_past(shelf, read_profile(profile_file(PROFILE)), first, 60, 200, 42)
    of_shoes = np.array(shelf.category) == "Footwear"
    bought = np.bincount(past.sale_product, minlength=len(shelf.stock))[of_shoes]
    odds = shelf.popularity[of_shoes]
    assert np.corrcoef(odds, bought)[0, 1] > 0.9
    expected = odds / odds.sum() * bought.sum()
    most = np.argsort(-odds)[:20]
    assert np.all(np.abs(bought[most] - expected[most]) < 5 * np.sqrt(expected[most]) + 1)


def test_days_that_are_there_are_refused_or_replaced(engine: Engine) -> None:
    fill(engine)
    before = present(engine)
    backfill(engine, Backfill(5, "normal", today=TODAY))
    with pytest.raises(UserError, match="2024-06-15 to 2024-06-19 are there from an earlier"):
        backfill(engine, Backfill(3, "sparse", today=TODAY))
    assert violations(engine) == []
    summary = backfill(engine, Backfill(3, "sparse", replace=True, today=TODAY))
    assert summary.replaced == Replaced(1, "2024-06-15", "2024-06-19")
    assert rows(engine, func.count(m.purchase_events.c.id)) == [(60,)]
    assert rows(engine, func.count(m.inventory_items.c.id)) == [(3060,)]
    assert rows(engine, func.count(m.runs.c.id)) == [(1,)]
    assert present(engine) == before
    assert violations(engine) == []


def test_a_later_backfill_goes_on(light: Engine) -> None:
    fill(light)
    backfill(light, Backfill(5, "normal", today=TODAY))
    backfill(light, Backfill(5, "normal", today=TODAY + timedelta(days=5)))
    assert rows(light, func.count(m.purchase_events.c.id)) == [(500,)]
    assert violations(light) == []


def test_what_happened_live_stays(engine: Engine) -> None:
    ledger = fill(engine)
    backfill(engine, Backfill(2, "extreme", today=TODAY))
    with engine.connect() as connection:
        columns = m.inventory_items.c
        tagged = select(columns.id).where(columns.status == "present")
        later = tagged.where(columns.rfid_tag > "RFID-10000000").order_by(columns.id)
        restocked = list(connection.scalars(later.limit(60)))
        original = list(connection.scalars(tagged.order_by(columns.id).limit(60)))
    ledger.sell(restocked[:20] + original[:20], NOW + timedelta(hours=1), "live")
    ledger.lose(restocked[20:40] + original[20:40], NOW + timedelta(hours=1), "stolen")
    seen = np.array(restocked[40:] + original[40:])
    far = np.full(len(seen), 100.0)
    ledger.see(Detections(seen, NOW + timedelta(hours=2), -far / 2, ["S"] * len(seen), far))
    live = rows(engine, m.inventory_items.c.id, m.inventory_items.c.status)
    watched = {*restocked, *original}
    before = present(engine)
    backfill(engine, Backfill(2, "sparse", replace=True, today=TODAY))
    assert present(engine) == before
    now = dict(rows(engine, m.inventory_items.c.id, m.inventory_items.c.status))
    assert {i: now[i] for i in watched} == {i: s for i, s in live if i in watched}
    assert violations(engine) == []


def see(ledger: Ledger, found: list[int], at: datetime) -> None:
    far = np.full(len(found), 100.0)
    ledger.see(Detections(np.array(found), at, -far / 2, ["S"] * len(found), far))


def open_to_customers(ledger: Ledger) -> dict[object, object]:
    """A live morning in which every item there is seen, some are bought, stolen, or come: what
    becomes of all of them."""
    columns = m.inventory_items.c
    found = rows(ledger.engine, columns.id, columns.status)
    everything = [int(item) for item, status in found if status == "present"]  # type: ignore[call-overload]
    see(ledger, everything, NOW + timedelta(minutes=10))
    ledger.sell(everything[:30], NOW + timedelta(minutes=20), "live")
    ledger.lose(everything[30:40], NOW + timedelta(minutes=25), "stolen")
    ledger.restock([1, 1, 2], NOW + timedelta(minutes=30))
    ledger.snapshot(NOW + timedelta(hours=1))
    return fates(ledger.engine)


def fates(engine: Engine) -> dict[object, object]:
    columns = m.inventory_items.c
    found = rows(engine, columns.id, columns.status, columns.reason, columns.left_at)
    return {row[0]: row[1:] for row in found}


def test_a_store_that_was_opened_may_have_a_past(engine: Engine) -> None:
    ledger = fill(engine)
    live, before = open_to_customers(ledger), present(engine)
    for density, replace in (("extreme", False), ("sparse", True), ("normal", True)):
        summary = backfill(engine, Backfill(2, density, replace=replace, today=TODAY))
        wanted = 2 * DENSITIES[density].purchases
        assert (summary.purchases, summary.restocked, summary.missed) == (wanted, wanted, 0)
        assert rows(engine, func.count(m.purchase_events.c.id)) == [(wanted + 30,)]
        assert violations(engine) == []
        assert present(engine) == before
        now = fates(engine)
        assert {item: now[item] for item in live} == live
        assert len(now) == len(live) + wanted


def test_a_past_is_replaced_after_the_store_was_opened(engine: Engine) -> None:
    ledger = fill(engine)
    backfill(engine, Backfill(2, "extreme", today=TODAY))
    here = {item for item, fate in fates(engine).items() if fate == ("present", None, None)}
    live, before = open_to_customers(ledger), present(engine)
    backfill(engine, Backfill(2, "sparse", replace=True, today=TODAY))
    assert rows(engine, func.count(m.purchase_events.c.id)) == [(2 * 20 + 30,)]
    assert violations(engine) == []
    assert present(engine) == before
    now = fates(engine)
    assert {item: now[item] for item in here} == {item: live[item] for item in here}


def test_pasts_on_pasts_are_taken_back_in_any_order(light: Engine) -> None:
    ledger = fill(light)
    open_to_customers(ledger)
    before = present(light)
    for days in (2, 1, 0):
        backfill(light, Backfill(1, "extreme", today=TODAY - timedelta(days=days)))
    assert violations(light) == []
    assert rows(light, func.count(m.purchase_events.c.id)) == [(3 * 200 + 30,)]
    for days in (2, 0, 1):
        today = TODAY - timedelta(days=days)
        backfill(light, Backfill(1, "sparse", replace=True, today=today))
        assert violations(light) == []
        assert present(light) == before
    assert rows(light, func.count(m.purchase_events.c.id)) == [(3 * 20 + 30,)]


def test_beside_a_simulation_nothing_is_taken_from_its_shelves(light: Engine) -> None:
    fill(light)
    before = fates(light)
    lease.acquire(light, "till, process 7")
    assert backfill(light, Backfill(3, "dense", today=TODAY)).purchases == 300
    now = fates(light)
    assert {item: now[item] for item in before} == before
    assert violations(light) == []


def test_live_days_are_not_overwritten(light: Engine) -> None:
    ledger = fill(light, at=datetime(2024, 6, 16, 9))
    ledger.sell([1], datetime(2024, 6, 17, 9))
    with pytest.raises(UserError, match="something happened live in this store on 2024-06-17"):
        backfill(light, Backfill(10, replace=True, today=TODAY))
    assert violations(light) == []


def test_items_that_came_after_a_snapshot_have_no_earlier_past(light: Engine) -> None:
    ledger = fill(light, 1600)
    ledger.snapshot(NOW + timedelta(minutes=1))
    fill(light, 3000, NOW + timedelta(minutes=2))
    backfill(light, Backfill(3, "normal", today=TODAY))
    assert violations(light) == []


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Backfill(0), "days: 0 is not possible; allowed are 1 to 3650"),
        (Backfill(1, "thick"), "density: 'thick' is not known; allowed are sparse, normal, dense"),
        (
            Backfill(1),
            "No products found in database (sqlite://); run `retail-datagen inventory generate",
        ),
    ],
)
def test_what_cannot_be_is_told(light: Engine, wanted: Backfill, told: str) -> None:
    with pytest.raises(UserError) as error:
        backfill(light, wanted)
    assert told in str(error.value)


def test_a_store_without_products_is_named_without_its_password(engine: Engine) -> None:
    where = shown_url(engine)
    with pytest.raises(UserError) as error:
        backfill(engine, Backfill(1))
    assert f"({where}); run `retail-datagen" in str(error.value)
    assert f"--database-url {where}` first" in str(error.value)
    assert engine.url.password is None or f":{engine.url.password}@" not in str(error.value)


def test_products_without_items(light: Engine) -> None:
    ledger = Ledger(light)
    ledger.add_products(products(2))
    with pytest.raises(UserError, match="No inventory items found in database"):
        backfill(light, Backfill(1))
    ledger.add_items(items([0, 1]), datetime(2024, 6, 19, 9))
    ledger.lose([1, 2], datetime(2024, 6, 19, 10))
    with pytest.raises(UserError, match="something happened live in this store on 2024-06-19"):
        backfill(light, Backfill(1, today=TODAY))


def test_items_that_were_seen_within_have_no_past(light: Engine) -> None:
    ledger = Ledger(light)
    ledger.add_products(products(1))
    ledger.add_items(items([0]), datetime(2024, 6, 19, 9))
    see(ledger, [1], datetime(2024, 6, 19, 10))
    with pytest.raises(UserError, match="no item of this store stood there from 2024-06-19 to"):
        backfill(light, Backfill(1, today=TODAY))
    assert backfill(light, Backfill(3, today=TODAY - timedelta(days=1))).purchases
    assert violations(light) == []


def test_products_of_somebody_else(light: Engine) -> None:
    ledger = Ledger(light)
    ledger.add_products(products(9), NOW)
    ledger.add_items(items(list(range(9)) * 20), NOW)
    summary = backfill(light, Backfill(4, "dense", today=TODAY))
    assert summary.purchases == 400
    assert violations(light) == []


def test_a_small_store_sells_what_it_has(light: Engine) -> None:
    ledger = Ledger(light)
    ledger.add_products(products(2), NOW)
    ledger.add_items(items([0, 1, 1]), NOW)
    summary = backfill(light, Backfill(4, "dense", today=TODAY))
    assert 0 < summary.purchases <= 12
    assert summary.purchases + summary.missed == 400
    assert violations(light) == []


def test_who_stops_it_has_nothing_written(engine: Engine) -> None:
    fill(engine)

    def stop(doing: str, done: int, _total: int) -> None:
        if doing == "snapshots" and done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        backfill(engine, Backfill(3, today=TODAY), stop)
    assert rows(engine, func.count(m.purchase_events.c.id)) == [(0,)]
    assert violations(engine) == []


def shelves() -> st.SearchStrategy[Shelf]:
    product = st.tuples(st.sampled_from(CATEGORIES), st.integers(1, 1_000_000), st.integers(0, 12))
    return st.lists(product, max_size=30).map(
        lambda rows: Shelf(
            [row[0] for row in rows],
            np.array([row[1] for row in rows], dtype=np.int64),
            np.array([row[2] for row in rows], dtype=np.int64),
        )
    )


def replay(shelf: Shelf, past: Past) -> np.ndarray:  # type: ignore[type-arg]
    """Stock after all of it; fails where it was negative."""
    moves = [(at, 0, p) for at, p in zip(past.restock_second, past.restock_product, strict=True)]
    moves += [(at, 1, p) for at, p in zip(past.sale_second, past.sale_product, strict=True)]
    stock = shelf.stock.copy()
    for _, sale, product in sorted(moves):
        stock[product] += -1 if sale else 1
        assert stock[product] >= 0
    return stock


@settings(deadline=None, max_examples=60)
@given(
    shelves(), st.integers(1, 12), st.integers(1, 60), st.integers(0, 2**32), st.integers(0, 900)
)
def test_a_past_ends_as_it_began(
    shelf: Shelf, days: int, purchases: int, seed: int, shift: int
) -> None:
    profile = read_profile(profile_file(PROFILE))
    first = to_day(date(2023, 1, 1)) + shift
    past = draw_past(shelf, profile, first, days, purchases, seed)
    assert np.array_equal(replay(shelf, past), shelf.stock)
    assert len(past.sale_product) + past.missed in (0, days * purchases)
    for second in (past.sale_second, past.restock_second):
        assert np.all(np.diff(second) >= 0)
        assert np.all((second >= first * 86_400) & (second < (first + days) * 86_400))
    again = draw_past(shelf, profile, first, days, purchases, seed)
    assert np.array_equal(past.sale_product, again.sale_product)
    assert np.array_equal(past.restock_second, again.restock_second)


def test_tags_of_ones_own_among_those_of_restocked_items(engine: Engine) -> None:
    ledger = fill(engine, 300)
    own = items([0, 0], first=1)
    own.rfid_tag[:] = ["RFID-10000001-B", "RFID-10000003"]
    own.sku[:] = ["RUN-0001"] * 2
    assert ledger.add_items(own, NOW).created == 2
    backfill(engine, Backfill(3, "sparse", today=TODAY))
    assert violations(engine) == []
    product = m.inventory_items.c.product_id
    found = rows(engine, m.inventory_items.c.rfid_tag, m.inventory_items.c.status, product)
    assert {row[:2] for row in found} >= {(tag, m.PRESENT) for tag in own.rfid_tag}
    assert len(ledger.restock([int(row[2]) for row in found[:20]]).items) == 20  # type: ignore[call-overload]
    assert violations(engine) == []


@pytest.mark.parametrize("epc", ["", FOREIGN], ids=["none", "foreign"])
@pytest.mark.parametrize("tag", ["I1", "RFID-00000000", "RFID-00000005-B", "Z1"])
def test_a_product_has_one_reference_whichever_tag_is_first(
    light: Engine, tag: str, epc: str
) -> None:
    ledger = Ledger(light)
    ledger.add_products(products(2), NOW)
    tagged = items([0] * 8 + [1] * 8)
    tagged.epc[:] = epcs(np.array([1001] * 8 + [1002] * 8), np.arange(1, 17))
    ledger.add_items(tagged, NOW)
    own = items([0])
    own.rfid_tag[:], own.epc[:] = [tag], [epc]
    assert ledger.add_items(own, NOW).created == 1
    assert backfill(light, Backfill(5, "sparse", today=TODAY)).restocked > 0
    assert len(ledger.restock([1, 2], NOW + timedelta(hours=1)).items) == 2
    assert violations(light) == []
    assert references(light) == {1: {1001}, 2: {1002}}


def test_products_without_tags_of_ours_get_references_of_their_own(light: Engine) -> None:
    ledger = Ledger(light)
    ledger.add_products(products(4), NOW)
    given = items([0, 1, 2], first=1)
    # One has that reference already which the second would have; another has an indicator.
    given.epc[:] = [epcs(np.array([number]), np.array([tag]))[0] for number, tag in GIVEN]
    given.sku[:] = ["T-0001", "T-0004", "T-0002"]
    given.epc[2] = FOREIGN
    assert ledger.add_items(given, NOW).created == 3
    came = ledger.restock([1, 2, 2, 3, 4], NOW + timedelta(hours=1))
    assert len(came.items) == 5
    assert references(light) == {1: {700_002}, 2: {700_003}, 3: {700_004}, 4: {1_000_001}}
    assert ledger.restock([2, 3], NOW + timedelta(hours=2)).products.tolist() == [2, 3]
    assert references(light) == {1: {700_002}, 2: {700_003}, 3: {700_004}, 4: {1_000_001}}
    assert violations(light) == []


def references(engine: Engine) -> dict[int, set[int]]:
    """What the EPCs of ours say, by product."""
    found: dict[int, set[int]] = {}
    for product, epc in rows(engine, m.inventory_items.c.product_id, m.inventory_items.c.epc):
        if said := ours(str(epc)):
            found.setdefault(int(product), set()).add(int(said.item))  # type: ignore[call-overload]
    return found
