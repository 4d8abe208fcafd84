"""Checks of returns and stock-outs: what came back had been sold, what was lost was not there."""

from __future__ import annotations

from retail_datagen.quality.check import Check, Helper

HELPERS = (
    Helper(
        "cancelled_lines",
        ("online_orders", "online_order_lines"),
        """
        SELECT l.dt, l.EventTS, l.OrderId, NodeId AS StoreID, ProductID, Qty AS units
        FROM online_order_lines l JOIN online_orders o ON l.trace = o.trace
        WHERE l.Status = 'CANCELLED' AND o.Status = 'CREATED' AND NodeType = 'STORE'
        """,
    ),
)
CHECKS = (
    Check(
        "store_returns.sale",
        "a return is a line of its receipt: product, price, store, customer; sold before",
        ("store_returns", "receipt_lines", "receipts"),
        """
        SELECT t.EventTS, t.ReturnId, t.ReceiptId, t.Line, t.ProductID,
            CASE WHEN l.Line IS NULL THEN 'no such line'
                WHEN t.ProductID <> l.ProductID THEN 'another product'
                WHEN t.Qty NOT BETWEEN 1 AND l.Qty THEN 'more units than were sold'
                WHEN t.UnitPrice <> l.UnitPrice THEN 'another price'
                WHEN t.StoreID <> r.StoreID THEN 'another store'
                WHEN t.CustomerID <> r.CustomerID THEN 'another customer'
                WHEN t.EventTS <= r.EventTS THEN 'returned before it was sold' END AS problem
        FROM store_returns t JOIN receipts r USING (ReceiptId)
            LEFT JOIN receipt_lines l ON l.trace = r.trace AND l.Line = t.Line
        WHERE problem IS NOT NULL
            AND r.dt IN (SELECT dt FROM days WHERE table_name = 'receipt_lines')
        """,
        aligned=False,
    ),
    Check(
        "store_returns.once",
        "a line comes back once at most",
        ("store_returns",),
        """
        SELECT ReceiptId, Line, count(*) AS returns, min(ReturnId) AS "first",
            max(ReturnId) AS "last"
        FROM store_returns GROUP BY ReceiptId, Line HAVING count(*) > 1
        """,
    ),
    Check(
        "store_returns.amounts",
        "Line, Qty and UnitPrice are above 0, and Refund no less than UnitPrice × Qty",
        ("store_returns",),
        """
        SELECT EventTS, TraceId, ReturnId, Line, Qty, UnitPrice, Refund FROM store_returns
        WHERE Line < 1 OR Qty < 1 OR UnitPrice <= 0 OR Refund < UnitPrice * Qty
        """,
    ),
    Check(
        "store_returns.refund",
        "Refund is UnitPrice × Qty and its tax, rounded down",
        ("store_returns", "products", "store_taxes"),
        """
        SELECT * FROM (
            SELECT EventTS, TraceId, ReturnId, ProductID, Qty, UnitPrice, Refund,
                CAST((paid + paid * (CASE WHEN Taxable THEN ppm ELSE 0 END) // 1000000) / 100
                    AS DECIMAL(12,2)) AS expected
            FROM (SELECT *, CAST(UnitPrice * Qty * 100 AS BIGINT) AS paid FROM store_returns)
                JOIN products USING (ProductID) JOIN store_taxes USING (StoreID)
        ) WHERE Refund <> expected
        """,
    ),
    Check(
        "stockouts.units",
        "more was asked for than was there",
        ("stockouts",),
        """
        SELECT EventTS, TraceId, StoreID, ProductID, LostUnits, LastOnHand FROM stockouts
        WHERE LastOnHand < 0 OR LostUnits <= LastOnHand
        """,
    ),
    Check(
        "stockouts.online",
        "every order line that a store cancels is a stock-out there and then, of its units",
        ("online_order_lines", "cancelled_lines", "stockouts"),
        """
        SELECT EventTS, StoreID, ProductID, units AS "units cancelled", min(OrderId) AS OrderId,
            count(*) AS "lines cancelled", any_value(coalesce(found, 0)) AS "stock-outs"
        FROM cancelled_lines c LEFT JOIN (
            SELECT EventTS, StoreID, ProductID, LostUnits AS units, count(*) AS found
            FROM stockouts GROUP BY ALL
        ) USING (EventTS, StoreID, ProductID, units)
        WHERE c.dt IN (SELECT dt FROM days)
        GROUP BY EventTS, StoreID, ProductID, units
        HAVING count(*) > any_value(coalesce(found, 0))
        """,
    ),
    Check(
        "stockouts.hours",
        "nobody asks in vain in a closed store, but online",
        ("stockouts", "cancelled_lines", "opening_hours"),
        """
        SELECT s.EventTS, TraceId, s.StoreID, s.ProductID, open, opens, closes
        FROM stockouts s JOIN opening_hours USING (StoreID, dt)
            ANTI JOIN cancelled_lines c ON c.EventTS = s.EventTS AND c.StoreID = s.StoreID
                AND c.ProductID = s.ProductID AND c.units = s.LostUnits
        WHERE NOT open OR s.EventTS < opens OR s.EventTS > closes
        """,
    ),
    Check(
        "stockouts.restocked",
        "RestockedTS is the next inflow, that day or by the next day's trucks",
        ("stockouts", "store_inventory_txn"),
        """
        WITH inflow AS (
            SELECT StoreID, ProductID, EventTS, Reason FROM store_inventory_txn m
            WHERE QtyDelta > 0 AND Reason <> 'INITIAL_STOCK' AND NOT (Reason = 'RETURN' AND EXISTS (
                SELECT 1 FROM store_inventory_txn d
                WHERE d.Source = 'CUSTOMER_RETURN' AND d.Reason = 'DAMAGE' AND d.trace = m.trace))
        ), found AS (
            SELECT s.EventTS, s.TraceId, s.StoreID, s.ProductID, RestockedTS,
                min(i.EventTS) AS expected
            FROM stockouts s LEFT JOIN inflow i ON s.StoreID = i.StoreID
                AND s.ProductID = i.ProductID AND i.EventTS > s.EventTS
                AND i.EventTS < s.dt + INTERVAL 2 DAY
                AND (i.EventTS < s.dt + INTERVAL 1 DAY OR i.Reason = 'INBOUND_SHIPMENT')
            GROUP BY ALL
        )
        SELECT * FROM found WHERE RestockedTS IS DISTINCT FROM expected
            AND coalesce(CAST(RestockedTS AS DATE), CAST(expected AS DATE)) IN (
                SELECT dt FROM days WHERE table_name = 'store_inventory_txn')
        """,
    ),
)
