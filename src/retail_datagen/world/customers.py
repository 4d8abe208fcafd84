"""Customers: who they are, where they live and which stores are theirs.

A store draws customers by its traffic multiplier; they live around it, fewer the farther away.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.parts import SEGMENTS
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I32, I64, U16
from retail_datagen.core.calendar import to_day
from retail_datagen.core.ids import Digits, fixed_text
from retail_datagen.core.rng import Stream, integer_weights, lookup
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import plain
from retail_datagen.world import words
from retail_datagen.world.files import MasterFile
from retail_datagen.world.geography import MICRO
from retail_datagen.world.geometry import metres, moved
from retail_datagen.world.model import GUEST, Customers, Geographies
from retail_datagen.world.people import (
    check_contacts,
    emails,
    identifiers,
    phones,
    shuffled,
    spelled_for_mail,
    street_addresses,
)
from retail_datagen.world.sites import micro, pick

_MEAN_METRES = 6_000
"""Mean distance between a home and its store."""
_NEIGHBOURS = 8
"""Stores around the first one among which the second and third are chosen."""
_STORES_AT_A_TIME = 32
"""Their distances to all others stay in a processor's cache, which halves the time."""
_BLOCK = 500_000
_PPM = 1_000_000
_TIERS = {"NONE": 40, "BRONZE": 35, "SILVER": 17, "GOLD": 8}
_STORES = ("NearestStoreID1", "NearestStoreID2", "NearestStoreID3")

CUSTOMERS = Table(
    name="customers",
    doc="Customers. None of them exists: e-mail, phone and address lead nowhere.",
    columns=(
        Column("CustomerID", Kind.INT, "Identifier", example="5001"),
        Column("FirstName", Kind.TEXT, "First name"),
        Column("LastName", Kind.TEXT, "Last name"),
        Column("Email", Kind.TEXT, "E-mail at example.com, .org or .net"),
        Column("Phone", Kind.TEXT, "Phone number, 555-01xx"),
        Column("Address", Kind.TEXT, "Street address"),
        Column("City", Kind.TEXT, "City"),
        Column("State", Kind.TEXT, "State"),
        Column("PostalCode", Kind.TEXT, "Postal code"),
        Column("Latitude", Kind.FLOAT, "Degrees north"),
        Column("Longitude", Kind.FLOAT, "Degrees east"),
        Column("Segment", Kind.CATEGORY, "How the customer shops: one of the profile's segments"),
        Column("HomeGeographyID", Kind.INT, "City", references="geographies.GeographyID"),
        Column(_STORES[0], Kind.INT, "The usual store", references="stores.StoreID"),
        Column(_STORES[1], Kind.INT, "The second choice", references="stores.StoreID"),
        Column(_STORES[2], Kind.INT, "The third choice", references="stores.StoreID"),
        Column(
            "BLEId",
            Kind.TEXT,
            "The phone's Bluetooth identifier",
            example="BLE500123",
            unique=True,
        ),
        Column(
            "AdId",
            Kind.TEXT,
            "The phone's advertising identifier",
            example="AD500123",
            unique=True,
        ),
        Column("LoyaltyTier", Kind.CATEGORY, "Tier of the loyalty card", words=tuple(_TIERS)),
        Column("LoyaltyNumber", Kind.TEXT, "Card number, where there is a tier", null=True),
        Column(
            "SignupDate",
            Kind.DATE,
            "From when the customer may order online; empty for guests, who may always",
            null=True,
        ),
    ),
    key=("CustomerID",),
)
_READ = (
    "CustomerID", "Email", "Phone", "Latitude", "Longitude", "Segment", "HomeGeographyID",
    *_STORES, "BLEId", "AdId", "SignupDate",
)  # fmt: skip


