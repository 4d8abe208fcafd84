"""A lake that is made once, and copies of it to break."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from small_lake import make_lake


@pytest.fixture(scope="session")
def whole_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Not to be changed."""
    return make_lake(tmp_path_factory.mktemp("lakes") / "whole")


@pytest.fixture
def lake(whole_lake: Path, tmp_path: Path) -> Path:
    """A copy."""
    return Path(shutil.copytree(whole_lake, tmp_path / "lake"))
