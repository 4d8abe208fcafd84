"""Delta and Iceberg tables over the partitions of a lake read back what its files hold."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from folder_store import FolderStore
from small_lake import TABLES, change, make_lake, partition_of, publish, read_partition

from retail_datagen.config.errors import UserError
from retail_datagen.lake.formats import FORMATS, TableChunk, TableFormat, open_format
from retail_datagen.lake.read import read_lake
from retail_datagen.lake.verify import verify_lake
from retail_datagen.partitions.layout import DEFAULT_VALUE

DAYS = 6
DAY = date(2020, 1, 3)


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    return make_lake(tmp_path / "lake", DAYS)


@pytest.fixture(params=FORMATS)
def form(request: pytest.FixtureRequest) -> str:
    package = {"delta": "deltalake", "iceberg": "pyiceberg"}[request.param]
    if os.environ.get("REQUIRE_SERVICES") != "1":
        pytest.importorskip(package, reason=f"{package} is not installed")
    return str(request.param)


def chunk(lake: Path, table: str, first: int = 0, last: int = 10**6) -> TableChunk:
    held = read_lake(FolderStore(lake), [table]).partitions[first:last]
    return TableChunk(TABLES[table], tuple(h.manifest for h in held if h.manifest))


def rows_of(form: str, lake: Path, opened: Any, table: str, day: bool = False) -> pa.Table:
    """All rows of a table, or those of DAY, as the format's own reader gives them."""
    if form == "delta":
        from deltalake import DeltaTable

        found = DeltaTable(str(lake / table))
        where = [("ingest_dt", "=", DAY)] if day else None
        return found.to_pyarrow_table(filters=where)
    scan = opened.catalog.load_table(("lake", table))
    return scan.scan(row_filter=f"ingest_dt = '{DAY}'" if day else "true").to_arrow()


def check(form: str, lake: Path, opened: TableFormat, table: str) -> pa.Table:
    contents = read_lake(FolderStore(lake), [table])
    wanted = sum(held.manifest.total_rows for held in contents.partitions if held.manifest)
    found = rows_of(form, lake, opened, table)
    assert found.num_rows == opened.rows(table) == wanted > 0
    return found


def test_chunks_become_tables_that_read_back(form: str, lake: Path, tmp_path: Path) -> None:
    opened = open_format(form, str(lake), tmp_path / "artifacts")
    for table in TABLES:
        opened.register(chunk(lake, table))
    for table in TABLES:
        check(form, lake, opened, table)
    orders = rows_of(form, lake, opened, "orders", day=True)
    own = read_partition(lake, partition_of("orders", 2))
    assert set(orders["ingest_dt"].to_pylist()) == {DAY}
    by_id = orders.sort_by("order_id")
    for name in own.column_names:
        assert by_id[name].to_pylist() == own[name].to_pylist()
    customers = rows_of(form, lake, opened, "customers").sort_by("customer_id")
    signups = customers["signup_date"].to_pylist()
    assert (signups[0], signups[18:]) == (date(2019, 12, 3), [None, None])
    assert any(DEFAULT_VALUE in h.partition.value for h in read_lake(FolderStore(lake)).partitions)
    # What the formats keep beside the files is no part of the lake.
    assert verify_lake(FolderStore(lake), TABLES).passed


def test_registering_again_changes_nothing(form: str, lake: Path, tmp_path: Path) -> None:
    opened = open_format(form, str(lake), tmp_path / "artifacts")
    first, second, both = (
        chunk(lake, "orders", 0, 3),
        chunk(lake, "orders", 3),
        chunk(lake, "orders"),
    )
    assert [opened.register(c) for c in (second, second, first)] == [3, 0, 3]
    again = open_format(form, str(lake), tmp_path / "artifacts")
    # Other chunks of the same partitions know their files, too.
    assert [again.register(c) for c in (first, second, both)] == [0, 0, 0]
    check(form, lake, again, "orders")


def test_partitions_that_were_made_anew_replace_theirs(
    form: str, lake: Path, tmp_path: Path
) -> None:
    opened = open_format(form, str(lake), tmp_path / "artifacts")
    partition = partition_of("order_items", 2)
    publish(lake, partition, read_partition(lake, partition), parts=2)
    opened.register(chunk(lake, "order_items"))
    change(lake, "order_items", 2, lambda data: data.slice(1))
    opened.register(chunk(lake, "order_items", 0, 4))
    check(form, lake, opened, "order_items")


def test_other_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="allowed are delta, iceberg"):
        open_format("hudi", str(tmp_path), tmp_path)
