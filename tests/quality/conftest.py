"""Small histories, as the job writes them, and copies of them that tests may damage."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from copies import Copy

from retail_datagen.config.models import Calendar, Paths, RetailConfig, Volume
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.retail import RetailSource

START = date(2024, 2, 24)
DAYS = 10
SCARCE: dict[str, object] = {
    "supply.store_cover_days": 2.0,
    "supply.store_safety_days": 0.0,
    "supply.presentation_units": 1,
    "supply.shrink_share": 0.1,
    "supply.count_adjustment_share": 0.02,
    "returns.share": 0.3,
}
"""Shelves that run empty and buyers who regret, so that few days show it all."""


def write_history(root: Path, form: str, first: date = START, days: int = DAYS) -> Path:
    """A history under `root`: master and facts."""
    config = RetailConfig(
        volume=Volume(
            stores=4,
            dcs=2,
            customers_per_day=100,
            online_orders_per_day=40,
            customers=1000,
            products=300,
        ),
        calendar=Calendar(first=date(2024, 1, 1), last=date(2024, 12, 31)),
        paths=Paths(dict=root / "none", master=root / "master", facts=root / "facts"),
        overrides=SCARCE,
    )
    start = to_day(first)
    facts = root / "facts"
    run_job(
        JobRequest(
            RetailSource(config),
            str(facts),
            facts,
            start,
            start + days - 1,
            format=form,
            workers=1,
        )
    )
    return root


@pytest.fixture(scope="session")
def csv_history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a history in CSV, not to be changed."""
    return write_history(tmp_path_factory.mktemp("csv"), "csv")


@pytest.fixture(scope="session")
def parquet_history(csv_history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same history in Parquet, not to be changed."""
    root = tmp_path_factory.mktemp("parquet")
    shutil.copytree(csv_history / "master", root / "master")
    return write_history(root, "parquet")


@pytest.fixture
def copy(csv_history: Path, tmp_path: Path) -> Copy:
    """A copy of the history in CSV, with its journal."""
    return Copy.of(csv_history, tmp_path / "copy")
