"""Messages: keys, values and headers of rows, as lists of bytes that a client can be handed.

An `Encoder` makes them of rows with their stamps; every message says in its headers which event it
is, of which version of its columns, and when it happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat

from retail_datagen.schema.stamps import EVENT_ID, SCHEMA_VERSION, Stamped
from retail_datagen.wire import cloudevents, debezium
from retail_datagen.wire.json import Piece, lines, members
from retail_datagen.wire.texts import id_bytes, repeated_bytes, utc_bytes

EVENT_TIME = "event_time"
Headers = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages of one topic, in order: [messages]. A value of None is a tombstone."""

    keys: list[bytes | None]
    values: list[bytes | None]
    headers: list[Headers]

    def __len__(self) -> int:
        return len(self.values)

    def slice(self, first: int, end: int) -> Messages:
        return Messages(self.keys[first:end], self.values[first:end], self.headers[first:end])


class Content:
    """Counts and hashes the values of messages, however they are cut into batches."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.bytes = 0
        self.messages = 0

    def add(self, messages: Messages) -> None:
        values = [value or b"" for value in messages.values]
        content = b"\n".join([*values, b""])
        self._hash.update(content)
        self.bytes += len(content) - len(values)
        self.messages += len(values)

    @property
    def sha256(self) -> str:
        """The sha256, in hex, of the values, each followed by a line feed."""
        return self._hash.hexdigest()


Values = Callable[[str, Stamped], list[bytes | None]]
"""Message values of rows for a topic."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """Rows to messages. `format` names what the values are; `in_headers` the envelope's place."""

    format: str
    values: Values
    envelope: bool = False

    def encode(self, topic: str, stamped: Stamped) -> Messages:
        """The messages of some thousand rows. Raises WireError where a schema is refused."""
        if not len(stamped.instant):
            return Messages([], [], [])
        more = self._envelope(stamped)
        made = keys(stamped), self.values(topic, stamped), headers(stamped, more)
        if stamped.table.changes:
            return Messages(*debezium.with_tombstones(stamped, *made))
        return Messages(*made)

    def _envelope(self, stamped: Stamped) -> dict[str, Piece]:
        if not self.envelope:
            return {}
        if self.format.startswith("json+"):
            return {"content-type": cloudevents.CONTENT_TYPE}
        return cloudevents.binary(stamped)


def json_encoder(envelope: bool) -> Encoder:
    """Plain JSON objects, or events that have the row as their data."""
    if envelope:
        return Encoder("json+cloudevents", _enveloped_values, envelope=True)
    return Encoder("json", _json_values)


def keys(stamped: Stamped) -> list[bytes | None]:
    """The keys of messages: the text of the column whose values stay in order."""
    if stamped.table.changes:
        return debezium.keys(stamped)
    column = stamped.rows[stamped.table.message_key]
    return repeated_bytes(column.combine_chunks())


def headers(stamped: Stamped, more: dict[str, Piece]) -> list[Headers]:
    """The headers of messages: the stamps, and `more`, of texts for all or for each."""
    version = str(stamped.table.schema_version).encode()
    pairs = [
        zip(repeat(EVENT_ID), id_bytes(stamped.event_id)),
        repeat((SCHEMA_VERSION, version)),
        zip(repeat(EVENT_TIME), utc_bytes(stamped.instant)),
    ]
    for name, text in more.items():
        if isinstance(text, str):
            pairs.append(repeat((name, text.encode())))
        else:
            pairs.append(zip(repeat(name), id_bytes(text)))
    # All of it runs in C: a step of Python for each row would cost as much as sending it.
    return list(map(list, zip(*pairs)))  # noqa: B905 - constants go on for ever


def split(text: bytes) -> list[bytes | None]:
    """The lines of JSON, which never hold a line feed inside."""
    found: list[bytes | None] = list(text.split(b"\n"))
    return found[:-1]


def _json_values(topic: str, stamped: Stamped) -> list[bytes | None]:
    if stamped.table.changes:
        return split(lines(debezium.pieces(stamped)))
    batch = stamped.rows.combine_chunks().to_batches()[0]
    return split(lines(["{", *members(batch), "}"]))


def _enveloped_values(topic: str, stamped: Stamped) -> list[bytes | None]:
    return split(lines(cloudevents.structured(stamped)))


def batches_of(stamped: Stamped, rows: int) -> list[Stamped]:
    """The same rows, at most so many at a time; one without rows for none."""
    count = len(stamped.instant)
    return [stamped.slice(first, rows) for first in range(0, count, rows)]
