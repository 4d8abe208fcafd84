"""The live feed: what happens in the store, to everybody who listens, and nobody holds the others.

Events come from any thread as texts and go to the event loop. Each client has a bounded queue of
its own; positions are not queued at all, a client gets the latest. Who reads slowly misses the
oldest and is told how many; who does not read at all is let go.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping

from retail_datagen.core.arrays import I64
from retail_datagen.service.metrics import Metrics
from retail_datagen.service.settings import Limits
from retail_datagen.store.simulation.clock import wall
from retail_datagen.store.simulation.events import (
    AisleWalked,
    Detections,
    Event,
    Found,
    Handled,
    Missing,
    Positions,
    Sale,
    SnapshotTaken,
    StockChanged,
    Texts,
)

TOPICS = ("positions", "detections", "sales", "stock", "items", "aisles", "simulation")
_LATEST_ONLY = "positions"
_BETWEEN_POSITIONS = 0.08
"""Real seconds. A simulation takes eight steps in one of its own, and five of its own in one."""

Message = Mapping[str, object]


class Client:
    """Who listens, to which topics. All but `offer` wait in the client's own task."""

    def __init__(self, topics: Iterable[str], most: int, dropped: Callable[[], None]) -> None:
        self.topics = frozenset(topics)
        self._most = most
        self._dropped = dropped
        self._queue: deque[str] = deque()
        self._latest: str | None = None
        self._missed = 0
        self._there = asyncio.Event()

    def offer(self, topic: str, text: str) -> None:
        """Put a message in the queue, in place of the oldest where it is full."""
        if topic == _LATEST_ONLY:
            self._latest = text
        else:
            if len(self._queue) >= self._most:
                self._queue.popleft()
                self._missed += 1
                self._dropped()
            self._queue.append(text)
        self._there.set()

    async def next(self) -> str:
        """The message to send now; waits for one."""
        await self._there.wait()
        if self._missed:
            missed, self._missed = self._missed, 0
            return json.dumps({"type": "missed", "messages": missed})
        if self._latest is not None:
            text, self._latest = self._latest, None
        else:
            text = self._queue.popleft()
        if not self._queue and self._latest is None:
            self._there.clear()
        return text


class Hub:
    """Everybody who listens. `publish` may be called from any thread and never waits."""

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self._limits = limits
        self._metrics = metrics
        self._clients: set[Client] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._positions_due = 0.0

    def attach(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Deliver on this loop from now on; None ends it."""
        with self._lock:
            self._loop = loop

    def join(self, topics: Iterable[str]) -> Client | None:
        """A new client; None where there are too many."""
        if len(self._clients) >= self._limits.live_clients:
            return None
        client = Client(topics, self._limits.live_queue, self._metrics.live_dropped.inc)
        self._clients.add(client)
        return client

    def leave(self, client: Client) -> None:
        self._clients.discard(client)

    @property
    def clients(self) -> int:
        return len(self._clients)

    def publish(self, topic: str, message: Message) -> None:
        """Tell everybody who listens to the topic."""
        # Without anybody there, not even the text is made.
        if self._clients:
            self._metrics.live_messages.labels(topic).inc()
            text = json.dumps(message, separators=(",", ":"))
            with self._lock:
                if self._loop is not None and not self._loop.is_closed():
                    self._loop.call_soon_threadsafe(self._deliver, topic, text)

    def on_event(self, event: Event) -> None:
        """A listener of a simulation; of its positions, those that eyes can tell apart."""
        if not self._clients:
            return
        if isinstance(event, Positions):
            now = time.monotonic()
            if now < self._positions_due:
                return
            self._positions_due = now + _BETWEEN_POSITIONS
        topic, message = told(event)
        self.publish(topic, message)

    def _deliver(self, topic: str, text: str) -> None:
        for client in self._clients:
            if topic in client.topics:
                client.offer(topic, text)


def told(event: Event) -> tuple[str, Message]:
    """An event as a topic and a message; columns stay columns."""
    match event:
        case Positions():
            topic, kind, columns = "positions", "positions", _positions(event)
        case Detections():
            topic, kind, columns = "detections", "detections", _detections(event)
        case Sale():
            topic, kind, columns = "sales", "sale", _sale(event)
        case StockChanged():
            topic, kind, columns = "stock", "stock", _stock(event)
        case Missing():
            topic, kind, columns = "items", "missing", _items(event.items, event.tags)
        case Found():
            topic, kind, columns = "items", "found", _items(event.items, event.tags)
        case Handled():
            kind = "picked_up" if event.picked_up else "put_back"
            topic, columns = "items", {"shopper": event.shopper, **_item(event)}
        case AisleWalked():
            topic, kind, columns = "aisles", "aisle", _aisle(event)
        case SnapshotTaken():
            topic, kind = "stock", "snapshot"
            columns = {"products": event.products, "on_hand": event.on_hand}
    return topic, {"type": kind, "at": moment(event.at), **columns}


def _positions(event: Positions) -> Message:
    people = zip(
        event.who.tolist(),
        event.employee.tolist(),
        event.x.round(1).tolist(),
        event.y.round(1).tolist(),
        strict=True,
    )
    listed = [
        {"id": who, "kind": "employee" if employee else "shopper", "x": x, "y": y}
        for who, employee, x, y in people
    ]
    return {"people": listed}


def _detections(event: Detections) -> Message:
    return {
        "reader": event.reader,
        "x": round(event.x, 1),
        "y": round(event.y, 1),
        **_items(event.items, event.tags),
        "rssi": (event.rssi / 10).tolist(),
        "distance": event.distance.tolist(),
    }


def _sale(event: Sale) -> Message:
    return {
        "shopper": event.shopper,
        "basket": event.basket,
        **_items(event.items, event.tags),
        "product_ids": event.products.tolist(),
        "prices": (event.prices / 100).tolist(),
        "total": int(event.prices.sum()) / 100,
    }


def _stock(event: StockChanged) -> Message:
    return _stock_columns(
        event.reason, event.products.tolist(), event.change.tolist(), event.on_hand.tolist()
    )


def _stock_columns(
    reason: str, products: list[int], change: list[int], on_hand: list[int]
) -> Message:
    return {"reason": reason, "product_ids": products, "change": change, "on_hand": on_hand}


def _items(items: I64, tags: Texts) -> Message:
    return {"item_ids": items.tolist(), "rfid_tags": tags.tolist()}


def _item(event: Handled) -> Message:
    return {"item_ids": [event.item], "rfid_tags": [event.tag]}


def _aisle(event: AisleWalked) -> Message:
    return {
        "shopper": event.shopper,
        "aisle": event.aisle,
        "within_reach": event.within_reach,
        "leaving": event.leaving,
        "put_back": event.put_back,
    }


def stock_message(
    at: str, reason: str, products: list[int], change: list[int], on_hand: list[int]
) -> Message:
    """Products whose number on hand changed."""
    return {"type": "stock", "at": at, **_stock_columns(reason, products, change, on_hand)}


def moment(at: int) -> str:
    """The simulated clock, ms since 1970, as `2024-01-17T12:30:05.125`."""
    return wall(at).isoformat("T", "milliseconds")
