"""However wrong some rows of a bulk call are, each has an answer, and none that counts is lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retail_datagen.service.app import create_app
from retail_datagen.service.settings import ServiceSettings
from retail_datagen.store.database import Engine, open_database
from service.conftest import product
from stores import violations

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
FEW = st.sampled_from([f"K{n}" for n in range(12)])
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
PRICE = st.integers(0, 10**10).map(lambda cents: cents / 100)
SOUND_PRODUCT = st.fixed_dictionaries(
    {"sku": FEW | TEXT, "name": TEXT, "unit_price": PRICE},
    optional={"category": TEXT, "reorder_threshold": st.integers(0, 2**31)},
)
SOUND_ITEM = st.fixed_dictionaries(
    {"rfid_tag": FEW | TEXT, "sku": st.sampled_from(["P-0000", "P-0001", "none"])},
    optional={
        "epc": st.sampled_from([None, "", "30" * 12, "31" * 12, "xyz"]),
        "x_position": st.none() | st.floats(0, 2400),
        "y_position": st.none() | st.floats(0, 1800),
        "zone_id": st.none() | st.integers(0, 15),
    },
)


def spoiled(sound: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Any]:
    """Rows of which some are wrong in one field, or are no rows at all."""
    broken = st.tuples(sound, TEXT | st.sampled_from(["sku", "name", "zone_id"]), JUNK).map(
        lambda held: held[0] | {held[1]: held[2]}
    )
    return sound | broken | JUNK


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    opened = open_database("sqlite://")
    yield opened
    opened.dispose()


@pytest.fixture(scope="module")
def store(engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_app(ServiceSettings(), engine)) as opened:
        opened.post("/products/bulk", json={"products": [product(0), product(1)]})
        yield opened


def load(client: TestClient, what: str, key: str, rows: list[Any]) -> dict[str, Any]:
    """Load rows, and check what holds for any: the answer and the store agree row by row."""
    before = {row[key]: row for row in everything(client, what)}
    answer = client.post(f"/{what}/bulk", content=json.dumps({what: rows}).encode(), headers=JSON)
    told = answer.json()
    results = told["results"]
    assert [one["row"] for one in results] == list(range(len(rows)))
    statuses = [one["status"] for one in results]
    counted = [statuses.count(word) for word in ("created", "exists", "conflict", "error")]
    assert counted == [told[name] for name in ("created", "skipped", "conflicts", "failed")]
    failed, skipped = told["failed"] + told["conflicts"], told["skipped"]
    expected = 207 if failed else 200 if skipped or not rows else 201
    assert answer.status_code == expected
    after = {row[key]: row for row in everything(client, what)}
    assert len(after) == len(before) + told["created"]
    for row, one in zip(rows, results, strict=True):
        if one["status"] in ("error", "conflict"):
            assert one["detail"]
            assert one["status"] == "error" or row[key] in after
        else:
            held = after[row[key]]
            # Created or there already, it is as the row says.
            assert one["status"] == "exists" or row[key] not in before
            same = {name: value or None for name, value in row.items()}
            assert {name: held[name] or None for name in row} == same
    assert {key: row for key, row in after.items() if key in before} == before
    return told  # type: ignore[no-any-return]


JSON = {"content-type": "application/json"}


def everything(client: TestClient, what: str) -> list[dict[str, Any]]:
    if what == "products":
        return client.get("/products").json()  # type: ignore[no-any-return]
    found: list[dict[str, Any]] = []
    url = "/items?limit=1000"
    while url:
        answer = client.get(url)
        found += answer.json()
        url = answer.headers.get("link", "").partition(">")[0].removeprefix("<")
    return found


CAREFUL = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
THOROUGH = settings(CAREFUL, max_examples=2_000)


@CAREFUL
@given(rows=st.lists(spoiled(SOUND_PRODUCT), max_size=8))
def test_no_product_is_lost(store: TestClient, rows: list[Any]) -> None:
    load(store, "products", "sku", rows)


@CAREFUL
@given(rows=st.lists(spoiled(SOUND_ITEM), max_size=8))
def test_no_item_is_lost(store: TestClient, engine: Engine, rows: list[Any]) -> None:
    load(store, "items", "rfid_tag", rows)


def test_the_books_are_clean_after_all_that(store: TestClient, engine: Engine) -> None:
    rows = [{"rfid_tag": f"last {n}", "sku": "P-0000"} for n in range(3)]
    assert load(store, "items", "rfid_tag", rows)["created"] == 3
    assert violations(engine) == []


@settings(CAREFUL, max_examples=8)
@given(
    products=st.lists(spoiled(SOUND_PRODUCT), max_size=8),
    items=st.lists(spoiled(SOUND_ITEM), max_size=8),
)
def test_nor_on_a_server(postgres_url: str, products: list[Any], items: list[Any]) -> None:
    engine = open_database(postgres_url)
    with TestClient(create_app(ServiceSettings(), engine)) as client:
        client.post("/products/bulk", json={"products": [product(0), product(1)]})
        load(client, "products", "sku", products)
        load(client, "items", "rfid_tag", items)
    assert violations(engine) == []
    engine.dispose()


@pytest.mark.soak
@THOROUGH
@given(
    products=st.lists(spoiled(SOUND_PRODUCT), max_size=30),
    items=st.lists(spoiled(SOUND_ITEM), max_size=30),
)
def test_nor_in_the_long_run(products: list[Any], items: list[Any]) -> None:
    engine = open_database("sqlite://")
    with TestClient(create_app(ServiceSettings(), engine)) as client:
        client.post("/products/bulk", json={"products": [product(0), product(1)]})
        load(client, "products", "sku", products)
        load(client, "items", "rfid_tag", items)
    assert violations(engine) == []
    engine.dispose()
