"""Whatever stands in a field is text: stored as it is, found as it is, never run."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

from fastapi.testclient import TestClient

from retail_datagen.service.settings import ServiceSettings
from retail_datagen.store.database import Engine
from service.conftest import fill, item, product
from stores import violations

STRINGS = [
    "'; DROP TABLE products; --",
    '" OR 1=1 --',
    "x') UNION SELECT version() --",
    "\\'; DELETE FROM inventory_items; --",
    "%' OR sku LIKE '%",
    "${jndi:ldap://127.0.0.1/a}",
    "{{7*7}} %s %(x)s :name $1",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "a/b?c#d&e=f",
    "=cmd|' /C calc'!A0",
    "tab\tnew\nline\rreturn",
    '","x\\.\n\\N',
    "Ω≈ç√ 🛒 עברית",
    "\u202eright to left\u2028",
    "null",
    "NULL",
    " surrounded ",
]


def test_in_every_field_it_is_text(client: TestClient, engine: Engine) -> None:
    fill(client, 2, 2)
    for number, text in enumerate(STRINGS):
        goes_in_and_comes_out(client, text)
        assert len(client.get("/products").json()) == 3 + number
    assert violations(engine) == []


def goes_in_and_comes_out(client: TestClient, text: str) -> None:
    wanted = product(7, sku=text, name=text, category=text)
    assert client.post("/products/bulk", json={"products": [wanted]}).status_code == 201
    held = item(9, 0, rfid_tag=text, sku=text)
    assert client.post("/items/bulk", json={"items": [held]}).status_code == 201
    told = client.get(f"/products/{quote(text, safe='')}").json()
    assert {key: told[key] for key in wanted} == wanted
    assert [p["sku"] for p in client.get("/products", params={"category": text}).json()] == [text]
    assert text in [p["sku"] for p in client.get("/products", params={"search": text}).json()]
    told = client.get(f"/items/{quote(text, safe='')}").json()
    assert (told["rfid_tag"], told["sku"]) == (text, text)
    assert [i["sku"] for i in client.get("/items", params={"sku": text}).json()] == [text]
    assert text in [i["sku"] for i in client.get("/items", params={"search": text}).json()]
    patched = client.patch(
        f"/items/{quote(text, safe='')}", json={"status": "not_present", "reason": "sold"}
    )
    assert patched.status_code == 200
    for path in ("forecast/" + quote(text, safe=""), "top-products", "product-velocity"):
        assert client.get(f"/analytics/{path}", params={"category": text}).status_code == 200
    sales = client.get("/analytics/sales-time-series", params={"sku": text}).json()
    assert sum(point["units"] for point in sales) == 1
    assert client.get(f"/stock/{quote(text, safe='')}").json()["stock"]["sku"] == text


def test_where_a_number_or_a_word_belongs_it_is_refused(
    serving: Callable[[ServiceSettings], TestClient],
) -> None:
    client = serving(ServiceSettings())
    for path in (
        "/items?zone_id={}",
        "/items?status={}",
        "/items?limit={}",
        "/products?cursor={}",
        "/stock?state={}",
        "/analytics/overview?days={}",
        "/analytics/overview?until={}",
        "/analytics/sales-time-series?bucket={}",
        "/analytics/affinity?level={}",
        "/jobs/{}",
    ):
        for text in STRINGS:
            told = client.get(path.format(quote(text, safe="")))
            assert told.status_code in (404, 422), (path, told.text)
            assert told.headers["content-type"] == "application/problem+json"
