"""The envelope: rows as events of the CloudEvents specification, 1.0.

As JSON the event is the message, with the row as its `data`; in other formats the row is the
message and the event's attributes are headers, `ce_…`: the specification's structured and binary
mode. `traceid`, `schemaversion` and `sequence` are extension attributes, whose names it wants
without underscores; only events of a history have a `sequence`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.schema.stamps import Stamped
from retail_datagen.schema.table import Kind, Table
from retail_datagen.wire.json import Piece, members, value
from retail_datagen.wire.texts import texts_of, utc_texts

CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
_SPECIFICATION = "1.0"
_TRACE, _TYPE = "TraceId", "event_type"
_SEQUENCE = len("20240117-00000042")
"""Day and row of that day, with which event_ids of a history end: a table's events in order."""
_HISTORY = r"^\w+-\d{8}-\d{8}$"


def structured(stamped: Stamped) -> list[Piece]:
    """The events of rows as pieces of JSON objects."""
    rows = stamped.rows.combine_chunks().to_batches()[0]
    pieces: list[Piece] = []
    for name, constant_or_column in _attributes(stamped).items():
        pieces.append(f"{', ' if pieces else '{'}{json.dumps(name)}: ")
        is_text = isinstance(constant_or_column, str)
        pieces += [json.dumps(constant_or_column)] if is_text else value(constant_or_column)
    return [*pieces, ', "datacontenttype": "application/json", "data": {', *members(rows), "}}"]


def binary(stamped: Stamped) -> dict[str, Piece]:
    """The attributes of the events of rows by header; texts for all rows, or one for each."""
    return {f"ce_{name}": values for name, values in _attributes(stamped).items()}


def event_type(table: Table) -> str:
    """What the events of a table are called where no column says it."""
    return f"{table.namespace}.{table.name}"


def _attributes(stamped: Stamped) -> Mapping[str, Piece]:
    table, rows = stamped.table, stamped.rows
    kinds = {column.name: column.kind for column in table.columns}
    named = kinds.get(_TYPE) in (Kind.TEXT, Kind.CATEGORY)
    trace = rows[_TRACE].combine_chunks() if _TRACE in kinds else stamped.event_id
    attributes: dict[str, Piece] = {
        "specversion": _SPECIFICATION,
        "id": stamped.event_id,
        "source": f"/retail-datagen/{table.namespace}/{table.name}",
        "type": texts_of(_one(rows[_TYPE])) if named else event_type(table),
        "time": utc_texts(stamped.instant),
        "traceid": pc.coalesce(texts_of(_one(trace)), stamped.event_id),
        "schemaversion": str(table.schema_version),
    }
    # Events of now, or of a simulated store, have their order in what would be cut off.
    if pc.all(pc.match_substring_regex(stamped.event_id, _HISTORY)).as_py():
        attributes["sequence"] = pc.utf8_slice_codeunits(stamped.event_id, -_SEQUENCE)
    return attributes


def _one(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column as one array."""
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
