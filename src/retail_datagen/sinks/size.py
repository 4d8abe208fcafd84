"""How large a partition is as a sink writes it, without writing it anywhere: for estimates."""

from __future__ import annotations

import pyarrow as pa

from retail_datagen.core.files import HashingFile, Nowhere
from retail_datagen.schema.table import Table
from retail_datagen.sinks.base import conform
from retail_datagen.sinks.file import FORMATS
from retail_datagen.sinks.jsonl import write_jsonl
from retail_datagen.wire.json import json_lines

_BATCH_ROWS = 65_536
_WRITERS = {**FORMATS, "jsonl": write_jsonl}


def encoded_bytes(format: str, table: Table, data: pa.Table) -> int:
    """Bytes of a partition in the `format` of a sink; of memory where that is no file's."""
    if format == "json":
        batches = conform(table, data).to_batches(max_chunksize=_BATCH_ROWS)
        return sum(len(json_lines(batch)) - batch.num_rows for batch in batches)
    write = _WRITERS.get(format)
    if write is None:
        return int(data.nbytes)
    file = HashingFile(Nowhere())
    write(table, conform(table, data), file)
    return file.bytes
