"""Checks of receipts: they are the sum of their lines, taxed, numbered and named as declared."""

from __future__ import annotations

from retail_datagen.quality.check import Check, Helper

HELPERS = (
    Helper(
        "receipt_sums",
        ("receipt_lines",),
        """
        SELECT trace, count(*) AS lines, sum(Line) AS numbers, min(Line) AS lowest,
            max(Line) AS highest, CAST(sum(ExtPrice) AS DECIMAL(18,2)) AS extended
        FROM receipt_lines GROUP BY trace
        """,
    ),
    Helper(
        "store_taxes",
        ("stores", "geographies"),
        """
        SELECT StoreID, CAST(round(TaxRate * 1000000) AS BIGINT) AS ppm
        FROM stores JOIN geographies USING (GeographyID)
        """,
    ),
    Helper(
        "store_digits",
        ("stores",),
        "SELECT greatest(3, max(length(CAST(StoreID AS VARCHAR)))) AS digits FROM stores",
    ),
)

CHECKS = (
    Check(
        "receipts.lines",
        "every receipt has lines",
        ("receipts", "receipt_sums"),
        """
        SELECT EventTS, TraceId, ReceiptId FROM receipts r
        WHERE NOT EXISTS (SELECT 1 FROM receipt_sums s WHERE s.trace = r.trace)
        """,
    ),
    Check(
        "receipts.subtotal",
        "Subtotal is the sum of the lines' ExtPrice",
        ("receipts", "receipt_sums"),
        """
        SELECT EventTS, TraceId, ReceiptId, Subtotal, extended AS "sum of the lines"
        FROM receipts JOIN receipt_sums USING (trace) WHERE Subtotal <> extended
        """,
    ),
    Check(
        "receipts.tax",
        "Tax is the store's rate on the taxable lines together, rounded half up to the cent",
        ("receipts", "receipt_lines", "products", "store_taxes"),
        """
        WITH taxed AS (
            SELECT trace, CAST(sum(ExtPrice) * 100 AS BIGINT) AS cents
            FROM receipt_lines JOIN products USING (ProductID) WHERE Taxable GROUP BY trace
        ),
        expected AS (
            SELECT r.*, ((coalesce(cents, 0) * ppm + 500000) // 1000000) AS tax_cents
            FROM receipts r JOIN store_taxes USING (StoreID) LEFT JOIN taxed USING (trace)
        )
        SELECT EventTS, TraceId, ReceiptId, Tax, CAST(tax_cents / 100 AS DECIMAL(12,2)) AS expected
        FROM expected WHERE CAST(Tax * 100 AS BIGINT) <> tax_cents
        """,
    ),
    Check(
        "receipts.total",
        "Total is Subtotal + Tax",
        ("receipts",),
        """
        SELECT EventTS, TraceId, ReceiptId, Subtotal, Tax, Total
        FROM receipts WHERE Total <> Subtotal + Tax
        """,
    ),
    Check(
        "receipts.name",
        "ReceiptId begins with RCP, date, hour and minute of EventTS, and the store",
        ("receipts", "store_digits"),
        """
        SELECT EventTS, TraceId, StoreID, ReceiptId FROM receipts, store_digits
        WHERE NOT starts_with(ReceiptId, 'RCP' || strftime(EventTS, '%Y%m%d%H%M')
            || lpad(CAST(StoreID AS VARCHAR), CAST(digits AS INTEGER), '0'))
        """,
    ),
    Check(
        "receipts.sequence",
        "ReceiptIds end with 1, 2, 3 … in each store and day",
        ("receipts", "store_digits"),
        """
        SELECT dt, StoreID, min(number) AS lowest, max(number) AS highest, count(*) AS receipts
        FROM (SELECT *, TRY_CAST(substr(ReceiptId, 16 + digits) AS INTEGER) AS number
            FROM receipts, store_digits)
        GROUP BY dt, StoreID
        HAVING min(number) <> 1 OR max(number) <> count(*) OR count(DISTINCT number) <> count(*)
        """,
    ),
    Check(
        "receipt_lines.extended",
        "ExtPrice is UnitPrice × Qty, both above 0",
        ("receipt_lines",),
        """
        SELECT EventTS, TraceId, ReceiptId, Line, Qty, UnitPrice, ExtPrice
        FROM receipt_lines WHERE ExtPrice <> UnitPrice * Qty OR Qty < 1 OR UnitPrice <= 0
        """,
    ),
    Check(
        "receipt_lines.sequence",
        "lines are numbered 1, 2, 3 … on each receipt",
        ("receipt_lines", "receipt_sums"),
        """
        SELECT format('TRC{:010d}', trace) AS TraceId, lowest, highest, lines FROM receipt_sums
        WHERE lowest <> 1 OR highest <> lines OR 2 * numbers <> lines * (lines + 1)
        """,
    ),
    Check(
        "receipt_lines.receipt",
        "TraceId and EventTS of a line are its receipt's",
        ("receipt_lines", "receipts"),
        """
        SELECT ReceiptId, Line, l.TraceId, l.EventTS, r.TraceId AS "receipt's TraceId",
            r.EventTS AS "receipt's EventTS"
        FROM receipt_lines l JOIN receipts r USING (ReceiptId)
        WHERE l.trace <> r.trace OR l.EventTS <> r.EventTS
        """,
    ),
)
