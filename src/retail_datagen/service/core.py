"""What one service holds: its store, its live feed, its jobs, its simulation, its counters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from retail_datagen.service.jobs import Jobs
from retail_datagen.service.limits import StartLimit
from retail_datagen.service.live import Hub
from retail_datagen.service.metrics import Metrics
from retail_datagen.service.settings import ServiceSettings
from retail_datagen.service.simulation import Desk
from retail_datagen.store.database import Connection, Engine
from retail_datagen.store.database.failures import UNAVAILABLE
from retail_datagen.store.ledger import Ledger
from retail_datagen.store.listing import count_items
from retail_datagen.store.simulation.events import Listener


class Service:
    """One per application. Routes get it by `Asked`."""

    def __init__(
        self, settings: ServiceSettings, engine: Engine, listeners: Sequence[Listener] = ()
    ) -> None:
        """`listeners` hear of simulations, besides the live feed."""
        self.settings = settings
        self.engine = engine
        self.ledger = Ledger(engine)
        self.metrics = Metrics(self._gauges)
        self.hub = Hub(settings.limits, self.metrics)
        self.jobs = Jobs(engine, settings.limits.jobs_waiting)
        self.desk = Desk(engine, self.hub, listeners)
        self.starts = StartLimit(settings.limits.job_starts_a_minute)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to look at the store with."""
        with self.engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """End what runs. The engine is whose it was."""
        self.desk.close()
        self.jobs.close()

    def _gauges(self) -> dict[str, float]:
        found: dict[str, float] = {
            "live_clients": self.hub.clients,
            "simulation_running": self.desk.is_running,
        }
        found |= {f"jobs.{state}": number for state, number in self.jobs.now.items()}
        try:
            with self.reading() as connection:
                items = count_items(connection)
        except UNAVAILABLE:
            return found | {"database_up": 0}
        return found | {"database_up": 1} | {f"items.{s}": n for s, n in items.items()}


def _service(connection: HTTPConnection) -> Service:
    service: Service = connection.app.state.service
    return service


Asked = Annotated[Service, Depends(_service)]
