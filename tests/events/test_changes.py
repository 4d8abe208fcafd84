"""Change data capture: folding the changes up to any moment gives what the facts say of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa
import pytest
from eventful import START, Told, config_of, facts_of, feed_of, sql
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retail_datagen.config.models import Calendar, RetailConfig, Signups
from retail_datagen.core.calendar import DAY_SECONDS
from retail_datagen.ecom.history import customers_history
from retail_datagen.ecom.planner import ShopPlanner
from retail_datagen.engine.eventful import EventSource
from retail_datagen.engine.online import OnlineSource
from retail_datagen.events import EventPlan, Feed, topics_of
from retail_datagen.schema import Table

CHANGES = tuple(topics_of(Feed("cdc")))
DAYS = 14
SECONDS = st.integers(0, DAYS * DAY_SECONDS - 1)
AROUND_MIDNIGHT = st.builds(
    lambda day, second: day * DAY_SECONDS + second, st.integers(1, DAYS - 1), st.integers(-2, 2)
)
MOMENTS = st.one_of(SECONDS, AROUND_MIDNIGHT)
ANY_MOMENT = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@dataclass(frozen=True)
class World:
    """All changes, all facts, and the shop's history, in one database."""

    changes: Told
    connection: duckdb.DuckDBPyConnection

    def ask(self, query: str) -> list[tuple[object, ...]]:
        return self.connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RetailConfig:
    """A retailer of whose products and customers some are new within these days."""
    config = config_of(tmp_path_factory.mktemp("changing"))
    return config.model_copy(
        update={
            "calendar": Calendar(first=date(2023, 12, 15), last=date(2024, 1, 31)),
            "signups": Signups(first=date(2023, 7, 1), last=date(2024, 1, 31)),
        }
    )


@pytest.fixture(scope="module")
def changes(config: RetailConfig) -> Told:
    return feed_of(config, Feed("cdc"), DAYS)


@pytest.fixture(scope="module")
def facts(config: RetailConfig) -> Told:
    return facts_of(config, DAYS)


@pytest.fixture(scope="module")
def world(changes: Told, facts: Told, config: RetailConfig) -> World:
    connection = duckdb.connect()
    for name in CHANGES:
        _keep(connection, name, changes.whole(name))
        key = ", ".join(_table(changes, name).changes.key)
        connection.execute(
            f"CREATE MACRO {name}_at(moment) AS TABLE SELECT * FROM (FROM {name} "
            "WHERE epoch(source_ts) <= moment "
            f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY source_seq DESC) = 1) "
            "WHERE op <> 'd'"
        )
    for name in ("online_orders", "store_inventory_txn", "price_changes"):
        _keep(connection, name, facts.whole(name))
    source = OnlineSource(config).open()
    planner = source.planner(START, None)
    plans = {plan.day: plan for plan in (planner.step() for _ in range(DAYS))}
    assert isinstance(planner, ShopPlanner)
    context = source.context(START, plans.__getitem__)
    history = customers_history(context, planner.state.changes, START + DAYS - 1)
    _keep(connection, "tiers", history.drop_columns(["mailing_address"]))
    products = context.world.products
    connection.execute("CREATE TABLE products (product_id INTEGER, cents BIGINT, launch INTEGER)")
    connection.executemany(
        "INSERT INTO products VALUES (?, ?, ?)",
        list(
            zip(
                products.product_id.tolist(),
                products.price.tolist(),
                products.launch_day.tolist(),
                strict=True,
            )
        ),
    )
    return World(changes, connection)


