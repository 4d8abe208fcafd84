"""Products as they stand in their file: read, checked, grouped by category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from retail_datagen.world.arrow import numpy_of
from retail_datagen.world.errors import MasterDataError
from retail_datagen.world.files import MasterFile
from retail_datagen.world.model import Products, Suppliers
from retail_datagen.world.products import MOST_POPULAR, PRODUCTS

_READ = (
    "ProductID", "SKU", "Category", "Subcategory", "SupplierID", "Cost", "MSRP", "Price",
    "Refrigerated", "Taxable", "LaunchDate", "Pack", "Popularity",
)  # fmt: skip

MOST_PRODUCTS = 65_000
"""Plans number products with 16 bits."""


@dataclass(frozen=True, slots=True)
class Assortment:
    """Products, their categories in the profile's order, and the parts of these, sorted.

    A part is (row of the category, subcategory).
    """

    products: Products
    categories: tuple[str, ...]
    parts: tuple[tuple[int, str], ...]


def subcategories(rows: pa.Table, categories: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The subcategories of products by category, in the order of `categories`."""
    names = ["Category", "Subcategory"]
    texts = pa.table([rows[name].cast(pa.string()) for name in names], names)
    pairs = texts.group_by(names).aggregate([])
    known = {(row["Category"], row["Subcategory"]) for row in pairs.to_pylist()}
    found = {name: tuple(sorted(s for c, s in known if c == name)) for name in categories}
    return {name: parts for name, parts in found.items() if parts}


def products_file(path: Path, shown: Path | None = None) -> MasterFile:
    """The file with only the columns that the world needs, or that may be wrong."""
    return MasterFile(path, PRODUCTS, _READ, shown)


def read_products(file: MasterFile, known: Sequence[str], suppliers: Suppliers) -> Assortment:
    """Products by category and identifier; those of the `known` categories that have any count."""
    if len(file) > MOST_PRODUCTS:
        raise MasterDataError(
            f"{file.path}: has {len(file)} products; allowed: {MOST_PRODUCTS} at most"
        )
    file.unique("ProductID")
    file.unique("SKU")
    identifier = file.ints("ProductID", 1, 2**31 - 1)
    category = file.choices("Category", known)
    supplier = file.references("SupplierID", suppliers.supplier_id, ["products.csv"])
    cost, msrp, price = file.cents("Cost"), file.cents("MSRP"), file.cents("Price")
    file.require(cost <= price, "Cost", "an amount not above Price")
    file.require(price <= msrp, "Price", "an amount not above MSRP")
    pack = file.ints("Pack", 1, 10_000)
    popularity = file.ints("Popularity", 1, MOST_POPULAR)
    sold = np.bincount(category, minlength=len(known)) > 0
    category = (np.cumsum(sold) - 1)[category]
    categories = tuple(name for name, some in zip(known, sold.tolist(), strict=True) if some)
    names = file.rows["Subcategory"].cast(pa.string()).combine_chunks().dictionary_encode()
    texts = names.dictionary.to_pylist()
    cell = category * len(texts) + numpy_of(names.indices)
    pairs = sorted((c // len(texts), texts[c % len(texts)]) for c in set(cell.tolist()))
    place = {c * len(texts) + texts.index(name): row for row, (c, name) in enumerate(pairs)}
    part = np.zeros(len(categories) * len(texts), dtype=np.int64)
    part[list(place)] = list(place.values())
    order = np.lexsort((identifier, category))
    return Assortment(
        Products(
            product_id=identifier[order].astype(np.int32),
            category=category[order].astype(np.int16),
            subcategory=part[cell[order]].astype(np.int16),
            supplier=supplier[order].astype(np.int32),
            cost=cost[order],
            msrp=msrp[order],
            price=price[order],
            refrigerated=file.flags("Refrigerated")[order],
            taxable=file.flags("Taxable")[order],
            launch_day=file.days("LaunchDate")[order].astype(np.int32),
            pack=pack[order].astype(np.int16),
            popularity=popularity[order].astype(np.int32),
        ),
        categories,
        tuple(pairs),
    )
