"""Checks of online orders: what they come to, how they proceed, and the stock that they take."""

from __future__ import annotations

from retail_datagen.behaviour.online import SLOWEST_DAYS
from retail_datagen.quality.check import Check, Helper

HELPERS = (
    Helper(
        "order_sums",
        ("online_order_lines",),
        """
        SELECT trace, count(*) AS lines, sum(Line) AS numbers, min(Line) AS lowest,
            max(Line) AS highest, count(*) FILTER (Status = 'ALLOCATED') AS kept,
            CAST(coalesce(sum(ExtPrice) FILTER (Status = 'ALLOCATED'), 0) AS DECIMAL(18,2))
                AS extended
        FROM online_order_lines GROUP BY trace
        """,
    ),
)
_PICKED = """
WITH picked AS (
    SELECT o.trace, o.NodeId AS place, ProductID, o.EventTS, Qty AS units
    FROM online_orders o JOIN online_order_lines l ON o.trace = l.trace
    WHERE o.Status = 'PICKED' AND l.Status = 'ALLOCATED' AND NodeType = '{node}'
), moved AS (
    SELECT trace, {place} AS place, ProductID, EventTS, QtyDelta AS units
    FROM {table} m WHERE Reason = 'SALE'{source} AND (
        NOT EXISTS (SELECT 1 FROM online_orders o WHERE o.trace = m.trace AND Status = 'PICKED')
        OR EXISTS (SELECT 1 FROM online_order_lines l WHERE l.trace = m.trace))
), together AS (SELECT * FROM picked UNION ALL SELECT * FROM moved)
SELECT EventTS, format('TRC{{:010d}}', trace) AS TraceId, place AS "{place}", ProductID,
    coalesce(sum(units) FILTER (units > 0), 0) AS "units picked",
    coalesce(-sum(units) FILTER (units < 0), 0) AS "units moved"
FROM together GROUP BY EventTS, trace, place, ProductID HAVING sum(units) <> 0
"""

