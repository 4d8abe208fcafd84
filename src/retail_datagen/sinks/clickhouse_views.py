"""Views of ClickHouse for dashboards: over the hub's events, and the same over all facts.

Each event, or fact, counts once: aggregates are made first, and joined with master data by its key
afterwards. Sales are SALE; `net_revenue` is less what was refunded for goods (without tax); RESTOCK
is in none. Over the hub a view has its plain name, over the fact tables `facts_` before it: where
both are loaded they tell of the same sales, so that nothing adds the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from retail_datagen.schema.sql import qualified

HUB = "retail_events_realtime"
FACTS = "facts_sales"
"""All sold and returned lines of the fact tables, in the hub's columns and with their channel."""


@dataclass(frozen=True, slots=True)
class View:
    """A view: its name, what it shows and its query; {source} and {tables} name databases' tables.

    `{source}` is where events are, `{database}` the database of master data.
    """

    name: str
    doc: str
    query: str


_SUMS = """countIf(transaction_type = 'SALE') AS sales,
  sumIf(quantity, transaction_type = 'SALE') AS units,
  sumIf(quantity * unit_price, transaction_type = 'SALE') AS revenue,
  sumIf(quantity, transaction_type = 'RETURN') AS returned_units,
  sumIf(quantity * unit_price, transaction_type = 'RETURN') AS refunds,
  revenue - refunds AS net_revenue"""
_SOLD = "transaction_type IN ('SALE', 'RETURN')"

