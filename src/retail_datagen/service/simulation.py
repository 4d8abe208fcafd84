"""The one simulation that this service runs, if it does: started, changed, looked at, stopped."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from retail_datagen.config.errors import UserError
from retail_datagen.service.live import Hub
from retail_datagen.service.problems import Problem
from retail_datagen.store.database import Engine
from retail_datagen.store.lease import current
from retail_datagen.store.live import LiveRun, Status, start_simulation
from retail_datagen.store.simulation.events import Listener
from retail_datagen.store.simulation.narrate import LogLine
from retail_datagen.store.simulation.settings import Settings


class Desk:
    """Where the simulation is run from. All methods may be called from any thread."""

    def __init__(self, engine: Engine, hub: Hub, listeners: Sequence[Listener]) -> None:
        self._engine = engine
        self._hub = hub
        self._listeners = (hub.on_event, *listeners)
        self._run: LiveRun | None = None
        self._settings = Settings()
        self._turn = threading.Lock()

    def start(self, settings: Settings) -> Status:
        """Begin. Raises Problem (409) while one runs, here or elsewhere, or without items."""
        with self._turn:
            if self._run is not None and self._run.status().state == "running":
                raise Problem(409, "a simulation runs already in this service; stop it first")
            try:
                run = start_simulation(
                    self._engine, settings, self._listeners, what="the store's service"
                )
            except UserError as error:
                raise Problem(409, str(error)) from error
            self._run, self._settings = run, settings
        self._tell(run.status())
        return run.status()

    def stop(self) -> Status | None:
        """End it, and wait until it has. Nothing where none was started; twice is allowed."""
        with self._turn:
            run = self._run
            if run is None:
                return None
            status = run.stop()
        self._tell(status)
        return status

    def status(self) -> Status | None:
        """How it is doing, or how the last one ended."""
        run = self._run
        return None if run is None else run.status()

    def elsewhere(self) -> str | None:
        """Who else simulates in this store."""
        if self.is_running:
            return None
        holder = current(self._engine)
        return None if holder is None else holder.name

    @property
    def is_running(self) -> bool:
        status = self.status()
        return status is not None and status.state == "running"

    def settings(self) -> Settings:
        """Those of the simulation that runs, or of the last one, or what is usual."""
        status = self.status()
        return self._settings if status is None else status.settings

    def change(self, **wanted: Any) -> Settings:
        """Go on with other settings. Raises Problem (409) where none runs, UserError if wrong."""
        with self._turn:
            if self._run is None or not self.is_running:
                raise Problem(409, "no simulation runs in this service; start one with these")
            changed = self._run.change(**wanted)
        self._tell(self._run.status())
        return changed

    def log(self, after: int, limit: int) -> list[LogLine]:
        """The last lines of its log after a number, oldest first."""
        run = self._run
        return [] if run is None else run.log.after(after, limit)

    def close(self) -> None:
        """The service ends."""
        if self.is_running:
            self.stop()

    def _tell(self, status: Status) -> None:
        s = status.settings
        self._hub.publish(
            "simulation",
            {
                "type": "simulation",
                "state": status.state,
                "mode": s.mode,
                "speed": s.speed,
                "disappearance": s.disappearance,
                "snapshot_interval": s.snapshot_interval,
                "analytics": s.analytics,
            },
        )