CHECKS = (
    Check(
        "online_orders.subtotal",
        "Subtotal is the sum of the lines that are not cancelled",
        ("online_orders", "order_sums"),
        """
        SELECT EventTS, TraceId, OrderId, Status, Subtotal, extended AS "sum of the lines"
        FROM online_orders JOIN order_sums USING (trace) WHERE Subtotal <> extended
        """,
        aligned=False,
    ),
    Check(
        "online_orders.signup",
        "nobody orders before signing up",
        ("online_orders", "customers"),
        """
        SELECT EventTS, TraceId, OrderId, CustomerID, SignupDate
        FROM online_orders JOIN customers USING (CustomerID)
        WHERE Status = 'CREATED' AND CAST(EventTS AS DATE) < SignupDate
        """,
    ),
    Check(
        "online_orders.total",
        "Total is Subtotal - Discount + Shipping + Tax, none of them below 0",
        ("online_orders",),
        """
        SELECT EventTS, TraceId, OrderId, Status, Subtotal, Discount, Shipping, Tax, Total
        FROM online_orders
        WHERE Total <> Subtotal - Discount + Shipping + Tax OR Discount > Subtotal
            OR least(Subtotal, Discount, Shipping, Tax) < 0
        """,
    ),
    Check(
        "online_orders.tax",
        "Tax is the rate at the customer's home on the taxable lines after discount",
        ("online_orders", "online_order_lines", "products", "customers", "geographies"),
        """
        WITH sums AS (
            SELECT trace, CAST(sum(ExtPrice) * 100 AS BIGINT) AS cents,
                CAST(coalesce(sum(ExtPrice) FILTER (Taxable), 0) * 100 AS BIGINT) AS taxable
            FROM online_order_lines l JOIN products USING (ProductID)
            WHERE l.Status = 'ALLOCATED' GROUP BY trace
        ), orders AS (
            SELECT o.*, CAST(round(TaxRate * 1000000) AS BIGINT) AS ppm, cents, taxable,
                CAST(Discount * 100 AS BIGINT) AS less
            FROM online_orders o JOIN sums USING (trace) JOIN customers USING (CustomerID)
            JOIN geographies g ON g.GeographyID = customers.HomeGeographyID
        ), percents AS (
            SELECT *, unnest(range(less * 100 // cents, (less + 1) * 100 // cents + 1)) AS percent
            FROM orders WHERE less <= cents
        ), right_ones AS (
            SELECT DISTINCT trace, Status FROM percents
            WHERE cents * percent // 100 = less AND CAST(Tax * 100 AS BIGINT)
                = ((taxable - taxable * percent // 100) * ppm + 500000) // 1000000
        )
        SELECT EventTS, TraceId, OrderId, Status, Subtotal, Discount, Tax,
            CAST(taxable / 100 AS DECIMAL(12,2)) AS taxable, ppm AS "rate in ppm"
        FROM orders ANTI JOIN right_ones USING (trace, Status)
        """,
        aligned=False,
    ),
    Check(
        "online_orders.modes",
        "SHIP_FROM_DC takes a DC's stock, the other modes a store's; BOPIS is never shipped",
        ("online_orders",),
        """
        SELECT EventTS, TraceId, OrderId, FulfillmentMode, NodeType, Status FROM online_orders
        WHERE (FulfillmentMode = 'SHIP_FROM_DC') <> (NodeType = 'DC')
            OR (FulfillmentMode = 'BOPIS' AND Status = 'SHIPPED')
        """,
    ),
    Check(
        "online_orders.NodeId",
        "is a DCID where NodeType is DC, else a StoreID",
        ("online_orders", "stores", "distribution_centers"),
        """
        SELECT EventTS, TraceId, OrderId, NodeType, NodeId FROM online_orders
        WHERE (NodeType = 'DC' AND NodeId NOT IN (SELECT DCID FROM distribution_centers))
            OR (NodeType = 'STORE' AND NodeId NOT IN (SELECT StoreID FROM stores))
        """,
    ),
    Check(
        "online_orders.order",
        "statuses follow each other: CREATED, PICKED, SHIPPED (not BOPIS), DELIVERED, or CANCELLED",
        ("online_orders",),
        f"""
        WITH span AS (SELECT min(dt) AS first, max(dt) AS last FROM online_orders),
        steps AS (
            SELECT OrderId, min(EventTS) AS EventTS,
                string_agg(Status, ' ' ORDER BY EventTS) AS statuses,
                CAST(try_strptime(substr(OrderId, 4, 8), '%Y%m%d') AS DATE) AS made,
                CASE WHEN max(Subtotal) = 0 THEN 'CREATED CANCELLED'
                    WHEN max(FulfillmentMode) = 'BOPIS' THEN 'CREATED PICKED DELIVERED'
                    ELSE 'CREATED PICKED SHIPPED DELIVERED' END AS expected
            FROM online_orders GROUP BY OrderId
        )
        SELECT EventTS, OrderId, statuses, expected FROM steps, span
        WHERE NOT contains(expected, statuses)
            OR (made >= first AND NOT starts_with(statuses, 'CREATED'))
            OR (made + {SLOWEST_DAYS} <= last AND NOT ends_with(expected, statuses))
        """,
        unbroken=("online_orders",),
    ),
    Check(
        "online_orders.times",
        "PickedTS, ShippedTS and DeliveredTS are known once they are, and follow each other",
        ("online_orders",),
        """
        SELECT EventTS, TraceId, OrderId, Status, PickedTS, ShippedTS, DeliveredTS
        FROM online_orders
        WHERE (PickedTS IS NOT NULL) <> (Status IN ('PICKED', 'SHIPPED', 'DELIVERED'))
            OR (ShippedTS IS NOT NULL)
                <> (Status IN ('SHIPPED', 'DELIVERED') AND FulfillmentMode <> 'BOPIS')
            OR (DeliveredTS IS NOT NULL) <> (Status = 'DELIVERED')
            OR ShippedTS < PickedTS OR DeliveredTS < coalesce(ShippedTS, PickedTS)
            OR EventTS <> CASE Status WHEN 'PICKED' THEN PickedTS WHEN 'SHIPPED' THEN ShippedTS
                WHEN 'DELIVERED' THEN DeliveredTS ELSE EventTS END
        """,
    ),
    Check(
        "online_orders.same",
        "the rows of an order agree in customer, node, money and tender",
        ("online_orders",),
        """
        SELECT OrderId, count(*) AS rows, count(DISTINCT trace) AS "TraceIds",
            count(DISTINCT CustomerID) AS customers,
            count(DISTINCT (FulfillmentMode, NodeType, NodeId)) AS nodes,
            count(DISTINCT (Subtotal, Discount, Shipping, Tax, Total)) AS amounts,
            count(DISTINCT TenderType) AS tenders, count(DISTINCT PickedTS) AS picked,
            count(DISTINCT ShippedTS) AS shipped
        FROM online_orders GROUP BY OrderId
        HAVING greatest("TraceIds", customers, nodes, amounts, tenders, picked, shipped) > 1
        """,
    ),
    Check(
        "online_order_lines.extended",
        "ExtPrice is UnitPrice × Qty, both above 0",
        ("online_order_lines",),
        """
        SELECT EventTS, TraceId, OrderId, Line, Qty, UnitPrice, ExtPrice
        FROM online_order_lines WHERE ExtPrice <> UnitPrice * Qty OR Qty < 1 OR UnitPrice <= 0
        """,
    ),
    Check(
        "online_order_lines.sequence",
        "lines are numbered 1, 2, 3 … on each order",
        ("online_order_lines", "order_sums"),
        """
        SELECT format('TRC{:010d}', trace) AS TraceId, lowest, highest, lines FROM order_sums
        WHERE lowest <> 1 OR highest <> lines OR 2 * numbers <> lines * (lines + 1)
        """,
    ),
    Check(
        "online_order_lines.order",
        "TraceId and EventTS of a line are its order's, and every order has lines",
        ("online_order_lines", "online_orders"),
        """
        SELECT coalesce(l.OrderId, o.OrderId) AS OrderId, Line, l.TraceId, l.EventTS,
            o.TraceId AS "order's TraceId", o.EventTS AS "order's EventTS"
        FROM (SELECT * FROM online_orders WHERE Status = 'CREATED') o
            FULL JOIN online_order_lines l ON o.OrderId = l.OrderId
        WHERE l.OrderId IS NULL OR l.trace <> o.trace OR l.EventTS <> o.EventTS
        """,
    ),
    Check(
        "online_orders.store_stock",
        "what is picked in stores is what the orders' lines ask for, there and then",
        ("store_inventory_txn", "online_orders", "online_order_lines"),
        _PICKED.format(
            node="STORE",
            place="StoreID",
            table="store_inventory_txn",
            source=" AND Source = 'ONLINE_ORDER'",
        ),
    ),
    Check(
        "online_orders.dc_stock",
        "what is picked in DCs is what the orders' lines ask for, there and then",
        ("dc_inventory_txn", "online_orders", "online_order_lines"),
        _PICKED.format(node="DC", place="DCID", table="dc_inventory_txn", source=""),
    ),
)
