"""Counters of a stream for Prometheus, on a port of this machine: a listener."""

from __future__ import annotations

from types import TracebackType

from retail_datagen.config.errors import UserError
from retail_datagen.streaming.told import DayDone, Sent, Told, Troubled

HOST = "127.0.0.1"


class Metrics:
    """Serves `/metrics` while the context is open; needs the extra `metrics`."""

    def __init__(self, port: int) -> None:
        """Raises UserError where prometheus-client is missing or the port is taken."""
        try:
            from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server
        except ImportError:
            raise UserError(
                "metrics-port: prometheus-client is not installed; "
                "pip install 'retail-datagen[metrics]'"
            ) from None
        registry = CollectorRegistry()
        self._events = Counter(
            "retail_datagen_events", "Events that were sent.", ["table"], registry=registry
        )
        self._commits = Counter("retail_datagen_commits", "Sendings.", registry=registry)
        self._days = Counter("retail_datagen_days", "Days that are whole.", registry=registry)
        self._problems = Counter(
            "retail_datagen_problems",
            "Events that a problem was made of.",
            ["problem"],
            registry=registry,
        )
        self._until = Gauge(
            "retail_datagen_event_time_seconds",
            "Time of the last event, since 1970.",
            registry=registry,
        )
        self._lag = Gauge(
            "retail_datagen_lag_seconds",
            "How long after it was due the last event was sent.",
            registry=registry,
        )
        try:
            self._server, self._thread = start_http_server(port, addr=HOST, registry=registry)
        except OSError as error:
            raise UserError(
                f"metrics-port: {HOST}:{port} cannot be used ({error.strerror}); choose another"
            ) from None

    @property
    def port(self) -> int:
        """The port, which the system chose if 0 was asked for."""
        return int(self._server.server_port)

    def __enter__(self) -> Metrics:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __call__(self, told: Told) -> None:
        match told:
            case Sent():
                for table, rows in told.rows.items():
                    self._events.labels(table).inc(rows)
                self._commits.inc()
                self._until.set(told.until / 1000)
                self._lag.set(max(told.now - told.until, 0) / 1000)
            case DayDone():
                self._days.inc()
            case Troubled():
                self._problems.labels(told.problem).inc(told.events)
