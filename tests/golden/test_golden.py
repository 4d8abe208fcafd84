"""Every table's content is what it was: whoever changes it must mean to."""

from __future__ import annotations

import pytest
from golden_digests import DAYS, golden_digests, golden_tables, kept_digests

WHAT_TO_DO = """
The content of {table} on {day} is another than before, for the same seed and configuration.
If it was not meant to change, find out what changed it. If it was:
  1. raise the version in pyproject.toml, so that no older history is continued with other rows,
  2. say in CHANGELOG.md what changed,
  3. run `python -m tests.golden.update` in the repository's root and commit digests.json."""


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, str]]:
    return golden_digests()


@pytest.mark.parametrize("table", golden_tables())
def test_content_is_what_it_was(found: dict[str, dict[str, str]], table: str) -> None:
    kept = kept_digests().get(table, {})
    assert len(found[table]) in (1, len(DAYS))
    assert kept.keys() == found[table].keys()
    for day, digest in found[table].items():
        assert digest == kept.get(day), WHAT_TO_DO.format(table=table, day=day)


def test_no_table_went_away() -> None:
    gone = set(kept_digests()) - set(golden_tables())
    assert not gone, f"tables {sorted(gone)} are no more; a new version, and CHANGELOG.md, say so"
