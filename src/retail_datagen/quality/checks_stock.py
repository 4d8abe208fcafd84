"""Checks of stock: closed books since the opening, never below zero, nothing from nowhere."""

from __future__ import annotations

from retail_datagen.quality.check import Check, Helper

_NEVER_NEGATIVE = """
SELECT EventTS, {place}, ProductID, format('TRC{{:010d}}', trace) AS TraceId, QtyDelta,
    stock AS "stock after it"
FROM (
    SELECT {place}, ProductID, EventTS, trace, QtyDelta, sum(QtyDelta) OVER (
        PARTITION BY {place}, ProductID ORDER BY EventTS, QtyDelta < 0, trace
        ROWS UNBOUNDED PRECEDING) AS stock
    FROM {table} SEMI JOIN (
        SELECT {place}, ProductID FROM {table} GROUP BY ALL
        HAVING coalesce(sum(QtyDelta) FILTER (Reason = 'INITIAL_STOCK'), 0)
            + coalesce(sum(QtyDelta) FILTER (QtyDelta < 0), 0) < 0
    ) USING ({place}, ProductID)
)
WHERE stock < 0
"""
_SIGNS = """
SELECT EventTS, TraceId, {place}, ProductID, QtyDelta, Reason{source} FROM {table}
WHERE QtyDelta = 0 OR CASE
    WHEN Reason IN ('INBOUND_SHIPMENT', 'RETURN', 'INITIAL_STOCK') THEN QtyDelta < 0
    WHEN Reason = 'ADJUSTMENT' THEN false ELSE QtyDelta > 0 END
    OR {foreign}
"""
_OPENING = """
SELECT EventTS, TraceId, {place}, ProductID, QtyDelta, times FROM (
    SELECT *, count(*) OVER (PARTITION BY {place}, ProductID) AS times
    FROM {table} WHERE Reason = 'INITIAL_STOCK'
), beginning
WHERE times > 1 OR EventTS <> beginning.dt
"""

_ROOM = """
WITH moves AS (
    SELECT {place}, dt, Reason, QtyDelta AS units FROM {table} WHERE NOT ({picked})
    UNION ALL
    SELECT NodeId, l.dt, 'RESERVED', -Qty
    FROM online_order_lines l JOIN online_orders o ON l.trace = o.trace
    WHERE l.Status = 'ALLOCATED' AND o.Status = 'CREATED' AND NodeType = '{node}'
), by_day AS (
    SELECT {place}, dt, sum(units) AS change, {found} AS found,
        coalesce(sum(units) FILTER (Reason = 'INITIAL_STOCK'), 0) AS opened,
        coalesce(sum(units) FILTER (Reason = 'INBOUND_SHIPMENT'), 0) AS delivered,
        coalesce(sum(units) FILTER (Reason = 'OUTBOUND_SHIPMENT'), 0) AS loaded
    FROM moves GROUP BY ALL
), evenings AS (
    SELECT *, sum(change) OVER earlier - change + loaded + opened AS held,
        sum(found) OVER earlier AS surplus
    FROM by_day WINDOW earlier AS (PARTITION BY {place} ORDER BY dt)
)
SELECT dt, {place}, held AS "held before", delivered, Capacity
FROM evenings JOIN {master} USING ({place})
WHERE opened > Capacity OR (delivered > 0 AND held + delivered > Capacity + surplus)
"""
"""Orders are made to fit what a place holds, less what is reserved online and what leaves by truck
that day; DCs order days ahead, so what counts find until then may be too much."""

