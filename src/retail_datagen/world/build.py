"""Build a retailer's master data from configuration, profile and seed, as a folder of CSV files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.core.rng import Stream
from retail_datagen.schema import Kind
from retail_datagen.schema.arrays import plain
from retail_datagen.world.arrow import numpy_of
from retail_datagen.world.assortment_file import subcategories
from retail_datagen.world.calendar_table import build_calendar
from retail_datagen.world.customers import build_customers
from retail_datagen.world.files import write_table
from retail_datagen.world.geography import build_geographies
from retail_datagen.world.logistics import build_distribution_centers, build_trucks
from retail_datagen.world.marketing import build_campaigns, build_marketing
from retail_datagen.world.master import MASTER_TABLES, file_of, write_whole
from retail_datagen.world.own_products import check_dictionaries, with_own_products
from retail_datagen.world.products import build_products
from retail_datagen.world.sensors import BEACONS, SENSORS, build_sensors
from retail_datagen.world.sites import (
    Depots,
    choose_depots,
    choose_sites,
    depots_around,
    depots_of,
    places_of,
)
from retail_datagen.world.stores import build_stores
from retail_datagen.world.suppliers import build_suppliers, supplier_count

Tables = Mapping[str, pa.Table]


def build_world(
    config: RetailConfig, profile: Profile, kept: Tables | None = None
) -> dict[str, pa.Table]:
    """All master data, by table name, built around the tables that are `kept` as they are.

    These have their declared columns and values within what is allowed. Of references, only those
    among stores, DCs and geographies, and of products to suppliers, need lead somewhere.
    """
    check_dictionaries(config.paths.dict)
    given = dict(kept or {})
    if "geographies" not in given:
        given["geographies"] = build_geographies(config.paths.dict)
    _build_products(given, config, profile)
    products = given["products"]
    depots = _build_network(given, config, profile)
    stores = given["stores"]
    zones, store_ids = profile.zones, np.sort(numpy_of(stores["StoreID"]))
    if "trucks" not in given:
        most = int(numpy_of(products["Pack"]).max())
        given["trucks"] = build_trucks(config, profile, stores, depots.dc_id, most)
    if "customers" not in given:
        given["customers"] = build_customers(config, profile, given["geographies"], stores)
    if "calendar" not in given:
        given["calendar"] = build_calendar(config, profile)
    for table, prefix in ((SENSORS, "SENSOR"), (BEACONS, "BEACON")):
        if table.name not in given:
            given[table.name] = build_sensors(table, prefix, store_ids, zones)
    _build_marketing(given, config, profile)
    return {table.name: given[table.name] for table in MASTER_TABLES}


def _build_products(given: dict[str, pa.Table], config: RetailConfig, profile: Profile) -> None:
    """Products and their suppliers: those that own products name, or as many as are usual."""
    if "suppliers" not in given:
        if "products" in given:
            identifiers = np.unique(numpy_of(given["products"]["SupplierID"]))
        else:
            wanted = supplier_count(config.volume.products or profile.products)
            identifiers = np.arange(1, wanted + 1, dtype=np.int32)
        given["suppliers"] = build_suppliers(config.seed, identifiers)
    if "products" not in given:
        makers = np.sort(numpy_of(given["suppliers"]["SupplierID"]))
        products = build_products(
            with_own_products(profile, config.paths.dict),
            config.volume.products or profile.products,
            config.seed,
            len(makers),
            config.calendar.first,
            config.calendar.last,
        )
        place = products.column_names.index("SupplierID")
        supplier = plain(Kind.INT, makers[numpy_of(products["SupplierID"]) - 1])
        given["products"] = products.set_column(place, products.field(place), supplier)


def _build_network(given: dict[str, pa.Table], config: RetailConfig, profile: Profile) -> Depots:
    """Stores and the DCs that serve them, whichever there are already."""
    volume, seed, geographies = config.volume, config.seed, given["geographies"]
    products = given["products"].num_rows
    stream = Stream(seed, "sites")
    if "distribution_centers" in given:
        depots = depots_of(given["distribution_centers"])
    elif "stores" in given:
        stores = given["stores"]
        served = numpy_of(stores["DCID"])
        depots = depots_around(served, places_of(stores), geographies, seed)
    else:
        depots = choose_depots(geographies, volume.dcs, stream)
    if "stores" not in given:
        shares = [f.share for f in profile.formats]
        sites = choose_sites(geographies, depots, volume.stores, shares, stream)
        given["stores"] = build_stores(config, profile, sites, depots, geographies, products)
    if "distribution_centers" not in given:
        given["distribution_centers"] = build_distribution_centers(
            config, profile, depots, geographies, given["stores"], products
        )
    return depots


def _build_marketing(given: dict[str, pa.Table], config: RetailConfig, profile: Profile) -> None:
    if "promotions" in given:
        if "campaigns" not in given:
            given["campaigns"] = build_campaigns(config, profile, given["promotions"])
        return
    parts = subcategories(given["products"], [c.name for c in profile.categories])
    given["promotions"], campaigns = build_marketing(config, profile, parts)
    given.setdefault("campaigns", campaigns)


def build_world_files(
    config: RetailConfig, profile: Profile, folder: Path, *, fill: bool = False
) -> dict[str, int]:
    """Write all master data to `folder`, which appears whole or not at all.

    Returns the rows of each table. Files that were there are replaced; with `fill`, not those that
    somebody else wrote meanwhile.
    """
    tables = build_world(config, profile)
    write_whole(folder, lambda fresh: write_tables(fresh, tables), fill=fill)
    return {name: rows.num_rows for name, rows in tables.items()}


def write_tables(folder: Path, tables: Tables) -> None:
    """Write each of the tables to its file."""
    for table in MASTER_TABLES:
        if table.name in tables:
            write_table(file_of(folder, table), table, tables[table.name])
