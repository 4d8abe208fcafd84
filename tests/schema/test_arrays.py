"""A batch is put together by name, so that no column can stand in another's place."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.arrays import batch

TABLE = Table(
    name="shelves",
    doc="Shelves.",
    columns=(
        Column("Shelf", Kind.INT, "Which."),
        Column("Units", Kind.INT, "How many."),
        Column("Label", Kind.TEXT, "What it says."),
    ),
    key=("Shelf",),
)
SHELF, UNITS, LABEL = np.array([1, 2]), np.array([30, 40]), pa.array(["a", "b"])


def test_columns_are_in_the_tables_order_whatever_theirs() -> None:
    made = batch(TABLE, {"Label": LABEL, "Units": UNITS, "Shelf": SHELF})
    assert made.schema == TABLE.arrow
    assert made.to_pydict() == {"Shelf": [1, 2], "Units": [30, 40], "Label": ["a", "b"]}


def test_a_missing_column_is_named() -> None:
    with pytest.raises(ValueError, match=r"^shelves: no Shelf, Label$"):
        batch(TABLE, {"Units": UNITS})


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(ValueError, match=r"^shelves: unknown: Colour$"):
        batch(TABLE, {"Shelf": SHELF, "Units": UNITS, "Label": LABEL, "Colour": LABEL})


def test_a_misspelt_column_is_named_with_what_it_should_be() -> None:
    with pytest.raises(ValueError, match=r"^shelves: no Units; unknown: Unit$"):
        batch(TABLE, {"Shelf": SHELF, "Unit": UNITS, "Label": LABEL})
