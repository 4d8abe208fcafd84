"""Which topics were emptied for a history that begins anew, for those who read them.

A topic that is taken away and made anew is known by its generation; one that is emptied keeps it.
Writers note it in their feed's checkpoint.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from retail_datagen.sinks.kafka_checkpoint import NAME, Checkpoint
from retail_datagen.sinks.kafka_cluster import Cluster, NotAllowedError

_LOG = logging.getLogger(__name__)


class Emptied:
    """What checkpoints tell; they are long, and read only where messages were deleted since."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._begins: Mapping[tuple[str, int], int] | None = None
        self._found: dict[str, str] = {}

    def among(self, topics: Collection[str], there: Mapping[str, int]) -> dict[str, str]:
        """Of `topics`, those that were emptied: a text that is another after each time.

        `there` has all topics that are there, with their numbers of partitions. Who may not read a
        checkpoint learns nothing of it. Raises SinkError.
        """
        places = [(topic, number) for topic in topics for number in range(there[topic])]
        begins = self._cluster.begins(places)
        if begins is None or begins != self._begins:
            self._found = self._told(topics, there)
            self._begins = begins
        return self._found

    def _told(self, topics: Collection[str], there: Collection[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in sorted(there):
            prefix, named, _ = name.partition(NAME)
            if not named or not any(topic.startswith(prefix) for topic in topics):
                continue
            try:
                found |= Checkpoint.read(name, self._cluster.latest(name)).emptied
            except NotAllowedError as error:
                _LOG.info("%s; whether --overwrite emptied a topic is not known", error)
        return {topic: time for topic, time in found.items() if topic in topics}
