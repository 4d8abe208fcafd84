"""Dictionaries: the lists of names and places that master data is made from.

A file under `paths.dict` serves in place of the packaged one of the same name.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from retail_datagen.config.errors import UserError

FIRST_NAMES = "first_names.csv"
LAST_NAMES = "last_names.csv"
STREETS = "streets.csv"
GEOGRAPHIES = "geographies.csv"


def dictionary(folder: Path, name: str, columns: dict[str, pa.DataType]) -> pa.Table:
    """The dictionary `name`, from `folder` or else as packaged, with these columns.

    Raises UserError when the user's file lacks a column, a value or any row.
    """
    own = folder / name
    packaged = resources.files("retail_datagen.world").joinpath("dictionaries", name)
    content = own.read_bytes() if own.is_file() else packaged.read_bytes()
    where = str(own) if own.is_file() else f"packaged {name}"
    options = pa.csv.ConvertOptions(
        column_types=columns,
        include_columns=list(columns),
        null_values=[""],
        strings_can_be_null=True,
    )
    try:
        rows = pa.csv.read_csv(pa.BufferReader(content), convert_options=options)
    except (pa.ArrowInvalid, pa.ArrowKeyError) as error:
        raise UserError(
            f"{where}: cannot be read ({error}); allowed are UTF-8 CSV files with the columns "
            f"{', '.join(columns)}"
        ) from None
    for column in columns:
        if rows[column].null_count:
            raise UserError(f"{where}: column {column} has an empty value; every row needs one")
    if rows.num_rows == 0:
        raise UserError(f"{where}: has no rows; at least one is needed")
    return rows.combine_chunks()


def names(folder: Path, name: str, column: str) -> pa.Array:
    """One text column of a dictionary."""
    return dictionary(folder, name, {column: pa.string()})[column].combine_chunks()
