"""The rules of a store's books, each with the query whose rows are violations.

Those for which one query does not do on both databases are in `readings`.
"""

from __future__ import annotations

from collections.abc import Mapping

from retail_datagen.quality.check import Check
from retail_datagen.store.database import models as m


def _cases(words: Mapping[str, str]) -> str:
    return " ".join(f"WHEN '{one}' THEN '{other}'" for one, other in words.items())


_SOURCE_OF_RUN = _cases(m.RUN_SOURCES)
_LOSSES = {reason: reason for reason in m.REASONS if reason != m.SOLD} | m.FACT_REASONS
_REASON_OF_LOSS = f"CASE last.reason {_cases(_LOSSES)} ELSE '{m.LOST}' END"

CHECKS = (
    Check(
        "items_have_a_reason",
        "an item is present, or it is not and there is a reason and a time",
        ("inventory_items",),
        """SELECT id, rfid_tag, status, reason, left_at FROM inventory_items
        WHERE NOT (status = 'present' AND reason IS NULL AND left_at IS NULL)
        AND NOT (status = 'not_present' AND left_at IS NOT NULL
                 AND coalesce(reason, '') IN ('sold', 'stolen', 'lost', 'moved'))""",
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
        "items_arrive_once",
        "an item's first movement is initial or a restock, and no other is",
        ("stock_movements",),
        """SELECT item_id, id, kind, occurred_at, place FROM (
            SELECT item_id, id, kind, occurred_at,
                row_number() OVER (PARTITION BY item_id ORDER BY occurred_at, id) AS place
            FROM stock_movements) AS steps
        WHERE (place = 1) <> (kind IN ('initial', 'restock'))""",
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
        f"""SELECT i.id, i.rfid_tag, i.reason, i.left_at, last.kind, last.reason AS moved_by,
            last.occurred_at
        FROM inventory_items i JOIN (
            SELECT item_id, kind, reason, occurred_at, row_number() OVER (
                PARTITION BY item_id ORDER BY occurred_at DESC, id DESC) AS place
            FROM stock_movements) AS last ON last.item_id = i.id AND last.place = 1
        WHERE i.status = 'not_present' AND (i.left_at <> last.occurred_at
            OR (i.reason = 'sold') <> (last.kind = 'sale')
            OR (i.reason <> 'sold') <> (last.kind = 'loss')
            OR (last.kind = 'loss' AND i.reason <> {_REASON_OF_LOSS}))""",
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
        "purchases_are_of_their_run",
        "a purchase is of its sale's run, and its source is what such runs write",
        ("purchase_events",),
        f"""SELECT p.id, p.item_id, p.source, p.run_id, r.kind, s.run_id AS run_of_sale
        FROM purchase_events p LEFT JOIN runs r ON r.id = p.run_id
        LEFT JOIN stock_movements s ON s.item_id = p.item_id AND s.occurred_at = p.occurred_at
            AND s.kind = 'sale'
        WHERE (s.id IS NOT NULL AND coalesce(p.run_id, 0) <> coalesce(s.run_id, 0))
        OR p.source <> CASE r.kind {_SOURCE_OF_RUN} END
        OR (p.run_id IS NULL AND p.source IN ('backfill', 'receipt'))""",
    ),
    Check(
        "purchases_have_their_price",
        "a purchase was at its product's price, on a receipt at most at ten times that; where a"
        " product was updated since, it may have been another",
        ("purchase_events",),
        """SELECT p.id, p.item_id, p.occurred_at, p.source, p.unit_price, q.unit_price AS of_product
        FROM purchase_events p JOIN products q ON q.id = p.product_id
        WHERE p.unit_price < 0 OR (q.unit_price > 0 AND p.unit_price > 10 * q.unit_price)
        OR ((p.source = 'receipt' OR q.updated_at <= q.created_at OR p.occurred_at >= q.updated_at)
            AND ((p.unit_price IS NULL AND q.unit_price IS NOT NULL)
                OR (p.source <> 'receipt' AND abs(p.unit_price - q.unit_price) > 0.004)))""",
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
        "snapshots_are_all_there",
        "there are as many rows of snapshots as runs say that they wrote",
        ("stock_snapshots",),
        """SELECT run, kind, written, there FROM (
            SELECT r.id AS run, r.kind, r.snapshots AS written,
                (SELECT count(*) FROM stock_snapshots s
                    WHERE s.taken_at >= r.first_at AND s.taken_at < r.last_at) AS there
            FROM runs r WHERE r.first_at IS NOT NULL
            UNION ALL
            SELECT NULL, 'all', (SELECT sum(snapshots) FROM runs),
                (SELECT count(*) FROM stock_snapshots)) AS counted
        WHERE written > there""",
    ),
    Check(
        "stock_is_of_products",
        "items, levels and snapshots name products that there are",
        ("inventory_items", "stock_levels", "stock_snapshots"),
        """SELECT what, product_id, count(*) AS named FROM (
            SELECT 'item' AS what, product_id FROM inventory_items
            UNION ALL SELECT 'level', product_id FROM stock_levels
            UNION ALL SELECT 'snapshot', product_id FROM stock_snapshots) AS stock
        WHERE product_id NOT IN (SELECT id FROM products) GROUP BY what, product_id""",
    ),
    Check(
        "runs_are_there",
        "movements and purchases name runs that there are",
        ("stock_movements", "purchase_events"),
        """SELECT what, run_id, count(*) AS named FROM (
            SELECT 'movement' AS what, run_id FROM stock_movements
            UNION ALL SELECT 'purchase', run_id FROM purchase_events) AS written
        WHERE run_id IS NOT NULL AND run_id NOT IN (SELECT id FROM runs) GROUP BY what, run_id""",
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
        "an item with a zone has a position, within it",
        ("inventory_items",),
        """SELECT i.id, i.rfid_tag, i.x_position, i.y_position, i.zone_id, z.name
        FROM inventory_items i LEFT JOIN zones z ON z.id = i.zone_id
        WHERE i.zone_id IS NOT NULL
        AND (z.id IS NULL OR i.x_position IS NULL OR i.y_position IS NULL
            OR i.x_position < z.x0 OR i.x_position > z.x1
            OR i.y_position < z.y0 OR i.y_position > z.y1)""",
    ),
)
"""What a query finds by itself."""
