"""Messages on their way into tables: rows with their stamps and where they came from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I64
from retail_datagen.schema.sql import stored_columns
from retail_datagen.schema.stamps import EVENT_ID, INSTANT, SCHEMA_VERSION
from retail_datagen.schema.table import Table
from retail_datagen.sinks.clickhouse_load import refused_rows, with_origin
from retail_datagen.sinks.kafka_reading import Arrived, Headers
from retail_datagen.wire import cloudevents
from retail_datagen.wire.messages import CONTENT_TYPE, EVENT_TIME
from retail_datagen.wire.reading import Read, Refused, is_by_registry, read_json

_STRUCTURED = cloudevents.CONTENT_TYPE.partition(";")[0].encode()


class ReadByRegistry(Protocol):
    """Reads messages that name a schema, as `wire.registry_reading.SchemaReader` does."""

    def __call__(self, table: Table, topic: str, values: Sequence[bytes]) -> Read: ...


@dataclass(frozen=True, slots=True)
class Decoded:
    """Messages of one topic as they are stored: rows of `table`, and those that are no rows."""

    table: Table
    rows: pa.Table
    refused: pa.Table


def decoded(
    table: Table, topic: str, arrived: Arrived, by_registry: ReadByRegistry | None = None
) -> Decoded:
    """The messages of a topic, whose rows are `table`'s. Tombstones are no rows and no fault.

    Raises WireError where `by_registry` does.
    """
    partition = np.array(arrived.partition, dtype=np.int64)
    offset = np.array(arrived.offset, dtype=np.int64)
    parts: list[pa.Table] = []
    refused: list[Refused] = []
    for places, read in _readers(table, topic, arrived, by_registry):
        if not places:
            continue
        found = read([arrived.value[place] or b"" for place in places])
        where = np.array(places, dtype=np.int64)
        refused += [Refused(int(where[bad.place]), bad.reason) for bad in found.refused]
        place = where[found.place]
        rows = _stamped(table, topic, found, [arrived.headers[p] for p in place], place, arrived)
        parts.append(with_origin(rows, topic, partition[place], offset[place]))
    bad = np.array([entry.place for entry in refused], dtype=np.int64)
    return Decoded(
        table,
        pa.concat_tables(parts, promote_options="permissive") if parts else pa.table({}),
        refused_rows(
            topic,
            partition[bad],
            offset[bad],
            [entry.reason for entry in refused],
            [arrived.value[place] or b"" for place in bad],
        ),
    )


def _readers(
    table: Table, topic: str, arrived: Arrived, by_registry: ReadByRegistry | None
) -> list[tuple[list[int], Callable[[list[bytes]], Read]]]:
    """Which messages are read in which way: plain, enveloped, or by a schema registry."""
    plain, enveloped, schematic = [], [], []
    for place, value in enumerate(arrived.value):
        if value is None:
            continue
        if by_registry is not None and is_by_registry(value):
            schematic.append(place)
        elif (arrived.headers[place].get(CONTENT_TYPE) or b"").startswith(_STRUCTURED):
            enveloped.append(place)
        else:
            plain.append(place)
    found: list[tuple[list[int], Callable[[list[bytes]], Read]]] = [
        (plain, partial(read_json, table)),
        (enveloped, partial(read_json, table, enveloped=True)),
    ]
    if by_registry is not None:
        found.append((schematic, partial(by_registry, table, topic)))
    return found


def _stamped(
    table: Table,
    topic: str,
    read: Read,
    headers: Sequence[Headers],
    place: I64,
    arrived: Arrived,
) -> pa.Table:
    """Rows with the stamps that their messages' headers hold.

    A message from elsewhere has none: it is then named by where it lies, and its time is taken
    for UTC.
    """
    ids = [
        header.get(EVENT_ID) or _place_name(topic, arrived, int(p)).encode()
        for header, p in zip(headers, place, strict=True)
    ]
    own = str(table.schema_version).encode()
    versions = pa.array([header.get(SCHEMA_VERSION) or own for header in headers], pa.binary())
    rows = read.rows
    stamps = {
        EVENT_ID: _texts(ids),
        SCHEMA_VERSION: _whole(versions, table.schema_version),
        INSTANT: _instants(table, rows, headers),
    }
    for column in stored_columns(table, stamped=True)[len(table.columns) :]:
        rows = rows.append_column(column.name, stamps[column.name])
    return rows


def _place_name(topic: str, arrived: Arrived, place: int) -> str:
    return f"{topic}-{arrived.partition[place]}-{arrived.offset[place]}"


def _texts(values: Sequence[bytes]) -> pa.Array:
    try:
        return pa.array(values, pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([value.decode("utf-8", "backslashreplace") for value in values])


def _whole(values: pa.Array, default: int) -> pa.Array:
    try:
        return values.cast(pa.string()).cast(pa.int32())
    except pa.ArrowInvalid:
        numbers = (value.decode("ascii", "replace") for value in values.to_pylist())
        told = [int(n) if n.isdecimal() and len(n) < 10 else default for n in numbers]
        return pa.array(told, pa.int32())


def _instants(table: Table, rows: pa.Table, headers: Sequence[Headers]) -> pa.Array:
    texts = [header.get(EVENT_TIME) for header in headers]
    kind = pa.timestamp("ms")
    if None not in texts:
        try:
            told = pa.array(texts, pa.binary()).cast(pa.string())
            return told.cast(pa.timestamp("ms", "UTC")).cast(kind)
        except pa.ArrowInvalid:
            pass
    found = [_instant(text) for text in texts]
    if table.time_column:
        local = rows[table.time_column].cast(kind).to_pylist()
        found = [a or b for a, b in zip(found, local, strict=True)]
    return pa.array([instant or datetime(1970, 1, 1) for instant in found], kind)


def _instant(text: bytes | None) -> datetime | None:
    try:
        return datetime.fromisoformat((text or b"").decode()).astimezone(UTC).replace(tzinfo=None)
    except ValueError:
        return None
