"""A world of just the customers, products and stores that somebody has in hand.

It is enough to decide who buys what; everything about stock, trucks and campaigns is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from retail_datagen.config.errors import UserError
from retail_datagen.config.parts import SEGMENTS
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I32, I64
from retail_datagen.core.calendar import to_day
from retail_datagen.generators.columns import Columns, Rows
from retail_datagen.world.day_factors import day_factors
from retail_datagen.world.model import (
    GUEST,
    Calendar,
    Campaigns,
    Customers,
    DistributionCenters,
    Geographies,
    Products,
    Promotions,
    Stores,
    Suppliers,
    Trucks,
    World,
)

_STORE_COLUMNS = ("NearestStoreID1", "NearestStoreID2", "NearestStoreID3")
_MOST_PRODUCTS = 65_000


def given_world(
    customers: Rows, products: Rows, stores: Rows, profile: Profile, seed: int, day: date
) -> World:
    """The world of these rows in the year of `day`; rows are in the order of their identifiers.

    `customers.stores` holds rows of `stores`, or -1 where a customer's store was not given.
    Raises UserError for what the profile does not know.
    """
    known_stores = _unique(Columns(stores, "stores", ["StoreID"]), "StoreID")
    listed = Columns(products, "products", ["ProductID", "Category", "Price", "LaunchDate"])
    sold, categories = _products(listed, [category.name for category in profile.categories])
    none = np.zeros(0, dtype=np.int32)
    return World(
        digest="",
        geographies=Geographies(none, none, none, none),
        stores=_stores(known_stores),
        dcs=DistributionCenters(none, none, none.astype(np.int64), none.astype(np.int64)),
        trucks=Trucks(
            pa.array([], pa.string()), none.astype(np.int16), none, none.astype(np.bool_)
        ),
        suppliers=Suppliers(none, none.astype(np.int16)),
        customers=_customers(
            Columns(customers, "customers", ["CustomerID", "Segment"]), known_stores
        ),
        products=sold,
        promotions=_no_promotions(),
        campaigns=Campaigns((), none, none.astype(np.int8), none, none, none),
        calendar=_calendar(profile, seed, day),
        categories=categories,
        sensors=(),
        beacons=(),
    )


def _unique(columns: Columns, name: str) -> I64:
    """Identifiers in ascending order. Raises UserError when there is none, or one twice."""
    values = np.sort(columns.ints(name))
    if not len(values):
        raise UserError(f"{columns.what}: there are no rows; at least one is needed")
    again = values[1:][np.diff(values) == 0]
    if len(again):
        raise UserError(f"{columns.what}, column {name}: {again[0]} is there twice")
    return values


def _choices(columns: Columns, name: str, allowed: Sequence[str], advice: str) -> I64:
    """A column of names as rows of `allowed`."""
    place = {value: row for row, value in enumerate(allowed)}
    values = columns.texts(name)
    for value in values:
        if value not in place:
            raise UserError(
                f"{columns.what}, column {name}: {value!r} is not known; allowed are "
                f"{', '.join(allowed)}{advice}"
            )
    return np.array([place[value] for value in values], dtype=np.int64)


def _customers(columns: Columns, store_ids: I64) -> Customers:
    identifiers = _unique(columns, "CustomerID")
    order = np.argsort(columns.ints("CustomerID"), kind="stable")
    segment = _choices(columns, "Segment", SEGMENTS, "")[order]
    near = np.full((len(order), len(_STORE_COLUMNS)), -1, dtype=np.int32)
    for place, name in enumerate(_STORE_COLUMNS):
        if name in columns:
            asked = columns.ints(name)[order]
            row = np.minimum(np.searchsorted(store_ids, asked), len(store_ids) - 1)
            near[:, place] = np.where(store_ids[row] == asked, row, -1)
    none = np.zeros(len(order), dtype=np.int32)
    return Customers(
        identifiers.astype(np.int32), segment.astype(np.int8), none, near, none, none, none + GUEST
    )


def _products(columns: Columns, known: Sequence[str]) -> tuple[Products, tuple[str, ...]]:
    """Products by category and identifier, and those of the profile's categories that occur."""
    identifier, count = columns.ints("ProductID"), len(_unique(columns, "ProductID"))
    if count > _MOST_PRODUCTS:
        raise UserError(f"products: {count} are too many; allowed are {_MOST_PRODUCTS}")
    advice = "; give the profile that the products belong to"
    category = _choices(columns, "Category", known, advice)
    occurring, category = np.unique(category, return_inverse=True)
    popularity = columns.ints("Popularity") if "Popularity" in columns else np.ones(count)
    price = columns.cents("Price")
    if (price <= 0).any() or (popularity <= 0).any():
        raise UserError("products: Price and Popularity must be above 0")
    order = np.lexsort((identifier, category))
    none = np.zeros(count, dtype=np.int32)
    made = Products(
        product_id=identifier[order].astype(np.int32),
        category=category[order].astype(np.int16),
        subcategory=none.astype(np.int16),
        supplier=none,
        cost=none.astype(np.int64),
        msrp=price[order],
        price=price[order],
        refrigerated=none.astype(np.bool_),
        taxable=none.astype(np.bool_),
        launch_day=columns.days("LaunchDate")[order].astype(np.int32),
        pack=none.astype(np.int16),
        popularity=popularity[order].astype(np.int32),
    )
    return made, tuple(known[row] for row in occurring)


def _stores(store_ids: I64) -> Stores:
    none = np.zeros(len(store_ids), dtype=np.int32)
    few = none.astype(np.int8)
    return Stores(
        store_id=store_ids.astype(np.int32),
        geography=none,
        dc=none.astype(np.int16),
        format=none.astype(np.int16),
        traffic=none,
        open_hour=few,
        close_hour=few,
        capacity=none.astype(np.int64),
        tax_ppm=none,
        dc_km=none,
        latitude=none,
        longitude=none,
    )


def _no_promotions() -> Promotions:
    none: I32 = np.zeros(0, dtype=np.int32)
    small = none.astype(np.int16)
    return Promotions((), small, small, small, none, none)


def _calendar(profile: Profile, seed: int, day: date) -> Calendar:
    """The year of `day`, with its named days."""
    first, last = date(day.year, 1, 1), date(day.year, 12, 31)
    factors = day_factors(profile.temporal, profile.online, seed, first, last)
    hours = np.zeros(len(factors.named), dtype=np.int8)
    return Calendar(
        to_day(first), factors.traffic_ppm, factors.online_ppm, factors.named, hours, hours
    )
