"""Columns that files of a user's own may lack: what they would hold, and how they are added."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from retail_datagen.core.arrays import I32, I64
from retail_datagen.core.rng import Stream
from retail_datagen.world.arrow import numpy_of
from retail_datagen.world.files import MasterFile
from retail_datagen.world.geography import MICRO
from retail_datagen.world.geometry import metres, nearest
from retail_datagen.world.sites import (
    Depots,
    Places,
    assign,
    depots_around,
    group,
    places_of,
    road_km,
)

Columns = dict[str, NDArray[Any]]
_BOM = "\ufeff"


def store_columns(
    stores: MasterFile, cities: pa.Table, depots: Depots | None, dcs: int, seed: int
) -> Columns:
    """What stores lack: the nearest of the `cities`, the DC that serves each, the way to it.

    Without `depots`, there will be `dcs` of them at most, each amid those that it serves.
    """
    if not stores.absent:
        return {}
    found: Columns = {}
    places = (
        stores.scaled("Latitude", MICRO, -90, 90),
        stores.scaled("Longitude", MICRO, -180, 180),
    )
    if "GeographyID" in stores.absent:
        found["GeographyID"] = numpy_of(cities["GeographyID"])[nearest(*places, *places_of(cities))]
    if "DCID" in stores.absent:
        found["DCID"] = _serving(places, depots) if depots else group(places, dcs, seed)
    if "DCDistanceKm" in stores.absent:
        served = found["DCID"] if "DCID" in found else stores.ints("DCID", 1, 9999)
        there = depots or depots_around(served, places, cities, seed)
        found["DCDistanceKm"] = _way(places, served, there)
    return found


def _serving(places: Places, depots: Depots) -> I64:
    latitude, longitude = places
    away = metres(latitude[:, None], longitude[:, None], depots.latitude, depots.longitude)
    return depots.dc_id[assign(away)]


def _way(places: Places, served: I64, depots: Depots) -> I64:
    """Kilometres to the DC; any number where there is no such DC, which readers refuse."""
    row_of = {dc: row for row, dc in enumerate(depots.dc_id.tolist())}
    row = [row_of.get(dc, 0) for dc in served.tolist()]
    return road_km(metres(*places, depots.latitude[row], depots.longitude[row]))


def product_columns(products: MasterFile, suppliers: I32, seed: int) -> Columns:
    """What products lack: one of the `suppliers`, the same for all products of a brand."""
    if not products.absent:
        return {}
    brands = products.rows["Brand"].to_pylist()
    names = sorted(set(brands))
    drawn = Stream(seed, "products.suppliers").below(len(names), len(suppliers))
    maker = dict(zip(names, suppliers[drawn].tolist(), strict=True))
    return {"SupplierID": np.array([maker[brand] for brand in brands], dtype=np.int32)}


def append(path: Path, columns: Columns) -> None:
    """Add columns at the end of a CSV file's rows, which stay byte for byte, blank lines too."""
    if not columns:
        return
    text = path.read_bytes().decode()
    mark = _BOM if text.startswith(_BOM) else ""
    lines = list(io.StringIO(text.removeprefix(mark), newline=""))
    reader = csv.reader(lines)
    ends = [reader.line_num - 1 for row in reader if row]
    values = [list(columns), *zip(*(c.tolist() for c in columns.values()), strict=True)]
    for end, more in zip(ends, values, strict=True):
        row = lines[end].rstrip("\r\n")
        lines[end] = ",".join([row, *map(str, more)]) + lines[end][len(row) :]
    path.write_bytes((mark + "".join(lines)).encode())
