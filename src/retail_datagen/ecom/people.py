"""Texts of master data that only the shop shows: people and names of products."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from retail_datagen.world.arrow import numpy_of
from retail_datagen.world.customers import CUSTOMERS
from retail_datagen.world.files import MasterFile
from retail_datagen.world.master import file_of

_COLUMNS = (
    "CustomerID",
    "FirstName",
    "LastName",
    "Email",
    "Phone",
    "Address",
    "City",
    "State",
    "PostalCode",
)
_STEP = 7_919
"""Customers move to, or bill at, the street address of somebody so many rows on in their town."""


@dataclass(frozen=True, slots=True)
class People:
    """Texts of each customer: [customers], in the order of identifiers.

    `homes` are their first addresses, `others` a second one in the same town: where they move to.
    """

    first_name: pa.Array
    last_name: pa.Array
    email: pa.Array
    phone: pa.Array
    homes: pa.Array
    others: pa.Array

    def addresses(self, rows: NDArray[np.int32], second: NDArray[np.bool_]) -> pa.Array:
        """The first address of each customer, or the second."""
        both = pa.chunked_array([self.homes, self.others])
        place = rows.astype(np.int64) + second * len(self.homes)
        return both.take(pa.array(place)).combine_chunks()


def read_people(folder: Path) -> People:
    """The people in a folder of master data. Raises MasterDataError for what cannot be read."""
    file = MasterFile(file_of(folder, CUSTOMERS), CUSTOMERS, _COLUMNS)
    order = pa.array(np.argsort(numpy_of(file.rows["CustomerID"]), kind="stable"))
    columns = {name: _one(file.rows[name].take(order)) for name in _COLUMNS[1:]}
    town = pc.binary_join_element_wise(
        columns["City"],
        pc.binary_join_element_wise(columns["State"], columns["PostalCode"], " "),
        ", ",
    )
    street = columns["Address"]
    elsewhere = street.take(pa.array((np.arange(len(street)) + _STEP) % max(len(street), 1)))
    return People(
        columns["FirstName"],
        columns["LastName"],
        columns["Email"],
        columns["Phone"],
        _one(pc.binary_join_element_wise(street, town, ", ")),
        _one(pc.binary_join_element_wise(elsewhere, town, ", ")),
    )


def _one(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
