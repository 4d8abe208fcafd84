"""Messages with a schema become rows again: Avro and Protobuf, by Confluent's deserializers.

Which of the two a message is, and which schema it has, the registry knows by the number in its
head. JSON Schema's messages are JSON, which `reading` reads. Needs the extra `kafka`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from retail_datagen.schema.table import Column, Kind, Table
from retail_datagen.wire.protobuf import message_class
from retail_datagen.wire.reading import HEAD, Read, Refused, read_objects
from retail_datagen.wire.registry import WireError, client_of, is_of_the_line

Object = dict[str, Any]
Deserialize = Callable[[bytes, SerializationContext], Object]
_NOT_FOUND = 404
_FROM_TEXT: Mapping[Kind, Callable[[str], object]] = {
    Kind.MONEY: Decimal,
    Kind.TIMESTAMP: datetime.fromisoformat,
    Kind.DATE: date.fromisoformat,
}
"""What Protobuf has no type for is a text there."""


class SchemaReader:
    """Reads messages by a schema registry; each schema is asked for once."""

    def __init__(self, client: SchemaRegistryClient) -> None:
        self._client = client
        self._kinds: dict[bytes, str] = {}
        self._deserializers: dict[tuple[str, str], Deserialize] = {}

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> SchemaReader:
        """By the settings of a registry's client, of which there is a `url`. Raises WireError."""
        return cls(client_of(settings))

    def __call__(self, table: Table, topic: str, values: Sequence[bytes]) -> Read:
        """The rows of messages whose topic has the rows of `table`.

        What has another schema than the table is refused. Raises WireError where the registry does
        not answer.
        """
        context = SerializationContext(topic, MessageField.VALUE)
        objects: list[Object | Refused] = []
        for place, value in enumerate(values):
            try:
                objects.append(self._deserializer(table, value[:HEAD])(value, context))
            except Exception as error:
                if _is_the_registrys(error):
                    raise WireError(
                        f"the schema registry cannot be asked about topic {topic}: {error}; see "
                        "--registry, and run the same command again"
                    ) from None
                reason = " ".join(str(error).split()) or type(error).__name__
                objects.append(Refused(place, f"cannot be read by its schema: {reason}"))
        return read_objects(table, objects)

    def _deserializer(self, table: Table, head: bytes) -> Deserialize:
        kind = self._kinds.get(head)
        if kind is None:
            number = int.from_bytes(head[1:], "big")
            kind = self._kinds[head] = str(self._client.get_schema(number).schema_type)
        if kind not in _MAKERS:
            raise ValueError(f"a schema of the kind {kind} is not known here")
        key = table.name, kind
        if key not in self._deserializers:
            self._deserializers[key] = _MAKERS[kind](self._client, table)
        return self._deserializers[key]


def _is_the_registrys(error: Exception) -> bool:
    """Whether the registry failed, rather than a message."""
    if isinstance(error, SchemaRegistryError):
        return int(error.http_status_code) != _NOT_FOUND
    return is_of_the_line(error)


def _avro(client: SchemaRegistryClient, table: Table) -> Deserialize:
    deserialize: Deserialize = AvroDeserializer(client)
    return deserialize


def _protobuf(client: SchemaRegistryClient, table: Table) -> Deserialize:
    deserializer = ProtobufDeserializer(
        message_class(table), {"use.deprecated.format": False}, client
    )

    def deserialize(value: bytes, context: SerializationContext) -> Object:
        message = deserializer(value, context)
        return {column.name: _protobuf_value(message, column) for column in table.columns}

    return deserialize


def _protobuf_value(message: Any, column: Column) -> object:
    """A field's value. Raises ValueError for a text that does not say one."""
    if column.null and not message.HasField(column.name):
        return None
    value = getattr(message, column.name)
    try:
        return _FROM_TEXT[column.kind](value) if column.kind in _FROM_TEXT else value
    except (ValueError, InvalidOperation) as error:
        raise ValueError(f"{column.name} is {value!r}") from error


_MAKERS: Mapping[str, Callable[[SchemaRegistryClient, Table], Deserialize]] = {
    "AVRO": _avro,
    "PROTOBUF": _protobuf,
}
