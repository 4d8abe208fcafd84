"""What a service is started with, and its limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from retail_datagen.store.where import DEFAULT_URL

MOST_ROWS = 10_000
"""Rows of a bulk call."""
MOST_PAGE = 1_000
DEFAULT_PAGE = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client, or all together, may ask for at once."""

    body_bytes: int = 8 * 1024 * 1024
    requests_at_once: int = 256
    job_starts_a_minute: int = 6
    jobs_waiting: int = 8
    live_clients: int = 200
    live_queue: int = 256
    """Messages that wait for a client who reads slowly; older ones are dropped for newer ones."""
    live_send_seconds: float = 20.0
    """A client to whom nothing can be sent for that long is let go."""


@dataclass(frozen=True, slots=True)
class ServiceSettings:
    """Where the store is, who may ask, and from which pages. Without a key everybody may."""

    database_url: str = DEFAULT_URL
    api_key: str | None = field(default=None, repr=False)
    cors_origins: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
