"""BLE pings: beacons answered by the phones of shoppers on their way through the store."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I32, I64, U16
from retail_datagen.core.order import stable_order
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
        Column(
            "StoreID",
            Kind.INT,
            "Where.",
            references="stores.StoreID",
            encoding=Encoding.DELTA,
            example="15",
        ),
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
    bits = Stream(day.market.seed, "ble_pings", day.number).u16(total)
    pings = _pings(walks, total, bits, len(zones))
    walk, zone = pings.walk, pings.zone
    store = walks.store.take(walk)
    beacons = [name for of_store in day.world.beacons for name in of_store]
    ble = day.world.customers.ble
    return batch(
        TABLE,
        {
            "TraceId": trace_sequence(day.traces.ble_pings, total),
            "EventTS": day.timestamps(pings.second),
            "StoreID": day.world.stores.store_id.take(store),
            "BeaconId": category(store * np.int32(len(zones)) + zone, beacons),
            "CustomerBLEId": category(walk, numbered(b"BLE", ble.take(walks.customer), ble)),
            "RSSI": _SIGNAL.take(bits),
            "Zone": category(zone, zones),
        },
    )


@dataclass(frozen=True, slots=True)
class _Pings:
    """Pings by time: [pings] second of the day, row of the walks, row of the zones."""

    second: I32
    walk: I32
    zone: I32


def _pings(walks: Walks, total: int, bits: U16, zones: int) -> _Pings:
    """`total` pings, to each walk in proportion to its time in the store."""
    if not total:
        none = np.zeros(0, dtype=np.int32)
        return _Pings(none, none, none)
    stay = (walks.left - walks.entered).astype(np.int64) + 60
    ends = np.cumsum(stay) * total // int(stay.sum())
    counts = np.diff(ends, prepend=0)
    rank = np.arange(total, dtype=np.int32)
    rank -= np.repeat((ends - counts).astype(np.int32), counts)
    spacing = int(stay.sum()) * 16 // total
    second = rank.astype(np.int64) << 4
    second += bits & np.uint16(15)
    second *= spacing
    second >>= 8
    second += np.repeat(walks.entered, counts)
    at = np.minimum(second, np.repeat(walks.left, counts)).astype(np.int32)
    walk = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    zone = _zones(walks, counts, rank, zones)
    order = stable_order(at)
    # As one number, so that memory is visited once for both.
    place = (walk * np.int32(zones) + zone).take(order)
    walk = place // np.int32(zones)
    place -= walk * np.int32(zones)
    return _Pings(at.take(order), walk, place)


def _zones(walks: Walks, counts: I64, rank: I32, zones: int) -> I32:
    """The zone of each ping: entrance, then aisle after aisle, then the till for who pays."""
    steps = walks.last - walks.first + 2 + walks.pays
    pace = ((steps << 16) // np.maximum(counts, 1)).astype(np.int32)
    step = rank * np.repeat(pace, counts)
    step >>= 16
    till = np.where(walks.pays, steps - 1, 1 << 14).astype(np.int32)
    zone = np.repeat((walks.first - 1).astype(np.int32), counts)
    zone += step
    np.copyto(zone, zones - 1, where=step >= np.repeat(till, counts))
    np.copyto(zone, 0, where=step == 0)
    return zone


def _signals() -> I32:
    """RSSI per 16 random bits, by a distance that is likelier small: beacons hang near people."""
    bits = np.arange(1 << 16)
    metre = (bits >> 8) * (bits >> 8) * len(_METRES_TO_DBM) >> 16
    signals: I32 = (-np.array(_METRES_TO_DBM)[metre] - (bits & 3)).astype(np.int32)
    return signals


_SIGNAL = _signals()
FACTS = FactTable(TABLE, render)
