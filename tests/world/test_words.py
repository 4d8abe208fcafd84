"""Dictionaries of one's own are checked before anything is made from them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from retail_datagen.config.errors import UserError
from retail_datagen.world import words

COLUMNS = {"City": pa.string(), "Population": pa.int64()}


@pytest.mark.parametrize("name", [words.FIRST_NAMES, words.LAST_NAMES])
def test_packaged_names_serve_where_there_are_none_of_ones_own(tmp_path: Path, name: str) -> None:
    column = "FirstName" if name == words.FIRST_NAMES else "LastName"
    packaged = words.names(tmp_path, name, column)
    assert len(packaged) > 100
    (tmp_path / name).write_text(f"{column},Origin\nZo,here\n")
    assert words.names(tmp_path, name, column).to_pylist() == ["Zo"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("City\nA\n", "columns City, Population"),
        ("", "columns City, Population"),
        ("City,Population\nA,many\n", "columns City, Population"),
        ("City,Population\nA,1\n,2\n", "column City has an empty value"),
        ("City,Population\n", "has no rows"),
    ],
)
def test_a_dictionary_that_cannot_be_used_is_named(
    tmp_path: Path, content: str, message: str
) -> None:
    path = tmp_path / words.GEOGRAPHIES
    path.write_text(content)
    with pytest.raises(UserError, match=message) as error:
        words.dictionary(tmp_path, words.GEOGRAPHIES, COLUMNS)
    assert str(error.value).startswith(f"{path}: ")
