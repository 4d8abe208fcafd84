"""The measured year, made once however many processes run the tests."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from year import Year, config, world_of, year_of

from retail_datagen.config.profile import Profile
from retail_datagen.world.model import World

_LONGEST_WAIT = 300


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one process at a time is in the block: the others wait for it."""
    lock, waited = folder / "lock", 0.0
    while True:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            if waited > _LONGEST_WAIT:
                raise
            time.sleep(0.2)
            waited += 0.2
    try:
        yield
    finally:
        lock.unlink()


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
