"""Small inventories for tests of stores, and what verify finds in one."""

from __future__ import annotations

from datetime import datetime

import numpy as np
from sqlalchemy import Engine

from retail_datagen.store.rows import ItemRows, ProductRows
from retail_datagen.store.verify import verify_store

OPENED = datetime(2024, 3, 1, 8)


def products(count: int) -> ProductRows:
    """Products T-0001, T-0002 … at 1.01, 2.02 …"""
    numbers = range(1, count + 1)
    return ProductRows(
        [f"T-{n:04d}" for n in numbers],
        [f"Thing {n}" for n in numbers],
        ["Things"] * count,
        np.array([101 * n for n in numbers], dtype=np.int64),
        np.ones(count, dtype=np.int64),
        np.full(count, 4, dtype=np.int64),
    )


def items(product: list[int], first: int = 1) -> ItemRows:
    """Items RFID-00000001 … of products by their number from 0."""
    count = len(product)
    return ItemRows(
        [f"RFID-{first + n:08d}" for n in range(count)],
        [""] * count,
        [f"T-{n + 1:04d}" for n in product],
        np.full(count, 1000.0),
        np.full(count, 950.5),
        np.zeros(count, dtype=np.int64),
    )


def violations(engine: Engine) -> list[str]:
    """The names of checks that a store fails."""
    report = verify_store(engine)
    return [result.check.name for result in report.results if result.violations]
