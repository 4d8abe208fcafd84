"""What rules read of a history besides its tables: places, opening hours, numbers of traces.

Nothing here shares code with what makes the tables.
"""

from __future__ import annotations

import numpy as np

from histories import Array, History, rows_of


def traces(column: Array) -> Array:
    """The numbers behind TRC0000000001."""
    return np.array([int(t[3:]) for t in column], dtype=np.int64)


def places(told: History, table: str) -> tuple[Array, Array, int]:
    """(rows of places, rows of products, places) of a table of stock movements."""
    world = told.world
    ids = world.stores.store_id if table.startswith("store") else world.dcs.dc_id
    place, product = told.columns(
        table, "StoreID" if table.startswith("store") else "DCID", "ProductID"
    )
    return rows_of(ids, place), rows_of(world.products.product_id, product), len(ids)


def closed(told: History, day: int) -> bool:
    """Whether stores are closed; after the calendar they are not known to be."""
    row = day - told.world.calendar.first_day
    factors = told.world.calendar.traffic_ppm
    return row < len(factors) and factors[row] == 0


def opening(told: History, day: int) -> tuple[Array, Array]:
    """Opening and closing second of each store on a day; both 0 where it is closed."""
    row = told.world.calendar.row(day)
    calendar, stores = told.world.calendar, told.world.stores
    if closed(told, day):
        return np.zeros(len(stores.store_id)), np.zeros(len(stores.store_id))
    opens = np.maximum(stores.open_hour.astype(int) - calendar.opens_earlier[row], 0)
    closes = np.minimum(stores.close_hour.astype(int) + calendar.closes_later[row], 24)
    return opens * 3600, closes * 3600


def working(told: History, day: int) -> tuple[Array, Array]:
    """When staff is in each store: as it opens, or as usual in a closure of three days or more."""
    first = last = day
    while closed(told, first) and first > told.world.calendar.first_day:
        first -= 1
    while closed(told, last):
        last += 1
    if last - first - 1 < 3:
        return opening(told, day)
    stores = told.world.stores
    return stores.open_hour.astype(int) * 3600, stores.close_hour.astype(int) * 3600
