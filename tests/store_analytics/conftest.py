"""A store with a past that is known sale by sale, on SQLite and on PostgreSQL."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Connection, Engine

from retail_datagen.core.arrays import F64, I64
from retail_datagen.store.database import open_database
from retail_datagen.store.floor import FLOOR
from retail_datagen.store.ledger import Ledger
from retail_datagen.store.rows import ItemRows, ProductRows
from services.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

NOW = datetime(2031, 5, 15, 18, 30)
"""Beyond this machine's clock, so that it is the store's."""
CATEGORIES = ["Footwear", "Apparel", ""]
PRODUCTS, EACH = 12, 40


@dataclass
class Sale:
    product: int
    at: datetime
    basket: str | None
    price: float
    category: str


@dataclass
class Past:
    """What was done to the store."""

    sales: list[Sale] = field(default_factory=list)
    lost: list[tuple[int, datetime, str]] = field(default_factory=list)
    restocked: list[tuple[int, datetime]] = field(default_factory=list)
    left: list[int] = field(default_factory=lambda: [EACH] * PRODUCTS)

    def within(self, days: int) -> list[Sale]:
        return [sale for sale in self.sales if since(days) < sale.at <= NOW]

    def before(self, days: int) -> list[Sale]:
        """Those of the span as long as `within`, which ends where it begins."""
        begin = since(days)
        return [sale for sale in self.sales if begin - (NOW - begin) < sale.at <= begin]


@dataclass
class Store:
    engine: Engine
    past: Past


def since(days: int) -> datetime:
    """When the span of so many whole days and the last one so far begins."""
    return NOW.replace(hour=0, minute=0) - timedelta(days=days)


def length(days: int) -> float:
    """Of that span, in days."""
    return (NOW - since(days)) / timedelta(days=1)


def sku(product: int) -> str:
    return f"SKU-{product:02d}"


def cents(product: int) -> int:
    return 1_000 + 337 * product


def zone_at(x: F64, y: F64) -> I64:
    """The zone's number at each place, 0 in an aisle."""
    found = np.zeros(len(x), dtype=np.int64)
    for z in FLOOR.zones:
        found[(x >= z.x0) & (x < z.x1) & (y >= z.y0) & (y < z.y1)] = z.id
    return found


def live(ledger: Ledger) -> Past:
    """Seventy days: baskets of one to four, now and then a loss or a delivery."""
    draw, past = random.Random(7), Past()
    numbers = range(PRODUCTS)
    ledger.add_products(
        ProductRows(
            [sku(p) for p in numbers],
            [f"Thing {p}" for p in numbers],
            [CATEGORIES[p % 3] for p in numbers],
            np.array([cents(p) for p in numbers]),
            np.full(PRODUCTS, 5),
            np.full(PRODUCTS, 30),
        ),
        NOW - timedelta(days=80),
    )
    of = [p for p in numbers for _ in range(EACH)]
    count = len(of)
    x = np.array([37.0 * (n % 60) for n in range(count)])
    y = np.array([91.0 * (n % 19) for n in range(count)])
    added = ledger.add_items(
        ItemRows(
            [f"T-{n:04d}" for n in range(count)],
            [""] * count,
            [sku(p) for p in of],
            x,
            y,
            zone_at(x, y),
        ),
        NOW - timedelta(days=75),
    )
    assert added.created == count
    shelf = {p: [1 + n for n in range(count) if of[n] == p] for p in numbers}
    at = NOW - timedelta(days=70)
    number = 0
    while at < NOW:
        basket = None if number % 9 == 4 else f"B-{number:04d}"
        number += 1
        weights = [1 / (p + 1) for p in numbers]
        wanted = set(draw.choices(numbers, weights, k=draw.choice([1, 1, 2, 3, 4])))
        wanted = {p for p in wanted if shelf[p]} - {11}
        sold = [shelf[p].pop(0) for p in sorted(wanted)]
        if sold:
            assert not len(ledger.sell(sold, at, basket).refused)
        for p in sorted(wanted):
            past.sales.append(Sale(p, at, basket, cents(p) / 100, CATEGORIES[p % 3]))
            past.left[p] -= 1
        if number % 10 == 0 and shelf[3]:
            reason = "stolen" if number % 20 else "lost"
            ledger.lose([shelf[3].pop(0)], at + timedelta(minutes=5), reason)
            past.lost.append((3, at + timedelta(minutes=5), reason))
            past.left[3] -= 1
        if number % 15 == 0:
            added = ledger.restock([1, 1, 2], at + timedelta(minutes=9))
            for item, product in zip(added.items.tolist(), added.products.tolist(), strict=True):
                shelf[product - 1].append(item)
                past.left[product - 1] += 1
                past.restocked.append((product - 1, at + timedelta(minutes=9)))
        at += timedelta(hours=draw.randint(3, 17), minutes=draw.randint(0, 59))
    last = shelf[10].pop(0)
    ledger.sell([last], NOW, None)
    past.sales.append(Sale(10, NOW, None, cents(10) / 100, CATEGORIES[1]))
    past.left[10] -= 1
    return past


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """The store and its past, once on each database."""
    if request.param == "sqlite":
        url = f"sqlite:///{Path(tmp_path_factory.mktemp('store'), 'store.db')}"
    else:
        url = request.getfixturevalue("lasting_postgres_url")
    engine = open_database(url)
    yield Store(engine, live(Ledger(engine)))
    engine.dispose()


lasting_postgres_url = pytest.fixture(scope="session")(postgres_url.__wrapped__)


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    with store.engine.connect() as opened:
        yield opened


@pytest.fixture
def past(store: Store) -> Past:
    return store.past
