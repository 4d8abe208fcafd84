"""Which generation a Kafka topic is of: one that was taken away and made anew is another.

So is one that others made and that was emptied for another history: it keeps its identifier, and is
told by `ID/TIME`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from retail_datagen.sinks.kafka_settings import driver

_EMPTIED = "/"
"""Kafka's identifiers have none."""

if TYPE_CHECKING:
    from confluent_kafka.admin import AdminClient


def generations(admin: AdminClient, topics: Iterable[str], seconds: float) -> dict[str, str]:
    """The identifier that the cluster gave to each of these topics when it was made.

    Left out are topics that are not there or may not be seen, and those of a cluster that gives
    none (Kafka before 2.8). Raises KafkaException where no broker answers.
    """
    from confluent_kafka import TopicCollection

    wanted = list(topics)
    if not wanted:
        return {}
    told = admin.describe_topics(TopicCollection(wanted), request_timeout=seconds)
    found = {}
    for topic, future in told.items():
        try:
            identifier = _text(future.result().topic_id)
        except driver().KafkaException as error:
            if not _concerns_the_topic(error.args[0]):
                raise
            continue
        if identifier:
            found[topic] = identifier
    return found


def since_emptied(generation: str, time: str) -> str:
    """The generation of a topic that was emptied, `time` being another text each time."""
    return f"{generation}{_EMPTIED}{time}"


def is_another(was: str, now: str) -> bool:
    """Whether a topic is of another generation now.

    It is not where nobody tells today whether it was emptied, as once its checkpoint was dropped.
    """
    return was != now and not was.startswith(now + _EMPTIED)


def _text(identifier: Any) -> str:
    """As Kafka's own tools show it; nothing for an identifier of zeros, which stands for none."""
    if identifier is None:
        return ""
    halves = identifier.get_most_significant_bits(), identifier.get_least_significant_bits()
    return str(identifier) if any(halves) else ""


def _concerns_the_topic(error: Any) -> bool:
    return "AUTHORIZATION" in error.name() or error.name() in (
        "UNKNOWN_TOPIC_OR_PART",
        "UNKNOWN_TOPIC_ID",
        "TOPIC_EXCEPTION",
    )
