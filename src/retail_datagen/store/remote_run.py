"""A simulation on a server: started, watched and stopped through its API."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from retail_datagen.store.http import StoreClient
from retail_datagen.store.simulation.settings import Settings


class RemoteRun:
    """The simulation of a store that is served."""

    def __init__(self, server: StoreClient) -> None:
        self._server = server

    def start(self, settings: Settings) -> None:
        """Start it. Raises UserError with the server's reason when it does not."""
        wanted = {name: value for name, value in asdict(settings).items() if value is not None}
        self._server.ask("POST", "/simulation/start", wanted)

    def stop(self) -> None:
        self._server.ask("POST", "/simulation/stop")

    def status(self) -> dict[str, Any]:
        """What the server says of it: `state`, `error` and more."""
        said = self._server.ask("GET", "/simulation/status")
        return said if isinstance(said, dict) else {}

    def logs(self, after: int) -> list[tuple[int, str]]:
        """Number and text, with the simulated clock, of its log's lines after a number."""
        said = self._server.ask("GET", f"/simulation/logs?after={after}")
        try:
            return [
                (int(line["number"]), f"{str(line['at']).replace('T', ' ')[:19]}  {line['text']}")
                for line in said["lines"]
            ]
        except (KeyError, TypeError, ValueError):
            raise self._server.answers_strangely("/simulation/logs") from None
