"""A small retailer in memory and its master data, made once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from retail_datagen.config.models import Calendar, Paths, RetailConfig, Volume
from retail_datagen.retailer import Retailer
from retail_datagen.world.build import build_world, build_world_files

START = date(2024, 1, 1)


@pytest.fixture(scope="session")
def small_config(tmp_path_factory: pytest.TempPathFactory) -> RetailConfig:
    """3 stores, 300 products, two years; master data on disk."""
    folder = tmp_path_factory.mktemp("small")
    config = RetailConfig(
        volume=Volume(
            stores=3, dcs=1, customers_per_day=150, products=300, online_orders_per_day=20
        ),
        paths=Paths(dict=folder / "dict", master=folder / "master", facts=folder / "facts"),
        calendar=Calendar(first=date(2023, 1, 1), last=date(2024, 12, 31)),
    )
    build_world_files(config, config.load_profile(), Path(config.paths.master))
    return config


@pytest.fixture(scope="session")
def master(small_config: RetailConfig) -> dict[str, pa.Table]:
    """Master data by table name."""
    return build_world(small_config, small_config.load_profile())


@pytest.fixture(scope="session")
def retailer(small_config: RetailConfig) -> Retailer:
    """A history that begins on 2024-01-01; days are planned as they are asked for."""
    return Retailer(small_config, START)
