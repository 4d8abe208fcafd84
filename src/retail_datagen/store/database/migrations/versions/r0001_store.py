"""The store: products, tagged items, their ledger, snapshots, detections, leases and jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=50), nullable=False),
        sa.Column("value", _ID, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_counters")),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("progress", sa.Float(), server_default="0", nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("params", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=True),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_state"), "jobs", ["state"])
    op.create_table(
        "products",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sku", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("category", sa.String(length=100), nullable=True),
        sa.Column("unit_price", sa.Numeric(10, 2), nullable=True),
        sa.Column("reorder_threshold", sa.Integer(), nullable=True),
        sa.Column("optimal_stock_level", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("sku", name=op.f("uq_products_sku")),
    )
    op.create_index(op.f("ix_products_category"), "products", ["category"])
    op.create_table(
        "runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("started_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("first_at", sa.DateTime(), nullable=True),
        sa.Column("last_at", sa.DateTime(), nullable=True),
        sa.Column("params", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    op.create_table(
        "simulation_leases",
        sa.Column("store", sa.String(length=50), nullable=False),
        sa.Column("holder", sa.String(length=200), nullable=False),
        sa.Column("since", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("store", name=op.f("pk_simulation_leases")),
    )
    op.create_table(
        "stock_snapshots",
        sa.Column("taken_at", sa.DateTime(), nullable=False),
        sa.Column("product_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("taken_at", "product_id", name=op.f("pk_stock_snapshots")),
    )
    op.create_table(
        "zones",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("x0", sa.Float(), nullable=False),
        sa.Column("y0", sa.Float(), nullable=False),
        sa.Column("x1", sa.Float(), nullable=False),
        sa.Column("y1", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zones")),
        sa.UniqueConstraint("name", name=op.f("uq_zones_name")),
    )
    op.create_table(
        "inventory_items",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rfid_tag", sa.String(length=50), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=20), server_default="present", nullable=False),
        sa.Column("x_position", sa.Float(), nullable=True),
        sa.Column("y_position", sa.Float(), nullable=True),
        sa.Column("zone_id", sa.Integer(), nullable=True),
        sa.Column("last_seen_at", sa.DateTime(), nullable=True),
        sa.Column("created_at", sa.DateTime(), server_default=sa.func.now(), nullable=False),
        sa.Column("epc", sa.String(length=24), nullable=True),
        sa.Column("reason", sa.String(length=20), nullable=True),
        sa.Column("left_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "(status = 'present' AND reason IS NULL AND left_at IS NULL) OR "
            "(status = 'not_present' AND left_at IS NOT NULL AND "
            "reason IN ('sold', 'stolen', 'lost', 'moved'))",
            name=op.f("ck_inventory_items_reason"),
        ),
        sa.CheckConstraint(
            "status IN ('present', 'not_present')", name=op.f("ck_inventory_items_status")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_inventory_items_product_id")
        ),
        sa.ForeignKeyConstraint(["zone_id"], ["zones.id"], name=op.f("fk_inventory_items_zone_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inventory_items")),
        sa.UniqueConstraint("epc", name=op.f("uq_inventory_items_epc")),
        sa.UniqueConstraint("rfid_tag", name=op.f("uq_inventory_items_rfid_tag")),
    )
    op.create_index(
        op.f("ix_inventory_items_product_id_status"), "inventory_items", ["product_id", "status"]
    )
    op.create_table(
        "stock_levels",
        sa.Column("product_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint("on_hand >= 0", name=op.f("ck_stock_levels_on_hand")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_stock_levels_product_id")
        ),
        sa.PrimaryKeyConstraint("product_id", name=op.f("pk_stock_levels")),
    )
    op.create_table(
        "detections",
        sa.Column("id", _ID, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("seen_at", sa.DateTime(), nullable=False),
        sa.Column("rssi", sa.Float(), nullable=True),
        sa.Column("reader", sa.String(length=50), nullable=True),
        sa.Column("distance", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id"], ["inventory_items.id"], name=op.f("fk_detections_item_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_detections")),
    )
    op.create_index(op.f("ix_detections_item_id_seen_at"), "detections", ["item_id", "seen_at"])
    op.create_index(op.f("ix_detections_seen_at"), "detections", ["seen_at"])
    op.create_table(
        "purchase_events",
        sa.Column("id", _ID, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        sa.Column("unit_price", sa.Numeric(10, 2), nullable=True),
        sa.Column("basket_id", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "source IN ('simulation', 'backfill', 'receipt', 'manual')",
            name=op.f("ck_purchase_events_source"),
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["inventory_items.id"], name=op.f("fk_purchase_events_item_id")
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_purchase_events_product_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_purchase_events_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purchase_events")),
        sa.UniqueConstraint(
            "item_id", "occurred_at", name=op.f("uq_purchase_events_item_id_occurred_at")
        ),
    )
    op.create_index(op.f("ix_purchase_events_basket_id"), "purchase_events", ["basket_id"])
    op.create_index(op.f("ix_purchase_events_occurred_at"), "purchase_events", ["occurred_at"])
    op.create_index(
        op.f("ix_purchase_events_product_id_occurred_at"),
        "purchase_events",
        ["product_id", "occurred_at"],
    )
    op.create_table(
        "stock_movements",
        sa.Column("id", _ID, nullable=False),
        sa.Column("item_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("delta", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=True),
        sa.Column("run_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "delta = CASE WHEN kind IN ('sale', 'loss') THEN -1 ELSE 1 END",
            name=op.f("ck_stock_movements_delta"),
        ),
        sa.CheckConstraint(
            "kind IN ('initial', 'sale', 'restock', 'loss', 'adjustment')",
            name=op.f("ck_stock_movements_kind"),
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["inventory_items.id"], name=op.f("fk_stock_movements_item_id")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_stock_movements_run_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movements")),
    )
    op.create_index(op.f("ix_stock_movements_item_id"), "stock_movements", ["item_id"])
    op.create_index(op.f("ix_stock_movements_occurred_at"), "stock_movements", ["occurred_at"])
    op.create_index(
        op.f("ix_stock_movements_product_id_occurred_at"),
        "stock_movements",
        ["product_id", "occurred_at"],
    )
