"""The client of a store that is served: what is asked of it over HTTP, and what it answers."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

import httpx

from retail_datagen.config.errors import UserError
from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.options import redacted, refuse_unclear_password
from retail_datagen.store.where import DEFAULT_API, DEFAULT_URL, URL_VARIABLE

_TIMEOUT: Final = 30.0
_WAIT_SECONDS = 0.5
_PASSING: Final = (429, 502, 503, 504)
"""Answers that may be others soon: too many calls, or a server that is busy or begins."""


def shown_api(url: str) -> str:
    """The address of a server as it may be shown: without a password.

    Raises UserError for what is no address of a server.
    """
    try:
        refuse_unclear_password(url)
        parts = urlsplit(url)
        served = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        httpx.URL(url)
    except SinkError as error:
        raise UserError(f"api: {error}") from None
    except (ValueError, httpx.InvalidURL):
        served = False
    if not served:
        # With an @ it may hold a password, wherever that begins.
        told = "this" if "@" in url else repr(url)
        raise UserError(f"api: {told} is not a URL; allowed are such as {DEFAULT_API}")
    return redacted(url.rstrip("/"))


class StoreClient:
    """The store served at `url`. A context manager; its `url` is what may be shown of it.

    `timeout` in seconds is for each call; `late` is what to do about an answer that did not come.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        timeout: float = _TIMEOUT,
        late: str = "run the command again",
    ) -> None:
        """Raises UserError for what is no address of a server."""
        self.url = shown_api(url)
        self._timeout = timeout
        self._late = late
        headers = {"X-API-Key": key} if key else {}
        self._client = httpx.Client(base_url=url.rstrip("/"), timeout=timeout, headers=headers)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def ask(self, method: str, path: str, body: object = None, tries: int = 1) -> Any:
        """Its answer. Raises UserError with its reason where it refuses or is not there.

        More than one of `tries` is for calls that may be made twice: one whose answer did not
        come is made again, as is one that will pass soon.
        """
        for attempt in range(1, tries + 1):
            last = attempt == tries
            try:
                response = self._client.request(method, path, json=body)
            except httpx.TransportError as error:
                if last or isinstance(error, httpx.ConnectError):
                    raise self._not_there(error) from None
            else:
                if last or response.status_code not in _PASSING:
                    return self._content(path, response)
            time.sleep(_WAIT_SECONDS * attempt)
        raise AssertionError("the last try returns or raises")

    def answers_strangely(self, path: str) -> UserError:
        """What to raise for an answer that no store gives."""
        return UserError(f"api: {self.url}{path} does not answer as a store does")

    def _not_there(self, error: httpx.TransportError) -> UserError:
        if isinstance(error, httpx.ConnectError):
            return UserError(
                f"api: {self.url} cannot be reached ({error}); start it with `retail-datagen "
                f"serve`, or do without a server: --database-url {DEFAULT_URL}, or {URL_VARIABLE}"
            )
        if isinstance(error, httpx.TimeoutException):
            return UserError(
                f"api: {self.url} did not answer within {self._timeout:g} s; {self._late}"
            )
        return UserError(f"api: {self.url}: {error}; run the command again")

    def _content(self, path: str, response: httpx.Response) -> Any:
        try:
            content = response.json() if response.content else {}
        except ValueError:
            content = None
        if response.is_success:
            if content is None:
                raise self.answers_strangely(path)
            return content
        said = content if isinstance(content, dict) else {}
        # A bulk call refused as a whole says so row by row, where rows are what is wrong with it.
        if "results" in said:
            return said
        hint = "; give the key with --api-key" if response.status_code in (401, 403) else ""
        raise UserError(
            f"api: {self.url}{path} says {response.status_code}: "
            f"{said.get('detail') or response.reason_phrase}{hint}"
        )
