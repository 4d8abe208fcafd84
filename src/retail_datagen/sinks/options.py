"""How events are written where they go: what the URL of a sink does not say, or must not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

FORMATS = ("json", "avro", "protobuf", "json-schema")
ENVELOPES = ("none", "cloudevents")
_SECRET = re.compile(r"((?:password|passwd|secret|token|sasl[^=&]*|key)=)[^&]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MessageOptions:
    """How a row becomes a message. All formats but `json` need a schema registry's URL."""

    format: str = "json"
    envelope: str = "none"
    registry: str = ""


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """Topics as they are created, and what the client is told.

    `retention_ms` and `replication` of None are the broker's own. `config` may hold secrets: it is
    never shown.
    """

    partitions: int = 6
    replication: int | None = None
    retention_ms: int | None = None
    topic_prefix: str = ""
    config: Mapping[str, str] = field(default_factory=dict, repr=False)
    wait_seconds: float = 60.0
    """How long a broker that does not answer is waited for; so is a ClickHouse."""


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """What sinks for events are told beside their URL.

    `feed` names the kind of events that a job sends: each has a history of its own in a target.
    `zone` is the business's time zone, an IANA name. `append`: a file that is there is gone on
    with, by sinks that would begin it anew.
    """

    feed: str = "facts"
    zone: str = "UTC"
    message: MessageOptions = MessageOptions()
    kafka: KafkaOptions = KafkaOptions()
    append: bool = False


_UNREADABLE = re.compile(r"(//[^:/@]*:).*@")
"""The password of a URL that cannot be taken apart: all up to the last @."""


def redacted(url: str) -> str:
    """A URL as it may be shown: without passwords."""
    try:
        parts = urlsplit(url)
        secret = parts.password
    except ValueError:
        return _UNREADABLE.sub(r"\1***@", url)
    if secret:
        url = url.replace(f":{secret}@", ":***@", 1)
    return _SECRET.sub(r"\1***", url)
