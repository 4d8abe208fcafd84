"""What a feed remembers in Kafka: a compacted topic, written in the same transactions as events.

Keys are `header`, `topic|NAME` for each topic that was made for the feed, `TABLE|DATE` with the
progress of that day, `commit`, by which a writer knows its last transaction again, and
`emptied|NAME` for each topic of others that was emptied, with a text that is another each time. A
feed has a topic of its own, so that no other feed's open transaction hides what it wrote.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date

from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.kafka_cluster import Topic
from retail_datagen.sinks.progress import Progress
from retail_datagen.wire.messages import Headers, Messages

NAME = "retail-datagen-checkpoints-"
_HEADER = b"header"
_TOPIC = b"topic|"
_COMMIT = b"commit"
_EMPTIED = b"emptied|"
_CONFIG = {
    "cleanup.policy": "compact",
    # Small segments and an eager cleaner keep what has to be read at the start short.
    "segment.bytes": str(16 << 20),
    "min.cleanable.dirty.ratio": "0.1",
}

Key = tuple[str, int]
"""Table and day."""


def checkpoint_topic(prefix: str, feed: str, replication: int | None) -> Topic:
    """The topic of a feed's checkpoint."""
    return Topic(f"{prefix}{NAME}{feed}", 1, replication, _CONFIG)


@dataclass(slots=True)
class Checkpoint:
    """What is remembered: the history's header, the last commit, topics made, and days there.

    `topics` says of each table which topic its days are in, `emptied` of topics that others made
    which time it was that they were emptied last.
    """

    header: str | None = None
    commit: str = ""
    made: set[str] = field(default_factory=set)
    days: dict[Key, Progress] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)
    emptied: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, name: str, entries: dict[bytes, bytes]) -> Checkpoint:
        """From the last value of each key of the topic `name`. Raises SinkError."""
        found = cls()
        try:
            for key, value in entries.items():
                if key == _HEADER:
                    found.header = value.decode()
                elif key == _COMMIT:
                    found.commit = str(json.loads(value)["token"])
                elif key.startswith(_TOPIC):
                    found.made.add(key.removeprefix(_TOPIC).decode())
                elif key.startswith(_EMPTIED):
                    found.emptied[key.removeprefix(_EMPTIED).decode()] = value.decode()
                else:
                    table, _, day = key.decode().rpartition("|")
                    found.days[table, to_day(date.fromisoformat(day))] = Progress.from_json(value)
                    found.topics[table] = json.loads(value)["topic"]
        except (ValueError, KeyError, TypeError) as error:
            raise SinkError(
                f"topic {name} holds something that is none of ours ({error}); start anew with "
                "--overwrite, or choose another --topic-prefix"
            ) from error
        return found


def header_entry(text: str | None) -> tuple[bytes, bytes | None]:
    return _HEADER, None if text is None else text.encode()


def commit_entry(token: str) -> tuple[bytes, bytes | None]:
    return _COMMIT, json.dumps({"token": token}).encode()


def topic_entry(topic: str, made: bool = True) -> tuple[bytes, bytes | None]:
    """`made` False takes back that we made it."""
    return _TOPIC + topic.encode(), b"{}" if made else None


def emptied_entry(topic: str, time: str) -> tuple[bytes, bytes | None]:
    """`time` is any text that no other time had."""
    return _EMPTIED + topic.encode(), time.encode()


def day_entry(key: Key, progress: Progress | None, topic: str) -> tuple[bytes, bytes | None]:
    """`progress` of None forgets the day."""
    table, day = key
    name = f"{table}|{to_date(day).isoformat()}".encode()
    if progress is None:
        return name, None
    return name, json.dumps({"topic": topic, **json.loads(progress.to_json())}).encode()


def entries(pairs: list[tuple[bytes, bytes | None]]) -> Messages:
    """Entries as messages of the checkpoint's topic."""
    keys, values = [key for key, _ in pairs], [value for _, value in pairs]
    return Messages([*keys], values, Headers(len(pairs), {}))
