"""Geographies: the cities where stores, distribution centres and customers are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world import words
from retail_datagen.world.files import MasterFile
from retail_datagen.world.model import Geographies

MICRO = 1_000_000

GEOGRAPHIES = Table(
    name="geographies",
    doc="Cities with their place and sales tax.",
    columns=(
        Column("GeographyID", Kind.INT, "Identifier", example="1"),
        Column("City", Kind.TEXT, "City", example="Maple Falls"),
        Column("State", Kind.TEXT, "State, two letters", example="OH"),
        Column("PostalCode", Kind.TEXT, "Postal code", example="43001"),
        Column("TaxRate", Kind.FLOAT, "Sales tax, as a share of the price", example="0.0725"),
        Column("Population", Kind.LONG, "Inhabitants: how many stores it attracts"),
        Column("Latitude", Kind.FLOAT, "Degrees north", example="40.12"),
        Column("Longitude", Kind.FLOAT, "Degrees east", example="-83.01"),
    ),
    key=("GeographyID",),
)


def build_geographies(folder: Path) -> pa.Table:
    """All cities of the dictionary, numbered in its order."""
    columns = {c.name: c.arrow_type for c in GEOGRAPHIES.columns if c.name != "GeographyID"}
    rows = words.dictionary(folder, words.GEOGRAPHIES, columns)
    identifiers = pa.array(np.arange(1, rows.num_rows + 1, dtype=np.int32))
    return rows.add_column(0, "GeographyID", identifiers).select(list(GEOGRAPHIES.header))


def read_geographies(file: MasterFile) -> Geographies:
    """Geographies sorted by identifier."""
    file.unique("GeographyID")
    identifier = file.ints("GeographyID", 1, 2**31 - 1)
    file.ints("Population", 0, 2**40)
    order = np.argsort(identifier, kind="stable")
    tax = file.scaled("TaxRate", 1_000_000, 0, 0.25)
    latitude = file.scaled("Latitude", MICRO, -90, 90)
    longitude = file.scaled("Longitude", MICRO, -180, 180)
    return Geographies(
        identifier[order].astype(np.int32),
        tax[order].astype(np.int32),
        latitude[order].astype(np.int32),
        longitude[order].astype(np.int32),
    )
