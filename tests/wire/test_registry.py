"""Messages with a schema are read back by readers that are not ours."""

from __future__ import annotations

import base64
import io
import json
import uuid
from typing import Any

import fastavro
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rows import PLAIN, ROW, TABLE, Row, as_json, stamped

from retail_datagen.config.errors import UserError
from retail_datagen.wire.messages import Encoder
from retail_datagen.wire.registry import SchemaValues
from retail_datagen.wire.registry_reading import SchemaReader
from retail_datagen.wire.schemas import avro_schema, json_schema

pytest.importorskip("confluent_kafka")
TOPIC = "retail-price-checks"


def values_of(format: str, rows: list[Row]) -> tuple[SchemaValues, list[bytes]]:
    made = SchemaValues(format, {"url": f"mock://{uuid.uuid4().hex}"})
    return made, [value or b"" for value in made(TOPIC, stamped(rows))]


def registered(made: SchemaValues) -> str:
    found = made.client.get_latest_version(f"{TOPIC}-value").schema.schema_str
    assert found is not None
    return str(found)


def body(value: bytes, index: bytes = b"") -> bytes:
    """What follows the wire format's zero, schema id and index of the message."""
    assert value[0] == 0
    assert value[5 : 5 + len(index)] == index
    return value[5 + len(index) :]


QUICK = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])


@QUICK
@given(st.lists(ROW, min_size=1, max_size=5))
def test_avro(rows: list[Row]) -> None:
    _, values = values_of("avro", rows)
    schema = fastavro.parse_schema(avro_schema(TABLE))
    found = [fastavro.schemaless_reader(io.BytesIO(body(v)), schema, None) for v in values]
    assert found == rows


@QUICK
@given(st.lists(ROW, min_size=1, max_size=5))
def test_json_schema(rows: list[Row]) -> None:
    made, values = values_of("json-schema", rows)
    validator = jsonschema.Draft7Validator(json_schema(TABLE))
    jsonschema.Draft7Validator.check_schema(json_schema(TABLE))
    for value, row in zip(values, rows, strict=True):
        found = json.loads(body(value))
        assert not list(validator.iter_errors(found))
        assert found["Note"] == row["Note"]
        assert found["Price"] == pytest.approx(float(row["Price"]))
        assert found["EventTS"] == as_json(row)["EventTS"]
    assert json.loads(registered(made)) == json_schema(TABLE)


@QUICK
@given(st.lists(ROW, min_size=1, max_size=5))
def test_protobuf(rows: list[Row]) -> None:
    from retail_datagen.wire.protobuf import message_class

    _, values = values_of("protobuf", rows)
    kind = message_class(TABLE)
    for value, row in zip(values, rows, strict=True):
        message = kind.FromString(body(value, b"\x00"))
        for name, shown in as_json(row).items():
            if TABLE.column(name).null:
                assert message.HasField(name) == (shown is not None), name
            if shown is not None:
                assert getattr(message, name) == shown, name


@pytest.mark.parametrize("format", ["avro", "protobuf", "json-schema"])
def test_the_schema_is_registered_for_the_topic(format: str) -> None:
    made, _ = values_of(format, [PLAIN])
    schema = registered(made)
    if format == "protobuf":
        schema = base64.b64decode(schema).decode(errors="replace")
    assert "PriceChecks" in schema


@pytest.mark.parametrize("format", ["avro", "protobuf", "json-schema"])
def test_the_envelope_is_in_the_headers(format: str) -> None:
    made, _ = values_of(format, [PLAIN])
    messages = Encoder(f"{format}+cloudevents", made, envelope=True).encode(TOPIC, stamped([PLAIN]))
    headers: dict[str, Any] = dict(next(iter(messages.headers)))
    assert headers["ce_id"] == headers["event_id"] == b"price_checks-20240117-00000000"
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_type"] == b"retail.price_checks"
    assert headers["ce_time"] == b"2024-01-17T08:30:45.000Z"
    assert headers["ce_schemaversion"] == b"3"


@pytest.mark.parametrize("format", ["avro", "protobuf"])
@QUICK
@given(rows=st.lists(ROW, min_size=1, max_size=5))
def test_what_is_written_is_read_again(format: str, rows: list[Row]) -> None:
    made, values = values_of(format, rows)
    read = SchemaReader(made.client)(TABLE, TOPIC, values)
    assert read.refused == ()
    assert read.place.tolist() == list(range(len(rows)))
    assert read.rows.to_pylist() == rows


@pytest.mark.parametrize("format", ["avro", "protobuf"])
def test_what_cannot_be_read_is_refused_and_the_others_are_read(format: str) -> None:
    made, (value,) = values_of(format, [PLAIN])
    broken = [value[:9], b"\0\0\0\x99\x99abc", b"\0", value]
    read = SchemaReader(made.client)(TABLE, TOPIC, broken)
    assert read.place.tolist() == [3]
    assert [bad.place for bad in read.refused] == [0, 1, 2]
    assert all("schema" in bad.reason for bad in read.refused)


def test_a_reader_says_when_the_registry_does_not_answer() -> None:
    reader = SchemaReader.of({"url": "http://clerk:t0psecret@127.0.0.1:1"})
    with pytest.raises(UserError, match="schema registry cannot be asked") as error:
        reader(TABLE, TOPIC, [b"\0\0\0\0\1abc"])
    assert "t0psecret" not in str(error.value)


def test_a_registry_that_does_not_answer_is_told_without_its_password() -> None:
    made = SchemaValues("avro", {"url": "http://user:hidden@127.0.0.1:9", "max.retries": 0})
    with pytest.raises(UserError, match="schema registry") as error:
        made(TOPIC, stamped([PLAIN]))
    assert "hidden" not in str(error.value)
