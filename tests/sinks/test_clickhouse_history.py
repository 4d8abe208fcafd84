"""A history in ClickHouse: the published queries, all facts once, and nothing left behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from retail_datagen.cli import clickhouse_commands
from retail_datagen.config.models import Calendar, Paths, RetailConfig, Volume
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.eventful import EventSource
from retail_datagen.engine.retail import RetailSource
from retail_datagen.events import Feed
from retail_datagen.events.topics.hub import TABLE as HUB
from retail_datagen.schema.sql import create_merge_tree
from retail_datagen.sinks import StreamOptions
from retail_datagen.sinks.clickhouse_admin import (
    KafkaReader,
    drop,
    init,
    kafka_statements,
    present,
)
from retail_datagen.sinks.clickhouse_client import ClickHouse
from retail_datagen.streaming.backfill import Backfill, run_backfill

INSTANT = "2024-01-01T20:45:30.000Z"
"""A header's, as messages have it, of a business in New York."""
SMALL = Volume(
    stores=4, dcs=1, customers_per_day=150, online_orders_per_day=30, customers=900, products=300
)


def _config(folder: Path) -> RetailConfig:
    return RetailConfig(
        seed=11,
        profile="general",
        volume=SMALL,
        paths=Paths(dict=Path("no-such-folder"), master=folder / "master", facts=folder / "facts"),
        calendar=Calendar(first=date(2023, 1, 1), last=date(2025, 12, 31)),
    )


@pytest.fixture(scope="module")
def retailer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ClickHouse, RetailConfig]]:
    """A ClickHouse with twelve months of five events an hour, and with ten days of all facts."""
    folder = tmp_path_factory.mktemp("retailer")
    config, url = _config(folder), f"chdb:{folder / 'retail.chdb'}"
    clickhouse = ClickHouse.of(url)
    init(clickhouse, clickhouse_commands.plan(), HUB, None)
    first = to_day(date(2024, 1, 1))
    hub = Backfill(
        EventSource(config, Feed("hub", 5)),
        url,
        StreamOptions(feed="hub"),
        folder / "facts",
        first,
        first + 359,
        master=config.paths.master,
    )
    run_backfill(hub)
    facts = Backfill(
        RetailSource(config),
        url,
        StreamOptions(feed="facts"),
        folder / "facts",
        first,
        first + 9,
        master=config.paths.master,
    )
    run_backfill(facts)
    yield clickhouse, config
    clickhouse.close()


def test_the_published_queries_give_what_they_say(
    retailer: tuple[ClickHouse, RetailConfig],
) -> None:
    clickhouse, _ = retailer
    ((count, first, last),) = clickhouse.rows(
        "SELECT count(), min(event_time), max(event_time) FROM retail.retail_events_realtime"
    )
    # So small a retailer has fewer returns than the feed would take.
    assert abs(count - 43_200) <= 43_200 * 2 / 100
    # Stores are closed on the last day.
    assert (first.date(), last.date()) == (date(2024, 1, 1), date(2024, 12, 24))
    months = clickhouse.rows(
        "SELECT toYYYYMM(event_time) as month, count() as events "
        "FROM retail.retail_events_realtime GROUP BY month ORDER BY month"
    )
    assert [month for month, _ in months] == [202400 + month for month in range(1, 13)]
    assert sum(events for _, events in months) == count
    events = dict(months)
    assert min(events[202411], events[202412] * 31 / 25) > max(events[202401], events[202402])


