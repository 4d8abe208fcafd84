"""Who may ask: the key, if there is one, and pages of this host or of those that CORS allows.

A page of anybody's can make a browser send requests to a service on its machine. Browsers say in
`Origin` where such a request comes from; programs send none.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from retail_datagen.service.problems import Problem

OPEN_PATHS = ("/healthz",)
_READS = ("GET", "HEAD", "OPTIONS")


class Security:
    """Refuses whoever lacks the key (401), and foreign pages that want to change something (403).

    Of WebSockets, foreign pages may not even read: CORS does not protect them.
    """

    def __init__(self, app: ASGIApp, key: str | None, origins: Sequence[str]) -> None:
        self._app = app
        self._key = None if key is None else key.encode()
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        problem = self._problem(scope, Headers(scope=scope))
        if problem is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await problem.response()(scope, receive, send)
        else:
            # Refused before it is accepted: the client sees 403.
            await send({"type": "websocket.close", "code": 1008, "reason": problem.detail})

    def _problem(self, scope: Scope, headers: Headers) -> Problem | None:
        if scope["path"] in OPEN_PATHS:
            return None
        if self._key is not None and not self._is_key(headers):
            return Problem(
                401,
                "the API key is missing or wrong; send it as X-API-Key, or as a bearer token",
                headers={"WWW-Authenticate": "Bearer"},
            )
        reads = scope["type"] == "http" and scope["method"] in _READS
        if not reads and not self._may_come_from(headers):
            return Problem(403, "pages of other hosts may not do this; allow one by --cors-origin")
        return None

    def _is_key(self, headers: Headers) -> bool:
        assert self._key is not None
        kind, _, token = headers.get("authorization", "").partition(" ")
        given = headers.get("x-api-key") or (token.strip() if kind.lower() == "bearer" else "")
        # Takes as long for any key of that length, however much of it is right.
        return hmac.compare_digest(given.encode("latin-1", "replace"), self._key)

    def _may_come_from(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None or origin in self._origins or "*" in self._origins:
            return True
        try:
            page, asked = urlsplit(origin), urlsplit(f"//{headers.get('host', '')}")
            same = page.hostname is not None and page.netloc == asked.netloc
            # Anybody can point a name of his at this machine; nobody an address.
            return same and (self._key is not None or _is_ours(page.hostname or ""))
        except ValueError:
            return False


def _is_ours(host: str) -> bool:
    """Whether a host is this machine by its name, or an address. Raises ValueError otherwise."""
    return host == "localhost" or bool(ip_address(host))
