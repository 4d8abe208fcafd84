"""Build a retailer's master data from configuration, profile and seed, as a folder of CSV files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.world.assortment_file import subcategories
from retail_datagen.world.calendar_table import build_calendar
from retail_datagen.world.customers import build_customers
from retail_datagen.world.files import write_table
from retail_datagen.world.geography import build_geographies
from retail_datagen.world.logistics import build_distribution_centers, build_trucks
from retail_datagen.world.marketing import build_marketing
from retail_datagen.world.master import MASTER_TABLES, file_of, write_whole
from retail_datagen.world.products import build_products
from retail_datagen.world.sensors import BEACONS, SENSORS, build_sensors
from retail_datagen.world.sites import choose_sites
from retail_datagen.world.stores import build_stores
from retail_datagen.world.suppliers import build_suppliers, supplier_count


def build_world(config: RetailConfig, profile: Profile) -> dict[str, pa.Table]:
    """All master data, by table name."""
    volume, seed = config.volume, config.seed
    product_count = volume.products or profile.products
    geographies = build_geographies(config.paths.dict)
    formats = [f.share for f in profile.formats]
    sites = choose_sites(geographies, volume.stores, volume.dcs, formats, seed)
    stores = build_stores(config, profile, sites, geographies)
    suppliers = build_suppliers(seed, supplier_count(product_count))
    products = build_products(
        profile,
        product_count,
        seed,
        suppliers.num_rows,
        config.calendar.first,
        config.calendar.last,
    )
    parts = subcategories(products, [c.name for c in profile.categories])
    promotions, campaigns = build_marketing(config, profile, parts)
    return {
        "geographies": geographies,
        "stores": stores,
        "distribution_centers": build_distribution_centers(
            config, profile, sites, geographies, stores
        ),
        "trucks": build_trucks(config, profile, stores, volume.dcs),
        "suppliers": suppliers,
        "customers": build_customers(config, profile, geographies, stores),
        "calendar": build_calendar(config, profile),
        "products": products,
        "promotions": promotions,
        "campaigns": campaigns,
        "sensors": build_sensors(SENSORS, "SENSOR", volume.stores, profile.zones),
        "beacons": build_sensors(BEACONS, "BEACON", volume.stores, profile.zones),
    }


def build_world_files(
    config: RetailConfig, profile: Profile, folder: Path, *, fill: bool = False
) -> dict[str, int]:
    """Write all master data to `folder`, which appears whole or not at all.

    Returns the rows of each table. Files that were there are replaced; with `fill`, not those that
    somebody else wrote meanwhile.
    """
    tables = build_world(config, profile)
    write_whole(folder, lambda fresh: _write(fresh, tables), fill=fill)
    return {name: rows.num_rows for name, rows in tables.items()}


def _write(folder: Path, tables: Mapping[str, pa.Table]) -> None:
    for table in MASTER_TABLES:
        write_table(file_of(folder, table), table, tables[table.name])
