"""Files of master data that a user keeps while the others are rebuilt: completed and checked.

Only what others build on is checked here, and by the same rules as ever; reading the whole world
afterwards checks the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I64
from retail_datagen.schema import Table
from retail_datagen.world.added import append, product_columns, store_columns
from retail_datagen.world.assortment_file import read_products
from retail_datagen.world.build import write_tables
from retail_datagen.world.files import ADDED, MasterFile
from retail_datagen.world.geography import GEOGRAPHIES, build_geographies, read_geographies
from retail_datagen.world.logistics import (
    DISTRIBUTION_CENTERS,
    few_enough,
    read_distribution_centers,
)
from retail_datagen.world.marketing import PROMOTIONS
from retail_datagen.world.master import file_of
from retail_datagen.world.model import Geographies, Suppliers
from retail_datagen.world.products import PRODUCTS
from retail_datagen.world.sites import Depots, depots_of
from retail_datagen.world.stores import STORES, read_stores
from retail_datagen.world.suppliers import SUPPLIERS, read_suppliers, supplier_count

_BUILT_ON = (GEOGRAPHIES, STORES, DISTRIBUTION_CENTERS, SUPPLIERS, PRODUCTS, PROMOTIONS)
"""Tables whose columns shape others; of the rest only their rows are counted."""


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
    tables: tuple[Table, ...]

    def open(
        self, table: Table, columns: Sequence[str] = (), optional: Collection[str] = ()
    ) -> MasterFile:
        """A file with those columns, or all of them."""
        source, shown = file_of(self.fresh, table), file_of(self.shown, table)
        return MasterFile(source, table, columns, shown, optional)


def read_kept(copies: Copies, config: RetailConfig, profile: Profile) -> Kept:
    """Complete the kept files, and read them. Raises MasterDataError for what cannot be used."""
    if GEOGRAPHIES not in copies.tables:
        cities = build_geographies(config.paths.dict)
        write_tables(copies.fresh, {GEOGRAPHIES.name: cities})
    file = copies.open(GEOGRAPHIES).filled()
    geographies = read_geographies(file)
    depots = _depots(copies, geographies)
    added: dict[str, tuple[str, ...]] = {}
    if STORES in copies.tables:
        added[STORES.name] = _complete_stores(copies, file.rows, depots, config)
        _check_stores(copies.open(STORES), geographies, depots, profile)
    if PRODUCTS in copies.tables:
        added[PRODUCTS.name] = _complete_products(copies, config, profile)
    tables = {
        table.name: copies.open(table, () if table in _BUILT_ON else table.key).rows
        for table in copies.tables
    }
    return Kept(tables, {name: columns for name, columns in added.items() if columns})


def _depots(copies: Copies, geographies: Geographies) -> Depots | None:
    if DISTRIBUTION_CENTERS not in copies.tables:
        return None
    file = copies.open(DISTRIBUTION_CENTERS).filled()
    read_distribution_centers(file, geographies)
    return depots_of(file.rows)


def _complete_stores(
    copies: Copies, cities: pa.Table, depots: Depots | None, config: RetailConfig
) -> tuple[str, ...]:
    """The columns that were added."""
    file = copies.open(STORES, optional=ADDED[STORES.name]).filled()
    columns = store_columns(file, cities, depots, config.volume.dcs, config.seed)
    append(file_of(copies.fresh, STORES), columns)
    return tuple(columns)


def _check_stores(
    file: MasterFile, geographies: Geographies, depots: Depots | None, profile: Profile
) -> None:
    """Check stores, whose DCs are those of the `depots` or those that they name themselves."""
    served = depots.dc_id if depots else file.ints("DCID", 1, 9999)
    dc_ids = np.unique(served).astype(np.int32)
    few_enough(file, dc_ids)
    read_stores(file, [f.name for f in profile.formats], geographies, dc_ids)


def _complete_products(copies: Copies, config: RetailConfig, profile: Profile) -> tuple[str, ...]:
    """Complete and check products, and their suppliers if these are kept too."""
    file = copies.open(PRODUCTS, optional=ADDED[PRODUCTS.name]).filled()
    if SUPPLIERS in copies.tables:
        suppliers = read_suppliers(copies.open(SUPPLIERS).filled())
    elif file.absent:
        suppliers = _unknown(np.arange(1, supplier_count(len(file)) + 1))
    else:
        suppliers = _unknown(file.ints("SupplierID", 1, 2**31 - 1))
    columns = product_columns(file, suppliers.supplier_id, config.seed)
    append(file_of(copies.fresh, PRODUCTS), columns)
    read_products(copies.open(PRODUCTS), [c.name for c in profile.categories], suppliers)
    return tuple(columns)


def _unknown(identifiers: I64) -> Suppliers:
    """Suppliers of which only the identifiers are known yet."""
    distinct = np.unique(identifiers).astype(np.int32)
    return Suppliers(distinct, np.ones(len(distinct), dtype=np.int16))
