"""Empties a store, as its owner asks: products, items, purchases, snapshots, everything."""

from __future__ import annotations

from sqlalchemy import Engine, delete, func, select

from retail_datagen.store.database.engine import writing
from retail_datagen.store.database.models import TABLES, zones
from retail_datagen.store.lease import refuse_beside_simulation

EMPTIED = tuple(table for table in TABLES if table is not zones)
"""All tables but the floor plan."""


def count_rows(engine: Engine) -> dict[str, int]:
    """The rows of each table that a reset empties, where there are any."""
    with engine.connect() as connection:
        counted = {
            table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in EMPTIED
        }
    return {name: rows for name, rows in counted.items() if rows}


def reset_store(engine: Engine) -> None:
    """Empty all tables, and begin to number anew. Raises UserError while a simulation runs."""
    refuse_beside_simulation(engine)
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            names = ", ".join(table.name for table in EMPTIED)
            connection.exec_driver_sql(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
            return
        for table in reversed(EMPTIED):
            connection.execute(delete(table))
