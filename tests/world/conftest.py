"""A small supercenter, built once; tests that spoil it work on a copy."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from retail_datagen.config.models import Calendar, Paths, RetailConfig, Volume
from retail_datagen.config.profile import Profile
from retail_datagen.world.build import build_world, build_world_files


def small_config(master: Path, seed: int = 42) -> RetailConfig:
    """12 stores, 3 DCs, 3,000 customers, 300 products, three years."""
    return RetailConfig(
        seed=seed,
        volume=Volume(stores=12, dcs=3, customers_per_day=600, customers=3000, products=300),
        paths=Paths(dict=Path("no-such-folder"), master=master),
        calendar=Calendar(first=date(2023, 1, 1), last=date(2025, 12, 31)),
    )


@pytest.fixture(scope="session")
def profile() -> Profile:
    return RetailConfig().load_profile()


@pytest.fixture(scope="session")
def config(tmp_path_factory: pytest.TempPathFactory) -> RetailConfig:
    return small_config(tmp_path_factory.mktemp("world") / "master")


@pytest.fixture(scope="session")
def tables(config: RetailConfig, profile: Profile) -> dict[str, pa.Table]:
    """Built master data, before it is written."""
    return build_world(config, profile)


@pytest.fixture(scope="session")
def built(config: RetailConfig, profile: Profile) -> Path:
    """The folder of master data; nobody may change it."""
    build_world_files(config, profile, config.paths.master)
    return config.paths.master


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(built, tmp_path / "master"))
