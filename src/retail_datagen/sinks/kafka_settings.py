"""How Kafka clients are configured: defaults of ours, what the user gave, and nothing of it shown.

Names are librdkafka's. Of the Java client's names, `sasl.jaas.config` is understood as well, since
that is how clouds hand out their credentials.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from retail_datagen.sinks.base import SinkError

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Producer
    from confluent_kafka.admin import AdminClient

_CLIENT_LOG = logging.getLogger(__name__)
_CLIENT_LOG.addHandler(logging.NullHandler())
_CLIENT_LOG.propagate = False
"""librdkafka repeats there what it tells by errors, which are shown once, in words of ours."""

REGISTRY = "schema.registry."
"""What the names of settings for the schema registry's client begin with."""
_JAAS = "sasl.jaas.config"
_JAAS_FIELD = re.compile(r"""(username|password)\s*=\s*"((?:[^"\\]|\\.)*)\"""")
_OF_JAVA = re.compile(
    r"(key|value)\.(de)?serializer|ssl\.(trust|key)store\.(type|location|password)"
)
_PRODUCER = {
    "acks": "all",
    "compression.type": "lz4",
    "linger.ms": "20",
    "batch.size": "1000000",
    "queue.buffering.max.messages": "1000000",
    # The same key goes to the same partition as from a Java client.
    "partitioner": "murmur2_random",
    "enable.idempotence": "true",
    # As long as brokers allow by default: one transaction is a day, or a pause of the broker.
    "transaction.timeout.ms": "900000",
}
_CONSUMER = {
    "auto.offset.reset": "earliest",
    "enable.auto.commit": "false",
    "isolation.level": "read_committed",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """A cluster and how to reach it. `config` may hold secrets."""

    servers: str
    config: Mapping[str, str] = field(default_factory=dict, repr=False)
    wait_seconds: float = 60.0

    def producer(self, more: Mapping[str, Any]) -> Producer:
        """Raises SinkError for a setting that cannot be."""
        kafka = driver()
        made: Producer = _made(kafka.Producer, self._complete(_PRODUCER, more), logger=_CLIENT_LOG)
        return made

    def consumer(self, more: Mapping[str, Any]) -> Consumer:
        """A consumer of what is committed, from the beginning. Raises SinkError as `producer`."""
        kafka = driver()
        settings = self._complete(_CONSUMER, {"group.id": "retail-datagen", **more})
        made: Consumer = _made(kafka.Consumer, settings, logger=_CLIENT_LOG)
        return made

    def admin(self, more: Mapping[str, Any]) -> AdminClient:
        """Raises SinkError as `producer`."""
        driver()
        from confluent_kafka.admin import AdminClient

        made: AdminClient = _made(AdminClient, self._complete({}, more), logger=_CLIENT_LOG)
        return made

    def _complete(self, ours: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
        servers = {"bootstrap.servers": self.servers}
        return {"client.id": "retail-datagen", **ours, **self.config, **servers, **more}


def driver() -> Any:
    """The module `confluent_kafka`. Raises SinkError where it is not installed."""
    try:
        import confluent_kafka
    except ImportError as error:
        raise SinkError(
            "Kafka needs a package more: pip install 'retail-datagen[kafka]'"
        ) from error
    return confluent_kafka


def understood(config: Mapping[str, str]) -> dict[str, str]:
    """The same settings by names of librdkafka's, where the Java client's can be told in them.

    Raises SinkError, which shows no values, for others of the Java client's.
    """
    found = {name: value for name, value in config.items() if name != _JAAS}
    if _JAAS in config:
        parts = {name: re.sub(r"\\(.)", r"\1", v) for name, v in _JAAS_FIELD.findall(config[_JAAS])}
        if set(parts) != {"username", "password"}:
            raise SinkError(f'{_JAAS}: write username="…" password="…"; nothing else is taken')
        found.setdefault("sasl.username", parts["username"])
        found.setdefault("sasl.password", parts["password"])
    for name in found:
        if _OF_JAVA.fullmatch(name):
            raise SinkError(
                f"{name} is a setting of the Java client; here are ssl.ca.location, "
                "ssl.certificate.location and ssl.key.location, which name PEM files"
            )
    return found


def _made(kind: Any, config: dict[str, Any], logger: logging.Logger) -> Any:
    try:
        return kind(config, logger=logger)
    except driver().KafkaException as error:
        told = error.args[0].str()
        named = re.search(r'property:? "([^"]+)"|: ([a-z0-9._]+) failed', told)
        about = f"{named[1] or named[2]}: " if named else ""
        known = "no setting of this name is known" if "No such" in told else "it cannot be so"
        raise SinkError(
            f"Kafka settings: {about}{known}; see CONFIGURATION.md of librdkafka"
        ) from None