def _keep(connection: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> None:
    connection.register("rows", rows)
    connection.execute(f"CREATE TABLE {name} AS FROM rows")


def _table(changes: Told, name: str) -> Table:
    return changes.retailer.tables[name].table


def _differ(world: World, one: str, other: str) -> int:
    query = (
        f"SELECT count(*) FROM ((FROM ({one}) EXCEPT ALL FROM ({other})) UNION ALL "
        f"(FROM ({other}) EXCEPT ALL FROM ({one})))"
    )
    (count,) = world.ask(query)[0]
    assert isinstance(count, int)
    return count


@ANY_MOMENT
@given(second=MOMENTS)
def test_orders_at_any_moment_are_those_under_way(world: World, second: int) -> None:
    moment = START * DAY_SECONDS + second
    folded = f"""
        SELECT order_id, after_customer_id, after_fulfillment_mode, after_node_type, after_node_id,
               after_status, after_subtotal, after_discount, after_shipping, after_tax, after_total,
               after_tender_type, after_picked_ts, after_shipped_ts, after_delivered_ts
        FROM cdc_online_orders_at({moment})
    """
    meant = f"""
        SELECT OrderId, CustomerID, FulfillmentMode, NodeType, NodeId, Status, Subtotal, Discount,
               Shipping, Tax, Total, TenderType, PickedTS, ShippedTS, DeliveredTS
        FROM (FROM online_orders WHERE epoch(EventTS) <= {moment}
              QUALIFY row_number() OVER (PARTITION BY OrderId ORDER BY day DESC, row DESC) = 1)
        WHERE Status NOT IN ('DELIVERED', 'CANCELLED')
    """
    assert _differ(world, folded, meant) == 0


@ANY_MOMENT
@given(second=MOMENTS)
def test_stock_at_any_moment_is_the_sum_of_movements(world: World, second: int) -> None:
    moment = START * DAY_SECONDS + second
    folded = f"""
        SELECT store_id, product_id, after_on_hand FROM cdc_store_stock_at({moment})
        WHERE after_on_hand <> 0
    """
    meant = f"""
        SELECT StoreID, ProductID, sum(QtyDelta)::INTEGER AS units FROM store_inventory_txn
        WHERE epoch(EventTS) <= {moment} GROUP BY ALL HAVING units <> 0
    """
    assert _differ(world, folded, meant) == 0
    there = f"SELECT DISTINCT product_id FROM cdc_store_stock_at({moment})"
    launched = f"SELECT product_id FROM products WHERE launch <= {moment // DAY_SECONDS}"
    assert _differ(world, there, launched) == 0


@ANY_MOMENT
@given(second=MOMENTS)
def test_prices_at_any_moment_are_those_of_the_last_change(world: World, second: int) -> None:
    moment = START * DAY_SECONDS + second
    folded = f"SELECT product_id, after_price FROM cdc_product_prices_at({moment})"
    meant = f"""
        SELECT product_id, coalesce(changed.price, (cents / 100)::DECIMAL(12, 2))
        FROM products LEFT JOIN (
            SELECT ProductID, max_by(NewPrice, EventTS) AS price FROM price_changes
            WHERE epoch(EventTS) <= {moment} GROUP BY ALL
        ) changed ON ProductID = product_id
    """
    assert _differ(world, folded, meant) == 0


@ANY_MOMENT
@given(second=MOMENTS)
def test_tiers_at_any_moment_are_those_of_the_shops_history(world: World, second: int) -> None:
    day = START + second // DAY_SECONDS
    folded = f"""
        SELECT customer_id, after_loyalty_tier
        FROM cdc_customer_tiers_at({START * DAY_SECONDS + second})
    """
    meant = f"""
        SELECT customer_id, loyalty_tier::VARCHAR FROM tiers
        WHERE valid_from <= DATE '1970-01-01' + {day}
          AND (valid_to IS NULL OR valid_to >= DATE '1970-01-01' + {day})
    """
    assert _differ(world, folded, meant) == 0


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_begins_where_the_one_before_ended(world: World, name: str) -> None:
    table = _table(world.changes, name)
    assert table.changes
    key = ", ".join(table.changes.key)
    state = [c.removeprefix("before_") for c in table.header if c.startswith("before_")]
    before = ", ".join(f"'{c}': before_{c}" for c in state)
    after = ", ".join(f"'{c}': after_{c}" for c in state)
    window = f"OVER (PARTITION BY {key} ORDER BY source_seq)"
    (found,) = world.ask(
        f"""
        SELECT count(*),
               count(*) FILTER (number = 1 AND op NOT IN ('c', 'r')),
               count(*) FILTER (number > 1 AND op NOT IN ('u', 'd')),
               count(*) FILTER (number > 1 AND before IS DISTINCT FROM last),
               count(*) FILTER (previous = 'd'),
               count(*) FILTER (op = 'r' AND epoch(source_ts) <> {START * DAY_SECONDS}),
               count(*) FILTER (moved < 0),
               count(DISTINCT source_seq)
        FROM (SELECT op, source_ts, source_seq, row_number() {window} AS number,
                     {{{before}}} AS before, lag({{{after}}}) {window} AS last,
                     lag(op) {window} AS previous,
                     epoch(source_ts) - lag(epoch(source_ts)) OVER (ORDER BY source_seq) AS moved
              FROM {name})
        """
    )
    count, *wrong, distinct = found
    assert wrong == [0] * 6
    assert count == distinct


def test_all_kinds_of_changes_come(world: World) -> None:
    counts = {
        name: dict(world.ask(f"SELECT op, count(*) FROM {name} GROUP BY ALL")) for name in CHANGES
    }
    assert set(counts["cdc_online_orders"]) == {"c", "u", "d"}
    assert set(counts["cdc_store_stock"]) == {"r", "c", "u"}
    assert set(counts["cdc_product_prices"]) == {"r", "u"}
    assert set(counts["cdc_customer_tiers"]) == {"r", "c", "u"}
    assert (
        counts["cdc_product_prices"]["u"] == world.ask("SELECT count(*) FROM price_changes")[0][0]
    )


@pytest.mark.parametrize("name", CHANGES)
def test_any_day_comes_alone_and_after_a_restart(
    changes: Told, config: RetailConfig, name: str
) -> None:
    day = START + 9
    retailer = EventSource(config, Feed("cdc")).open()
    planner = retailer.planner(START, None)
    plans = {}
    for _ in range(DAYS):
        planner = retailer.planner(START, planner.save())
        plan = planner.step()
        plans[plan.day] = EventPlan.from_bytes(plan.to_bytes())
    assert retailer.render(START, plans.__getitem__)(name, day).equals(changes.day(name, day))


def test_who_asks_for_no_tiers_plans_no_shop(config: RetailConfig, changes: Told) -> None:
    topics = feed_of(config, Feed("topics"), DAYS)
    assert not any(len(plan.risen.customer) for plan in topics.plans.values())
    assert any(len(plan.risen.customer) for plan in changes.plans.values())
    tiers = sql(
        "SELECT count(*) FROM tiers WHERE op = 'u'", tiers=changes.whole("cdc_customer_tiers")
    )
    assert tiers == [(sum(len(plan.risen.customer) for plan in changes.plans.values()),)]
