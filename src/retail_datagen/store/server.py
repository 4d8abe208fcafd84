"""A store that is served: what is asked of it over HTTP, and what it answers."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx

from retail_datagen.config.errors import UserError
from retail_datagen.store.where import DEFAULT_API, DEFAULT_URL, URL_VARIABLE

_TIMEOUT: Final = 30.0


class Server:
    """The store served at `url`. A context manager."""

    def __init__(self, url: str, key: str | None = None) -> None:
        """Raises UserError for what is no address of a server."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UserError(f"api: {url!r} is not a URL; allowed are such as {DEFAULT_API}")
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

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Its answer. Raises UserError with its reason where it refuses or is not there."""
        try:
            response = self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            raise UserError(
                f"api: {self.url} does not answer ({error}); start it with `retail-datagen serve`, "
                f"or do without a server: --database-url {DEFAULT_URL}, or {URL_VARIABLE}"
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

    def answers_strangely(self, path: str) -> UserError:
        """What to raise for an answer that no store gives."""
        return UserError(f"api: {self.url}{path} does not answer as a store does")
