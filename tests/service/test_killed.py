"""`kill -9` of the server while it loads, simulates and backfills: the books stay clean."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from retail_datagen.store.database import open_database
from service.conftest import Server, item, product
from stores import violations


def load(server: Server, told: list[str], number: int) -> None:
    """Bulk calls until the server is gone; tags that it said are there."""
    with httpx.Client(base_url=server.url, timeout=30) as client:
        for batch in range(10_000):
            first = 1_000_000 * number + 200 * batch + 10_000
            rows = [item(first + n, n % 50) for n in range(200)]
            try:
                answer = client.post("/items/bulk", json={"items": rows})
            except httpx.TransportError:
                return
            if answer.status_code != 201:
                return
            told += [str(row["rfid_tag"]) for row in rows]


SOAK = pytest.mark.soak


@pytest.mark.parametrize(
    "after", [1.2, *(pytest.param(after, marks=SOAK) for after in (0.1, 0.4, 0.8, 2.0, 4.0))]
)
def test_killed_in_mid_flight_the_books_are_clean(
    store_url: str, start_server: Callable[..., Server], after: float
) -> None:
    server = start_server(store_url)
    with httpx.Client(base_url=server.url, timeout=60) as client:
        client.post("/products/bulk", json={"products": [product(n) for n in range(50)]})
        rows = [item(n, n % 50) for n in range(1_000)]
        assert client.post("/items/bulk", json={"items": rows}).status_code == 201
        wanted = {"mode": "stress", "speed": 5, "disappearance": 0.3}
        assert client.post("/simulation/start", json=wanted).status_code == 200
        job = client.post("/analytics/backfill", json={"days": 60, "density": "dense"}).json()
    told: list[list[str]] = [[], []]
    loading = [
        threading.Thread(target=load, args=(server, tags, number))
        for number, tags in enumerate(told)
    ]
    for thread in loading:
        thread.start()
    time.sleep(after)
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    for thread in loading:
        thread.join()
    engine = open_database(store_url)
    assert violations(engine) == []
    engine.dispose()
    again = start_server(store_url)
    with httpx.Client(base_url=again.url, timeout=60) as client:
        for tag in [tag for tags in told for tag in tags][::50]:
            assert client.get(f"/items/{tag}").status_code == 200
        left = client.get(f"/jobs/{job['id']}").json()
        assert left["state"] in ("failed", "done")
        held = client.post("/simulation/start", json={"mode": "demo"})
        # The lease of the dead one ends by itself, after a while.
        assert held.status_code == 200 or "another simulation runs" in held.json()["detail"]
        client.post("/simulation/stop")
    engine = open_database(store_url)
    assert violations(engine) == []
    engine.dispose()
