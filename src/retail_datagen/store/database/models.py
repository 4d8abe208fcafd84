"""The store's tables, as SQLAlchemy Core declares them for PostgreSQL and SQLite alike.

One database is one store. Times are its wall clock, without a zone. Products and items have the
published columns first; what the ledger needs stands behind. An item's `status` and `reason` are
written by the ledger alone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    func,
)
from sqlalchemy.types import TypeEngine

PRESENT, NOT_PRESENT = "present", "not_present"
STATUSES = (PRESENT, NOT_PRESENT)
SOLD, STOLEN, LOST, MOVED = "sold", "stolen", "lost", "moved"
REASONS = (SOLD, STOLEN, LOST, MOVED)
"""Why an item is not present."""
INITIAL, SALE, RESTOCK, LOSS, ADJUSTMENT = "initial", "sale", "restock", "loss", "adjustment"
KINDS = (INITIAL, SALE, RESTOCK, LOSS, ADJUSTMENT)
"""Kinds of movement. An adjustment brings an item back: found, or returned by a customer."""
ARRIVALS = (INITIAL, RESTOCK)
"""How an item comes into the store: once, before all else."""
ONLINE_ORDER = "ONLINE_ORDER"
FACT_REASONS = {"SHRINK": STOLEN, "DAMAGE": LOST, "ADJUSTMENT": LOST, ONLINE_ORDER: MOVED}
"""Why an item left by what a retailer's facts say of it, where a movement's reason is theirs."""
SIMULATION, BACKFILL, RECEIPT, MANUAL = "simulation", "backfill", "receipt", "manual"
SOURCES = (SIMULATION, BACKFILL, RECEIPT, MANUAL)
"""Where a purchase comes from."""
SIMULATION_RUN, BACKFILL_RUN, RECEIPTS_RUN = "simulation", "backfill", "receipts"
RUN_SOURCES = {SIMULATION_RUN: SIMULATION, BACKFILL_RUN: BACKFILL, RECEIPTS_RUN: RECEIPT}
"""The source of the purchases that a run writes, by its kind."""

SKU_CHARS, NAME_CHARS, CATEGORY_CHARS, TAG_CHARS = 100, 255, 100, 50
MOST_CENTS = 9_999_999_999


class Money(TypeDecorator[Decimal]):
    """numeric(10, 2) as Decimal. SQLite keeps it as a number and gives it back to the cent."""

    impl = Numeric(10, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Numeric(10, 2, asdecimal=False))
        return dialect.type_descriptor(Numeric(10, 2))

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return float(value) if value is not None and dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(str(value)).quantize(_CENT)


_CENT = Decimal("0.01")
_Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the key is an INTEGER."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _one_of(column: str, words: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


products = Table(
    "products",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sku", String(SKU_CHARS), nullable=False, unique=True),
    Column("name", String(NAME_CHARS), nullable=False),
    Column("category", String(CATEGORY_CHARS)),
    Column("unit_price", Money),
    Column("reorder_threshold", Integer),
    Column("optimal_stock_level", Integer),
    Column("created_at", DateTime, nullable=False, server_default=func.now()),
    Column("updated_at", DateTime, nullable=False, server_default=func.now()),
    Index(None, "category"),
)

zones = Table(
    "zones",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(100), nullable=False, unique=True),
    Column("kind", String(20), nullable=False),
    Column("x0", Float, nullable=False),
    Column("y0", Float, nullable=False),
    Column("x1", Float, nullable=False),
    Column("y1", Float, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("started_at", DateTime, nullable=False),
    Column("ended_at", DateTime),
    Column("first_at", DateTime),
    Column("last_at", DateTime),
    Column("params", Text),
    Column("snapshots", Integer, nullable=False, server_default="0"),
)
"""What wrote movements: a simulation, a backfill. `first_at` to `last_at` is the time that it
covers, the latter exclusive; `params` is JSON, `snapshots` how many rows of them it wrote."""

inventory_items = Table(
    "inventory_items",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("rfid_tag", String(TAG_CHARS), nullable=False, unique=True),
    Column("product_id", ForeignKey("products.id"), nullable=False),
    Column("status", String(20), nullable=False, server_default=PRESENT),
    Column("x_position", Float),
    Column("y_position", Float),
    Column("zone_id", ForeignKey("zones.id")),
    Column("last_seen_at", DateTime),
    Column("created_at", DateTime, nullable=False, server_default=func.now()),
    Column("epc", String(24), unique=True),
    Column("reason", String(20)),
    Column("left_at", DateTime),
    _one_of("status", STATUSES),
    CheckConstraint(
        f"(status = '{PRESENT}' AND reason IS NULL AND left_at IS NULL) OR "
        f"(status = '{NOT_PRESENT}' AND left_at IS NOT NULL AND reason IN "
        f"({', '.join(repr(reason) for reason in REASONS)}))",
        name="reason",
    ),
    Index(None, "product_id", "status"),
)

purchase_events = Table(
    "purchase_events",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("item_id", ForeignKey("inventory_items.id"), nullable=False),
    Column("product_id", ForeignKey("products.id"), nullable=False),
    Column("occurred_at", DateTime, nullable=False),
    Column("unit_price", Money),
    Column("basket_id", String(64)),
    Column("source", String(20), nullable=False),
    Column("run_id", ForeignKey("runs.id")),
    _one_of("source", SOURCES),
    UniqueConstraint("item_id", "occurred_at"),
    Index(None, "occurred_at"),
    Index(None, "product_id", "occurred_at"),
    Index(None, "basket_id"),
)

stock_movements = Table(
    "stock_movements",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("item_id", ForeignKey("inventory_items.id"), nullable=False),
    Column("product_id", Integer, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("delta", Integer, nullable=False),
    Column("occurred_at", DateTime, nullable=False),
    Column("reason", String(100)),
    Column("run_id", ForeignKey("runs.id")),
    _one_of("kind", KINDS),
    CheckConstraint(
        f"delta = CASE WHEN kind IN ('{SALE}', '{LOSS}') THEN -1 ELSE 1 END", name="delta"
    ),
    Index(None, "item_id"),
    Index(None, "product_id", "occurred_at"),
    Index(None, "occurred_at"),
)
"""The product is the item's, which verify checks: a second constraint takes a fifth of the time of
loading items."""

stock_levels = Table(
    "stock_levels",
    metadata,
    Column("product_id", ForeignKey("products.id"), primary_key=True, autoincrement=False),
    Column("on_hand", Integer, nullable=False),
    Column("updated_at", DateTime, nullable=False),
    CheckConstraint("on_hand >= 0", name="on_hand"),
)

stock_snapshots = Table(
    "stock_snapshots",
    metadata,
    Column("taken_at", DateTime, primary_key=True),
    Column("product_id", Integer, primary_key=True, autoincrement=False),
    Column("on_hand", Integer, nullable=False),
)
"""Every product's stock at a time. There are a million of them a month: products are not referred
to by a constraint, which would double the time of writing them; verify checks it."""

detections = Table(
    "detections",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("item_id", ForeignKey("inventory_items.id"), nullable=False),
    Column("seen_at", DateTime, nullable=False),
    Column("rssi", Float),
    Column("reader", String(50)),
    Column("distance", Float),
    Index(None, "item_id", "seen_at"),
    Index(None, "seen_at"),
)

simulation_leases = Table(
    "simulation_leases",
    metadata,
    Column("store", String(50), primary_key=True),
    Column("holder", String(200), nullable=False),
    Column("since", DateTime, nullable=False),
    Column("expires_at", DateTime, nullable=False),
)
"""Who simulates. Times are the database server's UTC clock: simulated ones would not do."""

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("kind", String(30), nullable=False),
    Column("state", String(20), nullable=False),
    Column("progress", Float, nullable=False, server_default="0"),
    Column("message", Text),
    Column("params", Text),
    Column("result", Text),
    Column("created_at", DateTime, nullable=False),
    Column("started_at", DateTime),
    Column("ended_at", DateTime),
    Column("server", Integer),
    Index(None, "state"),
)
"""What services do besides answering. `server` is the number of the one that does it, by which
others know whether it is alive."""

counters = Table(
    "counters",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("value", _Id, nullable=False),
)
"""Numbers that a store remembers: the next tag for restocked items, and which store of a retailer
it is, where it is one."""

TABLES = metadata.sorted_tables
