"""Checks of prices: every sale is at the price in force, every change follows the one before."""

from __future__ import annotations

from retail_datagen.quality.check import Check, Helper

_STEEPEST, _STEP_DAYS = 0.1, 182
"""The most that a profile may let prices rise in one step, and how often there is one."""
_DEEPEST = 60
"""The most percent that a profile may mark down."""

HELPERS = (
    Helper(
        "price_days",
        ("price_changes", "products"),
        # The price of each product on each day of the history that is on file.
        """
        WITH spans AS (
            SELECT ProductID, price, since, lead(since, 1, DATE '9999-12-31') OVER (
                PARTITION BY ProductID ORDER BY since) AS until
            FROM (
                SELECT ProductID, Price AS price, DATE '0001-01-01' AS since FROM products
                UNION ALL SELECT ProductID, NewPrice, dt FROM price_changes
            )
        )
        SELECT ProductID, d.dt, price
        FROM spans JOIN (SELECT DISTINCT dt FROM main.days) d ON d.dt >= since AND d.dt < until
        """,
    ),
    Helper(
        "promotion_days",
        ("price_changes", "products", "promotions"),
        # What prices say of each product and day: the promotion that began last and still runs.
        # Others are possible where prices need not move: a promotion of the same percentage that
        # follows, or a markdown of its category that takes over.
        """
        WITH starts AS (
            SELECT ProductID, dt, PromoCode, Reason, lead(dt, 1, DATE '9999-12-31') OVER (
                PARTITION BY ProductID ORDER BY dt) AS until
            FROM price_changes WHERE Reason IN ('PROMO_START', 'PROMO_END')
        )
        SELECT ProductID, s.dt AS since, until, PromoCode, DiscountPercent AS percent, EndDate
        FROM starts s JOIN promotions USING (PromoCode) WHERE Reason = 'PROMO_START'
        """,
    ),
    Helper(
        "price_bounds",
        ("products", "promotions", "beginning"),
        # Prices never fall below the deepest discount on the launch price, and rise twice a year.
        # `highest` is NULL where nobody knows when the history began.
        f"""
        SELECT ProductID, d.dt, Price AS launched, Price * (1 + {_STEEPEST} * (
                (d.dt - beginning.dt) // {_STEP_DAYS} + 1)) + 0.01 AS highest,
            Price * (100 - greatest({_DEEPEST}, (SELECT max(DiscountPercent) FROM promotions)))
                / 100 - 0.01 AS lowest
        FROM products, beginning, (SELECT DISTINCT dt FROM main.days) d
        """,
    ),
)
_PRICED = """
SELECT EventTS, TraceId, {order}, Line, ProductID, UnitPrice, price AS "price in force"
FROM {table} JOIN price_days USING (ProductID, dt) WHERE UnitPrice <> price
"""
_COVERS = """
(p.Category = g.Category AND (p.Subcategory IS NULL OR p.Subcategory = g.Subcategory))
"""
_PROMOTED = f"""
WITH lines AS (
    SELECT dt, ProductID, PromoCode, min(TraceId) AS TraceId, count(*) AS lines FROM {{table}}
    GROUP BY dt, ProductID, PromoCode
), told AS (
    SELECT l.*, n.PromoCode AS code, n.percent, n.since, n.EndDate, g.Category, g.Subcategory
    FROM lines l JOIN products g USING (ProductID) LEFT JOIN promotion_days n
        ON l.ProductID = n.ProductID AND l.dt >= n.since AND l.dt < n.until
)
SELECT g.dt, g.ProductID, g.PromoCode, lines, code AS "begun by price_changes", g.EndDate, TraceId
FROM told g LEFT JOIN promotions p ON p.PromoCode = g.PromoCode AND {_COVERS}
    AND g.dt BETWEEN p.StartDate AND p.EndDate
WHERE CASE
    WHEN g.PromoCode IS NOT NULL AND p.PromoCode IS NULL THEN true
    WHEN g.PromoCode = code THEN false
    WHEN g.PromoCode IS NULL THEN code IS NOT NULL AND g.dt <= g.EndDate AND NOT EXISTS (
        SELECT 1 FROM price_changes c JOIN products m USING (ProductID)
        WHERE c.Reason = 'MARKDOWN_START' AND m.Category = g.Category
            AND c.dt > since AND c.dt <= g.dt)
    ELSE code IS NULL OR g.dt <= g.EndDate OR p.DiscountPercent <> percent END
"""

