"""Files of master data that a user keeps while the others are rebuilt: completed and checked.

Only what others build on is checked here, and by the same rules as ever; reading the whole world
afterwards checks the rest.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.core.rng import Stream
from retail_datagen.schema import Kind, Table
from retail_datagen.schema.arrays import plain
from retail_datagen.world.arrow import numpy_of
from retail_datagen.world.assortment_file import read_products
from retail_datagen.world.build import write_tables
from retail_datagen.world.files import ADDED, MasterFile
from retail_datagen.world.geography import GEOGRAPHIES, MICRO, build_geographies, read_geographies
from retail_datagen.world.geometry import metres, nearest
from retail_datagen.world.logistics import DISTRIBUTION_CENTERS, read_distribution_centers
from retail_datagen.world.master import file_of
from retail_datagen.world.model import Suppliers
from retail_datagen.world.products import PRODUCTS
from retail_datagen.world.sites import (
    Depots,
    assign,
    depots_around,
    depots_of,
    group,
    micro,
    road_km,
)
from retail_datagen.world.stores import STORES, read_stores
from retail_datagen.world.suppliers import SUPPLIERS, read_suppliers, supplier_count

Columns = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Kept:
    """Tables that stay, and the columns that had to be added to their files."""

    tables: dict[str, pa.Table]
    added: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Copies:
    """Kept files in the new folder `fresh`; errors name them under `shown`, where they are from."""

    fresh: Path
    shown: Path
    keep: tuple[Table, ...]

    def open(self, table: Table, optional: Collection[str] = ()) -> MasterFile:
        """A file with all its columns and at least one row."""
        source, shown = file_of(self.fresh, table), file_of(self.shown, table)
        return MasterFile(source, table, shown=shown, optional=optional).filled()


def read_kept(at: Copies, config: RetailConfig, profile: Profile) -> Kept:
    """Complete the kept files, and read them. Raises MasterDataError for what cannot be used."""
    if GEOGRAPHIES not in at.keep:
        write_tables(at.fresh, {GEOGRAPHIES.name: build_geographies(config.paths.dict)})
    cities = at.open(GEOGRAPHIES)
    geographies = read_geographies(cities)
    depots, dc_ids = None, None
    added: dict[str, tuple[str, ...]] = {}
    if DISTRIBUTION_CENTERS in at.keep:
        file = at.open(DISTRIBUTION_CENTERS)
        dc_ids = read_distribution_centers(file, geographies).dc_id
        depots = depots_of(file.rows)
    if STORES in at.keep:
        lacking = at.open(STORES, ADDED[STORES.name])
        added[STORES.name] = _complete(at, lacking, _store_columns(lacking, cities, depots, config))
        file = at.open(STORES)
        if dc_ids is None:
            dc_ids = np.unique(file.ints("DCID", 1, 9999)).astype(np.int32)
        read_stores(file, [f.name for f in profile.formats], geographies, dc_ids)
    suppliers = None
    if SUPPLIERS in at.keep:
        suppliers = read_suppliers(at.open(SUPPLIERS))
    if PRODUCTS in at.keep:
        lacking = at.open(PRODUCTS, ADDED[PRODUCTS.name])
        added[PRODUCTS.name] = _complete(at, lacking, _product_columns(lacking, suppliers, config))
        file = at.open(PRODUCTS)
        suppliers = suppliers or _suppliers_of(file)
        read_products(file, [c.name for c in profile.categories], suppliers)
    tables = {table.name: MasterFile(file_of(at.fresh, table), table).rows for table in at.keep}
    return Kept(tables, {name: columns for name, columns in added.items() if columns})


def _store_columns(
    file: MasterFile, cities: MasterFile, depots: Depots | None, config: RetailConfig
) -> Columns:
    """What the file lacks: the nearest city, the DC that serves each store, the way to it."""
    if not file.absent:
        return {}
    found: Columns = {}
    stores = file.rows
    latitude = file.scaled("Latitude", MICRO, -90, 90)
    longitude = file.scaled("Longitude", MICRO, -180, 180)
    if "GeographyID" in file.absent:
        middle = micro(cities.rows["Latitude"]), micro(cities.rows["Longitude"])
        city = nearest(latitude, longitude, *middle)
        found["GeographyID"] = numpy_of(cities.rows["GeographyID"])[city]
    if "DCID" in file.absent:
        if depots is None:
            served = group(stores, config.volume.dcs, config.seed)
        else:
            away = metres(latitude[:, None], longitude[:, None], depots.latitude, depots.longitude)
            served = depots.dc_id[assign(away)]
        found["DCID"] = served
        stores = stores.append_column("DCID", plain(Kind.INT, served))
    if "DCDistanceKm" in file.absent:
        served = numpy_of(stores["DCID"])
        file.require((served >= 1) & (served <= 9999), "DCID", "a whole number from 1 to 9999")
        depots = depots or depots_around(stores, cities.rows, config.seed)
        order = np.argsort(depots.dc_id)
        # A DC that is not there is found when the completed file is read.
        at = np.searchsorted(depots.dc_id[order], served)
        row = order[np.minimum(at, len(order) - 1)]
        place = depots.latitude[row], depots.longitude[row]
        found["DCDistanceKm"] = road_km(metres(latitude, longitude, *place))
    return found


def _product_columns(
    file: MasterFile, suppliers: Suppliers | None, config: RetailConfig
) -> Columns:
    """What the file lacks: suppliers, one for all products of a brand."""
    if not file.absent:
        return {}
    if suppliers is None:
        makers = np.arange(1, supplier_count(len(file)) + 1, dtype=np.int32)
    else:
        makers = suppliers.supplier_id
    brands = file.rows["Brand"].to_pylist()
    names = sorted(set(brands))
    drawn = Stream(config.seed, "products.suppliers").below(len(names), len(makers))
    maker = dict(zip(names, makers[drawn].tolist(), strict=True))
    return {"SupplierID": np.array([maker[brand] for brand in brands], dtype=np.int32)}


def _suppliers_of(file: MasterFile) -> Suppliers:
    """The suppliers that products name, whoever they are."""
    identifiers = np.unique(file.ints("SupplierID", 1, 2**31 - 1)).astype(np.int32)
    return Suppliers(identifiers, np.ones(len(identifiers), dtype=np.int16))


def _complete(at: Copies, file: MasterFile, columns: Columns) -> tuple[str, ...]:
    """Add columns at the end of a copy's rows; without any it stays byte for byte."""
    if columns:
        path = file_of(at.fresh, file.table)
        rows = [row for row in csv.reader(io.StringIO(_text(path), newline="")) if row]
        new = [list(columns), *zip(*(c.tolist() for c in columns.values()), strict=True)]
        with path.open("w", encoding="utf-8", newline="") as copy:
            writer = csv.writer(copy, lineterminator="\n")
            writer.writerows([*row, *more] for row, more in zip(rows, new, strict=True))
    return tuple(columns)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8-sig")
