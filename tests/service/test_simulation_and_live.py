"""The simulation over HTTP, and a real server's live feed to many clients, one of them slow."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect

from retail_datagen.service.live import TOPICS, Client, Hub
from retail_datagen.service.metrics import Metrics
from retail_datagen.service.settings import Limits, ServiceSettings
from retail_datagen.store.database import Engine, open_database
from retail_datagen.store.live import start_simulation
from retail_datagen.store.simulation.settings import Settings
from service.conftest import MANY, Server, fill, item, product, until
from stopping import allowed
from stores import violations

CLIENTS = 20
POSITIONS = 24


def test_a_simulation_is_started_changed_and_stopped(client: TestClient, engine: Engine) -> None:
    assert client.get("/simulation/status").json()["state"] == "idle"
    assert client.patch("/simulation/params", json={"speed": 2}).status_code == 409
    fill(client, 30, 10)
    wanted = {"mode": "stress", "speed": 5, "disappearance": 0.2, "seed": 7}
    begun = client.post("/simulation/start", json=wanted)
    assert begun.status_code == 200, begun.text
    assert begun.json()["state"] == "running"
    assert begun.json()["params"] == {
        **wanted,
        "snapshot_interval": 3600,
        "duration": None,
        "analytics": True,
    }
    second = client.post("/simulation/start")
    assert (second.status_code, second.json()["title"]) == (409, "Conflict")
    null = client.patch("/simulation/params", json={"speed": None})
    assert (null.status_code, null.json()["field"]) == (422, "speed")
    changed = client.patch("/simulation/params", json={"speed": 4.5, "mode": "demo"})
    assert (changed.json()["speed"], changed.json()["mode"]) == (4.5, "demo")
    assert client.get("/simulation/params").json() == changed.json()
    until(lambda: client.get("/simulation/status").json()["clock"] > begun.json()["began"])
    until(lambda: bool(client.get("/simulation/logs").json()["lines"]))
    first = client.get("/simulation/logs?limit=1").json()["lines"][0]
    after = client.get(f"/simulation/logs?after={first['number']}").json()["lines"]
    assert all(line["number"] > first["number"] for line in after)
    ended = client.post("/simulation/stop").json()
    assert ended["state"] == "stopped"
    assert client.post("/simulation/stop").json()["state"] == "stopped"
    sold = client.get("/analytics/overview").json()["items"]["sold"]
    assert sold == ended["counts"]["sold"]
    assert client.post("/simulation/start", json={"mode": "demo", "duration": 1}).status_code == 200
    until(lambda: client.get("/simulation/status").json()["state"] == "finished")
    assert violations(engine) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"mode": "wild"}, "mode"),
        ({"speed": 0.4}, "speed"),
        ({"speed": 5.1}, "speed"),
        ({"disappearance": 1.1}, "disappearance"),
        ({"snapshot_interval": 0}, "snapshot_interval"),
        ({"pace": 1}, "pace"),
    ],
)
def test_a_wrong_setting_is_named(client: TestClient, body: dict[str, Any], field: str) -> None:
    told = client.post("/simulation/start", json=body)
    assert (told.status_code, told.json()["field"]) == (422, field)


def test_an_empty_store_says_what_to_run(client: TestClient) -> None:
    told = client.post("/simulation/start")
    assert told.status_code == 409
    assert "No products found in database" in told.json()["detail"]
    client.post("/products", json=product(1))
    assert "No inventory items" in client.post("/simulation/start").json()["detail"]


def test_who_simulates_elsewhere_is_named(client: TestClient, engine: Engine) -> None:
    fill(client, 5, 5)
    other = start_simulation(engine, Settings(mode="demo"), what="somebody else")
    try:
        told = client.post("/simulation/start")
        assert told.status_code == 409
        assert "somebody else" in told.json()["detail"]
        assert "somebody else" in client.get("/simulation/status").json()["elsewhere"]
    finally:
        other.stop()
    assert client.post("/simulation/start").status_code == 200


def test_a_change_of_analytics_is_logged_and_told(client: TestClient) -> None:
    fill(client, 2, 3)
    assert client.post("/simulation/start", json={"analytics": False}).status_code == 200
    with client.websocket_connect("/ws/live?topics=simulation") as feed:
        feed.receive_json()
        for wanted in (True, False):
            client.patch("/simulation/params", json={"analytics": wanted})
            assert feed.receive_json()["analytics"] is wanted
    said = [line["text"] for line in client.get("/simulation/logs").json()["lines"]]
    told = [text for text in said if text.startswith("settings: ")]
    assert [text.rsplit(", ", 1)[-1] for text in told] == [
        "snapshots every 3,600 s",
        "without analytics",
    ]
    client.post("/simulation/stop")


def test_changes_by_hand_are_told(client: TestClient) -> None:
    fill(client, 2, 3)
    with client.websocket_connect("/ws/live?topics=stock") as feed:
        assert feed.receive_json() == {"type": "hello", "topics": ["stock"]}
        client.patch("/items/RFID-00000001", json={"status": "not_present", "reason": "sold"})
        told = feed.receive_json()
    assert told | {"at": ""} == {
        "type": "stock",
        "at": "",
        "reason": "sold",
        "product_ids": [2],
        "change": [-1],
        "on_hand": [2],
    }


def test_an_unknown_topic_is_refused(client: TestClient) -> None:
    with client.websocket_connect("/ws/live?topics=gossip") as feed:
        with pytest.raises(WebSocketDisconnect) as refused:
            feed.receive_json()
        assert refused.value.code == 1008
        assert "gossip" in refused.value.reason


def test_there_is_room_for_so_many_clients(
    serving: Callable[[ServiceSettings], TestClient],
) -> None:
    client = serving(ServiceSettings(limits=replace(MANY, live_clients=1)))
    with client.websocket_connect("/ws/live") as one:
        one.receive_json()
        with client.websocket_connect("/ws/live") as two:
            with pytest.raises(WebSocketDisconnect) as refused:
                two.receive_json()
            assert refused.value.code == 1013
    with client.websocket_connect("/ws/live") as three:
        assert three.receive_json()["type"] == "hello"


def test_a_slow_reader_misses_the_oldest_and_is_told() -> None:
    async def scenario() -> list[str]:
        dropped = Counter[str]()
        client = Client(TOPICS, 3, lambda: dropped.update(["n"]))
        for number in range(10):
            client.offer("sales", f"sale {number}")
            client.offer("positions", f"positions {number}")
        assert dropped["n"] == 7
        return [await client.next() for _ in range(5)]

    assert asyncio.run(scenario()) == [
        '{"type": "missed", "messages": 7}',
        *("positions 9", "sale 7", "sale 8", "sale 9"),
    ]


def test_publishing_to_nobody_and_to_a_loop_that_ended_is_nothing() -> None:
    hub = Hub(Limits(), Metrics(dict))
    hub.publish("sales", {"type": "sale"})
    loop = asyncio.new_event_loop()
    hub.attach(loop)
    listening = hub.join(TOPICS)
    assert listening is not None
    loop.close()
    hub.publish("sales", {"type": "sale"})
    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(listening.next(), 0.05))


async def listen(feed: ClientConnection) -> tuple[list[dict[str, Any]], float]:
    """What comes until there are so many positions, and how long that took in seconds."""
    found: list[dict[str, Any]] = []
    began, positions = time.monotonic(), 0
    while positions < POSITIONS:
        found.append(json.loads(await asyncio.wait_for(feed.recv(), 60)))
        positions += found[-1]["type"] == "positions"
    return found, time.monotonic() - began


async def everybody_listens(
    server: Server,
) -> tuple[list[tuple[list[dict[str, Any]], float]], float]:
    """Twenty who read, and one who never does; and the longest answer meanwhile, in seconds."""
    feeds = [await connect(server.live, open_timeout=60) for _ in range(CLIENTS)]
    # Its buffers are small, so that the server notices at once that nobody reads.
    slow = await connect(server.live, open_timeout=60, max_queue=1)
    slow.transport.pause_reading()
    answers = []

    async def look() -> None:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            for _ in range(12):
                begun = time.monotonic()
                assert (await client.get("/healthz")).status_code == 200
                answers.append(time.monotonic() - begun)
                await asyncio.sleep(0.2)

    try:
        told = await asyncio.gather(*(listen(feed) for feed in feeds), look())
        return told[:-1], max(answers)
    finally:
        for feed in (slow, *feeds):
            feed.transport.abort()


@pytest.mark.timed
def test_positions_reach_twenty_clients_beside_a_slow_one(
    served_url: str, start_server: Callable[..., Server]
) -> None:
    server = start_server(served_url)
    with httpx.Client(base_url=server.url, timeout=60) as client:
        rows = [product(n) for n in range(100)]
        assert client.post("/products/bulk", json={"products": rows}).status_code == 201
        held = [item(n, n % 100) for n in range(2_000)]
        assert client.post("/items/bulk", json={"items": held}).status_code == 201
        wanted = {"mode": "stress", "disappearance": 0.05, "seed": 3}
        assert client.post("/simulation/start", json=wanted).status_code == 200
        told, longest = asyncio.run(everybody_listens(server))
        stopped = client.post("/simulation/stop").json()
        metrics = client.get("/metrics").text
    for one, seconds in told:
        kinds = Counter(message["type"] for message in one)
        assert seconds < allowed(POSITIONS / 6)
        assert kinds["missed"] == 0
        clocks = [message["at"] for message in one if message["type"] == "positions"]
        assert clocks == sorted(clocks)
    people = max(len(m["people"]) for m in told[0][0] if m["type"] == "positions")
    assert people > 50
    assert longest < allowed(3)
    assert stopped["state"] == "stopped"
    assert f"retail_store_live_clients {CLIENTS}" not in metrics
    engine = open_database(served_url)
    assert violations(engine) == []
    engine.dispose()
