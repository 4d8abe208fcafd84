"""Messages: keys, values and headers of rows, as lists of bytes that a client can be handed.

An `Encoder` makes them of rows with their stamps; every message says in its headers which event it
is, of which version of its columns, and when it happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, repeat

import numpy as np

from retail_datagen.schema.stamps import EVENT_ID, SCHEMA_VERSION, Stamped
from retail_datagen.wire import cloudevents, debezium
from retail_datagen.wire.json import Piece, lines, members
from retail_datagen.wire.texts import id_bytes, repeated_bytes, utc_bytes

CONTENT_TYPE, EVENT_TIME = "content-type", "event_time"
_TOMBSTONE = b"-tombstone"
"""Behind the identifier of a deletion, that of its tombstone."""


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of `count` messages by name: one value for each message, or one for all.

    A client's list of pairs is made when it is its message's turn: made for all of them at once,
    lists and pairs fell out of the processor's cache before they were sent, and again when they
    were let go.
    """

    count: int
    columns: dict[str, bytes | list[bytes]]

    def __iter__(self) -> Iterator[list[tuple[str, bytes]]]:
        """The headers of each message, in order. All of it runs in C."""
        if not self.columns:
            return repeat([], self.count)
        pairs = [
            repeat((name, told)) if isinstance(told, bytes) else zip(repeat(name), told)
            for name, told in self.columns.items()
        ]
        # Constants go on for ever.
        return islice(map(list, zip(*pairs)), self.count)  # noqa: B905

    def take(self, order: Sequence[int]) -> Headers:
        """Those of these messages, in this order; a message may be named twice."""
        columns = {
            name: told if isinstance(told, bytes) else [told[place] for place in order]
            for name, told in self.columns.items()
        }
        return Headers(len(order), columns)


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages of one topic, in order: [messages]. A value of None is a tombstone.

    `text` holds the values, each followed by a line feed, where they were made that way.
    """

    keys: list[bytes | None]
    values: list[bytes | None]
    headers: Headers
    text: bytes | None = None

    def __len__(self) -> int:
        return len(self.values)

    def slice(self, first: int, end: int) -> Messages:
        headers = self.headers.take(range(len(self))[first:end])
        return Messages(self.keys[first:end], self.values[first:end], headers)


class Content:
    """Counts and hashes the values of messages, however they are cut into batches."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.bytes = 0
        self.messages = 0

    def add(self, messages: Messages) -> None:
        text = messages.text
        if text is None:
            text = b"\n".join([*(value or b"" for value in messages.values), b""])
        self._hash.update(text)
        self.bytes += len(text) - len(messages)
        self.messages += len(messages)

    @property
    def sha256(self) -> str:
        """The sha256, in hex, of the values, each followed by a line feed."""
        return self._hash.hexdigest()


Values = Callable[[str, Stamped], "list[bytes | None] | bytes"]
"""Message values of rows for a topic: a list, or texts that are each followed by a line feed."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """Rows to messages. `format` names what the values are; `in_headers` the envelope's place."""

    format: str
    values: Values
    envelope: bool = False

    def encode(self, topic: str, stamped: Stamped) -> Messages:
        """The messages of some thousand rows. Raises WireError where a schema is refused."""
        if not len(stamped.instant):
            return Messages([], [], Headers(0, {}))
        more = self._envelope(stamped)
        values = self.values(topic, stamped)
        text = None
        if isinstance(values, bytes):
            text, values = values, split(values)
        messages = Messages(keys(stamped), values, headers(stamped, more), text)
        return with_tombstones(stamped, messages) if stamped.table.changes else messages

    def _envelope(self, stamped: Stamped) -> dict[str, Piece]:
        if not self.envelope:
            return {}
        if self.format.startswith("json+"):
            return {CONTENT_TYPE: cloudevents.CONTENT_TYPE}
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


def headers(stamped: Stamped, more: dict[str, Piece]) -> Headers:
    """The headers of messages: the stamps, and `more`, of texts for all or for each."""
    columns: dict[str, bytes | list[bytes]] = {
        EVENT_ID: id_bytes(stamped.event_id),
        SCHEMA_VERSION: str(stamped.table.schema_version).encode(),
        EVENT_TIME: utc_bytes(stamped.instant),
    }
    for name, text in more.items():
        columns[name] = text.encode() if isinstance(text, str) else id_bytes(text)
    return Headers(len(stamped.instant), columns)


def with_tombstones(stamped: Stamped, messages: Messages) -> Messages:
    """Behind each deletion a message of its key without a value: nothing is left of that row."""
    gone = debezium.deletions(stamped)
    if not gone.any():
        return messages
    order = np.repeat(np.arange(len(gone)), gone + 1).tolist()
    keys = [messages.keys[row] for row in order]
    values = [messages.values[row] for row in order]
    told = messages.headers.take(order)
    ids = told.columns[EVENT_ID]
    assert isinstance(ids, list)
    for place in (np.flatnonzero(gone) + np.cumsum(gone)[gone]).tolist():
        values[place] = None
        ids[place] += _TOMBSTONE
    return Messages(keys, values, told)


def split(text: bytes) -> list[bytes | None]:
    """The lines of JSON, which never hold a line feed inside."""
    found: list[bytes | None] = list(text.split(b"\n"))
    return found[:-1]


def _json_values(topic: str, stamped: Stamped) -> bytes:
    if stamped.table.changes:
        return lines(debezium.pieces(stamped))
    batch = stamped.rows.combine_chunks().to_batches()[0]
    return lines(["{", *members(batch), "}"])


def _enveloped_values(topic: str, stamped: Stamped) -> bytes:
    return lines(cloudevents.structured(stamped))
