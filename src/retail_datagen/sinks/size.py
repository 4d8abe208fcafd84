"""How large a partition is as a sink writes it, without writing it anywhere: for estimates."""

from __future__ import annotations

import pyarrow as pa

from retail_datagen.core.files import HashingFile
from retail_datagen.schema.table import Table
from retail_datagen.sinks.base import conform
from retail_datagen.sinks.file import FORMATS
from retail_datagen.sinks.jsonl import write_jsonl

_WRITERS = {**FORMATS, "jsonl": write_jsonl}


class _Nowhere:
    """Takes bytes and forgets them."""

    def write(self, data: bytes, /) -> object:
        return None

    def flush(self) -> object:
        return None


def encoded_bytes(format: str, table: Table, data: pa.Table) -> int:
    """Bytes of a partition in the `format` of a sink; of memory where that is no file's."""
    write = _WRITERS.get(format)
    if write is None:
        return int(data.nbytes)
    file = HashingFile(_Nowhere())
    write(table, conform(table, data), file)
    return file.bytes
