"""Schemas of messages, derived from a table's declaration: Avro, Protobuf, JSON Schema.

Money is an exact decimal in Avro and a decimal text in Protobuf, which has no such type; times are
the business's wall clock, which both have no type for but Avro's `local-timestamp-millis`.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from retail_datagen.schema.table import Column, Kind, Table

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"

_AVRO: dict[Kind, Json] = {
    Kind.INT: "int",
    Kind.LONG: "long",
    Kind.MONEY: {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2},
    Kind.TIMESTAMP: {"type": "long", "logicalType": "local-timestamp-millis"},
    Kind.DATE: {"type": "int", "logicalType": "date"},
    Kind.TEXT: "string",
    Kind.CATEGORY: "string",
    Kind.FLAG: "boolean",
    Kind.FLOAT: "double",
}
_JSON: dict[Kind, dict[str, Json]] = {
    Kind.INT: {"type": "integer"},
    Kind.LONG: {"type": "integer"},
    Kind.MONEY: {"type": "number"},
    Kind.TIMESTAMP: {"type": "string", "pattern": r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$"},
    Kind.DATE: {"type": "string", "format": "date"},
    Kind.TEXT: {"type": "string"},
    Kind.CATEGORY: {"type": "string"},
    Kind.FLAG: {"type": "boolean"},
    Kind.FLOAT: {"type": "number"},
}


def record_name(table: Table) -> str:
    """The name of a table's rows as a type: `ReceiptLines`."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", table.name))


def avro_schema(table: Table) -> Json:
    """An Avro record; columns that may be absent are unions with null, which is their default."""
    return {
        "type": "record",
        "name": record_name(table),
        "namespace": table.namespace,
        "doc": table.doc,
        "fields": [_avro_field(column) for column in table.columns],
    }


def json_schema(table: Table) -> Json:
    """A JSON Schema, draft 7, of the messages that the format `json` has."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": record_name(table),
        "description": table.doc,
        "type": "object",
        "properties": {column.name: _json_property(column) for column in table.columns},
        "required": list(table.header),
        "additionalProperties": False,
    }


def _avro_field(column: Column) -> Json:
    kind = _AVRO[column.kind]
    field: dict[str, Json] = {"name": column.name, "doc": column.doc}
    if column.null:
        return {**field, "type": ["null", kind], "default": None}
    return {**field, "type": kind}


def _json_property(column: Column) -> Json:
    kind = dict(_JSON[column.kind])
    if column.words:
        kind["enum"] = [*column.words, None] if column.null else list(column.words)
    if column.null:
        kind["type"] = [kind["type"], "null"]
    return {**kind, "description": column.doc}