_BOUNDS = """
SELECT EventTS, TraceId, ProductID, {price}, launched AS "launch price",
    CAST(lowest AS DECIMAL(12,2)) AS lowest, CAST(highest AS DECIMAL(12,2)) AS highest
FROM {table} JOIN price_bounds USING (ProductID, dt)
WHERE {price} < greatest(lowest, 0.01) OR {price} > highest
"""
_LAUNCHED = """
SELECT EventTS, TraceId, ProductID, LaunchDate FROM {table} JOIN products USING (ProductID)
WHERE dt < LaunchDate
"""


def _bounds(table: str, price: str = "UnitPrice") -> Check:
    return Check(
        f"{table}.bounds",
        "prices stay between the deepest discount on the launch price and its inflation",
        (table, "price_bounds"),
        _BOUNDS.format(table=table, price=price),
    )


def _launched(table: str) -> Check:
    return Check(
        f"{table}.launch",
        "nothing is sold before its LaunchDate",
        (table, "products"),
        _LAUNCHED.format(table=table),
    )


CHECKS = (
    _bounds("receipt_lines"),
    _bounds("online_order_lines"),
    _bounds("price_changes", "NewPrice"),
    _launched("receipt_lines"),
    _launched("online_order_lines"),
    Check(
        "receipt_lines.price",
        "UnitPrice is the last NewPrice, else the price of master data",
        ("receipt_lines", "price_days"),
        _PRICED.format(table="receipt_lines", order="ReceiptId"),
        whole=("price_changes",),
    ),
    Check(
        "online_order_lines.price",
        "UnitPrice is the last NewPrice, else the price of master data",
        ("online_order_lines", "price_days"),
        _PRICED.format(table="online_order_lines", order="OrderId"),
        whole=("price_changes",),
    ),
    Check(
        "receipt_lines.promotion",
        "PromoCode is that of the promotion whose price it is, and there where one is in force",
        ("receipt_lines", "promotion_days", "price_changes"),
        _PROMOTED.format(table="receipt_lines"),
        whole=("price_changes",),
    ),
    Check(
        "online_order_lines.promotion",
        "PromoCode is that of the promotion whose price it is, and there where one is in force",
        ("online_order_lines", "promotion_days", "price_changes"),
        _PROMOTED.format(table="online_order_lines"),
        whole=("price_changes",),
    ),
    Check(
        "price_changes.change",
        "prices change at midnight, once a day, to another price above 0",
        ("price_changes",),
        """
        SELECT EventTS, TraceId, ProductID, OldPrice, NewPrice, changes AS "changes that day" FROM (
            SELECT *, count(*) OVER (PARTITION BY dt, ProductID) AS changes FROM price_changes
        ) WHERE OldPrice = NewPrice OR NewPrice <= 0 OR changes > 1 OR EventTS <> dt
        """,
    ),
    Check(
        "price_changes.chain",
        "OldPrice is the NewPrice before, first that of master data",
        ("price_changes", "products"),
        """
        SELECT EventTS, TraceId, ProductID, OldPrice, before AS "price before" FROM (
            SELECT c.*, coalesce(lag(NewPrice) OVER (
                PARTITION BY ProductID ORDER BY EventTS, trace), Price) AS before
            FROM price_changes c JOIN products USING (ProductID)
        ) WHERE OldPrice <> before
        """,
        whole=("price_changes",),
    ),
    Check(
        "price_changes.promotion",
        "PROMO_START and PROMO_END name a promotion of the product that begins or ends there",
        ("price_changes", "products", "promotions"),
        f"""
        SELECT EventTS, TraceId, c.ProductID, Reason, c.PromoCode, StartDate, EndDate
        FROM price_changes c JOIN products g USING (ProductID)
            LEFT JOIN promotions p ON p.PromoCode = c.PromoCode AND {_COVERS}
        WHERE (Reason IN ('PROMO_START', 'PROMO_END')) <> (c.PromoCode IS NOT NULL)
            OR (c.PromoCode IS NOT NULL AND p.PromoCode IS NULL)
            OR (Reason = 'PROMO_START' AND dt NOT BETWEEN StartDate AND EndDate)
            OR (Reason = 'PROMO_END' AND dt NOT BETWEEN StartDate + 1 AND EndDate + 1)
        """,
    ),
    Check(
        "price_changes.discount",
        "PROMO_START takes the promotion's DiscountPercent off a price since launch",
        ("price_changes", "promotions", "price_bounds"),
        """
        SELECT EventTS, TraceId, ProductID, PromoCode, DiscountPercent, NewPrice,
            launched AS "launch price"
        FROM price_changes JOIN promotions USING (PromoCode)
            JOIN price_bounds USING (ProductID, dt)
        WHERE Reason = 'PROMO_START' AND (
            NewPrice < launched * (100 - DiscountPercent) / 100 - 0.01
            OR NewPrice > highest * (100 - DiscountPercent) / 100 + 0.01)
        """,
    ),
)
