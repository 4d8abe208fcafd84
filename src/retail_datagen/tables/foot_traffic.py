"""Foot traffic: what the sensors over the entrance and in the zones counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I64, Ints
from retail_datagen.core.order import stable_order
from retail_datagen.core.rng import Stream
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.schema.arrays import batch, category
from retail_datagen.tables.base import FactTable, time_column, trace_column
from retail_datagen.tables.context import Day
from retail_datagen.tables.names import trace_sequence
from retail_datagen.tables.presence import zone_of_category

TABLE = Table(
    name="foot_traffic",
    doc=(
        "Readings of people counters. In no store and hour do receipts outnumber the entrance "
        "sensors' counts."
    ),
    columns=(
        trace_column("One per reading."),
        time_column("When the reading was taken."),
        Column(
            "StoreID",
            Kind.INT,
            "Where.",
            references="stores.StoreID",
            encoding=Encoding.DELTA,
            example="15",
        ),
        Column(
            "SensorId",
            Kind.CATEGORY,
            "The sensor.",
            references="sensors.SensorId",
            example="SENSOR_015_ENTRANCE",
        ),
        Column("Zone", Kind.CATEGORY, "The sensor's zone.", example="ENTRANCE"),
        Column(
            "Dwell",
            Kind.INT,
            "Mean seconds that the counted stayed.",
            encoding=Encoding.DELTA,
            example="45",
        ),
        Column("Count", Kind.INT, "People counted.", example="1"),
    ),
    key=("TraceId",),
)
_BUYERS_PER_READING = 4
_HOURS = 24


@dataclass(frozen=True, slots=True)
class _Readings:
    store: I64
    second: I64
    zone: I64
    dwell: I64
    count: I64


def render(day: Day) -> pa.Table:
    zones = day.context.profile.zones
    entrances = _entrances(day)
    wanted = day.market.foot_rows(len(day.demand.visits))
    inside = _inside(day, wanted - len(entrances.store))
    second = np.concatenate([entrances.second, inside.second])
    order = stable_order(second)
    store = np.concatenate([entrances.store, inside.store]).take(order)
    zone = np.concatenate([entrances.zone, inside.zone]).take(order)
    sensors = [name for of_store in day.world.sensors for name in of_store]
    return batch(
        TABLE,
        {
            "TraceId": trace_sequence(day.traces.foot_traffic, len(second)),
            "EventTS": day.timestamps(second.take(order)),
            "StoreID": day.world.stores.store_id.take(store),
            "SensorId": category(store * len(zones) + zone, sensors),
            "Zone": category(zone, zones),
            "Dwell": np.concatenate([entrances.dwell, inside.dwell]).take(order),
            "Count": np.concatenate([entrances.count, inside.count]).take(order),
        },
    )


def _entrances(day: Day) -> _Readings:
    """Entrance readings: a few per store and hour, which together count everybody who came."""
    stores = len(day.world.stores.store_id)
    buyers = _per_hour(day.demand.visits.store, day.demand.visits.second, stores)
    people = buyers + _per_hour(day.browsers.store, day.browsers.second, stores)
    people += people // 4
    readings = -(-buyers // _BUYERS_PER_READING)
    cell = np.repeat(np.arange(stores * _HOURS), readings)
    rank = np.arange(len(cell)) - np.repeat(np.cumsum(readings) - readings, readings)
    share, rest = np.divmod(people.take(cell), readings.take(cell))
    stream = Stream(day.market.seed, "foot_traffic.entrance", day.number)
    second = cell % _HOURS * 3600 + stream.below(len(cell), 3600)
    dwell = 15 + stream.below(len(cell), 60)
    entrance = np.zeros(len(cell), dtype=np.int64)
    return _Readings(cell // _HOURS, second, entrance, dwell, share + (rank < rest))


def _inside(day: Day, readings: int) -> _Readings:
    """Readings of zone sensors, each of a shopper who bought something of that zone then."""
    lines, visits = day.demand.lines, day.demand.visits
    stream = Stream(day.market.seed, "foot_traffic.zones", day.number)
    line = stream.below(readings, len(lines))
    visit = lines.visit.take(line)
    zone = zone_of_category(day).take(day.world.products.category.take(lines.product.take(line)))
    inside = (visits.second - visits.entered).take(visit).astype(np.int64)
    second = visits.entered.take(visit) + (inside * stream.below(readings, 1024) >> 10)
    dwell = np.minimum(20 + stream.below(readings, 280), np.maximum(inside, 5))
    count = 1 + stream.below(readings, 3)
    return _Readings(visits.store.take(visit).astype(np.int64), second, zone, dwell, count)


def _per_hour(store: Ints, second: Ints, stores: int) -> I64:
    """Shoppers per store and hour, flat: [stores x 24]."""
    return np.bincount(store.astype(np.int64) * _HOURS + second // 3600, minlength=stores * _HOURS)


FACTS = FactTable(TABLE, render)
