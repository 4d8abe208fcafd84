"""Products and items over HTTP: looked up, paged, searched, added, changed."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from retail_datagen.store.database import Engine
from service.conftest import fill, item, product
from stores import violations


def pages(client: TestClient, url: str) -> list[Any]:
    """All rows, page by page as the `Link` headers lead."""
    found: list[Any] = []
    for _ in range(1000):
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        found += answer.json()
        link = answer.headers.get("link")
        if link is None:
            return found
        assert link.endswith('; rel="next"')
        url = link.partition(">")[0].removeprefix("<")
    raise AssertionError("pages without end")


def test_without_parameters_all_products_are_an_array(client: TestClient) -> None:
    assert client.get("/products").json() == []
    fill(client, 120, 1)
    told = client.get("/products")
    assert len(told.json()) == 120
    assert "link" not in told.headers
    assert told.json()[7] | {"created_at": "", "updated_at": ""} == {
        "id": 8,
        **product(7),
        "created_at": "",
        "updated_at": "",
    }


def test_pages_are_the_whole_and_survive_newcomers(client: TestClient) -> None:
    fill(client, 25, 1)
    assert pages(client, "/products?limit=7") == client.get("/products").json()
    first = client.get("/products?limit=20")
    client.post("/products", json=product(99))
    rest = client.get(f"/products?limit=20&cursor={first.headers['x-next-cursor']}").json()
    assert [one["sku"] for one in rest] == [f"P-{n:04d}" for n in [*range(20, 25), 99]]
    assert len(pages(client, "/items?limit=9")) == 25


def test_products_are_filtered_and_searched(client: TestClient) -> None:
    fill(client, 20, 1)
    client.post("/products", json=product(50, name="100% Wool_Sock", category="Socks"))
    assert {p["category"] for p in client.get("/products?category=Shoes").json()} == {"Shoes"}
    found = client.get("/products", params={"search": "wool_s"}).json()
    assert [one["name"] for one in found] == ["100% Wool_Sock"]
    # What means something to LIKE means nothing here.
    assert [p["sku"] for p in client.get("/products", params={"search": "%"}).json()] == ["P-0050"]
    assert len(client.get("/products", params={"search": "p-000"}).json()) == 10
    assert client.get("/products/P-0003").json()["name"] == "Product 3"
    missing = client.get("/products/nothing")
    assert (missing.status_code, missing.json()["field"]) == (404, "sku")


def test_searches_find_letters_whatever_the_case(client: TestClient) -> None:
    client.post("/products", json=product(1, name="Skijacke GRÖSSE Ł"))
    for search in ("grösse ł", "GRÖSSE Ł"):
        found = client.get("/products", params={"search": search}).json()
        assert [one["sku"] for one in found] == ["P-0001"], search


def test_items_are_filtered_and_searched(client: TestClient) -> None:
    fill(client, 4, 5)
    client.patch("/items/RFID-00000003", json={"status": "not_present", "reason": "stolen"})
    assert len(client.get("/items?status=present").json()) == 19
    assert [i["rfid_tag"] for i in client.get("/items?reason=stolen").json()] == ["RFID-00000003"]
    assert len(client.get("/items?sku=P-0001").json()) == 5
    assert len(client.get("/items?zone_id=1").json()) == 20
    assert len(client.get("/items?search=rfid-0000001").json()) == 10
    assert client.get("/items?zone_id=0").status_code == 422
    assert client.get("/items/none").status_code == 404


def test_what_is_there_is_not_added_again(client: TestClient) -> None:
    assert client.post("/products", json=product(1)).status_code == 201
    again = client.post("/products", json=product(1, name="Other"))
    assert (again.status_code, again.json()["field"]) == (409, "sku")
    assert client.get("/products/P-0001").json()["name"] == "Product 1"
    assert client.post("/items", json=item(1, 1)).status_code == 201
    again = client.post("/items", json=item(1, 1))
    assert (again.status_code, again.json()["field"]) == (409, "rfid_tag")
    unknown = client.post("/items", json=item(2, 77))
    assert (unknown.status_code, unknown.json()["field"]) == (422, "sku")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"unit_price": 1.234}, "unit_price"),
        ({"unit_price": -1}, "unit_price"),
        ({"sku": ""}, "sku"),
        ({"sku": "x" * 101}, "sku"),
        ({"sku": ".."}, "sku"),
        ({"sku": "."}, "sku"),
        ({"name": " \t\u3000"}, "name"),
        ({"reorder_threshold": 7}, "reorder_threshold"),
        ({"name": "a\x00b"}, "name"),
        ({"reorder_threshold": -1}, "reorder_threshold"),
        ({"optimal_stock_level": 2**40}, "optimal_stock_level"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_is_named(client: TestClient, change: dict[str, object], field: str) -> None:
    told = client.post("/products", json=product(1, **change))
    assert told.status_code == 422
    assert told.headers["content-type"] == "application/problem+json"
    assert told.json()["field"] == field
    assert client.get("/products").json() == []


def test_bulk_says_what_became_of_each_row(client: TestClient, engine: Engine) -> None:
    rows = [product(1), product(2), product(1, name="Again"), {"sku": "x"}, 5, product(3)]
    told = client.post("/products/bulk", json={"products": rows})
    body = told.json()
    assert told.status_code == 207
    assert [one["status"] for one in body["results"]] == [
        *("created", "created", "conflict", "error", "error", "created"),
    ]
    assert [one["row"] for one in body["results"]] == list(range(6))
    assert "unit_price" in body["results"][3]["detail"]
    assert body["results"][4]["detail"] == "body: Input should be an object"
    assert body["results"][2]["detail"] == "name: 'Product 1' is there, not 'Again'"
    assert [body[n] for n in ("created", "skipped", "conflicts", "failed")] == [3, 0, 1, 2]
    again = client.post("/products/bulk", json={"products": [product(1), product(2)]})
    assert (again.status_code, again.json()["skipped"]) == (200, 2)
    held = [item(n, 1 + n % 3) for n in range(30)]
    assert client.post("/items/bulk", json={"items": held}).status_code == 201
    held += [item(90, 44), item(91, 1, zone_id=99), item(92, 1, epc="30"), item(93, 2)]
    told = client.post("/items/bulk", json={"items": held})
    assert told.status_code == 207
    wrong = {o["row"]: o["detail"] for o in told.json()["results"] if o["status"] == "error"}
    assert {row: text.partition(":")[0] for row, text in wrong.items()} == {
        30: "sku",
        31: "zone_id",
        32: "epc",
    }
    assert (told.json()["created"], told.json()["skipped"]) == (1, 30)
    assert violations(engine) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"unit_price": 9.99}, "unit_price: 2.25 is there, not 9.99"),
        ({"category": ""}, "category: 'Shirts' is there, not ''"),
        ({"reorder_threshold": 6}, "reorder_threshold: 2 is there, not 6"),
    ],
)
def test_a_product_that_is_there_otherwise_is_a_conflict(
    client: TestClient, change: dict[str, object], told: str
) -> None:
    client.post("/products", json=product(1))
    answer = client.post("/products/bulk", json={"products": [product(1, **change), product(1)]})
    assert answer.status_code == 207
    assert [(o["status"], o["detail"]) for o in answer.json()["results"]] == [
        ("conflict", told),
        ("exists", ""),
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sku": "P-0000"}, "sku: 'P-0001' is there, not 'P-0000'"),
        ({"epc": "30" * 12}, f"epc: none is there, not '{'30' * 12}'"),
        ({"x_position": 22}, "x_position: 21.0 is there, not 22.0"),
        ({"zone_id": None}, "zone_id: 1 is there, not none"),
    ],
)
def test_an_item_that_is_there_otherwise_is_a_conflict(
    client: TestClient, change: dict[str, object], told: str
) -> None:
    fill(client, 2, 1)
    client.patch("/items/RFID-00000001", json={"status": "not_present", "reason": "sold"})
    answer = client.post("/items/bulk", json={"items": [item(1, 1, **change), item(1, 1)]})
    assert answer.status_code == 207
    conflict, same = answer.json()["results"]
    assert (conflict["status"], same["status"]) == ("conflict", "exists")
    assert told in conflict["detail"]


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"products": [{"sku": "\\ud800"}]}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"items": []}', "application/json", 422),
        (b'{"products": [], "more": 1}', "application/json", 422),
        (b'{"products": {}}', "application/json", 422),
        (b'{"products": []}', "text/plain", 415),
        (b'{"products": []}', "application/json; charset=utf-8", 200),
    ],
)
def test_a_body_that_is_no_bulk_is_refused_whole(
    client: TestClient, body: bytes, kind: str, status: int
) -> None:
    told = client.post("/products/bulk", content=body, headers={"content-type": kind})
    assert told.status_code == status, told.text
    assert client.get("/products").json() == []


def test_status_and_place_change_by_the_ledger(client: TestClient, engine: Engine) -> None:
    fill(client, 2, 3)
    tag = "/items/RFID-00000000"
    sold = client.patch(tag, json={"status": "not_present", "reason": "sold"}).json()
    assert (sold["status"], sold["reason"]) == ("not_present", "sold")
    assert client.get("/analytics/overview").json()["sales"]["units"] == 1
    # Twice is the same as once; another reason is not.
    assert client.patch(tag, json={"status": "not_present", "reason": "sold"}).json() == sold
    other = client.patch(tag, json={"status": "not_present", "reason": "lost"})
    assert (other.status_code, other.json()["field"]) == (409, "reason")
    back = client.patch(tag, json={"status": "present", "reason": "returned"}).json()
    assert (back["status"], back["reason"], back["left_at"]) == ("present", None, None)
    outside = client.patch(tag, json={"x_position": 500})
    assert (outside.status_code, outside.json()["field"]) == (422, "zone_id")
    assert outside.json()["errors"][0]["detail"].startswith("the position lies outside")
    assert outside.json()["detail"].startswith("zone_id: the position lies outside")
    moved = client.patch(tag, json={"x_position": 12.5, "zone_id": None}).json()
    assert (moved["x_position"], moved["y_position"], moved["zone_id"]) == (12.5, 250.0, None)
    gone = client.patch(
        tag, json={"status": "not_present", "reason": "stolen", "y_position": None}
    ).json()
    assert (gone["reason"], gone["y_position"]) == ("stolen", None)
    nowhere = client.get("/analytics/stock-heatmap?measure=losses").json()
    assert (nowhere["unplaced"], nowhere["cells"]) == (1, [])
    history = client.get("/stock/P-0000").json()
    assert [c["kind"] for c in history["changes"]][-3:] == ["sale", "adjustment", "loss"]
    assert history["stock"]["on_hand"] == 2
    assert violations(engine) == []


@pytest.mark.parametrize(
    ("patch", "field"),
    [
        ({}, "status"),
        ({"status": "gone"}, "status"),
        ({"status": None}, "status"),
        ({"status": None, "x_position": 9}, "status"),
        ({"reason": None}, "reason"),
        ({"reason": None, "x_position": 9}, "reason"),
        ({"status": "not_present"}, "reason"),
        ({"status": "present", "reason": "sold"}, "reason"),
        ({"reason": "sold"}, "reason"),
        ({"zone_id": 99}, "zone_id"),
        ({"x_position": "far"}, "x_position"),
        ({"x_position": 1e9}, "x_position"),
        ({"product_id": 3}, "product_id"),
    ],
)
def test_a_wrong_change_changes_nothing(
    client: TestClient, patch: dict[str, object], field: str
) -> None:
    fill(client, 1, 1)
    before = client.get("/items").json()
    told = client.patch("/items/RFID-00000000", json=patch)
    assert (told.status_code, told.json()["field"]) == (422, field)
    assert client.get("/items").json() == before


@pytest.mark.parametrize(
    "cursor", ["", "x", "YWZ0ZXI6LTE", "YWZ0ZXI6OTk5OTk5OTk5OTk5", "é", "===="]
)
def test_a_cursor_of_nobodys_is_refused(client: TestClient, cursor: str) -> None:
    told = client.get("/items", params={"cursor": cursor})
    assert (told.status_code, told.json()["field"]) == (422, "cursor")


def test_a_store_is_of_one_origin(client: TestClient) -> None:
    def claim(store: int | None) -> int:
        return client.put("/origin", json={"store": store}).status_code

    assert client.get("/origin").json() == {"store": None}
    assert (claim(2), claim(None), claim(2)) == (200, 200, 200), "an empty one may be anything"
    fill(client, 2, 2)
    assert client.get("/origin").json() == {"store": 2}
    assert claim(2) == 200
    assert claim(None) == 409
    told = client.put("/origin", json={"store": 1})
    assert told.status_code == 409
    assert "holds store 2 of a retailer; store 1 cannot come into it" in told.json()["detail"]
    assert claim(0) == 422
    assert client.get("/origin").json() == {"store": 2}


@pytest.mark.parametrize("sku", [" ", " \t\n "])
def test_a_sku_can_be_seen(client: TestClient, sku: str) -> None:
    told = client.post("/products", json=product(1, sku=sku))
    assert (told.status_code, told.json()["field"]) == (422, "sku")
    assert "a SKU is not blank" in told.json()["detail"]
    assert client.post("/products", json=product(1, sku=" P 1/a ")).status_code == 201
