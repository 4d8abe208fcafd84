"""The retailer's master data as columns: what plan and tables may know about the world.

Rows refer to each other by position (`dc`, `geography`, `category` … are row numbers); the
identifiers that files show stand beside them. Money is int64 cents, days count from 1970-01-01,
rates are parts per million, places are micro-degrees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I8, I16, I32, I64, Bool

GUEST: Final = -(2**31)
"""In place of the day on which a guest signed up."""


@dataclass(frozen=True, slots=True)
class Geographies:
    """Cities: [geographies]."""

    geography_id: I32
    tax_ppm: I32
    latitude: I32
    longitude: I32


@dataclass(frozen=True, slots=True)
class Stores:
    """Stores: [stores]. `traffic` is in thousandths (1500 = flagship), `capacity` in units."""

    store_id: I32
    geography: I32
    dc: I16
    format: I16
    traffic: I32
    open_hour: I8
    close_hour: I8
    capacity: I64
    tax_ppm: I32
    dc_km: I32
    latitude: I32
    longitude: I32


@dataclass(frozen=True, slots=True)
class DistributionCenters:
    """DCs: [dcs]. `capacity` is units stored, `throughput` units shipped a day."""

    dc_id: I32
    geography: I32
    capacity: I64
    throughput: I64


@dataclass(frozen=True, slots=True)
class Trucks:
    """Trucks: [trucks], each at home in one DC. `capacity` in units."""

    truck_id: pa.Array
    dc: I16
    capacity: I32
    refrigerated: Bool


@dataclass(frozen=True, slots=True)
class Suppliers:
    supplier_id: I32
    lead_days: I16


@dataclass(frozen=True, slots=True)
class Customers:
    """Customers: [customers]. `stores` is [customers, 3]: nearest first, row numbers.

    `ble` and `ad` are the numbers behind `BLE500123` and `AD500123`. `signup_day` is the day from
    which they may order online, `GUEST` for those who never sign up and may always.
    """

    customer_id: I32
    segment: I8
    geography: I32
    stores: I32
    ble: I32
    ad: I32
    signup_day: I32


@dataclass(frozen=True, slots=True)
class Products:
    """Products: [products], grouped by category. `popularity` is a relative weight."""

    product_id: I32
    category: I16
    subcategory: I16
    """Row in the list of distinct (category, subcategory) names."""
    supplier: I32
    cost: I64
    msrp: I64
    price: I64
    refrigerated: Bool
    taxable: Bool
    launch_day: I32
    pack: I16
    popularity: I32


@dataclass(frozen=True, slots=True)
class Promotions:
    """Promotions: [promotions]; both ends are inclusive. `subcategory` is -1 for the category."""

    code: tuple[str, ...]
    category: I16
    subcategory: I16
    percent: I16
    first_day: I32
    last_day: I32

    def running(self, day: int) -> I64:
        """Rows of those that run on a day."""
        return np.flatnonzero((self.first_day <= day) & (day <= self.last_day))


@dataclass(frozen=True, slots=True)
class Campaigns:
    """Campaigns: [campaigns]; both ends are inclusive. `segment` is -1 for everybody."""

    campaign_id: tuple[str, ...]
    promotion: I32
    segment: I8
    first_day: I32
    last_day: I32
    weight: I32

    def running(self, day: int) -> I64:
        """Rows of those that run on a day."""
        return np.flatnonzero((self.first_day <= day) & (day <= self.last_day))


@dataclass(frozen=True, slots=True)
class Calendar:
    """One row a day, without a gap. Factors are ppm of the average day of the year.

    `named` is the index of the profile's named day, or -1. A `traffic_ppm` of 0 means closed.
    """

    first_day: int
    traffic_ppm: I64
    online_ppm: I64
    named: I8
    opens_earlier: I8
    closes_later: I8

    def row(self, day: int) -> int:
        """The row of a day. Raises ValueError outside of the calendar."""
        row = day - self.first_day
        if not 0 <= row < len(self.traffic_ppm):
            raise ValueError(f"day {np.datetime64(day, 'D')} is outside of the calendar")
        return row


@dataclass(frozen=True, slots=True)
class World:
    """All master data of one retailer. `digest` is the sha256 of its files, in name order."""

    digest: str
    geographies: Geographies
    stores: Stores
    dcs: DistributionCenters
    trucks: Trucks
    suppliers: Suppliers
    customers: Customers
    products: Products
    promotions: Promotions
    campaigns: Campaigns
    calendar: Calendar
    categories: tuple[str, ...]
    sensors: tuple[tuple[str, ...], ...]
    """Sensor ids: [stores][zones], in the order of the profile's zones."""
    beacons: tuple[tuple[str, ...], ...]
