"""Proves a store's books on what its database holds: items, movements, purchases, snapshots.

Every check is a query whose rows are violations. All see the database at one moment, also while a
simulation writes to it.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, Engine, text

from retail_datagen.quality.check import Check, Report, Result, Rows, Status
from retail_datagen.store.database.engine import shown_url
from retail_datagen.store.database.models import TABLES

EXAMPLES = 5
Progress = Callable[[str, int, int], None]

CHECKS = (
    Check(
        "items_have_a_reason",
        "an item is present, or it is not and there is a reason and a time",
        ("inventory_items",),
        """SELECT id, rfid_tag, status, reason, left_at FROM inventory_items
        WHERE NOT (status = 'present' AND reason IS NULL AND left_at IS NULL)
        AND NOT (status = 'not_present' AND reason IN ('sold', 'stolen', 'lost', 'moved')
                 AND left_at IS NOT NULL)""",
    ),
    Check(
        "items_add_up",
        "present + sold + gone (stolen, lost, moved) = all items",
        ("inventory_items",),
        """SELECT * FROM (SELECT count(*) AS items,
            sum(CASE WHEN status = 'present' THEN 1 ELSE 0 END) AS present,
            sum(CASE WHEN reason = 'sold' THEN 1 ELSE 0 END) AS sold,
            sum(CASE WHEN reason IN ('stolen', 'lost', 'moved') THEN 1 ELSE 0 END) AS gone
        FROM inventory_items) AS counted WHERE items <> present + sold + gone""",
    ),
    Check(
        "items_come_and_go_in_turn",
        "an item's movements begin with an arrival, then it leaves and comes back by turns",
        ("stock_movements",),
        """SELECT item_id, id, kind, occurred_at, before FROM (
            SELECT item_id, id, kind, occurred_at, delta,
                coalesce(lag(delta) OVER (PARTITION BY item_id ORDER BY occurred_at, id), -1)
                AS before FROM stock_movements) AS steps
        WHERE delta <> -before""",
    ),
    Check(
        "items_are_where_they_were_moved",
        "an item is present where its movements sum to 1, and not where they sum to 0",
        ("inventory_items",),
        """SELECT i.id, i.rfid_tag, i.status, coalesce(moved.total, 0) AS movements
        FROM inventory_items i
        LEFT JOIN (SELECT item_id, sum(delta) AS total FROM stock_movements GROUP BY item_id)
            AS moved ON moved.item_id = i.id
        WHERE coalesce(moved.total, -9) <> CASE WHEN i.status = 'present' THEN 1 ELSE 0 END""",
    ),
    Check(
        "items_left_as_they_were_moved",
        "an item left when and how its last movement says",
        ("inventory_items",),
        """SELECT i.id, i.rfid_tag, i.reason, i.left_at, last.kind, last.occurred_at
        FROM inventory_items i JOIN (
            SELECT item_id, kind, occurred_at, row_number() OVER (
                PARTITION BY item_id ORDER BY occurred_at DESC, id DESC) AS place
            FROM stock_movements) AS last ON last.item_id = i.id AND last.place = 1
        WHERE i.status = 'not_present' AND (i.left_at <> last.occurred_at
            OR (i.reason = 'sold') <> (last.kind = 'sale')
            OR (i.reason <> 'sold') <> (last.kind = 'loss'))""",
    ),
    Check(
        "movements_are_of_their_item",
        "movements and purchases name the product of their item",
        ("stock_movements", "purchase_events"),
        """SELECT 'movement' AS what, e.id, e.item_id, e.product_id, i.product_id AS of_item
        FROM stock_movements e LEFT JOIN inventory_items i ON i.id = e.item_id
        WHERE i.id IS NULL OR i.product_id <> e.product_id
        UNION ALL
        SELECT 'purchase', e.id, e.item_id, e.product_id, i.product_id
        FROM purchase_events e LEFT JOIN inventory_items i ON i.id = e.item_id
        WHERE i.id IS NULL OR i.product_id <> e.product_id""",
    ),
    Check(
        "purchases_are_sales",
        "every purchase is an item that left by sale then, and every sale is a purchase",
        ("purchase_events",),
        """SELECT 'purchase without sale' AS what, p.item_id, p.occurred_at FROM purchase_events p
        WHERE NOT EXISTS (SELECT 1 FROM stock_movements s WHERE s.item_id = p.item_id
            AND s.occurred_at = p.occurred_at AND s.kind = 'sale')
        UNION ALL
        SELECT 'sale without purchase', s.item_id, s.occurred_at FROM stock_movements s
        WHERE s.kind = 'sale' AND NOT EXISTS (SELECT 1 FROM purchase_events p
            WHERE p.item_id = s.item_id AND p.occurred_at = s.occurred_at)""",
    ),
    Check(
        "levels_are_the_movements",
        "a product's on_hand is the sum of its movements",
        ("stock_levels",),
        """SELECT p.id, p.sku, l.on_hand, coalesce(moved.total, 0) AS movements FROM products p
        LEFT JOIN stock_levels l ON l.product_id = p.id
        LEFT JOIN (SELECT product_id, sum(delta) AS total FROM stock_movements GROUP BY product_id)
            AS moved ON moved.product_id = p.id
        WHERE coalesce(l.on_hand, -1) <> coalesce(moved.total, 0)""",
    ),
    Check(
        "levels_are_the_items",
        "a product's on_hand is the count of its present items",
        ("stock_levels",),
        """SELECT l.product_id, l.on_hand, coalesce(there.items, 0) AS items FROM stock_levels l
        LEFT JOIN (SELECT product_id, count(*) AS items FROM inventory_items
            WHERE status = 'present' GROUP BY product_id) AS there
            ON there.product_id = l.product_id
        WHERE l.on_hand <> coalesce(there.items, 0)""",
    ),
    Check(
        "stock_is_never_negative",
        "at any time a product's movements so far sum to 0 or more",
        ("stock_movements",),
        """SELECT product_id, occurred_at, stock FROM (
            SELECT product_id, occurred_at, sum(delta) OVER (
                PARTITION BY product_id ORDER BY occurred_at, delta DESC, id
                ROWS UNBOUNDED PRECEDING) AS stock FROM stock_movements) AS running
        WHERE stock < 0""",
    ),
    Check(
        "snapshots_are_the_ledger",
        "each snapshot is what a product's movements sum to at that time",
        ("stock_snapshots",),
        """SELECT product_id, moment AS taken_at, on_hand, ledger FROM (
            SELECT product_id, moment, on_hand, sum(delta) OVER (
                PARTITION BY product_id ORDER BY moment, turn ROWS UNBOUNDED PRECEDING) AS ledger
            FROM (
                SELECT product_id, occurred_at AS moment, delta, 0 AS turn,
                    CAST(NULL AS INTEGER) AS on_hand FROM stock_movements
                UNION ALL
                SELECT product_id, taken_at, 0, 1, on_hand FROM stock_snapshots) AS events
            ) AS running
        WHERE on_hand IS NOT NULL AND on_hand <> ledger""",
    ),
    Check(
        "snapshots_are_of_products",
        "snapshots name products that there are",
        ("stock_snapshots",),
        """SELECT DISTINCT s.product_id FROM stock_snapshots s
        LEFT JOIN products p ON p.id = s.product_id WHERE p.id IS NULL""",
    ),
    Check(
        "runs_keep_to_their_time",
        "what a backfill wrote lies within the days that it covers",
        ("stock_movements",),
        """SELECT s.id, s.occurred_at, r.id AS run, r.first_at, r.last_at FROM stock_movements s
        JOIN runs r ON r.id = s.run_id WHERE r.first_at IS NOT NULL
        AND (s.occurred_at < r.first_at OR s.occurred_at >= r.last_at)""",
    ),
    Check(
        "items_stand_in_zones",
        "an item with a zone stands within it",
        ("inventory_items",),
        """SELECT i.id, i.rfid_tag, i.x_position, i.y_position, z.name FROM inventory_items i
        JOIN zones z ON z.id = i.zone_id
        WHERE i.x_position < z.x0 OR i.x_position > z.x1
        OR i.y_position < z.y0 OR i.y_position > z.y1""",
    ),
)


def verify_store(engine: Engine, first: int = EXAMPLES, progress: Progress | None = None) -> Report:
    """What every check found; `first` is how many offending rows of each are kept."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            rows = {t.name: _count(connection, t.name) for t in TABLES}
            results = []
            for done, check in enumerate(CHECKS):
                if progress:
                    progress(check.name, done, len(CHECKS))
                checked = sum(rows[name] for name in check.needs)
                results.append(_run(connection, check, checked, first))
    return Report(shown_url(engine), sum(rows.values()), tuple(results))


def _run(connection: Connection, check: Check, checked: int, first: int) -> Result:
    found = connection.execute(
        text(
            f"SELECT count(*) OVER () AS violations, offending.* FROM ({check.offending}) "
            "AS offending LIMIT :first"
        ),
        {"first": max(first, 1)},
    )
    columns = tuple(found.keys())[1:]
    rows = found.all()
    if not rows:
        return Result(check, Status.PASSED, checked)
    shown = Rows(columns, tuple(tuple(row[1:]) for row in rows[:first]))
    return Result(check, Status.FAILED, checked, int(rows[0][0]), shown)


def _count(connection: Connection, table: str) -> int:
    return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