HELPERS = (
    Helper(
        "availability",
        (
            "store_inventory_txn",
            "online_orders",
            "online_order_lines",
            "reorders",
            "stockouts",
        ),
        # What a store can still promise: units on hand, less those ordered online and not picked.
        """
        WITH asked AS (
            SELECT StoreID, ProductID FROM reorders UNION SELECT StoreID, ProductID FROM stockouts
        ), events AS (
            SELECT StoreID, ProductID, EventTS, QtyDelta FROM store_inventory_txn
            WHERE Source <> 'ONLINE_ORDER'
            UNION ALL
            SELECT NodeId, ProductID, l.EventTS, -Qty
            FROM online_order_lines l JOIN online_orders o ON l.trace = o.trace
            WHERE l.Status = 'ALLOCATED' AND o.Status = 'CREATED' AND NodeType = 'STORE'
        ), seconds AS (
            SELECT StoreID, ProductID, EventTS,
                sum(greatest(QtyDelta, 0)) AS inflow, sum(greatest(-QtyDelta, 0)) AS outflow
            FROM events SEMI JOIN asked USING (StoreID, ProductID) GROUP BY ALL
        )
        SELECT StoreID, ProductID, EventTS, CAST(inflow AS INTEGER) AS inflow,
            CAST(outflow AS INTEGER) AS outflow, CAST(sum(inflow - outflow) OVER (
                PARTITION BY StoreID, ProductID ORDER BY EventTS) AS INTEGER) AS units
        FROM seconds
        """,
    ),
)
_HISTORY = ("store_inventory_txn", "online_orders", "online_order_lines", "reorders", "stockouts")

