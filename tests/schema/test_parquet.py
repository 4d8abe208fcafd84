"""Parquet as it is written: the encodings asked for, standard types, the same bytes every time."""

from __future__ import annotations

import hashlib
import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.parquet import write_parquet

TABLE = Table(
    "receipts",
    "",
    (
        Column("TraceId", Kind.TEXT, "", encoding=Encoding.DELTA_TEXT),
        Column("ReceiptId", Kind.TEXT, ""),
        Column("EventTS", Kind.TIMESTAMP, ""),
        Column("StoreID", Kind.INT, ""),
        Column("Units", Kind.LONG, "", null=True),
        Column("Total", Kind.MONEY, ""),
        Column("UnitPrice", Kind.MONEY, "", null=True, encoding=Encoding.DICTIONARY),
        Column("Day", Kind.DATE, ""),
        Column("Zone", Kind.CATEGORY, "", null=True),
        Column("Beacon", Kind.CATEGORY, "", references="beacons.BeaconId"),
        Column("Void", Kind.FLAG, ""),
        Column("Score", Kind.FLOAT, ""),
    ),
    ("ReceiptId",),
)


def money(cents: list[int | None]) -> pa.Array:
    values = [None if c is None else Decimal(c).scaleb(-2) for c in cents]
    return pa.array(values, pa.decimal64(12, 2))


def rows(n: int = 4) -> pa.Table:
    zones = pa.DictionaryArray.from_arrays(
        pa.array([None if i % 4 == 3 else i % 3 for i in range(n)], pa.int32()),
        pa.array(["ENTRANCE", "GROCERY", "TILL"]),
    )
    arrays = [
        pa.array([f"TRC{i:010d}" for i in range(n)], pa.string()),
        pa.array([f"RCP{i * 7919 % 1000:04d}" for i in range(n)], pa.string()),
        pa.array([1_704_097_845 + i for i in range(n)], pa.int64()).cast(pa.timestamp("s")),
        pa.array([15] * n, pa.int32()),
        pa.array([None if i % 2 else i for i in range(n)], pa.int64()),
        money([2806 - i for i in range(n)]),
        money([None if i % 2 else -5 for i in range(n)]),
        pa.array([19_723] * n, pa.int32()).cast(pa.date32()),
        zones,
        pa.array(["BEACON_1"] * n).dictionary_encode(),
        pa.array([i % 2 == 0 for i in range(n)], pa.bool_()),
        pa.array([i / 4 for i in range(n)], pa.float64()),
    ]
    return pa.Table.from_arrays(arrays, schema=TABLE.arrow)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("parquet") / "receipts.parquet"
    write_parquet(TABLE, rows(), path)
    return path


def test_each_column_is_stored_as_it_declares(path: Path) -> None:
    group = pq.ParquetFile(path).metadata.row_group(0)
    columns = {group.column(i).path_in_schema: group.column(i) for i in range(group.num_columns)}
    assert "DELTA_BYTE_ARRAY" in columns["TraceId"].encodings
    assert "RLE_DICTIONARY" not in columns["ReceiptId"].encodings
    for delta in ("EventTS", "Units", "Total"):
        assert "DELTA_BINARY_PACKED" in columns[delta].encodings
    for dictionary in ("StoreID", "UnitPrice", "Day", "Zone"):
        assert "RLE_DICTIONARY" in columns[dictionary].encodings
    assert columns["Total"].physical_type == "INT64"
    assert columns["Total"].compression == "UNCOMPRESSED"
    assert columns["UnitPrice"].compression == "ZSTD"
    assert {name for name, column in columns.items() if not column.is_stats_set} == {"Beacon"}
    assert columns["Zone"].statistics.null_count == 1
    assert columns["EventTS"].statistics.max == datetime(2024, 1, 1, 8, 30, 48)


def test_the_arrow_schema_stays_out_of_the_file(path: Path) -> None:
    assert pq.ParquetFile(path).metadata.metadata is None


def test_readers_can_jump_to_an_identifier_and_tell_a_damaged_page(path: Path) -> None:
    group = pq.ParquetFile(path).metadata.row_group(0)
    trace = group.column(0)
    assert trace.has_column_index
    assert trace.has_offset_index
    assert (trace.statistics.min, trace.statistics.max) == ("TRC0000000000", "TRC0000000003")
    whole = path.read_bytes()
    # The zone's texts are stored plainly behind the page's header.
    at = whole.index(b"ENTRANCE")
    damaged = whole[:at] + b"E" + b"X" + whole[at + 2 :]
    with pytest.raises(OSError, match="checksum"):
        pq.read_table(pa.BufferReader(damaged), page_checksum_verification=True)


def test_a_table_may_have_no_dictionaries_or_numbers_at_all() -> None:
    table = Table("t", "", (Column("Text", Kind.TEXT, ""),), ())
    data = pa.table({"Text": pa.array(["a", "a"])})
    sink = io.BytesIO()
    write_parquet(table, data, sink)
    column = pq.ParquetFile(io.BytesIO(sink.getvalue())).metadata.row_group(0).column(0)
    assert "RLE_DICTIONARY" not in column.encodings
    assert column.is_stats_set


def test_other_readers_see_the_standard_types(path: Path) -> None:
    expected = (datetime(2024, 1, 1, 8, 30, 45), Decimal("28.06"), Decimal("-0.05"), "ENTRANCE")
    names = ["EventTS", "Total", "UnitPrice", "Zone"]
    relation = duckdb.read_parquet(str(path))
    types = dict(zip(relation.columns, map(str, relation.types), strict=True))
    assert types["Total"] == "DECIMAL(12,2)"
    assert types["EventTS"] == "TIMESTAMP"
    assert relation.select(", ".join(names)).fetchall()[0] == expected
    assert pl.read_parquet(path).select(names).row(0) == expected
    frame = pd.read_parquet(path)[names]
    assert tuple(frame.iloc[0]) == expected
    assert pd.isna(frame["Zone"].iloc[3])
    assert pd.isna(frame["UnitPrice"].iloc[1])


def test_row_groups_are_bounded() -> None:
    table = Table("t", "", (Column("StoreID", Kind.INT, ""),), ())
    data = pa.Table.from_arrays([pa.array(np.zeros((1 << 20) + 5, np.int32))], schema=table.arrow)
    sink = io.BytesIO()
    write_parquet(table, data, sink)
    assert pq.ParquetFile(io.BytesIO(sink.getvalue())).metadata.num_row_groups == 2


def test_repeated_texts_in_a_dictionary_give_the_same_bytes_every_time() -> None:
    table = Table("t", "", (Column("Zone", Kind.CATEGORY, "", null=True),), ())
    rng = np.random.default_rng(1)
    texts = [f"BLE{n}" for n in rng.integers(0, 500, 1000)]
    codes = pa.array(rng.integers(0, 1000, 20_000), pa.int32(), mask=rng.random(20_000) < 0.1)
    repeated = pa.DictionaryArray.from_arrays(codes, pa.array(texts))
    plain = repeated.cast(pa.string())
    hashes = set()
    for _ in range(5):
        sink = io.BytesIO()
        write_parquet(table, pa.Table.from_arrays([repeated], schema=table.arrow), sink)
        hashes.add(hashlib.sha256(sink.getvalue()).hexdigest())
    file = pq.ParquetFile(io.BytesIO(sink.getvalue()))
    assert len(hashes) == 1
    assert "RLE_DICTIONARY" in file.metadata.row_group(0).column(0).encodings
    assert file.read()["Zone"].combine_chunks().equals(plain)
