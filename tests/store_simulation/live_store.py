"""A store in a database, as its users have it, and what proves its books."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from sqlalchemy import Engine, func, select

from retail_datagen.store.catalogue import read_catalogue
from retail_datagen.store.database import models as m
from retail_datagen.store.items import plan_inventory
from retail_datagen.store.ledger import Ledger
from retail_datagen.store.verify import verify_store

_CATALOGUE = read_catalogue()


def url_in(folder: Path) -> str:
    return f"sqlite:///{folder / 'store.db'}"


def stock(engine: Engine, items: int, templates: tuple[str, ...] = ()) -> None:
    """Generate an inventory, as `inventory generate` does."""
    chosen = _CATALOGUE.of_templates(templates)
    inventory = plan_inventory(_CATALOGUE, chosen, items)
    ledger = Ledger(engine)
    assert ledger.add_products(inventory.products).failed == 0
    assert ledger.add_items(inventory.items).created == items


def count(engine: Engine, table: str, **where: object) -> int:
    wanted = m.metadata.tables[table]
    query = select(func.count()).select_from(wanted)
    for name, value in where.items():
        query = query.where(wanted.c[name] == value)
    with engine.connect() as connection:
        return int(connection.scalar(query) or 0)


def check_ledger(engine: Engine) -> None:
    """What `store verify` checks."""
    report = verify_store(engine)
    assert len(report.results) > 5
    assert not [(r.check.name, r.first, r.note) for r in report.results if r.violations or r.note]


def places(engine: Engine) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    i = m.inventory_items.c
    with engine.connect() as connection:
        rows = connection.execute(select(i.x_position, i.y_position).order_by(i.id)).all()
    return np.array([tuple(row) for row in rows], dtype=np.float64)
