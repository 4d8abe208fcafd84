"""What Prometheus may ask: requests, WebSockets, the simulation, jobs, items. A registry an app."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

Gauges = Callable[[], dict[str, float]]


class Metrics:
    """Counters of one service. `gauges` is asked for the rest whenever somebody looks."""

    def __init__(self, gauges: Gauges) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "retail_store_requests",
            "Requests that were answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "retail_store_request_seconds",
            "How long answers took.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.live_messages = Counter(
            "retail_store_live_messages",
            "Messages of the live feed, before they go to each client.",
            ("topic",),
            registry=self._registry,
        )
        self.live_dropped = Counter(
            "retail_store_live_dropped",
            "Messages that clients who read slowly did not get.",
            registry=self._registry,
        )
        self._registry.register(_Now(gauges))

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self._registry)


class _Now(Collector):
    """Gauges that are looked up when somebody asks. Names may carry one label: `items{state}`."""

    def __init__(self, gauges: Gauges) -> None:
        self._gauges = gauges

    def describe(self) -> Iterator[Metric]:
        """Nothing: else registering would ask for all of them."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        families: dict[str, GaugeMetricFamily] = {}
        for key, value in self._gauges().items():
            name, _, label = key.partition(".")
            if name not in families:
                labels = ("state",) if label else ()
                families[name] = GaugeMetricFamily(f"retail_store_{name}", "Now.", labels=labels)
            families[name].add_metric((label,) if label else (), value)
        return iter(families.values())


class Measured:
    """Counts and times requests by their route, never by their path: paths are without number."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, begun = 500, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if route != "none" else "any"
            self._metrics.requests.labels(method, route, status).inc()
            self._metrics.seconds.labels(method, route).observe(time.perf_counter() - begun)
