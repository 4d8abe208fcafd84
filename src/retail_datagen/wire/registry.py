"""Messages with a schema: Avro, Protobuf and JSON Schema by Confluent's serializers and registry.

A row costs some ten microseconds here, where the columns of plain JSON cost a tenth of that: these
serializers take one row at a time. Needs the extra `kafka`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from retail_datagen.config.errors import UserError
from retail_datagen.schema.stamps import Stamped
from retail_datagen.schema.table import Table
from retail_datagen.wire.json import json_lines
from retail_datagen.wire.protobuf import message_class
from retail_datagen.wire.schemas import avro_schema, json_schema
from retail_datagen.wire.texts import texts_of

Rows = list[Any]
"""A row each, as a serializer takes it."""


class WireError(UserError):
    """A schema registry that does not answer, or refuses a schema."""


class SchemaValues:
    """Message values by a schema registry; a schema is registered with a topic's first message."""

    def __init__(self, format: str, settings: Mapping[str, Any]) -> None:
        self._make, self._rows = _FORMATS[format]
        self._url = str(settings["url"])
        self.client = client_of(settings)
        self._serializers: dict[tuple[str, int], Any] = {}

    def __call__(self, topic: str, stamped: Stamped) -> list[bytes | None]:
        """The values of rows for a topic. Raises WireError."""
        key = topic, stamped.table.schema_version
        serialize = self._serializers.get(key)
        if serialize is None:
            serialize = self._serializers[key] = self._make(self.client, stamped.table)
        context = SerializationContext(topic, MessageField.VALUE)
        try:
            return [serialize(row, context) for row in self._rows(stamped)]
        except SchemaRegistryError as error:
            raise WireError(
                f"the schema registry refuses the schema of topic {topic}: {error.error_message} "
                f"(HTTP {error.http_status_code}); allow it there, or choose another --topic-prefix"
            ) from None
        except Exception as error:
            if not is_of_the_line(error):
                raise
            raise WireError(
                f"the schema registry cannot be asked about topic {topic}: {error}; see --registry"
            ) from None


def client_of(settings: Mapping[str, Any]) -> SchemaRegistryClient:
    """A registry's client. Raises WireError for settings that cannot be."""
    try:
        return SchemaRegistryClient.new_client(dict(settings))
    except ValueError as error:
        raise WireError(f"registry: the settings cannot be so: {error}") from None


def is_of_the_line(error: Exception) -> bool:
    """Whether the registry was not reached: the client's HTTP library has had several names."""
    return isinstance(error, OSError) or type(error).__module__.startswith("httpx")


def _avro(client: Any, table: Table) -> Any:
    return AvroSerializer(client, json.dumps(avro_schema(table)))


def _json_schema(client: Any, table: Table) -> Any:
    # Values are what the schema says, being made from the same declaration.
    return JSONSerializer(json.dumps(json_schema(table)), client, conf={"validate": False})


class _ProtobufSerializer:
    """Rows as tuples of values to Protobuf messages to bytes."""

    def __init__(self, client: Any, table: Table) -> None:
        self._message = message_class(table)
        self._serializer = ProtobufSerializer(
            self._message, client, {"use.deprecated.format": False}
        )

    def __call__(self, row: dict[str, Any], context: SerializationContext) -> bytes | None:
        # What is None is left out, which is what absent means.
        found: bytes | None = self._serializer(self._message(**row), context)
        return found


def _python_rows(stamped: Stamped) -> Rows:
    rows: Rows = stamped.rows.to_pylist()
    return rows


def _json_rows(stamped: Stamped) -> Rows:
    batch = stamped.rows.combine_chunks().to_batches()[0]
    return [json.loads(line) for line in json_lines(batch).split(b"\n")[:-1]]


def _protobuf_rows(stamped: Stamped) -> Rows:
    names = stamped.table.header
    columns = [_protobuf_column(stamped.rows[name].combine_chunks()) for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _protobuf_column(column: Any) -> list[Any]:
    import pyarrow as pa

    plain = pa.types.is_integer, pa.types.is_boolean, pa.types.is_floating
    as_it_is = any(is_so(column.type) for is_so in plain)
    values: list[Any] = (column if as_it_is else texts_of(column)).to_pylist()
    return values


_FORMATS: dict[str, tuple[Callable[[Any, Table], Any], Callable[[Stamped], Rows]]] = {
    "avro": (_avro, _python_rows),
    "protobuf": (_ProtobufSerializer, _protobuf_rows),
    "json-schema": (_json_schema, _json_rows),
}
