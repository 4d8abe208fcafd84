"""BLE pings: beacons answered by the phones of shoppers on their way through the store."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from retail_datagen.core.rng import Stream
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.names import numbered, trace_sequence
from retail_datagen.tables.presence import Walks, app_walks

TABLE = Table(
    name="ble_pings",
    doc="Pings of beacons. A shopper's follow each other through the zones in walking order.",
    columns=(
        trace_column("One per ping."),
        time_column("When the phone answered."),
        Column("StoreID", Kind.INT, "Where.", references="stores.StoreID", example="15"),
        Column(
            "BeaconId",
            Kind.CATEGORY,
            "The beacon.",
            references="beacons.BeaconId",
            example="BEACON_015_GROCERY",
        ),
        Column(
            "CustomerBLEId",
            Kind.CATEGORY,
            "Whose phone.",
            references="customers.BLEId",
            example="BLE500123",
        ),
        Column(
            "RSSI",
            Kind.INT,
            "Signal strength in dBm: -45 beside the beacon, -90 at 25 metres.",
            encoding=Encoding.DICTIONARY,
            example="-65",
        ),
        Column("Zone", Kind.CATEGORY, "The beacon's zone.", example="GROCERY"),
    ),
    key=("TraceId",),
)
_METRES_TO_DBM = (
    45,
    52,
    57,
    60,
    63,
    65,
    67,
    69,
    70,
    72,
    73,
    74,
    75,
    76,
    77,
    78,
    79,
    80,
    81,
    82,
    83,
    84,
    86,
    88,
    90,
)
"""Path loss of 2.4 GHz indoors, exponent 3, per metre from 1 to 25."""


def render(day: Day) -> pa.Table:
    walks = app_walks(day)
    total = day.market.pings(len(day.demand.visits))
    zones = day.context.profile.zones
    walk, rank, spacing = _share_out(walks, total)
    bits = Stream(day.market.seed, "ble_pings", day.number).u16(total)
    moment = rank * 256 + (bits & np.uint16(0xFF))
    second = np.minimum(walks.entered[walk] + (moment * spacing >> 16), walks.left[walk])
    zone = _zones(walks, walk, rank, len(zones))
    order = np.sort((second.astype(np.int64) << 32) | np.arange(total)) & 0xFFFFFFFF
    walk, zone = walk[order], zone[order]
    store = walks.store[walk]
    beacons = [name for of_store in day.world.beacons for name in of_store]
    ble = day.world.customers.ble
    return batch(
        TABLE,
        [
            trace_sequence(day.traces.ble_pings, total),
            day.timestamps(second[order]),
            day.world.stores.store_id[store],
            category(store * np.int32(len(zones)) + zone, beacons),
            category(walk, numbered(b"BLE", ble[walks.customer], ble)),
            _signal(bits),
            category(zone, zones),
        ],
    )


def _share_out(walks: Walks, total: int) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
    """(walk, rank within it, 1/256 seconds between pings), in proportion to time in the store."""
    if not total:
        none = np.zeros(0, dtype=np.int64)
        return none.astype(np.int32), none, 0
    stay = (walks.left - walks.entered).astype(np.int64) + 60
    ends = np.cumsum(stay) * total // int(stay.sum())
    counts = np.diff(ends, prepend=0)
    walk = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    rank = np.arange(total) - np.repeat(ends - counts, counts)
    return walk, rank, int(stay.sum()) * 256 // total


def _zones(
    walks: Walks, walk: NDArray[np.int32], rank: NDArray[np.int64], zones: int
) -> NDArray[np.int32]:
    """The zone of each ping: entrance, then aisle after aisle, then the till for who pays."""
    counts = np.bincount(walk, minlength=len(walks))
    steps = walks.last - walks.first + 2 + walks.pays
    pace = (steps << 16) // np.maximum(counts, 1)
    step = (rank * pace[walk] >> 16).astype(np.int32)
    zone = (walks.first - 1).astype(np.int32)[walk] + step
    zone[step == 0] = 0
    at_till = walks.pays[walk] & (step == (steps - 1).astype(np.int32)[walk])
    zone[at_till] = zones - 1
    return zone


def _signal(bits: NDArray[np.uint16]) -> NDArray[np.int32]:
    """RSSI by a distance that is likelier small: beacons hang where people stand."""
    high = (bits >> np.uint16(8)).astype(np.int64)
    metre = high * high * len(_METRES_TO_DBM) >> 16
    strength = -np.array(_METRES_TO_DBM, dtype=np.int32)
    signal: NDArray[np.int32] = strength[metre] - (bits & np.uint16(3)).astype(np.int32)
    return signal


FACTS = FactTable(TABLE, render)
