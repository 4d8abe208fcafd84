"""How a table is written as Parquet: the settings of each column, derived from its declaration.

Measured with pyarrow 26 on half a million rows, zstd level 1, in ns and bytes a row:

- money DELTA uncompressed 14 / 1.87, with zstd 20 / 1.87, pyarrow's default 53 / 1.80;
  few distinct prices DICTIONARY 23 / 0.98, DELTA 21 / 1.78;
- sorted times DELTA 18 / 0.23, default 30 / 2.17;
- identifiers in sequence PLAIN 47 / 0.38, DELTA_TEXT 75 / 0.09, default 75 / 5.21;
- identifiers that repeat from row to row, a receipt's on its lines, PLAIN 20 / 0.38,
  DELTA_TEXT 56 / 0.56, default 63 / 2.19: there zstd alone is best;
- keys without order, StoreID by time, DELTA uncompressed 8 / 1.43, DICTIONARY 19 / 1.26;
- statistics cost nothing on numbers and short categories, and a sixth of all on identifiers, where
  they and the page index let readers jump to a receipt or a trace. Categories that name rows of
  another table, such as beacons, have none: they come at random, so that bounds say nothing, and
  every page would walk all their texts, which doubled the cost of ble_pings;
- page checksums, which let readers tell a damaged page, cost two in a hundred.

BYTE_STREAM_SPLIT for integers would be faster still, but readers of today's clusters (Spark 3)
do not know it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from retail_datagen.schema.table import Column, Encoding, Kind, Table

ROW_GROUP_ROWS = 1 << 20
"""Rows per row group: large enough that a day is one to a few, small enough to bound memory."""

_LEVEL = 1


@dataclass(frozen=True, slots=True)
class ParquetSettings:
    """Writer settings of one table, in pyarrow's terms; `arguments` is what its writer takes."""

    dictionary: list[str]
    encoding: dict[str, str]
    compression: dict[str, str]
    level: dict[str, int]
    statistics: list[str]
    row_group_rows: int = field(default=ROW_GROUP_ROWS)

    @property
    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of `pyarrow.parquet.ParquetWriter`."""
        return {
            "use_dictionary": self.dictionary or False,
            "column_encoding": self.encoding or None,
            "compression": self.compression,
            "compression_level": self.level,
            # pyarrow reads an empty list as "all columns".
            "write_statistics": self.statistics or False,
            "write_page_index": True,
            "write_page_checksum": True,
            # Readers that do not know decimal64 find the standard decimal instead.
            "store_schema": False,
            "store_decimal_as_integer": True,
        }


def parquet_settings(table: Table) -> ParquetSettings:
    """The writer settings of `table`, column by column."""
    columns = table.columns
    packed = {c.name for c in columns if _is_packed(c)}
    return ParquetSettings(
        dictionary=[c.name for c in columns if c.storage is Encoding.DICTIONARY],
        encoding={c.name: _encoding(c) for c in columns if c.storage is not Encoding.DICTIONARY},
        compression={c.name: "none" if c.name in packed else "zstd" for c in columns},
        level={c.name: _LEVEL for c in columns if c.name not in packed},
        statistics=[c.name for c in columns if c.kind is not Kind.CATEGORY or not c.references],
    )


def write_parquet(table: Table, data: pa.Table, where: Any) -> None:
    """Write `data`, which has the Arrow schema of `table`, to a path or binary file object."""
    settings = parquet_settings(table)
    data = pa.Table.from_arrays([_distinct(column) for column in data.columns], schema=data.schema)
    with pq.ParquetWriter(where, data.schema, **settings.arguments) as writer:
        writer.write_table(data, row_group_size=settings.row_group_rows)


def _distinct(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column with no text twice in its dictionary.

    pyarrow 26 writes a dictionary with repeated texts as plain texts, slowly, behind a page that
    ends in memory that it never set: other bytes each time.
    """
    if not pa.types.is_dictionary(column.type):
        return column
    return pa.chunked_array([_distinct_chunk(chunk) for chunk in column.chunks], column.type)


def _distinct_chunk(chunk: pa.DictionaryArray) -> pa.DictionaryArray:
    again = chunk.dictionary.dictionary_encode()
    if len(again.dictionary) == len(chunk.dictionary):
        return chunk
    return pa.DictionaryArray.from_arrays(again.indices.take(chunk.indices), again.dictionary)


def _is_packed(column: Column) -> bool:
    """Whether bit-packing leaves nothing for a compressor: money and keys without order."""
    return column.kind in (Kind.MONEY, Kind.INT) and column.storage is Encoding.DELTA


def _encoding(column: Column) -> str:
    if column.storage is Encoding.DELTA:
        return "DELTA_BINARY_PACKED"
    if column.storage is Encoding.DELTA_TEXT:
        return "DELTA_BYTE_ARRAY"
    return "PLAIN"
