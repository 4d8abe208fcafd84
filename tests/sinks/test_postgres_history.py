"""A history in PostgreSQL, keys held: joined with master data it gives the lake's figures."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pytest

from retail_datagen.config.models import Calendar, Paths, RetailConfig, Volume
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.retail import RetailSource
from retail_datagen.schema.sql import references
from retail_datagen.sinks import StreamOptions
from retail_datagen.streaming.backfill import Backfill, run_backfill
from retail_datagen.tables import registry
from retail_datagen.world.master import MASTER_TABLES

FIRST = to_day(date(2024, 1, 1))
SMALL = Volume(
    stores=3, dcs=1, customers_per_day=120, online_orders_per_day=20, customers=700, products=250
)
LARGE = Volume(stores=10)
NOT_UNIQUE = {("online_order_lines", "OrderId")}
"""References to what is one of several rows."""
QUERIES = (
    "SELECT StoreName, Category, count(*), sum(ExtPrice) FROM {receipt_lines} "
    "JOIN {receipts} USING (ReceiptId) JOIN {stores} USING (StoreID) "
    "JOIN {products} USING (ProductID) GROUP BY StoreName, Category ORDER BY StoreName, Category",
    "SELECT Segment, count(*), sum(Refund) FROM {store_returns} JOIN {customers} "
    "USING (CustomerID) GROUP BY Segment ORDER BY Segment",
    "SELECT DCName, Reason, sum(QtyDelta) FROM {dc_inventory_txn} "
    "JOIN {distribution_centers} USING (DCID) GROUP BY DCName, Reason ORDER BY DCName, Reason",
    "SELECT Quarter, IsWeekend, count(*) FROM {receipts} "
    "JOIN {calendar} ON Date = CAST(EventTS AS date) GROUP BY Quarter, IsWeekend ORDER BY 1, 2",
    "SELECT count(*), min(EventTS), max(EventTS), sum(Total) FROM {online_orders} "
    "WHERE Status = 'CREATED'",
)


@pytest.mark.parametrize(
    ("volume", "days"),
    [(SMALL, 6), pytest.param(LARGE, 30, marks=pytest.mark.soak)],
    ids=["small", "ten stores, thirty days"],
)
def test_joins_give_the_lakes_figures(
    tmp_path: Path, postgres_url: str, volume: Volume, days: int
) -> None:
    import psycopg

    config = RetailConfig(
        seed=3,
        volume=volume,
        paths=Paths(master=tmp_path / "master", facts=tmp_path / "facts", dict=tmp_path / "none"),
        calendar=Calendar(first=date(2023, 1, 1), last=date(2025, 12, 31)),
    )
    source, last = RetailSource(config), FIRST + days - 1
    lake = f"file:{tmp_path / 'lake'}?format=parquet"
    run_job(JobRequest(source, lake, tmp_path / "facts", FIRST, last))
    backfill = Backfill(
        source, postgres_url, StreamOptions(), tmp_path / "facts", FIRST, last,
        master=config.paths.master,
    )  # fmt: skip
    assert run_backfill(backfill).records_written > 0
    assert run_backfill(backfill).records_written == 0

    files = {name: f"'{tmp_path}/lake/{name}/*/*.parquet'" for name in registry()}
    files |= {t.name: f"'{tmp_path}/master/{t.name}.csv'" for t in MASTER_TABLES}
    names = {name: name for name in files}
    with psycopg.connect(postgres_url) as database, closing(duckdb.connect()) as by_hand:
        for query in QUERIES:
            found = database.execute(query.format(**names).encode()).fetchall()
            assert found == by_hand.execute(query.format(**files)).fetchall()
            assert found
        for name, place in files.items():
            (rows,) = database.execute(f"SELECT count(*) FROM {name}".encode()).fetchone() or (0,)
            assert (rows,) == by_hand.execute(f"SELECT count(*) FROM {place}").fetchone()
        held = database.execute(
            b"SELECT t.relname, a.attname FROM pg_constraint c "
            b"JOIN pg_class t ON t.oid = c.conrelid "
            b"JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = c.conkey[1] "
            b"WHERE c.contype = 'f' AND c.convalidated"
        ).fetchall()
    tables = [*MASTER_TABLES, *(fact.table for fact in registry().values())]
    declared = {(t.name, r.column) for t in tables for r in references(t)} - NOT_UNIQUE
    assert set(held) == {(table, column.lower()) for table, column in declared}
