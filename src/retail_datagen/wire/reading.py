"""Messages become rows again: JSON as our encoders write it, plain, enveloped, or of changes.

Nothing is believed of a message: what does not fit its table is refused, with the reason, and the
others are read all the same.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pajson

from retail_datagen.core.arrays import I64, Bool
from retail_datagen.schema.table import Table

_MOST_BRACKETS = 1_000
HEAD = len(b"\0idid")
"""What stands before the content where a schema registry knows its schema."""
_BINARY = "is in a format of a schema registry, and none was named (--registry)"
_NOT_JSON = "is no JSON object with the columns of its table"


@dataclass(frozen=True, slots=True)
class Refused:
    """A message, by its place among those given, and why it is no row."""

    place: int
    reason: str


@dataclass(frozen=True, slots=True)
class Read:
    """Rows of a table, each with the `place` of its message, in order; and what was refused."""

    rows: pa.Table
    place: I64
    refused: tuple[Refused, ...]


def read_json(table: Table, values: Sequence[bytes], enveloped: bool = False) -> Read:
    """The rows of messages; with `enveloped`, of the `data` of CloudEvents."""
    # Of changes only messages of their own have Debezium's shape.
    nested = table.changes is not None and not enveloped
    schema = _nested_schema(table) if nested else _flat_schema(table)
    if enveloped:
        schema = pa.schema([pa.field("data", pa.struct(list(schema)))])
    values = [_without_head(value) for value in values]
    refused: list[Refused] = []
    made = [
        part
        for run in _objects_only(values, refused)
        for part in _made(run, lambda place: _objects(schema, [values[p] for p in place]))
    ]
    found, place = _joined(schema, made, refused)
    if enveloped:
        data = found["data"].combine_chunks()
        found = pa.Table.from_arrays(data.flatten(), names=[f.name for f in data.type])
    if nested:
        found = _flat(table, found.combine_chunks())
    return _fitting(table, found, place, refused)


def is_by_registry(value: bytes) -> bool:
    """Whether it takes a schema registry to read a message: it is no JSON, but names a schema."""
    return value.startswith(b"\0") and value[HEAD : HEAD + 1] != b"{"


def read_objects(table: Table, objects: Sequence[Mapping[str, object] | Refused]) -> Read:
    """The rows of messages that were made objects already, or could not be."""
    refused = [told for told in objects if isinstance(told, Refused)]
    sound = [number for number, told in enumerate(objects) if not isinstance(told, Refused)]
    schema = pa.schema([pa.field(c.name, _plain(c.arrow_type)) for c in table.columns])

    def columns(place: Sequence[int]) -> pa.Table | str:
        try:
            return pa.Table.from_pylist([objects[number] for number in place], schema=schema)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
            return f"does not fit the columns of its table: {error}"

    found, where = _joined(schema, _made(sound, columns), refused)
    return _fitting(table, found, where, refused)


def _made(
    place: Sequence[int], make: Callable[[Sequence[int]], pa.Table | str]
) -> Iterator[tuple[Sequence[int], pa.Table | str]]:
    """Rows of messages together; where that fails, of halves, until the culprits are alone.

    What is told of a culprit is why it is no row.
    """
    if not place:
        return
    found = make(place)
    if isinstance(found, pa.Table) or len(place) == 1:
        yield place, found
        return
    half = len(place) // 2
    yield from _made(place[:half], make)
    yield from _made(place[half:], make)


def _joined(
    schema: pa.Schema,
    made: Iterable[tuple[Sequence[int], pa.Table | str]],
    refused: list[Refused],
) -> tuple[pa.Table, I64]:
    """(rows, the place of each); culprits join those that are refused."""
    parts: list[pa.Table] = []
    places: list[I64] = []
    for place, found in made:
        if isinstance(found, pa.Table):
            parts.append(found)
            places.append(np.fromiter(place, dtype=np.int64, count=len(place)))
        else:
            refused.append(Refused(place[0], found))
    if not parts:
        return schema.empty_table(), np.zeros(0, dtype=np.int64)
    return pa.concat_tables(parts), np.concatenate(places)


def _flat_schema(table: Table) -> pa.Schema:
    """How pyarrow is to read the JSON objects of a table; it knows no categories and no dates."""
    return pa.schema([pa.field(c.name, _readable(c.arrow_type)) for c in table.columns])


def _nested_schema(table: Table) -> pa.Schema:
    """The same for changes, as `debezium` nests them."""
    assert table.changes
    fields = {field.name: field for field in _flat_schema(table)}
    key = [fields[name] for name in table.changes.key]
    state = [
        pa.field(name.removeprefix("after_"), fields[name].type)
        for name in table.header
        if name.startswith("after_")
    ]
    row = pa.struct([*key, *state])
    source = pa.struct([("ts", fields["source_ts"].type), ("seq", fields["source_seq"].type)])
    return pa.schema([("before", row), ("after", row), ("source", source), fields["op"]])


def _readable(kind: pa.DataType) -> pa.DataType:
    return pa.timestamp("s") if pa.types.is_date(kind) else _plain(kind)


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_dictionary(kind) else kind


def _without_head(value: bytes) -> bytes:
    """JSON without what stands before it where a schema registry knows its schema."""
    return value[HEAD:] if value.startswith(b"\0") and value[HEAD : HEAD + 1] == b"{" else value


def _objects_only(values: Sequence[bytes], refused: list[Refused]) -> Iterator[range]:
    """Runs of values that may be objects, by their places.

    pyarrow ends the process at a `null` that stands alone, and where brackets are nested deeply
    enough.
    """
    first = 0
    for place, value in enumerate(values):
        if not value.startswith(b"{") or value.count(b"{") + value.count(b"[") > _MOST_BRACKETS:
            refused.append(Refused(place, _BINARY if value.startswith(b"\0") else _NOT_JSON))
            yield range(first, place)
            first = place + 1
    yield range(first, len(values))


def _objects(schema: pa.Schema, values: Sequence[bytes]) -> pa.Table | str:
    """A row for each JSON object, or what is wrong with them."""
    text = b"\n".join(values)
    if text.count(b"\n") != len(values) - 1:
        return "holds a line feed"
    try:
        found = pajson.read_json(
            io.BytesIO(text),
            read_options=pajson.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=pajson.ParseOptions(
                explicit_schema=schema, unexpected_field_behavior="ignore"
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        return f"{_NOT_JSON}: {error}" if len(values) == 1 else _NOT_JSON
    # Empty lines are skipped, which must not shift the others.
    return found if found.num_rows == len(values) else _NOT_JSON


def _flat(table: Table, found: pa.Table) -> pa.Table:
    """Changes as their table has them, of `before`, `after`, `source` and `op`."""
    assert table.changes
    sides = {lead: _members(found[lead]) for lead in ("before", "after")}
    source = _members(found["source"])
    columns: dict[str, pa.Array] = {
        "op": found["op"],
        "source_ts": source["ts"],
        "source_seq": source["seq"],
    }
    for name in table.header:
        lead, _, column = name.partition("_")
        if name in table.changes.key:
            columns[name] = pc.coalesce(sides["after"][name], sides["before"][name])
        elif lead in sides:
            columns[name] = sides[lead][column]
    return pa.table({name: columns[name] for name in table.header})


def _members(column: pa.ChunkedArray) -> dict[str, pa.Array]:
    """The fields of a struct, null where it is itself."""
    struct = column.combine_chunks()
    return dict(zip((f.name for f in struct.type), struct.flatten(), strict=True))


def _fitting(table: Table, found: pa.Table, place: I64, refused: list[Refused]) -> Read:
    """Rows as the table declares them, less those that lack what must not be null."""
    whole: Bool = np.ones(found.num_rows, dtype=np.bool_)
    for column in table.columns:
        if not column.null and found[column.name].null_count:
            there = found[column.name].is_valid().to_numpy()
            lacking = place[whole & ~there]
            refused += [Refused(int(p), f"has no {column.name}") for p in lacking]
            whole &= there
    if not whole.all():
        found, place = found.filter(pa.array(whole)), place[whole]
    refused.sort(key=lambda entry: entry.place)
    return Read(found.cast(_declared(table), safe=False), place, tuple(refused))


def _declared(table: Table) -> pa.Schema:
    """Nothing but the plain types: texts where the table has categories."""
    return pa.schema(
        [pa.field(c.name, _plain(c.arrow_type), nullable=c.null) for c in table.columns]
    )