VIEWS = (
    View(
        "sales_by_category",
        "What each category sold.",
        f"SELECT category,\n  {_SUMS}\nFROM {{source}}\nWHERE {_SOLD}\nGROUP BY category",
    ),
    View(
        "sales_by_store",
        "What each store sold, with its name and place.",
        f"""SELECT store_id, StoreName AS store, City AS city, State AS state,
  sales, units, revenue, returned_units, refunds, net_revenue
FROM (
  SELECT store_id,
  {_SUMS}
  FROM {{source}} WHERE {_SOLD} GROUP BY store_id
) AS sold
LEFT ANY JOIN {{database}}.stores ON StoreID = store_id""",
    ),
    View(
        "hourly_sales",
        "Sales hour by hour.",
        f"SELECT toStartOfHour(event_time) AS hour,\n  {_SUMS}\n"
        f"FROM {{source}}\nWHERE {_SOLD}\nGROUP BY hour",
    ),
    View(
        "monthly_sales",
        "Sales month by month.",
        f"SELECT toStartOfMonth(event_time) AS month,\n  {_SUMS}\n"
        f"FROM {{source}}\nWHERE {_SOLD}\nGROUP BY month",
    ),
    View(
        "quarterly_sales",
        "Sales quarter by quarter.",
        f"SELECT toStartOfQuarter(event_time) AS quarter,\n  {_SUMS}\n"
        f"FROM {{source}}\nWHERE {_SOLD}\nGROUP BY quarter",
    ),
    View(
        "year_over_year",
        "Each month against the same days of the year before; growth only where both are there.",
        """WITH
  (SELECT min(toDate(event_time)) FROM {source} WHERE transaction_type = 'SALE') AS first_day,
  (SELECT max(toDate(event_time)) FROM {source} WHERE transaction_type = 'SALE') AS last_day
SELECT month,
  sum(now) AS revenue,
  sum(comparable) AS comparable_revenue,
  sum(before) AS revenue_year_before,
  if(revenue_year_before > 0,
    100 * (toFloat64(comparable_revenue) / toFloat64(revenue_year_before) - 1), NULL)
    AS growth_percent
FROM (
  SELECT toStartOfMonth(event_time) AS month,
    quantity * unit_price AS now,
    if(subtractYears(toDate(event_time), 1) >= first_day, now, toDecimal64(0, 2)) AS comparable,
    toDecimal64(0, 2) AS before
  FROM {source} WHERE transaction_type = 'SALE'
  UNION ALL
  SELECT toStartOfMonth(addYears(toDate(event_time), 1)) AS month,
    toDecimal64(0, 2) AS now, toDecimal64(0, 2) AS comparable, quantity * unit_price AS before
  FROM {source}
  WHERE transaction_type = 'SALE' AND addYears(toDate(event_time), 1) <= last_day
)
GROUP BY month""",
    ),
    View(
        "product_performance",
        "What each product sold, best first, with its rank and how much of it came back.",
        f"""SELECT product_id, ProductName AS product, category,
  sales, units, revenue, returned_units, refunds, net_revenue,
  if(units > 0, returned_units / units, NULL) AS return_rate,
  rank() OVER (ORDER BY revenue DESC) AS revenue_rank
FROM (
  SELECT product_id, any(category) AS category,
  {_SUMS}
  FROM {{source}} WHERE {_SOLD} GROUP BY product_id
) AS sold
LEFT ANY JOIN {{database}}.products ON ProductID = product_id""",
    ),
    View(
        "return_rate",
        "Units that came back for each unit sold, by month and category.",
        f"""SELECT toStartOfMonth(event_time) AS month, category,
  sumIf(quantity, transaction_type = 'SALE') AS units,
  sumIf(quantity, transaction_type = 'RETURN') AS returned_units,
  if(units > 0, returned_units / units, NULL) AS return_rate
FROM {{source}}
WHERE {_SOLD}
GROUP BY month, category""",
    ),
    View(
        "peak_hours",
        "Sales by day of the week (1 is Monday) and hour, and how many fall on one such day.",
        """SELECT toDayOfWeek(event_time) AS day_of_week, toHour(event_time) AS hour,
  count() AS sales,
  sum(quantity) AS units,
  sum(quantity * unit_price) AS revenue,
  sales / any(days) AS sales_per_day
FROM {source}
LEFT ANY JOIN (
  SELECT toDayOfWeek(event_time) AS weekday, uniqExact(toDate(event_time)) AS days
  FROM {source} WHERE transaction_type = 'SALE' GROUP BY weekday
) AS weekdays ON weekday = toDayOfWeek(event_time)
WHERE transaction_type = 'SALE'
GROUP BY day_of_week, hour""",
    ),
)
_FACTS_SALES = View(
    FACTS,
    "Lines of receipts and of online orders that were in stock, and returned lines, each once.",
    """SELECT event_time, store_id, product_id, Category AS category, transaction_type, quantity,
  unit_price, channel
FROM (
  SELECT lines.EventTS AS event_time, receipts.StoreID AS store_id, lines.ProductID AS product_id,
    'SALE' AS transaction_type, lines.Qty AS quantity, lines.UnitPrice AS unit_price,
    'STORE' AS channel
  FROM {database}.receipt_lines AS lines
  LEFT ANY JOIN {database}.receipts AS receipts ON receipts.ReceiptId = lines.ReceiptId
  UNION ALL
  SELECT lines.EventTS, if(orders.NodeType = 'STORE', orders.NodeId, 0), lines.ProductID,
    'SALE', lines.Qty, lines.UnitPrice, 'ONLINE'
  FROM {database}.online_order_lines AS lines
  LEFT ANY JOIN (
    SELECT OrderId, NodeType, NodeId FROM {database}.online_orders WHERE Status = 'CREATED'
  ) AS orders ON orders.OrderId = lines.OrderId
  WHERE lines.Status != 'CANCELLED'
  UNION ALL
  SELECT EventTS, StoreID, ProductID, 'RETURN', Qty, UnitPrice, 'STORE'
  FROM {database}.store_returns
) AS sold
LEFT ANY JOIN {database}.products ON ProductID = product_id""",
)


def create_views(database: str) -> Iterator[tuple[str, str]]:
    """(name, CREATE VIEW statement) of every view, in an order in which they can be made."""
    yield FACTS, _create(database, FACTS, _FACTS_SALES, "")
    for view in VIEWS:
        yield view.name, _create(database, view.name, view, HUB)
        name = f"facts_{view.name}"
        yield name, _create(database, name, view, FACTS)


def view_names() -> list[str]:
    """All views, in the order in which they can be dropped."""
    return [name for name, _ in create_views("")][::-1]


def _create(database: str, name: str, view: View, source: str) -> str:
    query = view.query.replace("{source}", qualified(database, source))
    query = query.replace("{database}", qualified("", database))
    return f"CREATE OR REPLACE VIEW {qualified(database, name)} AS\n{query}"
