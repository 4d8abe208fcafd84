"""Protobuf messages of tables, made while running: one file, one message for each table.

Only this module and `registry` need Google's `protobuf`; the extra `kafka` has it.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from retail_datagen.schema.table import Column, Kind, Table
from retail_datagen.wire.schemas import record_name

_Field = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    Kind.INT: _Field.TYPE_INT32,
    Kind.LONG: _Field.TYPE_INT64,
    Kind.MONEY: _Field.TYPE_STRING,
    Kind.TIMESTAMP: _Field.TYPE_STRING,
    Kind.DATE: _Field.TYPE_STRING,
    Kind.TEXT: _Field.TYPE_STRING,
    Kind.CATEGORY: _Field.TYPE_STRING,
    Kind.FLAG: _Field.TYPE_BOOL,
    Kind.FLOAT: _Field.TYPE_DOUBLE,
}


def message_class(table: Table) -> type[Any]:
    """The class of a table's messages; fields are numbered as the columns stand, from 1."""
    file = descriptor_pb2.FileDescriptorProto(
        name=f"retail_datagen/{table.namespace}/{table.name}.proto",
        package=f"retail_datagen.{table.namespace}",
        syntax="proto3",
    )
    message = file.message_type.add(name=record_name(table))
    for number, column in enumerate(table.columns, 1):
        _add(message, number, column)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName(f"{file.package}.{message.name}")
    made: type[Any] = message_factory.GetMessageClass(found)
    return made


def _add(message: Any, number: int, column: Column) -> None:
    """A field; one that may be absent knows whether it is there."""
    field = message.field.add(
        name=column.name,
        number=number,
        type=_TYPES[column.kind],
        label=_Field.LABEL_OPTIONAL,
    )
    if column.null:
        field.proto3_optional = True
        field.oneof_index = len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{column.name}")
