"""Suppliers: who makes the products and how long a delivery takes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I32
from retail_datagen.core.rng import Stream
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world.arrow import rows
from retail_datagen.world.files import MasterFile
from retail_datagen.world.model import Suppliers
from retail_datagen.world.people import check_contacts, phones

_LEAST, _LEAD = 20, (2, 14)
_DENSE = 100_000
_PRODUCTS_PER_SUPPLIER = 50
_PLACES = (
    "Amberfield", "Birchmoor", "Cedarline", "Dunhollow", "Elmgate", "Fernvale", "Goldbrook",
    "Hazelport", "Ironridge", "Juniper Hill", "Kestrel Bay", "Larkwood", "Mossbridge",
    "Northwillow", "Oakmere", "Pinecrest Loop", "Quarrystone", "Redthorn", "Silverfen",
    "Thistledown", "Umberlake", "Violet Creek", "Westmarrow", "Yarrowdale",
)  # fmt: skip
_TRADES = (
    "Supply", "Wholesale", "Trading", "Products", "Manufacturing", "Goods", "Distribution",
    "Works", "Mills", "Farms", "Brands", "Imports", "Industries", "Merchants", "Packing",
    "Partners", "Provisions", "Exchange", "Fabrication", "Cooperative",
)  # fmt: skip
_FORMS = ("Co.", "LLC", "Group", "Inc.")

SUPPLIERS = Table(
    name="suppliers",
    doc="Suppliers and their lead times.",
    columns=(
        Column("SupplierID", Kind.INT, "Identifier", example="1"),
        Column("SupplierName", Kind.TEXT, "Name"),
        Column("Phone", Kind.TEXT, "Phone number, 555-01xx"),
        Column("LeadTimeDays", Kind.INT, "Days from order to delivery at a DC", example="7"),
    ),
    key=("SupplierID",),
)


def supplier_count(products: int) -> int:
    """How many suppliers an assortment of that size has."""
    return max(_LEAST, products // _PRODUCTS_PER_SUPPLIER)


def build_suppliers(seed: int, identifiers: I32) -> pa.Table:
    """One row per supplier; up to 1,920 names are all different.

    A supplier is the same whichever others there are, as long as identifiers are small.
    """
    small = int(identifiers.max()) <= _DENSE
    row = identifiers.astype(np.int64) - 1 if small else np.arange(len(identifiers))
    count = int(row.max()) + 1
    stream = Stream(seed, "suppliers")
    names = [f"{p} {t} {f}" for p in _PLACES for t in _TRADES for f in _FORMS]
    order = stream.permutation(len(names)).tolist()
    low, high = _LEAD
    return pa.table(
        {
            "SupplierID": identifiers,
            "SupplierName": [names[order[i % len(names)]] for i in row.tolist()],
            "Phone": phones(stream, count).take(rows(row)),
            "LeadTimeDays": (stream.below(count, high - low + 1) + low)[row],
        }
    )


def read_suppliers(file: MasterFile) -> Suppliers:
    """Suppliers sorted by identifier."""
    file.unique("SupplierID")
    identifier = file.ints("SupplierID", 1, 2**31 - 1)
    lead = file.ints("LeadTimeDays", 1, 120)
    check_contacts(file)
    order = np.argsort(identifier, kind="stable")
    return Suppliers(identifier[order].astype(np.int32), lead[order].astype(np.int16))
