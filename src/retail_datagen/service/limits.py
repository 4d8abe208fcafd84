"""Limits that hold whatever comes: the size of a body, requests at once, starts of jobs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from math import ceil

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from retail_datagen.service.problems import Problem


class BodyLimit:
    """Refuses bodies beyond a size: at once where their length is given, else while they come."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"content-length", b"")
        if given.isdigit() and len(given) < 20 and int(given) > self._most:
            await self._too_large().response()(scope, receive, send)
            return
        came, begun = 0, False

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._most:
                raise _TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except _TooLarge:
            if not begun:
                await self._too_large().response()(scope, receive, send)

    def _too_large(self) -> Problem:
        return Problem(
            413,
            f"the body is larger than {self._most:,} bytes; send fewer rows at once",
            "body",
            headers={"Connection": "close"},
        )


class _TooLarge(BaseException):
    """Not an Exception: nothing on its way out may take it for an error of its own."""


class RequestsAtOnce:
    """Refuses requests while too many are being answered."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._now = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._now >= self._most:
            problem = Problem(
                503,
                f"{self._most} requests are being answered; try again",
                headers={"Retry-After": "1"},
            )
            await problem.response()(scope, receive, send)
            return
        self._now += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._now -= 1


class StartLimit:
    """So many starts a minute: a bucket of tokens that fills up again. For any thread."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = a_minute
        self._clock = clock
        self._left = float(a_minute)
        self._filled = clock()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Raise a Problem (429) that says when there is one again."""
        with self._lock:
            now = self._clock()
            grown = (now - self._filled) * self._most / 60
            self._left = min(self._left + grown, float(self._most))
            self._filled = now
            if self._left >= 1:
                self._left -= 1
                return
            wait = ceil((1 - self._left) * 60 / self._most)
        raise Problem(
            429,
            f"jobs and simulations may be started {self._most} times a minute; wait {wait} s",
            headers={"Retry-After": str(wait)},
        )
