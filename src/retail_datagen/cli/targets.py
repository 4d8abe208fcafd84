"""Where events go, as commands are told: options that several commands share, and their sense."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from retail_datagen.config.errors import UserError
from retail_datagen.sinks import sink_format
from retail_datagen.sinks.options import (
    ENVELOPES,
    FORMATS,
    KafkaOptions,
    MessageOptions,
    StreamOptions,
)
from retail_datagen.streaming.targets import targets_of

__all__ = ["PLAIN", "KafkaWishes", "targets_of"]

_REGISTRY = "SCHEMA_REGISTRY_URL"
To = Annotated[
    list[str] | None,
    typer.Option(
        metavar="URL",
        help="Where to, once or more: kafka://HOST:9092, "
        "clickhouse://USER:PASSWORD@HOST:8123/retail, chdb:DIR, postgresql://…, sqlite:///FILE, "
        "duckdb:FILE, jsonl:-. Else KAFKA_BOOTSTRAP_SERVERS and CLICKHOUSE_HOST, else JSON lines "
        "on the standard output.",
    ),
]
Format = Annotated[str, typer.Option(metavar="|".join(FORMATS), help="Format of Kafka messages.")]
Envelope = Annotated[
    str, typer.Option(metavar="|".join(ENVELOPES), help="What Kafka messages are wrapped in.")
]
Registry = Annotated[
    str,
    typer.Option(envvar=_REGISTRY, metavar="URL", help="Schema registry, for all but json."),
]
Partitions = Annotated[int, typer.Option(min=1, help="Partitions of topics that are created.")]
Replication = Annotated[
    int | None, typer.Option(min=1, help="Replicas of topics that are created; else the broker's.")
]
Retention = Annotated[
    str | None,
    typer.Option(metavar="30d|12h|-1", help="Retention of topics that are created; -1: for ever."),
]
TopicPrefix = Annotated[str, typer.Option(help="Put in front of every topic's name.")]
KafkaConfig = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Passed on to the Kafka client; once or more."),
]
KafkaProperties = Annotated[
    Path | None,
    typer.Option(
        envvar="KAFKA_PROPERTIES",
        metavar="FILE",
        help="Lines KEY=VALUE passed on to the Kafka client: TLS, SASL, secrets.",
    ),
]
BrokerTimeout = Annotated[
    float,
    typer.Option(min=1, help="Seconds to wait for a broker or a ClickHouse that does not answer."),
]


_KAFKA, _MESSAGE = KafkaOptions(), MessageOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaWishes:
    """The options of Kafka as commands take them, each by its name."""

    format: str = _MESSAGE.format
    envelope: str = _MESSAGE.envelope
    registry: str = _MESSAGE.registry
    partitions: int = _KAFKA.partitions
    replication: int | None = _KAFKA.replication
    retention: str | None = None
    topic_prefix: str = _KAFKA.topic_prefix
    config: Sequence[str] | None = None
    properties: Path | None = None
    broker_timeout: float = _KAFKA.wait_seconds

    def options(self, feed: str, zone: str, urls: Sequence[str]) -> StreamOptions:
        """What sinks are told that are opened by `urls`, each of which is a target of events.

        Raises UserError that names the option, also for one that no target would heed.
        """
        _one_of("format", self.format, FORMATS)
        _one_of("envelope", self.envelope, ENVELOPES)
        self._refuse_unheeded([url for url in urls if url.lower().startswith("kafka:")])
        message = MessageOptions(self.format, self.envelope, self.registry)
        return StreamOptions(feed=feed, zone=zone, message=message, kafka=self.kafka)

    @property
    def kafka(self) -> KafkaOptions:
        """Topics and client. Raises UserError that names the option."""
        return KafkaOptions(
            partitions=self.partitions,
            replication=self.replication,
            retention_ms=_milliseconds(self.retention),
            topic_prefix=self.topic_prefix,
            config=_client_settings(self.properties, self.config or ()),
            wait_seconds=self.broker_timeout,
        )

    def _refuse_unheeded(self, clusters: Sequence[str]) -> None:
        """Raise UserError for an option of Kafka's where there is none of `clusters` to heed it.

        What comes from the environment is for whoever may need it.
        """
        registry = self.registry != os.environ.get(_REGISTRY, "")
        given = {
            "format": self.format != PLAIN.format,
            "envelope": self.envelope != PLAIN.envelope,
            "registry": registry,
            "partitions": self.partitions != PLAIN.partitions,
            "replication": self.replication is not None,
            "retention": self.retention is not None,
            "topic-prefix": bool(self.topic_prefix),
            "kafka-config": bool(self.config),
        }
        if not clusters and any(given.values()):
            name = next(name for name, is_given in given.items() if is_given)
            raise UserError(
                f"{name}: --{name} is about Kafka, and no target is a Kafka cluster; leave it out, "
                "or give --to kafka://HOST:9092"
            )
        if registry and all((sink_format(url) or self.format) == "json" for url in clusters):
            raise UserError(
                "registry: --registry is for messages with a schema, and these are plain JSON; "
                "give --format avro, protobuf or json-schema, or leave it out"
            )


PLAIN = KafkaWishes()
"""What commands wish for where nothing is said: the defaults of their options."""


def _client_settings(file: Path | None, pairs: Sequence[str]) -> Mapping[str, str]:
    lines: list[tuple[str, str]] = []
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
            raise UserError(f"kafka-properties: {file} cannot be read: {reason}") from None
        lines += [
            (line.strip(), f"kafka-properties: line {number} of {file}")
            for number, line in enumerate(text.splitlines(), 1)
            if line.strip() and not line.lstrip().startswith(("#", "!"))
        ]
    lines += [(pair, "kafka-config") for pair in pairs]
    found = {}
    for line, where in lines:
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            # The line itself may be a secret.
            raise UserError(f"{where} is not KEY=VALUE, such as security.protocol=SASL_SSL")
        found[key.strip()] = value.strip()
    return found


def _milliseconds(text: str | None) -> int | None:
    if text is None:
        return None
    if text == "-1":
        return -1
    units = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000}
    number, unit = text[:-1], text[-1:]
    if not number.isdigit() or unit not in units or int(number) < 1:
        raise UserError(
            f"retention: {text!r} is not a time; give days, hours, minutes or seconds such as 30d, "
            "12h, 90m, or -1 for ever"
        )
    return int(number) * units[unit]


def _one_of(field: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise UserError(f"{field}: {value!r} is not known; allowed are {', '.join(allowed)}")
