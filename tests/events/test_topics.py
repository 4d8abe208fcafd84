"""The five topics say what the fact tables say, event by event."""

from __future__ import annotations

import pytest
from eventful import START, Told, sql

from retail_datagen.config.models import RetailConfig
from retail_datagen.engine.source import Plan
from retail_datagen.events import EventPlan, Feed, topics_of
from retail_datagen.schema.stamps import stamp
from retail_datagen.streaming.feed import NAMES, loadable


def test_topics_have_the_names_that_people_subscribe_to(topics: Told) -> None:
    assert {rendered.table.topic for rendered in topics.retailer.tables.values()} == {
        "retail-sales-transactions",
        "retail-inventory-updates",
        "retail-restock-alerts",
        "retail-price-changes",
        "retail-customer-events",
    }


def test_no_two_tables_of_any_feed_share_a_topic() -> None:
    tables = [table.name for feed in NAMES for table in loadable(RetailConfig(), feed).values()]
    assert len(loadable(RetailConfig())) == len(tables) == len(set(tables))


def test_sales_are_the_lines_of_receipts(topics: Told, facts: Told) -> None:
    found = sql(
        """
        WITH told AS (
            SELECT transaction_id, timestamp, store_id, customer_id, quantity, unit_price,
                   total_amount, payment_method, promo_code
            FROM sales
        ), meant AS (
            SELECT ReceiptId, l.EventTS, StoreID, CustomerID, Qty, UnitPrice, ExtPrice, TenderType,
                   PromoCode
            FROM lines l JOIN receipts r USING (ReceiptId)
        )
        SELECT (SELECT count(*) FROM told), (SELECT count(*) FROM meant),
               (SELECT count(*) FROM (FROM told EXCEPT ALL FROM meant))
        """,
        sales=topics.whole("retail_sales_transactions"),
        lines=facts.whole("receipt_lines"),
        receipts=facts.whole("receipts"),
    )
    told, meant, differ = found[0]
    assert told == meant > 5_000
    assert differ == 0


def test_each_sale_has_its_inventory_update(topics: Told, facts: Told) -> None:
    found = sql(
        """
        SELECT count(*) FROM (
            SELECT timestamp, store_id, product_id, -quantity FROM sales
            EXCEPT ALL
            SELECT timestamp, store_id, product_id, quantity_change FROM updates
            WHERE reason = 'sale'
        )
        """,
        sales=topics.whole("retail_sales_transactions"),
        updates=topics.whole("retail_inventory_updates"),
    )
    assert found == [(0,)]


def test_units_on_hand_are_the_sum_of_all_movements_before(topics: Told, facts: Told) -> None:
    """Over days, online picks that were promised the day before included."""
    found = sql(
        """
        WITH summed AS (
            SELECT on_hand, sum(quantity_change) OVER (
                PARTITION BY store_id, product_id ORDER BY day, row
            ) AS meant
            FROM updates
        )
        SELECT count(*), count(*) FILTER (on_hand <> meant), min(on_hand) FROM summed
        """,
        updates=topics.whole("retail_inventory_updates"),
    )
    rows, differ, least = found[0]
    assert rows == facts.whole("store_inventory_txn").num_rows
    assert differ == 0
    assert least == 0


def test_a_sale_and_its_update_refer_to_the_same_receipt(topics: Told, facts: Told) -> None:
    found = sql(
        """
        WITH sold AS (
            SELECT transaction_id, store_id, product_id, sum(quantity) AS units
            FROM sales GROUP BY ALL
        ), moved AS (
            SELECT reference_id, store_id, product_id, -sum(quantity_change) AS units
            FROM updates WHERE reason = 'sale' AND starts_with(reference_id, 'RCP') GROUP BY ALL
        )
        SELECT (SELECT count(*) FROM sold),
               (SELECT count(*) FROM (FROM sold EXCEPT FROM moved)),
               (SELECT count(*) FROM (FROM moved EXCEPT FROM sold))
        """,
        sales=topics.whole("retail_sales_transactions"),
        updates=topics.whole("retail_inventory_updates"),
    )
    assert found[0][0] > 0
    assert found[0][1:] == (0, 0)


def test_customers_come_before_they_look_and_leave_last(topics: Told, facts: Told) -> None:
    events = topics.whole("retail_customer_events")
    counts = dict(sql("SELECT action, count(*) FROM events GROUP BY ALL", events=events))
    assert set(counts) == {"enter", "browse", "zone change", "leave", "online view"}
    assert sum(counts.values()) - counts["online view"] == facts.whole("ble_pings").num_rows
    assert counts["online view"] == facts.whole("online_order_lines").num_rows
    assert counts["leave"] <= counts["enter"]
    wrong = sql(
        """
        SELECT count(*) FILTER ((zone IS NULL) <> (action = 'online view')),
               count(*) FILTER ((store_id IS NULL) <> (action = 'online view'))
        FROM events
        """,
        events=events,
    )
    assert wrong == [(0, 0)]


def test_alerts_and_price_changes_are_the_facts(topics: Told, facts: Told) -> None:
    found = sql(
        """
        SELECT
            (SELECT count(*) FROM (
                SELECT alert_id, timestamp, store_id, on_hand, reorder_point, recommended_quantity,
                       priority FROM alerts
                EXCEPT ALL
                SELECT TraceId, EventTS, StoreID, OnHand, ReorderPoint, OrderQty, Priority
                FROM reorders)),
            (SELECT count(*) FROM (
                SELECT change_id, timestamp, old_price, new_price, reason FROM changes
                EXCEPT ALL
                SELECT TraceId, EventTS, OldPrice, NewPrice, lower(Reason) FROM price_changes)),
            (SELECT count(*) FROM alerts) - (SELECT count(*) FROM reorders),
            (SELECT count(*) FROM changes) - (SELECT count(*) FROM price_changes)
        """,
        alerts=topics.whole("retail_restock_alerts"),
        changes=topics.whole("retail_price_changes"),
        reorders=facts.whole("reorders"),
        price_changes=facts.whole("price_changes"),
    )
    assert found == [(0, 0, 0, 0)]


@pytest.mark.parametrize("table", sorted(topics_of(Feed("topics"))))
def test_events_are_in_order_of_time_and_any_day_comes_alone(topics: Told, table: str) -> None:
    day = START + 9
    alone = topics.day(table, day)
    again = topics.retailer.source.open().render(START, topics.plans.__getitem__)(table, day)
    assert alone.equals(again)
    seconds = alone["timestamp"].to_numpy()
    assert (seconds[1:] >= seconds[:-1]).all()
    assert len(alone) > 0 or table == "retail_price_changes"


def test_a_plan_is_the_same_after_it_was_on_file(topics: Told) -> None:
    plan: Plan = topics.plans[START + 3]
    again = EventPlan.from_bytes(plan.to_bytes())
    assert again.to_bytes() == plan.to_bytes()


def test_customer_events_carry_the_identifier_that_every_event_is_stamped_with(
    topics: Told,
) -> None:
    day = START + 2
    table = topics.retailer.tables["retail_customer_events"].table
    rows = topics.day(table.name, day)
    assert stamp(table, day, 0, rows, "UTC").event_id.equals(rows["event_id"].combine_chunks())
