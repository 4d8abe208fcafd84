"""How events are written where they go: what the URL of a sink does not say, or must not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from retail_datagen.sinks.base import SinkError

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


_PASSWORD = re.compile(r"(//[^:/?#@]*:).*@")
"""The password of a URL that nobody can take apart for sure: all up to the last @."""
_BAD_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")


def redacted(url: str) -> str:
    """A URL as it may be shown: without passwords, whatever they are made of."""
    secret = _sure_password(url)
    if secret is None:
        url = _PASSWORD.sub(r"\1***@", url)
    else:
        url = url.replace(f":{secret}@", ":***@", 1)
    return _SECRET.sub(r"\1***", url)


def refuse_unclear_password(url: str) -> None:
    """Raises SinkError for a password that would be taken for another part of the URL.

    A driver would connect elsewhere, and show parts of it in what it says then.
    """
    secret = _sure_password(url)
    if (secret is None and _PASSWORD.search(url) and not _port(url)) or _is_unclear(secret):
        raise SinkError(
            f"{redacted(url)!r}: the password has characters that mean something in a URL; write "
            "%40 for @, %2F for /, %3F for ?, %23 for #, %25 for %, or leave it to the environment"
        )


def _sure_password(url: str) -> str | None:
    """The password, where it ends with the only @ before host and path."""
    try:
        parts = urlsplit(url)
        return None if "@" in parts.path else parts.password
    except ValueError:
        return None


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        return None


def _is_unclear(secret: str | None) -> bool:
    return secret is not None and ("@" in secret or bool(_BAD_PERCENT.search(secret)))
