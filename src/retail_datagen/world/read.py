"""Read master data into a `World`, whoever wrote it, and refuse what generation cannot use."""

from __future__ import annotations

from pathlib import Path

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.schema import Table
from retail_datagen.world import master
from retail_datagen.world.assortment_file import products_file, read_products
from retail_datagen.world.build import build_world_files
from retail_datagen.world.calendar_table import CALENDAR, calendar_file, read_calendar
from retail_datagen.world.customers import CUSTOMERS, customers_file, read_customers
from retail_datagen.world.files import MasterFile
from retail_datagen.world.geography import GEOGRAPHIES, read_geographies
from retail_datagen.world.logistics import (
    DISTRIBUTION_CENTERS,
    TRUCKS,
    read_distribution_centers,
    read_trucks,
)
from retail_datagen.world.marketing import CAMPAIGNS, PROMOTIONS, read_campaigns, read_promotions
from retail_datagen.world.model import World
from retail_datagen.world.products import PRODUCTS
from retail_datagen.world.sensors import BEACONS, SENSORS, read_sensors
from retail_datagen.world.stores import STORES, read_stores
from retail_datagen.world.suppliers import SUPPLIERS, read_suppliers


def read_world(folder: Path, profile: Profile, shown: Path | None = None) -> World:
    """The world that the folder's files describe; rows are in the order of their identifiers.

    Raises MasterDataError for a missing file, a wrong header, type, range, duplicate or reference,
    with file, line, column, value and what is allowed. It names files under `shown`, where the
    folder has yet to get its place.
    """
    if master.missing_files(folder):
        raise master.not_found(folder)
    shown = shown or folder

    def paths(table: Table) -> tuple[Path, Path]:
        return master.file_of(folder, table), master.file_of(shown, table)

    def file(table: Table, *, may_be_empty: bool = False) -> MasterFile:
        source, place = paths(table)
        opened = MasterFile(source, table, shown=place)
        return opened if may_be_empty else opened.filled()

    geographies = read_geographies(file(GEOGRAPHIES))
    dcs = read_distribution_centers(file(DISTRIBUTION_CENTERS), geographies)
    formats = [f.name for f in profile.formats]
    stores = read_stores(file(STORES), formats, geographies, dcs.dc_id)
    suppliers = read_suppliers(file(SUPPLIERS))
    known = [c.name for c in profile.categories]
    assortment = read_products(products_file(*paths(PRODUCTS)).filled(), known, suppliers)
    categories, products = assortment.categories, assortment.products
    promoted = file(PROMOTIONS, may_be_empty=True)
    promotions = read_promotions(promoted, categories, assortment.parts)
    return World(
        digest=master.digest(folder),
        geographies=geographies,
        stores=stores,
        dcs=dcs,
        trucks=read_trucks(file(TRUCKS), dcs.dc_id, products.pack),
        suppliers=suppliers,
        customers=read_customers(
            customers_file(*paths(CUSTOMERS)).filled(), geographies, stores.store_id
        ),
        products=products,
        promotions=promotions,
        campaigns=read_campaigns(file(CAMPAIGNS, may_be_empty=True), promotions),
        calendar=read_calendar(calendar_file(*paths(CALENDAR)).filled(), profile),
        categories=categories,
        sensors=read_sensors(file(SENSORS), stores.store_id, profile.zones),
        beacons=read_sensors(file(BEACONS), stores.store_id, profile.zones),
    )


def ensure_world(config: RetailConfig, profile: Profile) -> World:
    """The world under `paths.master`; an absent or empty folder is filled first.

    Raises MasterDataError when some of the files are missing, or cannot be used.
    """
    folder = config.paths.master
    if master.is_empty(folder):
        build_world_files(config, profile, folder, fill=True)
    return read_world(folder, profile)
