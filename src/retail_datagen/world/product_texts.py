"""Texts of products that only some views show: names, SKUs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import Ints
from retail_datagen.world.arrow import numpy_of
from retail_datagen.world.files import MasterFile
from retail_datagen.world.master import file_of
from retail_datagen.world.products import PRODUCTS


def read_product_texts(folder: Path, column: str, product_id: Ints) -> pa.Array:
    """A column of the products in a folder of master data, for each of those products.

    Raises MasterDataError for what cannot be read.
    """
    file = MasterFile(file_of(folder, PRODUCTS), PRODUCTS, ("ProductID", column))
    identifiers = numpy_of(file.rows["ProductID"])
    order = np.argsort(identifiers, kind="stable")
    rows = order[np.searchsorted(identifiers[order], product_id)]
    found = file.rows[column].take(pa.array(rows))
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
