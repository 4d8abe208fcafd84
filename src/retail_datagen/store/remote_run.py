"""A simulation on a server: started, watched and stopped through its API."""

from __future__ import annotations

from dataclasses import asdict
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx

from retail_datagen.config.errors import UserError
from retail_datagen.store.simulation.settings import Settings

_TIMEOUT: Final = 30.0


class RemoteRun:
    """The simulation of the server at `url`. A context manager."""

    def __init__(self, url: str, key: str | None = None) -> None:
        """Raises UserError for what is no address of a server."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"api: {url!r} is not a URL; allowed are such as http://localhost:8000")
        self.url = url.rstrip("/")
        headers = {"X-API-Key": key} if key else {}
        self._client = httpx.Client(base_url=self.url, timeout=_TIMEOUT, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def start(self, settings: Settings) -> None:
        """Start it. Raises UserError with the server's reason when it does not."""
        wanted = {name: value for name, value in asdict(settings).items() if value is not None}
        self._ask("POST", "/simulation/start", wanted)

    def stop(self) -> None:
        self._ask("POST", "/simulation/stop")

    def status(self) -> dict[str, Any]:
        """What the server says of it: `state`, `error` and more."""
        said = self._ask("GET", "/simulation/status")
        return said if isinstance(said, dict) else {}

    def logs(self, after: int) -> list[tuple[int, str]]:
        """Number and text, with the simulated clock, of its log's lines after a number."""
        said = self._ask("GET", f"/simulation/logs?after={after}")
        try:
            return [
                (int(line["number"]), f"{str(line['at']).replace('T', ' ')[:19]}  {line['text']}")
                for line in said["lines"]
            ]
        except (KeyError, TypeError, ValueError):
            raise UserError(
                f"api: {self.url}/simulation/logs does not answer as a store does"
            ) from None

    def _ask(self, method: str, path: str, body: object = None) -> Any:
        try:
            response = self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise UserError(
                f"api: {self.url} does not answer ({error}); start it with `retail-datagen serve`, "
                "or leave --api out to simulate here"
            ) from None
        try:
            content = response.json() if response.content else {}
        except ValueError:
            content = None
        if response.is_success and content is not None:
            return content
        said = content.get("detail") if isinstance(content, dict) else None
        hint = "; give the key with --api-key" if response.status_code in (401, 403) else ""
        raise UserError(
            f"api: {self.url}{path} says {response.status_code}: "
            f"{said or response.reason_phrase}{hint}"
        )
