"""Changes as Debezium's connectors tell them: before and after, keyed by what changed, tombstones.

`{"before": {…}, "after": {…}, "source": {…}, "op": "u", "ts_ms": 1705478445000}`
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retail_datagen.schema.stamps import Stamped
from retail_datagen.schema.table import Table
from retail_datagen.wire.json import Piece, lines, members, value
from retail_datagen.wire.texts import joined

CONNECTOR, DATABASE = "retail-datagen", "retail"
_BEFORE, _AFTER = "before_", "after_"


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


def deletions(stamped: Stamped) -> NDArray[np.bool_]:
    """Which rows say that something is gone: [rows]."""
    found: NDArray[np.bool_] = pc.equal(stamped.rows["op"].cast(pa.string()), "d").to_numpy()
    return found


def _side(table: Table, rows: pa.RecordBatch, lead: str, present: pa.Array) -> pa.Array:
    """What the row was before, or after, as JSON; null where it was not."""
    assert table.changes
    names = [*table.changes.key, *(n for n in rows.schema.names if n.startswith(lead))]
    told = rows.select(names).rename_columns([n.removeprefix(lead) for n in names])
    texts = joined([pa.scalar(p) if isinstance(p, str) else p for p in ["{", *members(told), "}"]])
    return pc.if_else(present, texts, "null")


def _batch(stamped: Stamped) -> pa.RecordBatch:
    return stamped.rows.combine_chunks().to_batches()[0]
