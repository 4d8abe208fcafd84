"""Keys, foreign pages, CORS; sizes, rates, loads."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from retail_datagen.service.limits import StartLimit
from retail_datagen.service.problems import Problem
from retail_datagen.service.settings import Limits, ServiceSettings
from retail_datagen.store.database import Engine, open_database
from retail_datagen.store.listing import count_items, list_products
from service.conftest import Server, fill, item, product
from stores import violations

Serving = Callable[[ServiceSettings], TestClient]
KEYED = ServiceSettings(api_key="s3cret-ключ")
EVERY_CHANGE = [
    ("POST", "/products", product(1)),
    ("POST", "/products/bulk", {"products": [product(1)]}),
    ("POST", "/items", item(1, 1)),
    ("POST", "/items/bulk", {"items": [item(1, 1)]}),
    ("PATCH", "/items/RFID-00000001", {"status": "not_present", "reason": "lost"}),
    ("POST", "/simulation/start", {}),
    ("POST", "/simulation/stop", None),
    ("PATCH", "/simulation/params", {"speed": 2}),
    ("POST", "/analytics/backfill", {"days": 1}),
    ("POST", "/jobs/00/cancel", None),
    ("PUT", "/origin", {"store": 2}),
]


def key(text: str) -> dict[str, bytes]:
    return {"X-API-Key": text.encode()}


@pytest.mark.parametrize("headers", [{}, key("wrong"), key(""), {"Authorization": "Basic czM="}])
@pytest.mark.parametrize(("method", "path", "body"), EVERY_CHANGE)
def test_without_the_key_nothing_changes(
    serving: Serving,
    sqlite: Engine,
    method: str,
    path: str,
    body: object,
    headers: dict[str, bytes],
) -> None:
    client = serving(KEYED)
    told = client.request(method, path, json=body, headers=headers)
    assert told.status_code == 401
    assert told.headers["content-type"] == "application/problem+json"
    with sqlite.connect() as connection:
        assert list_products(connection) == []
        assert set(count_items(connection).values()) == {0}
    assert client.get("/jobs", headers=key("s3cret-ключ")).json() == []


def test_with_the_key_everything_goes(serving: Serving) -> None:
    client = serving(KEYED)
    for headers in (
        key("s3cret-ключ"),
        {"Authorization": b"Bearer " + "s3cret-ключ".encode()},
    ):
        assert client.get("/products", headers=headers).status_code == 200
    assert client.get("/products").status_code == 401
    assert client.get("/openapi.json").status_code == 401
    assert client.get("/metrics").status_code == 401
    assert client.get("/healthz").status_code == 200
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws/live"):
        pass
    with client.websocket_connect("/ws/live", headers=key("s3cret-ключ")) as ws:  # type: ignore[arg-type]
        assert ws.receive_json()["type"] == "hello"


def test_every_change_is_known_here(serving: Serving) -> None:
    schema = serving(ServiceSettings()).get("/openapi.json").json()
    changes = {
        (method.upper(), path)
        for path, methods in schema["paths"].items()
        for method in methods
        if method != "get"
    }
    known = {(method, path) for method, path, _ in EVERY_CHANGE}
    assert {
        (m, p.replace("{rfid_tag}", "RFID-00000001").replace("{job}", "00")) for m, p in changes
    } == known


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        ("https://evil.example", "127.0.0.1:8000", 403),
        ("http://evil.example:8000", "evil.example:8000", 403),
        ("null", "127.0.0.1:8000", 403),
        ("http://127.0.0.1:9999", "127.0.0.1:8000", 403),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", 201),
        ("http://localhost:8000", "localhost:8000", 201),
        ("http://[::1]:8000", "[::1]:8000", 201),
        (None, "store.internal", 201),
    ],
)
def test_pages_of_others_change_nothing(
    serving: Serving, origin: str | None, host: str, status: int
) -> None:
    client = serving(ServiceSettings())
    headers = {"Host": host} | ({"Origin": origin} if origin else {})
    told = client.post("/products", json=product(1), headers=headers)
    assert told.status_code == status
    assert len(client.get("/products").json()) == (status == 201)
    if status == 403:
        with (
            pytest.raises(WebSocketDisconnect),
            client.websocket_connect("/ws/live", headers=headers),
        ):
            pass


def test_cors_is_off_unless_asked_for(serving: Serving) -> None:
    page = {"Origin": "http://localhost:3000"}
    asked = page | {"Access-Control-Request-Method": "POST"}
    plain = serving(ServiceSettings())
    assert "access-control-allow-origin" not in plain.get("/products", headers=page).headers
    assert plain.options("/products", headers=asked).status_code == 405
    open_ = serving(ServiceSettings(api_key="k", cors_origins=("http://localhost:3000",)))
    assert open_.options("/products", headers=asked).status_code == 200
    refused = open_.get("/products", headers=page)
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "http://localhost:3000"
    allowed = open_.post("/products", json=product(1), headers=page | {"X-API-Key": "k"})
    assert allowed.status_code == 201
    other = open_.get("/products", headers={"Origin": "http://localhost:3001", "X-API-Key": "k"})
    assert "access-control-allow-origin" not in other.headers


def test_bodies_have_a_limit(serving: Serving) -> None:
    client = serving(ServiceSettings(limits=replace(Limits(), body_bytes=2_000)))
    large = {"products": [product(n) for n in range(100)]}

    def pieces() -> Iterator[bytes]:
        yield b'{"products": ['
        for _ in range(100):
            yield b" " * 100

    for path in ("/products/bulk", "/products", "/simulation/start"):
        for told in (
            client.post(path, json=large),
            client.post(path, content=pieces(), headers={"content-type": "application/json"}),
        ):
            assert told.status_code == 413
            assert told.headers["content-type"] == "application/problem+json"
    assert client.post("/products", json=product(1)).status_code == 201
    assert len(client.get("/products").json()) == 1


def test_pages_and_rows_have_limits(serving: Serving) -> None:
    client = serving(ServiceSettings())
    for path in (
        "/products?limit=1001",
        "/items?limit=0",
        "/stock?limit=5000",
        "/analytics/top-products?limit=1001",
        "/analytics/overview?days=100000",
        "/analytics/forecast/x?horizon=1000",
        "/analytics/sales-time-series?bucket=hour&days=365",
    ):
        assert client.get(path).status_code == 422, path
    many = {"products": [{} for _ in range(10_001)]}
    told = client.post("/products/bulk", json=many)
    assert (told.status_code, told.json()["field"]) == (422, "products")


def test_starts_are_rationed(serving: Serving) -> None:
    client = serving(ServiceSettings(limits=replace(Limits(), job_starts_a_minute=3)))
    statuses = [client.post("/analytics/backfill", json={"days": 1}).status_code for _ in range(5)]
    assert statuses == [202, 202, 202, 429, 429]
    told = client.post("/simulation/start")
    assert told.status_code == 429
    assert 1 <= int(told.headers["retry-after"]) <= 20


def test_a_start_comes_back_with_time() -> None:
    now = 0.0
    limit = StartLimit(6, lambda: now)
    for _ in range(6):
        limit.take()
    with pytest.raises(Problem, match="wait 10 s"):
        limit.take()
    now = 10.0
    limit.take()
    now = 1e6
    for _ in range(6):
        limit.take()
    with pytest.raises(Problem):
        limit.take()


def test_limits_hold_under_load(served_url: str, start_server: Callable[..., Server]) -> None:
    """Eight at once, half of it wrong: each is answered as it would be alone."""
    server = start_server(served_url)
    told: Counter[tuple[str, int]] = Counter()
    lock = threading.Lock()

    def ask(number: int) -> None:
        with httpx.Client(base_url=server.url, timeout=60) as client:
            for turn in range(3):
                n = number * 3 + turn
                large = {"products": [product(n, name="x" * 9_000_000)]}
                answers = {
                    "good": client.post("/products", json=product(n)),
                    "same": client.post("/products", json=product(0)),
                    "large": client.post("/products/bulk", json=large) if n in (0, 12) else None,
                    "start": client.post("/analytics/backfill", json={"days": 1}),
                    "wrong": client.post("/products", json={"sku": n}),
                    "read": client.get("/analytics/overview"),
                }
                with lock:
                    for name, answer in answers.items():
                        if answer is not None:
                            told[name, answer.status_code] += 1

    began = time.monotonic()
    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(told) <= {
        *(("good", 201), ("good", 409), ("same", 409), ("same", 201), ("large", 413)),
        *(("start", 202), ("start", 429), ("start", 503), ("wrong", 422), ("read", 200)),
    }
    assert told["good", 201] + told["same", 201] == 24
    assert told["large", 413] == 2
    # Six at once, and one more every ten seconds.
    assert 6 <= told["start", 202] <= 7 + (time.monotonic() - began) / 10
    engine = open_database(served_url)
    with engine.connect() as connection:
        assert len(list_products(connection)) == 24
    assert violations(engine) == []
    engine.dispose()


def test_too_many_at_once_are_told_to_wait(serving: Serving) -> None:
    client = serving(ServiceSettings(limits=replace(Limits(), requests_at_once=0)))
    told = client.get("/healthz")
    assert (told.status_code, told.headers["retry-after"]) == (503, "1")


def test_a_service_without_its_database_says_so(serving: Serving, sqlite: Engine) -> None:
    client = serving(ServiceSettings())
    fill(client, 2, 1)
    with sqlite.connect() as connection:
        connection.exec_driver_sql("ALTER TABLE products RENAME TO away")
        connection.commit()
    assert client.get("/products").status_code == 503
    assert client.get("/healthz").status_code == 200


def test_metrics_count_by_route(serving: Serving) -> None:
    client = serving(ServiceSettings())
    fill(client, 3, 2)
    client.get("/products/P-0001")
    client.get("/products/P-0002")
    client.get("/nothing/at/all")
    text = client.get("/metrics").text
    assert (
        'retail_store_requests_total{method="GET",route="/products/{sku:text}",status="200"} 2.0'
        in text
    )
    assert 'retail_store_items{state="present"} 6.0' in text
    assert 'route="none",status="404"' in text
    assert "at/all" not in text
