"""Changes as Debezium's connectors tell them: before and after, keyed by what changed, tombstones.

`{"before": {…}, "after": {…}, "source": {…}, "op": "u", "ts_ms": 1705478445000}`
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.schema.stamps import EVENT_ID, Stamped
from retail_datagen.schema.table import Table
from retail_datagen.wire.json import Piece, lines, members, value
from retail_datagen.wire.texts import joined

CONNECTOR, DATABASE = "retail-datagen", "retail"
_BEFORE, _AFTER = "before_", "after_"
_TOMBSTONE = b"-tombstone"
"""Behind the identifier of a deletion, that of its tombstone."""
Text = bytes | None
Headers = list[tuple[str, bytes]]


def pieces(stamped: Stamped) -> list[Piece]:
    """The changes of rows as pieces of JSON objects."""
    table, rows = stamped.table, _batch(stamped)
    assert table.changes
    op = rows.column("op").cast(pa.string())
    instant = value(pa.array(stamped.instant))
    source = {"connector": CONNECTOR, "db": DATABASE, "table": table.changes.table}
    lead = json.dumps(source)[:-1]
    snapshot = pc.if_else(pc.equal(op, "r"), "true", "false")
    return [
        '{"before": ',
        _side(table, rows, _BEFORE, pc.is_in(op, pa.array(["u", "d"]))),
        ', "after": ',
        _side(table, rows, _AFTER, pc.not_equal(op, "d")),
        f', "source": {lead}, "ts_ms": ',
        *instant,
        ', "ts": ',
        *value(rows.column("source_ts")),
        ', "seq": ',
        *value(rows.column("source_seq")),
        ', "snapshot": "',
        snapshot,
        '"}, "op": "',
        op,
        '", "ts_ms": ',
        *instant,
        "}",
    ]


def keys(stamped: Stamped) -> list[bytes | None]:
    """What changed, as JSON objects: the primary key."""
    assert stamped.table.changes
    rows = _batch(stamped).select(list(stamped.table.changes.key))
    found: list[bytes | None] = list(lines(["{", *members(rows), "}"]).split(b"\n")[:-1])
    return found


def with_tombstones(
    stamped: Stamped, keys: list[Text], values: list[Text], headers: list[Headers]
) -> tuple[list[Text], list[Text], list[Headers]]:
    """Behind each deletion a message of its key without a value: nothing is left of that row."""
    gone = pc.equal(stamped.rows["op"].cast(pa.string()), "d").to_numpy()
    if not gone.any():
        return keys, values, headers
    order = np.repeat(np.arange(len(gone)), gone + 1).tolist()
    keys, values = [keys[row] for row in order], [values[row] for row in order]
    headers = [headers[row] for row in order]
    for place in (np.flatnonzero(gone) + np.cumsum(gone)[gone]).tolist():
        values[place] = None
        headers[place] = [(n, t + _TOMBSTONE * (n == EVENT_ID)) for n, t in headers[place]]
    return keys, values, headers


def _side(table: Table, rows: pa.RecordBatch, lead: str, present: pa.Array) -> pa.Array:
    """What the row was before, or after, as JSON; null where it was not."""
    assert table.changes
    names = [*table.changes.key, *(n for n in rows.schema.names if n.startswith(lead))]
    told = rows.select(names).rename_columns([n.removeprefix(lead) for n in names])
    texts = joined([pa.scalar(p) if isinstance(p, str) else p for p in ["{", *members(told), "}"]])
    return pc.if_else(present, texts, "null")


def _batch(stamped: Stamped) -> pa.RecordBatch:
    return stamped.rows.combine_chunks().to_batches()[0]
