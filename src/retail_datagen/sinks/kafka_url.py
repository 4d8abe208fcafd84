"""What a Kafka URL says: `kafka://host:9092,host2:9092?format=json&partitions=6`.

Credentials have no place in it: they stand in a properties file, or in the environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.kafka import KafkaSink
from retail_datagen.sinks.kafka_settings import REGISTRY, Settings, driver, understood
from retail_datagen.sinks.options import (
    ENVELOPES,
    FORMATS,
    KafkaOptions,
    MessageOptions,
    StreamOptions,
)
from retail_datagen.wire.messages import Encoder, json_encoder

T = TypeVar("T")
SERVERS = "KAFKA_BOOTSTRAP_SERVERS"
KAFKA_QUERY = (
    "format",
    "envelope",
    "registry",
    "partitions",
    "replication",
    "retention_ms",
    "topic_prefix",
    "transactions",
)
_SERVER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:(?P<port>\d{1,5}))?")
_PORT, _HIGHEST_PORT = 9092, 65_535
_PREFIX = re.compile(r"[A-Za-z0-9._-]{0,100}")
_FEED = re.compile(r"[a-z0-9][a-z0-9-]{0,60}")


def kafka_sink(place: str, query: dict[str, str], options: StreamOptions) -> KafkaSink:
    """The sink of a URL, from which the options that are known are taken.

    Raises SinkError for a value that cannot be, and where the extra `kafka` is not installed.
    """
    driver()
    servers = kafka_servers(place, options.kafka)
    message = _message(query, options.message)
    kafka = _kafka(query, options.kafka)
    transactional = _taken(query, "transactions", _choice("on", "off"), "on") == "on"
    if not _FEED.fullmatch(options.feed):
        raise SinkError(f"feed: {options.feed!r} has more than small letters, digits and dashes")
    config = understood(kafka.config)
    client = {name: value for name, value in config.items() if not name.startswith(REGISTRY)}
    settings = Settings(servers, client, kafka.wait_seconds)
    options = replace(options, message=message, kafka=kafka)
    return KafkaSink(settings, options, encoder(message, config), transactional)


def kafka_servers(place: str, options: KafkaOptions) -> str:
    """The brokers of a URL's place; without any, those of the settings or the environment."""
    named = place.removeprefix("//").rstrip("/")
    servers = named or options.config.get("bootstrap.servers") or os.environ.get(SERVERS, "")
    if not servers:
        raise SinkError(f"Kafka: no broker is named; write kafka://host:9092, or set {SERVERS}")
    if "@" in servers:
        raise SinkError(
            "Kafka: a URL has no place for credentials; put sasl.username and sasl.password into a "
            "file for --kafka-properties"
        )
    for server in servers.split(","):
        found = _SERVER.fullmatch(server.strip())
        if not found or not 0 < int(found["port"] or _PORT) <= _HIGHEST_PORT:
            raise SinkError(
                f"Kafka: {server!r} is no broker; write host:9092,host2:9092, with ports from 1 to "
                f"{_HIGHEST_PORT}"
            )
    return servers


def encoder(options: MessageOptions, config: Mapping[str, str]) -> Encoder:
    """How rows become messages; `config` may have settings of the registry's client.

    Raises SinkError where a schema registry is lacking, or what it takes to speak to one.
    """
    envelope = options.envelope == "cloudevents"
    if options.format == "json":
        return json_encoder(envelope)
    settings = registry_settings(options.registry, config)
    if not settings:
        raise SinkError(
            f"format: {options.format} needs a schema registry; name one with --registry URL"
        )
    try:
        from retail_datagen.wire.registry import SchemaValues
    except ImportError as error:
        raise SinkError(
            f"format: {options.format} needs packages more: pip install 'retail-datagen[kafka]'"
        ) from error
    values = SchemaValues(options.format, settings)
    return Encoder(options.format + "+cloudevents" * envelope, values, envelope)


def registry_settings(url: str, config: Mapping[str, str]) -> dict[str, str]:
    """The settings of the schema registry's client; none where no registry is named.

    `config` are the Kafka client's, among which some may be the registry's.
    """
    own = {n.removeprefix(REGISTRY): v for n, v in config.items() if n.startswith(REGISTRY)}
    named = url or own.get("url", "")
    return {**own, "url": named} if named else {}


def _message(query: dict[str, str], options: MessageOptions) -> MessageOptions:
    return MessageOptions(
        _taken(query, "format", _choice(*FORMATS), options.format),
        _taken(query, "envelope", _choice(*ENVELOPES), options.envelope),
        query.pop("registry", options.registry),
    )


def _kafka(query: dict[str, str], options: KafkaOptions) -> KafkaOptions:
    return replace(
        options,
        partitions=_taken(query, "partitions", _number(1), options.partitions),
        replication=_taken(query, "replication", _number(1), options.replication),
        retention_ms=_taken(query, "retention_ms", _number(-1), options.retention_ms),
        topic_prefix=_taken(query, "topic_prefix", _prefix, options.topic_prefix),
    )


def _taken(query: dict[str, str], name: str, read: Callable[[str, str], T], default: T) -> T:
    return read(name, query.pop(name)) if name in query else default


def _choice(*allowed: str) -> Callable[[str, str], str]:
    def read(name: str, text: str) -> str:
        if text not in allowed:
            raise SinkError(f"{name}: {text!r} is not known; allowed are {', '.join(allowed)}")
        return text

    return read


def _number(least: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        if not re.fullmatch(r"-?\d{1,18}", text) or int(text) < least:
            raise SinkError(f"{name}: {text!r} is no whole number from {least} on")
        return int(text)

    return read


def _prefix(name: str, text: str) -> str:
    if not _PREFIX.fullmatch(text):
        raise SinkError(f"{name}: {text!r} has more than letters, digits, dots, dashes and _")
    return text
