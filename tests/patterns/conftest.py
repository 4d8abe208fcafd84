"""The measured year, made once however many processes run the tests."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from year import Year, config, world_of, year_of

from retail_datagen.config.profile import Profile
from retail_datagen.world.model import World


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one process at a time is in the block: the others wait for it, however long."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all processes of this run share."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "measured-year"
    shared.mkdir(exist_ok=True)
    return shared


@pytest.fixture(scope="session")
def year(folder: Path) -> Year:
    """366 days of 3,000 receipts."""
    file = folder / "year.npz"
    with _alone(folder):
        if not file.exists():
            year_of(config(folder / "master")).save(file)
        return Year.load(file)


@pytest.fixture(scope="session")
def world(folder: Path, year: Year) -> World:
    """What the year's shoppers met; built with it."""
    return world_of(config(folder / "master"))


@pytest.fixture(scope="session")
def profile(folder: Path) -> Profile:
    return config(folder / "master").load_profile()