def test_all_facts_are_sold_once(retailer: tuple[ClickHouse, RetailConfig]) -> None:
    clickhouse, _ = retailer
    found = clickhouse.rows(
        "SELECT sum(sales), sum(units), sum(revenue), sum(returned_units), sum(refunds) "
        "FROM retail.facts_sales_by_store"
    )[0]
    # By hand, from the tables themselves and by another engine.
    tables = {}
    for name in ("receipt_lines", "online_order_lines", "store_returns"):
        rows = clickhouse.rows(
            f"SELECT ProductID, Qty, UnitPrice FROM retail.{name}"
            + (" WHERE Status = 'ALLOCATED'" if name == "online_order_lines" else "")
        )
        tables[name] = [(qty, price) for _, qty, price in rows]
    sold = tables["receipt_lines"] + tables["online_order_lines"]
    back = tables["store_returns"]
    assert tuple(found) == (
        len(sold),
        sum(qty for qty, _ in sold),
        sum(qty * price for qty, price in sold),
        sum(qty for qty, _ in back),
        sum(qty * price for qty, price in back),
    )
    totals = clickhouse.rows(
        "SELECT (SELECT sum(revenue) FROM retail.facts_sales_by_category), "
        "(SELECT sum(revenue) FROM retail.facts_hourly_sales), "
        "(SELECT sum(revenue) FROM retail.facts_product_performance), "
        "(SELECT sum(Subtotal) FROM retail.receipts), "
        "(SELECT sum(ExtPrice) FROM retail.online_order_lines WHERE Status = 'ALLOCATED')"
    )[0]
    assert totals[0] == totals[1] == totals[2] == totals[3] + totals[4]
    unnamed = clickhouse.rows("SELECT count() FROM retail.facts_sales WHERE category = ''")
    assert unnamed[0][0] == 0


def test_a_server_that_reads_kafka_fills_the_hubs_table(
    retailer: tuple[ClickHouse, RetailConfig],
) -> None:
    """The embedded engine has no Kafka: its statement is parsed, and a plain table stands in."""
    clickhouse, _ = retailer
    clickhouse.run("CREATE DATABASE reader")
    clickhouse.run(create_merge_tree(HUB, True, "reader"))
    reader = KafkaReader("kafka:9092", "retail-events")
    engine, view = kafka_statements(HUB, "reader", reader)
    clickhouse.rows(f"EXPLAIN AST {engine}")
    columns = engine.partition("\n)\nENGINE")[0]
    headers = "`_headers.name` Array(String), `_headers.value` Array(String)"
    clickhouse.run(f"{columns}, {headers}) ENGINE = Memory")
    clickhouse.run(view)
    message = {
        "event_time": "2024-01-01 15:45:30",
        "store_id": 15,
        "product_id": 1001,
        "category": "Toys",
        "transaction_type": "SALE",
        "quantity": 2,
        "unit_price": 12.99,
        "_headers.name": ["event_id", "schema_version", "event_time"],
        "_headers.value": ["retail_events_realtime-20240101-00000007", "1", INSTANT],
    }
    clickhouse.run(
        "INSERT INTO reader.retail_events_realtime_kafka FORMAT JSONEachRow " + json.dumps(message)
    )
    (row,) = clickhouse.rows(
        "SELECT toString(event_time), store_id, category, toString(unit_price), event_id, "
        "schema_version, toString(event_time_utc) FROM reader.retail_events_realtime"
    )
    assert tuple(row) == (
        "2024-01-01 15:45:30", 15, "Toys", "12.99", "retail_events_realtime-20240101-00000007", 1,
        "2024-01-01 20:45:30.000",
    )  # fmt: skip


def test_what_was_made_is_dropped(retailer: tuple[ClickHouse, RetailConfig]) -> None:
    clickhouse, _ = retailer
    plan = clickhouse_commands.plan()
    made = init(clickhouse, plan, HUB, None)
    there = present(clickhouse, plan, HUB)
    assert sorted(there) == sorted([*made, "_retail_progress"])
    clickhouse.run("CREATE TABLE retail.somebodys (n UInt8) ENGINE = Memory")
    drop(clickhouse, there)
    assert present(clickhouse, plan, HUB) == []
    left = clickhouse.rows("SELECT name FROM system.tables WHERE database = 'retail'")
    assert [tuple(row) for row in left] == [("somebodys",)]
