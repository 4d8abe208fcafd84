"""Sensors that count feet and beacons that phones answer: one of each per store and zone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I32
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world.arrow import rows
from retail_datagen.world.errors import Misfit
from retail_datagen.world.files import MasterFile


def _table(name: str, key: str, doc: str, example: str) -> Table:
    return Table(
        name=name,
        doc=doc,
        columns=(
            Column(key, Kind.TEXT, "Identifier", example=example),
            Column("StoreID", Kind.INT, "Store", references="stores.StoreID"),
            Column("Zone", Kind.CATEGORY, "Zone of the store: one of the profile's"),
        ),
        key=(key,),
    )


SENSORS = _table("sensors", "SensorId", "Foot traffic sensors.", "SENSOR_015_ENTRANCE")
BEACONS = _table("beacons", "BeaconId", "Bluetooth beacons.", "BEACON_015_GROCERY")


def build_sensors(table: Table, prefix: str, store_ids: I32, zones: Sequence[str]) -> pa.Table:
    """One row per store and zone, in that order."""
    width = max(3, len(str(store_ids.max())))
    places = [zone.upper().replace(" ", "_") for zone in zones]
    return pa.table(
        {
            table.key[0]: [
                f"{prefix}_{store:0{width}}_{place}"
                for store in store_ids.tolist()
                for place in places
            ],
            "StoreID": np.repeat(store_ids, len(zones)),
            "Zone": list(zones) * len(store_ids),
        }
    )


def read_sensors(
    file: MasterFile, store_ids: I32, zones: Sequence[str]
) -> tuple[tuple[str, ...], ...]:
    """Identifiers [stores][zones]. Raises MasterDataError unless there is one of each."""
    key = file.table.key[0]
    file.unique(key)
    file.unique("StoreID", "Zone")
    texts = file.texts(key, r"^[A-Za-z0-9_-]{1,40}$", "1 to 40 letters, digits, _ and -")
    keep = ("stores.csv",)
    store = file.references("StoreID", store_ids, keep)
    zone = file.choices("Zone", zones)
    cell = store * len(zones) + zone
    if len(cell) < len(store_ids) * len(zones):
        gaps = np.ones(len(store_ids) * len(zones), dtype=np.bool_)
        gaps[cell] = False
        row, column = divmod(int(np.argmax(gaps)), len(zones))
        raise Misfit(
            f"{file.path}: no row for StoreID {store_ids[row]}, Zone {zones[column]}; every store "
            f"needs one for each of {', '.join(zones)}",
            file.name,
            "stores.csv",
            keep,
        )
    names = texts.take(rows(np.argsort(cell, kind="stable"))).to_pylist()
    width = len(zones)
    return tuple(tuple(names[i : i + width]) for i in range(0, len(names), width))
