"""What becomes of messages that are broken, and of tables whose declaration changes meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa

from retail_datagen.core.ids import texts
from retail_datagen.schema import Column, Kind
from retail_datagen.schema.stamps import Stamped

ADDED = "source_system"
RENAMED_SUFFIX = "_v3"


def _half(message: bytes) -> bytes:
    return message[: len(message) // 2]


def _nothing(message: bytes) -> bytes:
    return b""


def _no_text(message: bytes) -> bytes:
    return b"\xff\xfe\x00\x80" + message[:8][::-1]


def _quote_lost(message: bytes) -> bytes:
    """Without its first quote: no JSON; of other formats the first byte goes."""
    place = message.find(b'"')
    return message[:place] + message[place + 1 :] if place >= 0 else message[1:]


DAMAGES: tuple[tuple[str, Callable[[bytes], bytes]], ...] = (
    ("cut in half", _half),
    ("empty", _nothing),
    ("not text", _no_text),
    ("a quote is missing", _quote_lost),
)


def evolved(stamped: Stamped, version: int) -> Stamped:
    """The same events in a later version of their table's declaration; 0 is the one that it has.

    Version 1 has a column more, which may be null; in version 2 the last column that is neither
    key nor time is called something else, too, which no reader of earlier versions expects.
    """
    if not version:
        return stamped
    table, rows = stamped.table, stamped.rows
    columns = list(table.columns)
    if version > 1 and (place := _renamed(stamped)) is not None:
        old = columns[place]
        columns[place] = replace(old, name=old.name + RENAMED_SUFFIX)
        rows = rows.rename_columns([column.name for column in columns])
    columns.append(Column(ADDED, Kind.TEXT, "Which system told it.", null=True, example="pos"))
    later = replace(table, columns=tuple(columns), schema_version=table.schema_version + version)
    rows = rows.append_column(pa.field(ADDED, pa.string()), texts(["pos"] * rows.num_rows))
    return Stamped(later, rows, stamped.event_id, stamped.instant)


def what_changed(stamped: Stamped, version: int) -> str:
    """In words, of `evolved`."""
    told = f"column {ADDED} added"
    place = _renamed(stamped)
    if version > 1 and place is not None:
        name = stamped.table.columns[place].name
        told += f", {name} renamed to {name}{RENAMED_SUFFIX}"
    return f"schema version {stamped.table.schema_version + version}: {told}"


def _renamed(stamped: Stamped) -> int | None:
    table = stamped.table
    kept = {table.message_key, table.time_column, *table.key}
    places = [i for i, column in enumerate(table.columns) if column.name not in kept]
    return places[-1] if places else None
