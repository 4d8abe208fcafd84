"""Stores: their format, hours, place, size and the DC that serves them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import F64, I32
from retail_datagen.core.rng import Stream
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world.files import MasterFile
from retail_datagen.world.geography import MICRO
from retail_datagen.world.model import Geographies, Stores
from retail_datagen.world.people import check_contacts, phones, street_addresses
from retail_datagen.world.sites import FARTHEST_KM, Depots, Sites

UNITS_PER_LINE = 1.35
"""Mean units of a receipt line, for sizing stores, DCs and trucks."""
_ROOM = 3
"""A store holds this many times what it orders up to."""
_LEAST_CAPACITY = 20_000

SIZE_CLASSES = ("flagship", "large", "standard", "small")
STORES = Table(
    name="stores",
    doc="Stores, with opening hours and the DC that serves each.",
    columns=(
        Column("StoreID", Kind.INT, "Identifier", example="15"),
        Column("StoreName", Kind.TEXT, "Name", example="Maple Falls 15"),
        Column("GeographyID", Kind.INT, "City", references="geographies.GeographyID"),
        Column("Address", Kind.TEXT, "Street address"),
        Column("City", Kind.TEXT, "City"),
        Column("State", Kind.TEXT, "State"),
        Column("PostalCode", Kind.TEXT, "Postal code"),
        Column("Phone", Kind.TEXT, "Phone number, 555-01xx"),
        Column("Format", Kind.CATEGORY, "Kind of store: one of the profile's formats"),
        Column("SizeClass", Kind.CATEGORY, "How large it is", words=SIZE_CLASSES),
        Column("TrafficMultiplier", Kind.FLOAT, "Share of shoppers, relative", example="1.5"),
        Column("OpenHour", Kind.INT, "Opens at this hour", example="8"),
        Column("CloseHour", Kind.INT, "Closes at this hour, 24 for midnight", example="21"),
        Column("DCID", Kind.INT, "Serving DC", references="distribution_centers.DCID"),
        Column("DCDistanceKm", Kind.INT, "Road kilometres to the DC"),
        Column("Capacity", Kind.LONG, "Units that the store can hold"),
        Column("Latitude", Kind.FLOAT, "Degrees north"),
        Column("Longitude", Kind.FLOAT, "Degrees east"),
    ),
    key=("StoreID",),
)


def units_per_day(config: RetailConfig, traffic: F64) -> F64:
    """Mean units that each store sells in a day, by its traffic multiplier."""
    volume = config.volume
    lines = volume.customers_per_day * volume.items_per_ticket_mean
    units: F64 = lines * UNITS_PER_LINE * traffic / math.fsum(traffic.tolist())
    return units


def build_stores(
    config: RetailConfig,
    profile: Profile,
    sites: Sites,
    depots: Depots,
    geographies: pa.Table,
    products: int,
) -> pa.Table:
    """One row per store, numbered from 1, with room for so many products."""
    count = len(sites.city)
    stream = Stream(config.seed, "stores")
    formats = [profile.formats[i] for i in sites.format.tolist()]
    traffic = np.array([f.traffic for f in formats])
    supply = profile.supply
    shelf = (supply.store_cover_days + supply.store_safety_days) * units_per_day(config, traffic)
    room = _ROOM * (shelf + supply.presentation_units * products)
    towns = geographies.take(pa.array(sites.city))
    numbers = np.arange(1, count + 1, dtype=np.int32)
    return pa.table(
        {
            "StoreID": numbers,
            "StoreName": pc.binary_join_element_wise(
                towns["City"], pa.array(numbers).cast(pa.string()), " "
            ),
            "GeographyID": towns["GeographyID"],
            "Address": street_addresses(config.paths.dict, stream, count),
            "City": towns["City"],
            "State": towns["State"],
            "PostalCode": towns["PostalCode"],
            "Phone": phones(stream, count),
            "Format": [f.name for f in formats],
            "SizeClass": [f.size_class for f in formats],
            "TrafficMultiplier": traffic,
            "OpenHour": [f.open_hour for f in formats],
            "CloseHour": [f.close_hour for f in formats],
            "DCID": depots.dc_id[sites.dc].astype(np.int32),
            "DCDistanceKm": sites.km,
            "Capacity": np.maximum(np.ceil(room / 1000) * 1000, _LEAST_CAPACITY).astype(np.int64),
            "Latitude": sites.latitude / MICRO,
            "Longitude": sites.longitude / MICRO,
        }
    )


_NEAREST = (
    "; or leave the column out, and `retail-datagen master --keep stores.csv` adds the nearest city"
)


def read_stores(
    file: MasterFile, formats: Sequence[str], geographies: Geographies, dc_ids: I32
) -> Stores:
    """Stores sorted by identifier."""
    file.unique("StoreID")
    identifier = file.ints("StoreID", 1, 9999)
    geography = file.references("GeographyID", geographies.geography_id, remedy=_NEAREST)
    dc = file.references("DCID", dc_ids, ["stores.csv"])
    kind = file.choices("Format", formats)
    file.choices("SizeClass", SIZE_CLASSES)
    traffic = file.scaled("TrafficMultiplier", 1000, 0.001, 100)
    opens = file.ints("OpenHour", 0, 23)
    closes = file.ints("CloseHour", 1, 24)
    file.require(opens < closes, "CloseHour", "an hour after OpenHour")
    capacity = file.ints("Capacity", 1, 2**40)
    km = file.ints("DCDistanceKm", 0, FARTHEST_KM)
    latitude = file.scaled("Latitude", MICRO, -90, 90)
    longitude = file.scaled("Longitude", MICRO, -180, 180)
    check_contacts(file)
    order = np.argsort(identifier, kind="stable")
    return Stores(
        store_id=identifier[order].astype(np.int32),
        geography=geography[order].astype(np.int32),
        dc=dc[order].astype(np.int16),
        format=kind[order].astype(np.int16),
        traffic=traffic[order].astype(np.int32),
        open_hour=opens[order].astype(np.int8),
        close_hour=closes[order].astype(np.int8),
        capacity=capacity[order],
        tax_ppm=geographies.tax_ppm[geography[order]],
        dc_km=km[order].astype(np.int32),
        latitude=latitude[order].astype(np.int32),
        longitude=longitude[order].astype(np.int32),
    )