CHECKS = (
    Check(
        "store_inventory_txn.stock",
        "stock in stores is never below 0, at any instant since INITIAL_STOCK",
        ("store_inventory_txn",),
        _NEVER_NEGATIVE.format(place="StoreID", table="store_inventory_txn"),
        whole=("store_inventory_txn",),
    ),
    Check(
        "dc_inventory_txn.stock",
        "stock in DCs is never below 0, at any instant since INITIAL_STOCK",
        ("dc_inventory_txn",),
        _NEVER_NEGATIVE.format(place="DCID", table="dc_inventory_txn"),
        whole=("dc_inventory_txn",),
    ),
    Check(
        "store_inventory_txn.signs",
        "what comes in is above 0, what goes out below; Source goes with Reason",
        ("store_inventory_txn",),
        _SIGNS.format(
            place="StoreID",
            table="store_inventory_txn",
            source=", Source",
            foreign="""Reason = 'OUTBOUND_SHIPMENT' OR CASE Reason
        WHEN 'SALE' THEN Source NOT IN ('CUSTOMER_PURCHASE', 'ONLINE_ORDER')
        WHEN 'RETURN' THEN Source <> 'CUSTOMER_RETURN'
        WHEN 'DAMAGE' THEN Source NOT IN ('CUSTOMER_RETURN', 'STORE_OPERATIONS')
        WHEN 'SHRINK' THEN Source <> 'STORE_OPERATIONS'
        WHEN 'ADJUSTMENT' THEN Source <> 'CYCLE_COUNT'
        WHEN 'INITIAL_STOCK' THEN Source <> 'OPENING_BALANCE' ELSE false END""",
        ),
    ),
    Check(
        "dc_inventory_txn.signs",
        "what comes in is above 0, what goes out below",
        ("dc_inventory_txn",),
        _SIGNS.format(
            place="DCID", table="dc_inventory_txn", source="", foreign="Reason = 'RETURN'"
        ),
    ),
    Check(
        "store_inventory_txn.opening",
        "INITIAL_STOCK is booked once, at the history's first midnight",
        ("store_inventory_txn", "beginning"),
        _OPENING.format(place="StoreID", table="store_inventory_txn"),
    ),
    Check(
        "dc_inventory_txn.opening",
        "INITIAL_STOCK is booked once, at the history's first midnight",
        ("dc_inventory_txn", "beginning"),
        _OPENING.format(place="DCID", table="dc_inventory_txn"),
    ),
    Check(
        "store_inventory_txn.sales",
        "SALE movements are the receipts' lines, to the unit",
        ("store_inventory_txn", "receipt_lines"),
        """
        SELECT format('TRC{:010d}', trace) AS TraceId, ProductID,
            sum(sold) AS "units on the receipt", sum(moved) AS "units moved"
        FROM (
            SELECT trace, ProductID, Qty AS sold, 0 AS moved FROM receipt_lines
            UNION ALL
            SELECT trace, ProductID, 0, -QtyDelta FROM store_inventory_txn
            WHERE Reason = 'SALE' AND Source = 'CUSTOMER_PURCHASE'
        ) GROUP BY trace, ProductID HAVING sum(sold) <> sum(moved)
        """,
    ),
    Check(
        "store_inventory_txn.receipt",
        "SALE movements lie in the store and second of their receipt",
        ("store_inventory_txn", "receipts"),
        """
        SELECT m.EventTS, m.TraceId, m.StoreID, ProductID, r.StoreID AS "receipt's StoreID",
            r.EventTS AS "receipt's EventTS"
        FROM store_inventory_txn m LEFT JOIN receipts r ON m.trace = r.trace
        WHERE Reason = 'SALE' AND Source = 'CUSTOMER_PURCHASE'
            AND (m.StoreID IS DISTINCT FROM r.StoreID OR m.EventTS IS DISTINCT FROM r.EventTS)
        """,
    ),
    Check(
        "store_inventory_txn.returns",
        "RETURN movements are the returns, there and then; DAMAGED ones are written off",
        ("store_inventory_txn", "store_returns"),
        """
        SELECT EventTS, TraceId, StoreID, ProductID, Reason,
            sum(returned) AS "units returned", sum(moved) AS "units moved"
        FROM (
            SELECT EventTS, TraceId, StoreID, ProductID, 'RETURN' AS Reason,
                Qty AS returned, 0 AS moved FROM store_returns
            UNION ALL
            SELECT EventTS, TraceId, StoreID, ProductID, 'DAMAGE', -Qty, 0
            FROM store_returns WHERE Condition = 'DAMAGED'
            UNION ALL
            SELECT EventTS, TraceId, StoreID, ProductID, Reason, 0, QtyDelta
            FROM store_inventory_txn WHERE Source = 'CUSTOMER_RETURN'
        ) GROUP BY ALL HAVING sum(returned) <> sum(moved)
        """,
    ),
    Check(
        "store_inventory_txn.truck",
        "the Source of an INBOUND_SHIPMENT is a TruckId of trucks",
        ("store_inventory_txn", "trucks"),
        """
        SELECT EventTS, TraceId, StoreID, ProductID, Source FROM store_inventory_txn
        WHERE Reason = 'INBOUND_SHIPMENT' AND Source NOT IN (SELECT TruckId FROM trucks)
        """,
    ),
    Check(
        "store_inventory_txn.capacity",
        "a day's deliveries fit the room that the store had the evening before",
        ("store_inventory_txn", "online_orders", "online_order_lines", "stores"),
        _ROOM.format(
            place="StoreID",
            node="STORE",
            table="store_inventory_txn",
            master="stores",
            picked="Source = 'ONLINE_ORDER'",
            found="0",
        ),
        whole=("store_inventory_txn", "online_orders", "online_order_lines"),
    ),
    Check(
        "dc_inventory_txn.capacity",
        "a day's deliveries fit the room that the DC had the evening before",
        ("dc_inventory_txn", "online_orders", "online_order_lines", "distribution_centers"),
        _ROOM.format(
            place="DCID",
            node="DC",
            table="dc_inventory_txn",
            master="distribution_centers",
            picked="Reason = 'SALE'",
            found="coalesce(sum(units) FILTER (Reason = 'ADJUSTMENT' AND units > 0), 0)",
        ),
        whole=("dc_inventory_txn", "online_orders", "online_order_lines"),
    ),
    Check(
        "reorders.on_hand",
        "OnHand is the sum of all movements, less what is reserved for online orders",
        ("reorders", "availability"),
        """
        SELECT r.EventTS, r.TraceId, r.StoreID, r.ProductID, OnHand, coalesce(units, 0) AS expected
        FROM reorders r ASOF LEFT JOIN availability a ON r.StoreID = a.StoreID
            AND r.ProductID = a.ProductID AND r.EventTS >= a.EventTS
        WHERE OnHand <> coalesce(units, 0)
        """,
        whole=_HISTORY,
    ),
    Check(
        "stockouts.on_hand",
        "LastOnHand is the sum of all movements until then, less what is reserved online",
        ("stockouts", "availability"),
        """
        SELECT * FROM (
            SELECT s.EventTS, s.TraceId, s.StoreID, s.ProductID, LastOnHand,
                coalesce(units, 0) AS lowest,
                coalesce(units, 0) + CASE WHEN s.EventTS = a.EventTS THEN outflow ELSE 0 END
                    AS highest
            FROM stockouts s ASOF LEFT JOIN availability a ON s.StoreID = a.StoreID
                AND s.ProductID = a.ProductID AND s.EventTS >= a.EventTS
        ) WHERE LastOnHand NOT BETWEEN lowest AND highest
        """,
        whole=_HISTORY,
    ),
)
