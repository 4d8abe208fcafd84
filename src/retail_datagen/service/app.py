"""The application: routes, limits, errors, and what begins and ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.middleware.cors import CORSMiddleware

from retail_datagen.core.version import program_version
from retail_datagen.service import problems
from retail_datagen.service.core import Service
from retail_datagen.service.limits import BodyLimit, RequestsAtOnce
from retail_datagen.service.metrics import Measured
from retail_datagen.service.routes import (
    analytics,
    items,
    jobs,
    live,
    products,
    simulation,
    stock,
    system,
)
from retail_datagen.service.security import Security
from retail_datagen.service.settings import ServiceSettings
from retail_datagen.store.database import Engine
from retail_datagen.store.simulation.events import Listener

_ZONED = ("format", "date-time")
_THREADS = 16
"""Requests that use the database at once: fewer than it gives connections."""
_ROUTERS = (
    products.router,
    items.router,
    stock.router,
    analytics.router,
    jobs.router,
    simulation.router,
    live.router,
    system.router,
)


def create_app(
    settings: ServiceSettings, engine: Engine, listeners: Sequence[Listener] = ()
) -> FastAPI:
    """A service of the store of an engine, which stays open when the service ends.

    `listeners` hear what happens in its simulations, as the live feed does.
    """
    service = Service(settings, engine, listeners)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        await anyio.to_thread.run_sync(service.jobs.take_over)
        service.hub.attach(asyncio.get_running_loop())
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(service.close)
            service.hub.attach(None)

    app = FastAPI(
        title="retail-datagen store",
        summary="One store at the level of the single tagged item.",
        version=program_version(),
        # Their pages would fetch scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        responses=problems.documented(400, 401, 403, 413, 422, 503),
    )
    app.state.service = service
    for router in _ROUTERS:
        app.include_router(router)
    problems.install(app)
    limits = settings.limits
    # The last one added is met first.
    app.add_middleware(BodyLimit, most=limits.body_bytes)
    app.add_middleware(Security, key=settings.api_key, origins=settings.cors_origins)
    app.add_middleware(RequestsAtOnce, most=limits.requests_at_once)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PATCH"],
            allow_headers=["Content-Type", "X-API-Key", "Authorization"],
            expose_headers=["Link", "X-Next-Cursor", "Location", "Retry-After"],
        )
    app.add_middleware(Measured, metrics=service.metrics)
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """OpenAPI with our own shape of errors, and times that have no zone."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            held = get_openapi(
                title=app.title, version=app.version, summary=app.summary, routes=app.routes
            )
            held.setdefault("components", {}).setdefault("schemas", {})["Problem"] = problems.SCHEMA
            app.openapi_schema = _without_zones(held)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _without_zones(held: Any) -> Any:
    """Times are the store's wall clock; `date-time` would promise a zone."""
    if isinstance(held, dict):
        return {
            key: "date-time-local" if (key, value) == _ZONED else _without_zones(value)
            for key, value in held.items()
        }
    return [_without_zones(one) for one in held] if isinstance(held, list) else held
