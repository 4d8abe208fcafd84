"""Rows as JSON, one object a row, built a column at a time.

`{"StoreID": 7, "EventTS": "2024-01-17 08:30:45", "Total": 28.06, "PromoCode": null}`
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.wire.texts import content, joined, texts_of

Piece: TypeAlias = "str | pa.Array"
"""Constant text, or a text for each row."""


def json_lines(batch: pa.RecordBatch, lead: str = "{") -> bytes:
    """The rows of a batch as JSON objects, each ended by a line feed.

    `lead` begins each object, such as `{"table": "receipts", `.
    """
    return lines([lead, *members(batch), "}"]) if batch.num_rows else b""


def lines(pieces: Sequence[Piece]) -> bytes:
    """Pieces joined row by row, each row ended by a line feed; at least one is a column."""
    merged: list[Piece] = []
    for piece in [*pieces, "\n"]:
        if isinstance(piece, str) and merged and isinstance(merged[-1], str):
            merged[-1] += piece
        else:
            merged.append(piece)
    return content(joined([pa.scalar(p) if isinstance(p, str) else p for p in merged]))


def members(batch: pa.RecordBatch) -> list[Piece]:
    """What stands between the braces of an object: names and values of all columns."""
    pieces: list[Piece] = []
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        pieces.append(f"{', ' if pieces else ''}{json.dumps(name)}: ")
        pieces += value(column)
    return pieces


def value(column: pa.Array) -> list[Piece]:
    """A column's values as JSON; without null, quotes are left to whoever joins."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return [_chosen(column)]
    texts = texts_of(column)
    if pa.types.is_string(kind):
        texts = escaped(texts)
    quoted = pa.types.is_string(kind) or pa.types.is_timestamp(kind) or pa.types.is_date(kind)
    if not texts.null_count:
        return ['"', texts, '"'] if quoted else [texts]
    if quoted:
        texts = joined([pa.scalar('"'), texts, pa.scalar('"')])
    return [texts.fill_null("null")]


def escaped(texts: pa.Array) -> pa.Array:
    """Texts as they stand between the quotes of JSON; null stays null."""
    data = content(texts)
    if not data:
        return texts
    if int(np.frombuffer(data, np.uint8).min()) < 0x20:
        # Control characters are so rare that they may cost a step for each row.
        told = [None if t is None else _inside(t) for t in texts.to_pylist()]
        return pa.array(told, pa.string())
    if b"\\" in data:
        texts = pc.replace_substring(texts, "\\", "\\\\")
    if b'"' in data:
        texts = pc.replace_substring(texts, '"', '\\"')
    return texts


def _chosen(column: pa.DictionaryArray) -> pa.Array:
    """A category's values: its words are quoted once, where they are fewer than the rows."""
    words = column.dictionary.cast(pa.string())
    if len(words) > len(column):
        column = words.take(column.indices).dictionary_encode()
        words = column.dictionary
    quoted = joined([pa.scalar('"'), escaped(words), pa.scalar('"')])
    return (
        pa.DictionaryArray.from_arrays(column.indices, quoted).cast(pa.string()).fill_null("null")
    )


def _inside(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]
