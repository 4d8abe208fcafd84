"""Counts the stock of a past: snapshots as the movements have it."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, func, select, update

from retail_datagen.core.arrays import I64
from retail_datagen.store.database import models as m
from retail_datagen.store.database.bulk import load, times
from retail_datagen.store.runs import Progress

_movements = m.stock_movements.c


def write_snapshots(
    connection: Connection, run: int, first: datetime, days: int, each: int, tell: Progress
) -> int:
    """`each` snapshots a day of every product, as the movements have it; how many rows.

    The first of a day is at midnight. They are on record as the run's.
    """
    products = np.array(
        connection.scalars(select(m.products.c.id).order_by(m.products.c.id)).all(), np.int64
    )
    start = np.datetime64(first, "us")
    step = np.timedelta64(24 * 3_600_000_000 // each, "us")
    end = first + timedelta(days=days)
    stock = _stock_before(connection, products, first)
    moved = connection.execute(
        select(_movements.product_id, _movements.delta, _movements.occurred_at)
        .where(_movements.occurred_at >= first, _movements.occurred_at < end)
        .order_by(_movements.occurred_at)
    ).all()
    row = np.searchsorted(products, [one[0] for one in moved])
    delta = np.array([one[1] for one in moved], dtype=np.int64)
    moment = np.array([one[2] for one in moved], dtype="M8[us]")
    # A movement counts from the first snapshot on that is not before it.
    number = -((start - moment).astype(np.int64) // step.astype(np.int64))
    bounds = np.searchsorted(number, np.arange(days * each + 1))
    for day in range(days):
        taken = np.empty((each, len(products)), dtype=np.int64)
        for index in range(each):
            snapshot = day * each + index
            part = slice(int(bounds[snapshot]), int(bounds[snapshot + 1]))
            np.add.at(stock, row[part], delta[part])
            taken[index] = stock
        at = start + (day * each + np.arange(each)) * step
        columns = {
            "taken_at": times(np.repeat(at, len(products))),
            "product_id": np.tile(products, each),
            "on_hand": taken.ravel(),
        }
        load(connection, m.stock_snapshots, pa.table(columns))
        tell("snapshots", day + 1, days)
    written = days * each * len(products)
    connection.execute(update(m.runs).where(m.runs.c.id == run).values(snapshots=written))
    return written


def _stock_before(connection: Connection, products: I64, first: datetime) -> I64:
    """What each of the products (ids) had on hand."""
    stock = np.zeros(len(products), dtype=np.int64)
    before = select(_movements.product_id, func.sum(_movements.delta))
    opening = before.where(_movements.occurred_at < first).group_by(_movements.product_id)
    for product, units in connection.execute(opening):
        stock[np.searchsorted(products, product)] = units
    return stock
