"""Checks of identifiers over the whole history, and that nobody real is in it."""

from __future__ import annotations

from retail_datagen import tables
from retail_datagen.quality.check import Check
from retail_datagen.world.master import MASTER_TABLES
from retail_datagen.world.people import CONTACTS, Contact

_SHARED = ("receipt_lines", "online_order_lines")
"""Tables whose traces are those of another table's rows; so are those that say so themselves."""
_OWNERS = {
    "online_orders": {"": "Status = 'CREATED'"},
    "truck_moves": {"": "Status = 'SCHEDULED'"},
    "dc_inventory_txn": {
        " (supplies)": "Reason = 'INBOUND_SHIPMENT'",
        " (corrections)": "Reason IN ('SHRINK', 'DAMAGE', 'ADJUSTMENT', 'INITIAL_STOCK')",
    },
    "store_inventory_txn": {
        "": "Reason IN ('SHRINK', 'DAMAGE', 'ADJUSTMENT', 'INITIAL_STOCK')"
        " AND Source <> 'CUSTOMER_RETURN'"
    },
}
"""The rows that take a trace of their own, where not all of a table do."""
TRACED = tuple(
    name
    for name, fact in tables.registry().items()
    if name not in _SHARED
    and any(c.name == "TraceId" and not c.references for c in fact.table.columns)
)


def _blocks(name: str) -> str:
    """The runs of numbers that a table's kinds of events take, one a day."""
    return " UNION ALL ".join(
        f"SELECT '{name}{kind}' AS events, dt, min(trace) AS first, max(trace) AS last,"
        f" count(*) AS rows, sum(trace) AS total FROM {name} WHERE {rule} GROUP BY dt"
        for kind, rule in _OWNERS.get(name, {"": "true"}).items()
    )


def _runs(name: str) -> Check:
    return Check(
        f"{name}.traces",
        "the TraceIds of a day's events follow each other without gaps, after those of days before",
        (name,),
        f"""
        SELECT events, dt, first, last, rows, before AS "last before" FROM (
            SELECT *, lag(last, 1, 0) OVER (PARTITION BY events ORDER BY dt) AS before
            FROM ({_blocks(name)})
        ) WHERE rows <> last - first + 1 OR 2 * total <> (first + last) * rows OR first <= before
        """,
    )


def _sequence(table: str, column: str, prefix: str) -> Check:
    return Check(
        f"{table}.sequence",
        f"{column}s are {prefix}, the date, and 1, 2, 3 … each day",
        (table,),
        f"""
        SELECT dt, min(name) AS lowest, max(name) AS highest, count(DISTINCT name) AS names
        FROM (
            SELECT dt, {column} AS name, TRY_CAST(substr({column}, {len(prefix) + 9}) AS BIGINT)
                AS number, starts_with({column}, '{prefix}' || strftime(dt, '%Y%m%d')) AS dated
            FROM {table}
        ) GROUP BY dt
        HAVING NOT bool_and(dated) OR min(number) IS DISTINCT FROM 1
            OR max(number) IS DISTINCT FROM count(DISTINCT name)
        """,
    )


_ORDERS = Check(
    "online_orders.sequence",
    "OrderIds are ORD, the date, and numbers that go on from day to day without a gap",
    ("online_orders",),
    """
    SELECT dt, lowest, highest, names, before AS "last of the day before" FROM (
        SELECT *, lag(last, 1, first - 1) OVER (ORDER BY dt) AS before,
            lag(dt) OVER (ORDER BY dt) = dt - 1 AS next_day
        FROM (
            SELECT dt, min(name) AS lowest, max(name) AS highest, count(DISTINCT name) AS names,
                min(number) AS first, max(number) AS last, bool_and(dated) AS dated
            FROM (
                SELECT dt, OrderId AS name, TRY_CAST(substr(OrderId, 12) AS BIGINT) AS number,
                    starts_with(OrderId, 'ORD' || strftime(dt, '%Y%m%d')) AS dated
                FROM online_orders WHERE Status = 'CREATED'
            ) GROUP BY dt
        )
    )
    WHERE NOT dated OR (last - first + 1 IS DISTINCT FROM names) OR first < 1
        OR (next_day AND first <> before + 1) OR first <= before
    """,
)


def _nobodys(contact: Contact) -> list[Check]:
    column = contact.column
    return [
        Check(
            f"{table.name}.{column.lower()}",
            f"{column} is {contact.allowed}",
            (table.name,),
            f"SELECT {', '.join(table.key)}, {column} FROM {table.name} "
            f"WHERE NOT coalesce(regexp_full_match({column}, '{contact.pattern}'), false)",
        )
        for table in MASTER_TABLES
        if column in table.header
    ]


CHECKS = (
    Check(
        "traces.sequence",
        "TraceIds are 1, 2, 3 … over all tables and days: each table goes on where another ends",
        TRACED,
        f"""
        SELECT events, dt, first, last, rows, "expected first" FROM (
            SELECT *, lag(last, 1, 0) OVER (ORDER BY first) + 1 AS "expected first"
            FROM ({" UNION ALL ".join(map(_blocks, TRACED))}) WHERE first IS NOT NULL
        )
        WHERE first <> "expected first"
        """,
        whole=TRACED,
    ),
    *map(_runs, TRACED),
    _ORDERS,
    _sequence("store_returns", "ReturnId", "RET"),
    _sequence("marketing", "ImpressionId", "IMP"),
    _sequence("truck_moves", "ShipmentId", "SHIP"),
    *(check for contact in CONTACTS for check in _nobodys(contact)),
)
