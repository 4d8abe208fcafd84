"""How partitions are cut into files and described."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retail_datagen.core.calendar import to_day
from retail_datagen.partitions.layout import Partition
from retail_datagen.partitions.manifest import Manifest, Stamp
from retail_datagen.partitions.parts import (
    commit_partitions,
    event_times,
    remove_uncommitted,
    stage_partition,
    write_parts,
)
from retail_datagen.schema import Column, Kind, Table

DAY = to_day(date(2024, 3, 9))
ORDERS = Table(
    "orders",
    "",
    (
        Column("order_id", Kind.TEXT, ""),
        Column("updated_at", Kind.TIMESTAMP, "", null=True),
        Column("order_date", Kind.TIMESTAMP, ""),
        Column("channel", Kind.CATEGORY, ""),
    ),
    ("order_id",),
)
LINES = Table("lines", "", (Column("line", Kind.LONG, ""),), ("line",))
SIGNUPS = Table("signups", "", (Column("signup_date", Kind.DATE, ""),), ())
STAMP = Stamp("batch", "1.0", "c" * 64)


def orders(rows: int, seed: int = 0) -> pa.Table:
    dice = np.random.default_rng(seed)
    seconds = pa.array(DAY * 86_400 + np.arange(rows) % 86_400).cast(pa.timestamp("s"))
    return pa.table(
        {
            "order_id": pa.array([dice.bytes(8).hex() for _ in range(rows)], pa.string()),
            "updated_at": pa.nulls(rows, pa.timestamp("s")),
            "order_date": seconds,
            "channel": pa.array(["web", "app", "phone"] * rows)[:rows].dictionary_encode(),
        }
    ).cast(ORDERS.arrow)


@settings(max_examples=12, deadline=None)
@given(rows=st.integers(0, 60_000), kilobytes=st.integers(24, 700))
def test_no_file_is_larger_than_it_may_be_and_no_row_is_lost(
    tmp_path_factory: pytest.TempPathFactory, rows: int, kilobytes: int
) -> None:
    folder = tmp_path_factory.mktemp("parts")
    data = orders(rows)
    parts = write_parts(ORDERS, data, folder, kilobytes << 10)
    assert sum(part.rows for part in parts) == rows
    assert [part.path for part in parts] == [f"part-{n:04}.parquet" for n in range(len(parts))]
    assert sorted(path.name for path in folder.iterdir()) == [part.path for part in parts]
    ids: list[str] = []
    for part in parts:
        content = (folder / part.path).read_bytes()
        assert len(content) == part.bytes <= kilobytes << 10
        assert hashlib.sha256(content).hexdigest() == part.sha256
        read = pq.ParquetFile(folder / part.path).read()
        assert read.num_rows == part.rows
        ids += read["order_id"].to_pylist()
    assert ids == data["order_id"].to_pylist()
    assert write_parts(ORDERS, data, folder / "again", kilobytes << 10) == parts


def test_files_come_near_the_size_that_is_asked_for(tmp_path: Path) -> None:
    parts = write_parts(ORDERS, orders(200_000), tmp_path, 512 << 10)
    assert len(parts) > 3
    assert min(part.bytes for part in parts[:-1]) > 0.7 * (512 << 10)


def test_event_times_are_those_of_the_first_time_that_is_always_set() -> None:
    assert event_times(ORDERS, orders(3601), DAY) == ("2024-03-09T00:00:00", "2024-03-09T01:00:00")
    assert event_times(ORDERS, orders(0), DAY) == (None, None)


def test_event_times_without_a_column_of_times_are_the_days() -> None:
    lines = pa.table({"line": [1, 2]})
    assert event_times(LINES, lines, DAY) == ("2024-03-09T00:00:00", "2024-03-09T23:59:59")
    assert event_times(LINES, lines, None) == (None, None)


def test_event_times_of_dates_are_their_first_seconds() -> None:
    data = pa.table({"signup_date": [date(2024, 3, 9), date(2024, 3, 11)]})
    assert event_times(SIGNUPS, data, None) == ("2024-03-09T00:00:00", "2024-03-11T00:00:00")


def test_a_partition_is_there_whole_once_it_is_committed(tmp_path: Path) -> None:
    partition = Partition.of_day("orders", DAY)
    first = stage_partition(tmp_path, ORDERS, partition, orders(40_000), STAMP, 256 << 10)
    assert not (tmp_path / partition.folder).exists()
    commit_partitions(tmp_path, [partition])
    read = Manifest.from_json((tmp_path / partition.manifest).read_bytes())
    assert read == first
    assert len(read.files) > 1
    again = stage_partition(tmp_path, ORDERS, partition, orders(10, 1), STAMP, 256 << 10)
    commit_partitions(tmp_path, [partition])
    left = sorted(path.name for path in (tmp_path / partition.folder).iterdir())
    assert left == ["_MANIFEST.json", "part-0000.parquet"]
    assert again.digest != first.digest
    stage_partition(tmp_path, ORDERS, partition, orders(10, 2), STAMP, 256 << 10)
    remove_uncommitted(tmp_path, ["orders"])
    assert [path.name for path in (tmp_path / "orders").iterdir()] == ["ingest_dt=2024-03-09"]
