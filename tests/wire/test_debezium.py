"""Changes as Debezium's connectors tell them, and read back into the rows they were made of."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest

from retail_datagen.events.topics.cdc_orders import TABLE as ORDERS
from retail_datagen.events.topics.cdc_stock import TABLE as STOCK
from retail_datagen.schema import Table
from retail_datagen.schema.stamps import stamp
from retail_datagen.wire.messages import Messages, json_encoder
from retail_datagen.wire.reading import read_json

DAY = 19_739
MOVES = pa.Table.from_pylist(
    [
        {"op": "r", "source_ts": 0, "source_seq": 1, "store_id": 1, "product_id": 7,
         "before_on_hand": None, "after_on_hand": 5},
        {"op": "u", "source_ts": 3661, "source_seq": 2, "store_id": 1, "product_id": 7,
         "before_on_hand": 5, "after_on_hand": 3},
    ]
)  # fmt: skip


def _order(op: str, seq: int, before: str | None, after: str | None) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(ORDERS.header)
    told = {"op": op, "source_ts": DAY * 86_400 + seq, "source_seq": seq, "order_id": 'ORD"1'}
    return row | told | {"before_status": before, "after_status": after}


CHANGES = [
    _order("c", 1, None, "CREATED"),
    _order("u", 2, "CREATED", "CANCELLED"),
    _order("d", 3, "CANCELLED", None),
]


def _rows(table: Table, rows: pa.Table) -> pa.Table:
    return pa.table(
        [
            pa.array(rows[c.name].to_pylist(), _plain(c.arrow_type)).cast(c.arrow_type)
            for c in table.columns
        ],
        schema=table.arrow,
    )


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_dictionary(kind) else kind


def _encoded(table: Table, rows: pa.Table, enveloped: bool = False) -> Messages:
    stamped = stamp(table, DAY, 0, _rows(table, rows), "America/New_York")
    return json_encoder(enveloped).encode("topic", stamped)


def test_stock_is_keyed_by_store_and_product() -> None:
    messages = _encoded(STOCK, MOVES)
    assert messages.keys == [b'{"store_id": 1, "product_id": 7}'] * 2
    assert messages.values[1] is not None
    assert json.loads(messages.values[1]) == {
        "before": {"store_id": 1, "product_id": 7, "on_hand": 5},
        "after": {"store_id": 1, "product_id": 7, "on_hand": 3},
        "source": {
            "connector": "retail-datagen",
            "db": "retail",
            "table": "store_stock",
            "ts_ms": (5 * 3600 + 3661) * 1000,
            "ts": "1970-01-01 01:01:01",
            "seq": 2,
            "snapshot": "false",
        },
        "op": "u",
        "ts_ms": (5 * 3600 + 3661) * 1000,
    }
    first = json.loads(messages.values[0] or b"")
    assert first["before"] is None
    assert first["source"]["snapshot"] == "true"


def test_a_deletion_is_followed_by_a_tombstone() -> None:
    messages = _encoded(ORDERS, pa.Table.from_pylist(CHANGES))
    assert len(messages) == 4
    assert messages.keys == [b'{"order_id": "ORD\\"1"}'] * 4
    told = [json.loads(value) for value in messages.values if value is not None]
    assert [change["op"] for change in told] == ["c", "u", "d"]
    assert [(c["before"] or {}).get("status") for c in told] == [None, "CREATED", "CANCELLED"]
    assert told[2]["after"] is None
    assert messages.values[3] is None
    deletion, tombstone = dict(list(messages.headers)[2]), dict(list(messages.headers)[3])
    assert tombstone.pop("event_id") == deletion.pop("event_id") + b"-tombstone"
    assert tombstone == deletion


@pytest.mark.parametrize("enveloped", [False, True])
@pytest.mark.parametrize(
    ("table", "rows"), [(STOCK, MOVES), (ORDERS, pa.Table.from_pylist(CHANGES))]
)
def test_changes_are_read_back_as_they_were(table: Table, rows: pa.Table, enveloped: bool) -> None:
    messages = _encoded(table, rows, enveloped)
    read = read_json(table, [value for value in messages.values if value is not None], enveloped)
    assert not read.refused
    assert read.rows.to_pylist() == _rows(table, rows).to_pylist()


def test_without_rows_there_are_no_messages() -> None:
    assert len(_encoded(ORDERS, pa.Table.from_pylist(CHANGES).slice(0, 0))) == 0
