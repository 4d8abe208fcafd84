"""Services to test: in this process over an open engine, and as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from retail_datagen.service.app import create_app
from retail_datagen.service.settings import Limits, ServiceSettings
from retail_datagen.store.database import Engine, open_database
from services.postgres import postgres_server, postgres_url
from services.service import answers, free_port, stop, until

__all__ = ["postgres_server", "postgres_url", "until"]

MANY = replace(Limits(), job_starts_a_minute=10_000)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store, once on each database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture(params=["postgresql", pytest.param("sqlite", marks=pytest.mark.soak)])
def served_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty store on PostgreSQL; in the long rounds on SQLite as well."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


@pytest.fixture
def engine(store_url: str) -> Iterator[Engine]:
    opened = open_database(store_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Engine]:
    """A store on SQLite alone, for what the database does not change."""
    opened = open_database(f"sqlite:///{tmp_path / 'plain.db'}")
    yield opened
    opened.dispose()


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_app(ServiceSettings(limits=MANY), engine)) as opened:
        yield opened


@pytest.fixture
def serving(sqlite: Engine) -> Iterator[Callable[[ServiceSettings], TestClient]]:
    """Makes clients of services with other settings, on SQLite."""
    opened: list[TestClient] = []

    def make(settings: ServiceSettings) -> TestClient:
        made = TestClient(create_app(settings, sqlite), base_url="http://127.0.0.1:8000")
        opened.append(made.__enter__())
        return made

    yield make
    for one in opened:
        one.__exit__(None, None, None)


@dataclass
class Server:
    """A service as a process."""

    url: str
    process: subprocess.Popen[str]

    @property
    def live(self) -> str:
        return self.url.replace("http", "ws", 1) + "/ws/live"


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts `retail-datagen serve` on a database."""
    started: list[subprocess.Popen[str]] = []

    def start(database: str, *options: str) -> Server:
        port = free_port()
        command = [sys.executable, "-c", "from retail_datagen.cli.app import main; main()", "serve"]
        command += ["--port", str(port), "--database-url", database, *options]
        log = (tmp_path / f"server-{len(started)}.log").open("w")
        process = subprocess.Popen(command, stdout=log, stderr=log, text=True, cwd=tmp_path)
        log.close()
        started.append(process)
        url = f"http://127.0.0.1:{port}"
        assert answers(f"{url}/healthz", process), Path(log.name).read_text()
        return Server(url, process)

    yield start
    for process in started:
        stop(process)


def product(number: int, **other: object) -> dict[str, object]:
    """A product as a request has it."""
    plain: dict[str, object] = {
        "sku": f"P-{number:04d}",
        "name": f"Product {number}",
        "category": ["Shoes", "Shirts"][number % 2],
        "unit_price": round(1.25 + number, 2),
        "reorder_threshold": 2,
        "optimal_stock_level": 6,
    }
    return plain | other


def item(number: int, of: int, **other: object) -> dict[str, object]:
    """An item as a request has it, along the left wall."""
    plain: dict[str, object] = {
        "rfid_tag": f"RFID-{number:08d}",
        "sku": f"P-{of:04d}",
        "x_position": 20.0 + number % 40,
        "y_position": 250.0 + 7 * (number % 180),
        "zone_id": 1,
    }
    return plain | other


def fill(client: TestClient, products: int = 20, each: int = 10) -> None:
    """A small store."""
    rows = [product(n) for n in range(products)]
    assert client.post("/products/bulk", json={"products": rows}).status_code == 201
    held = [item(n, n % products) for n in range(products * each)]
    assert client.post("/items/bulk", json={"items": held}).status_code == 201