def build_customers(
    config: RetailConfig, profile: Profile, geographies: pa.Table, stores: pa.Table
) -> pa.Table:
    """`volume.customer_count` customers, numbered from 1."""
    count = config.volume.customer_count
    stream = Stream(config.seed, "customers")
    first = words.names(config.paths.dict, words.FIRST_NAMES, "FirstName")
    last = words.names(config.paths.dict, words.LAST_NAMES, "LastName")
    pick_first = pa.array(stream.below(count, len(first)))
    pick_last = pa.array(stream.below(count, len(last)))
    numbers = pa.array(np.arange(1, count + 1, dtype=np.int32))
    segments = lookup(integer_weights([profile.segments[s].share for s in SEGMENTS]))
    tiers = list(_TIERS)
    tier = lookup(np.array(list(_TIERS.values()), dtype=np.int64))[stream.u16(count)]
    card = fixed_text([b"LOY", Digits(shuffled(stream, count) + 10**8, 9)])

    nearest, latitude, longitude = _homes(stream, count, stores)
    store_city = np.asarray(pc.index_in(stores["GeographyID"], geographies["GeographyID"]))
    city = _city(store_city[nearest[:, 0]].astype(np.int64), latitude, longitude, geographies)
    town = pa.array(city)
    store_ids = np.asarray(stores["StoreID"].to_numpy())
    return pa.table(
        {
            "CustomerID": numbers,
            "FirstName": first.take(pick_first),
            "LastName": last.take(pick_last),
            "Email": emails(
                spelled_for_mail(first).take(pick_first),
                spelled_for_mail(last).take(pick_last),
                stream,
                numbers,
            ),
            "Phone": phones(stream, count),
            "Address": street_addresses(config.paths.dict, stream, count),
            "City": geographies["City"].take(town),
            "State": geographies["State"].take(town),
            "PostalCode": geographies["PostalCode"].take(town),
            "Latitude": latitude // 100 / (MICRO // 100),
            "Longitude": longitude // 100 / (MICRO // 100),
            "Segment": _named(SEGMENTS, segments[stream.u16(count)]),
            "HomeGeographyID": geographies["GeographyID"].take(town),
            **{name: store_ids[nearest[:, i]] for i, name in enumerate(_STORES)},
            "BLEId": identifiers(b"BLE", Stream(config.seed, "ble"), count),
            "AdId": identifiers(b"AD", Stream(config.seed, "ad"), count),
            "LoyaltyTier": _named(tiers, tier),
            "LoyaltyNumber": pc.if_else(pa.array(tier > 0), card, ""),
            "SignupDate": _signups(config, count),
        }
    )


def _signups(config: RetailConfig, count: int) -> pa.Array:
    """A day for each customer, later ones under later identifiers; null for guests."""
    first, last = to_day(config.signups.first), to_day(config.signups.last)
    stream = Stream(config.seed, "signups")
    guest = stream.below(count, _PPM) < round(config.signups.guest_share * _PPM)
    day = np.sort(first + stream.below(count, last - first + 1))
    return plain(Kind.DATE, day, ~guest)


def _named(names: Sequence[str], choice: U16) -> pa.Array:
    return pa.array(list(names)).take(pa.array(choice))


def _homes(stream: Stream, count: int, stores: pa.Table) -> tuple[I64, I64, I64]:
    """Rows of the three stores of each customer [count, 3], and homes in micro-degrees."""
    traffic = np.rint(np.asarray(stores["TrafficMultiplier"].to_numpy()) * 1000).astype(np.int64)
    latitude, longitude = micro(stores["Latitude"]), micro(stores["Longitude"])
    neighbours = _neighbours(latitude, longitude)
    store = pick(stream, traffic, count)
    distance = _decay()[stream.u16(count) >> 4]
    home = moved(latitude[store], longitude[store], distance, stream.below(count, 1024))
    nearest = np.empty((count, 3), dtype=np.int64)
    nearest[:, 0] = store
    for start in range(0, count, _BLOCK):
        rows = slice(start, start + _BLOCK)
        around = neighbours[store[rows]]
        away = metres(home[0][rows, None], home[1][rows, None], latitude[around], longitude[around])
        # Huff's model: a store's pull falls with the square of the distance.
        effort = (away + 500) ** 2 // traffic[around]
        ranked = np.sort(effort * _NEIGHBOURS + np.arange(around.shape[1]), axis=1) % _NEIGHBOURS
        for place in (1, 2):
            choice = ranked[:, min(place - 1, ranked.shape[1] - 1)]
            nearest[rows, place] = around[np.arange(len(around)), choice]
    return nearest, *home


