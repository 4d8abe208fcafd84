"""Messages: keys, headers, and content that does not depend on how it is cut."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import PLAIN, ROW, TABLE, Row, stamped, table_of

from retail_datagen.schema import Column, Kind, Table
from retail_datagen.wire.messages import Content, json_encoder
from retail_datagen.wire.texts import id_bytes, repeated_bytes, utc_bytes


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=20))
def test_each_row_is_a_message_with_its_key_and_stamps(rows: list[Row]) -> None:
    messages = json_encoder(envelope=False).encode("t", stamped(rows, first=41))
    assert len(messages) == len(rows)
    assert messages.keys == [str(row["StoreID"]).encode() for row in rows]
    for number, (row, headers) in enumerate(zip(rows, messages.headers, strict=True), 41):
        assert dict(headers) == {
            "event_id": b"price_checks-20240117-%08d" % number,
            "schema_version": b"3",
            "event_time": f"{row['EventTS']:%Y-%m-%dT%H:%M:%S}.000Z".encode(),
        }


def test_event_time_is_the_instant() -> None:
    messages = json_encoder(envelope=False).encode("t", stamped([PLAIN], zone="America/New_York"))
    assert dict(next(iter(messages.headers)))["event_time"] == b"2024-01-17T13:30:45.000Z"


@settings(deadline=None)
@given(st.lists(ROW, min_size=1, max_size=20), st.integers(1, 20), st.booleans())
def test_content_is_the_same_however_it_is_cut(rows: list[Row], size: int, envelope: bool) -> None:
    encoder = json_encoder(envelope)
    whole, cut = Content(), Content()
    whole.add(encoder.encode("t", stamped(rows)))
    for first in range(0, len(rows), size):
        cut.add(encoder.encode("t", stamped(rows).slice(first, size)))
    assert (cut.sha256, cut.bytes, cut.messages) == (whole.sha256, whole.bytes, len(rows))


def test_content_differs_by_a_byte_and_by_a_border() -> None:
    def digest(rows: list[Row]) -> str:
        content = Content()
        content.add(json_encoder(envelope=False).encode("t", stamped(rows)))
        return content.sha256

    assert digest([PLAIN]) != digest([{**PLAIN, "StoreID": 8}])
    assert digest([PLAIN, PLAIN]) != digest([PLAIN])


def test_a_key_that_is_absent_is_none() -> None:
    table = Table("t", "", (Column("Who", Kind.TEXT, "", null=True),), ("Who",))
    rows = stamped([{"Who": "ä"}, {"Who": None}], table=table)
    assert json_encoder(envelope=False).encode("t", rows).keys == ["ä".encode(), None]


def test_no_rows_are_no_messages() -> None:
    assert len(json_encoder(envelope=True).encode("t", stamped([]))) == 0


@settings(deadline=None)
@given(st.lists(st.integers(-(10**11), 10**14), max_size=5))
def test_instants_are_read_back(instants: list[int]) -> None:
    import numpy as np

    found = utc_bytes(np.array(instants, dtype=np.int64))
    assert [
        round((datetime.fromisoformat(text.decode()).timestamp()) * 1000) for text in found
    ] == instants


@settings(deadline=None)
@given(st.lists(st.text(max_size=4).filter(lambda t: t.isprintable())))
def test_texts_as_bytes(texts: list[str]) -> None:
    import pyarrow as pa

    column = pa.array(["x", *texts, "y"], pa.string()).slice(1, len(texts))
    encoded = [text.encode() for text in texts]
    assert repeated_bytes(column) == encoded
    assert id_bytes(column) == encoded


def test_the_envelope_is_a_cloud_event() -> None:
    messages = json_encoder(envelope=True).encode("t", stamped([PLAIN], first=42))
    assert messages.values[0] is not None
    event = json.loads(messages.values[0], parse_float=str)
    data = event.pop("data")
    assert event == {
        "specversion": "1.0",
        "id": "price_checks-20240117-00000042",
        "source": "/retail-datagen/retail/price_checks",
        "type": "retail.price_checks",
        "time": "2024-01-17T08:30:45.000Z",
        "traceid": "TRC0000000006",
        "schemaversion": "3",
        "sequence": "20240117-00000042",
        "datacontenttype": "application/json",
    }
    assert data["Price"] == "28.06"
    assert list(data) == list(TABLE.header)
    assert dict(next(iter(messages.headers)))["content-type"] == (
        b"application/cloudevents+json; charset=UTF-8"
    )


@pytest.mark.parametrize(
    "name",
    [
        "retail_customer_events-SIM7-1795665307125-000042",
        "live1732899600000-retail_sales_transactions-20241129-00000042",
    ],
)
def test_only_identifiers_of_a_history_give_a_sequence(name: str) -> None:
    import pyarrow as pa

    told = replace(stamped([PLAIN]), event_id=pa.array([name]))
    event = json.loads(json_encoder(envelope=True).encode("t", told).values[0] or b"")
    assert event["id"] == name
    assert "sequence" not in event


@pytest.mark.parametrize("kind", [Kind.TEXT, Kind.CATEGORY])
def test_the_envelope_takes_its_type_from_the_column_that_has_it(kind: Kind) -> None:
    columns = (Column("event_type", kind, ""), Column("EventTS", Kind.TIMESTAMP, ""))
    table = Table("t", "", columns, ())
    rows = [{"event_type": f"type {i}", "EventTS": datetime(2024, 1, 17)} for i in range(2)]
    values = json_encoder(envelope=True).encode("t", stamped(rows, table=table)).values
    events = [json.loads(value or b"") for value in values]
    assert [event["type"] for event in events] == ["type 0", "type 1"]
    assert [event["traceid"] for event in events] == [event["id"] for event in events]


def test_rows_of_several_chunks_are_one_batch() -> None:
    import pyarrow as pa

    from retail_datagen.schema.stamps import stamp

    data = pa.concat_tables([table_of([PLAIN]), table_of([{**PLAIN, "Tender": "CASH"}])])
    messages = json_encoder(envelope=False).encode("t", stamp(TABLE, 1, 0, data, "UTC"))
    assert [json.loads(v or b"")["Tender"] for v in messages.values] == ["CARD", "CASH"]