def _neighbours(latitude: I64, longitude: I64) -> I64:
    """For each store the rows of the stores nearest to it [stores, up to 8], itself left out.

    A store that is alone is its own neighbour.
    """
    count = len(latitude)
    if count == 1:
        return np.zeros((1, 1), dtype=np.int64)
    size = min(_NEIGHBOURS, count - 1)
    found = np.empty((count, size), dtype=np.int64)
    everyone = np.arange(count)
    for start in range(0, count, _STORES_AT_A_TIME):
        rows = np.arange(start, min(start + _STORES_AT_A_TIME, count))
        keys = metres(latitude[rows, None], longitude[rows, None], latitude, longitude)
        keys = keys * count + everyone
        keys[np.arange(len(rows)), rows] = np.iinfo(np.int64).max
        found[rows] = np.sort(np.partition(keys, size - 1, axis=1)[:, :size], axis=1) % count
    return found


def _decay() -> I64:
    """4,096 equally likely distances (m) from a home to its store, exponential around the mean."""
    return np.array(
        [round(-_MEAN_METRES * math.log((i + 0.5) / 4096)) for i in range(4096)], dtype=np.int64
    )


def _city(city: I64, latitude: I64, longitude: I64, geographies: pa.Table) -> I64:
    """The city nearest to each home, among the store's and the four around it."""
    at, on = micro(geographies["Latitude"]), micro(geographies["Longitude"])
    around = np.concatenate([np.arange(len(at))[:, None], _neighbours(at, on)[:, :4]], axis=1)
    best = np.empty(len(city), dtype=np.int64)
    for start in range(0, len(city), _BLOCK):
        rows = slice(start, start + _BLOCK)
        near = around[city[rows]]
        away = metres(latitude[rows, None], longitude[rows, None], at[near], on[near])
        ranked = np.min(away * 8 + np.arange(near.shape[1]), axis=1) % 8
        best[rows] = near[np.arange(len(near)), ranked]
    return best


def customers_file(path: Path, shown: Path | None = None) -> MasterFile:
    """The file with only the columns that the world needs, or that may be wrong."""
    return MasterFile(path, CUSTOMERS, _READ, shown)


def read_customers(file: MasterFile, geographies: Geographies, store_ids: I32) -> Customers:
    """Customers sorted by identifier."""
    identifier = file.ints("CustomerID", 1, 2**31 - 1)
    file.distinct(identifier, "CustomerID")
    segment = file.choices("Segment", SEGMENTS)
    keep = ("stores.csv",)
    home = file.references("HomeGeographyID", geographies.geography_id, keep)
    stores = np.empty((len(file), len(_STORES)), dtype=np.int32)
    for place, name in enumerate(_STORES):
        stores[:, place] = file.references(name, store_ids, keep)
    ble = file.numbers("BLEId", "BLE")
    ad = file.numbers("AdId", "AD")
    check_contacts(file)
    signed_up = file.optional_days("SignupDate", GUEST)
    sorted_already = bool((identifier[1:] > identifier[:-1]).all())
    order = slice(None) if sorted_already else np.argsort(identifier, kind="stable")
    return Customers(
        identifier[order].astype(np.int32),
        segment[order].astype(np.int8),
        home[order].astype(np.int32),
        stores[order],
        ble[order],
        ad[order],
        signed_up[order].astype(np.int32),
    )
