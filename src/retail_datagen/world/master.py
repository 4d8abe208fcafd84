"""The master data folder: which files belong to it and how it appears, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from retail_datagen.schema import Table
from retail_datagen.world.calendar_table import CALENDAR
from retail_datagen.world.customers import CUSTOMERS
from retail_datagen.world.files import MasterDataError
from retail_datagen.world.geography import GEOGRAPHIES
from retail_datagen.world.logistics import DISTRIBUTION_CENTERS, TRUCKS
from retail_datagen.world.marketing import CAMPAIGNS, PROMOTIONS
from retail_datagen.world.products import PRODUCTS
from retail_datagen.world.sensors import BEACONS, SENSORS
from retail_datagen.world.stores import STORES
from retail_datagen.world.suppliers import SUPPLIERS

MASTER_TABLES: tuple[Table, ...] = (
    GEOGRAPHIES,
    STORES,
    DISTRIBUTION_CENTERS,
    TRUCKS,
    SUPPLIERS,
    CUSTOMERS,
    CALENDAR,
    PRODUCTS,
    PROMOTIONS,
    CAMPAIGNS,
    SENSORS,
    BEACONS,
)
"""Every table of master data, in the order in which people want to read about them."""


def file_of(folder: Path, table: Table) -> Path:
    """The file of a table."""
    return folder / f"{table.name}.csv"


def missing_files(folder: Path) -> list[str]:
    """The files that master data needs and the folder has not; all of them where it is absent."""
    return [f"{t.name}.csv" for t in MASTER_TABLES if not file_of(folder, t).is_file()]


def is_empty(folder: Path) -> bool:
    """Whether nothing is there: no folder, or only hidden files such as .gitkeep."""
    return not folder.is_dir() or all(entry.name.startswith(".") for entry in folder.iterdir())


def not_found(folder: Path) -> MasterDataError:
    """The error for a folder with some, but not all files."""
    missing = missing_files(folder)
    return MasterDataError(
        f"Master data not found: {folder} has no {', '.join(missing)}. Put "
        f"{'it' if len(missing) == 1 else 'them'} there, or write all files anew with "
        "`retail-datagen master --overwrite`"
    )


def digest(folder: Path) -> str:
    """sha256 (hex) over the names, sizes and bytes of all files, in name order."""
    found, block = hashlib.sha256(), memoryview(bytearray(1 << 18))
    for name in sorted(f"{table.name}.csv" for table in MASTER_TABLES):
        with (folder / name).open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            found.update(f"{name}\0{size}\0".encode())
            while count := file.readinto(block):
                found.update(block[:count])
    return found.hexdigest()


def write_whole(folder: Path, write: Callable[[Path], None], *, fill: bool = False) -> None:
    """Let `write` fill a new folder beside `folder`, then put it in its place.

    What the old folder held beside master data stays. With `fill`, a folder that somebody else
    has filled meanwhile stays as it is. Where a folder cannot be renamed (a mounted volume), files
    are moved one by one; a crash then leaves files missing, which reading refuses.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    fresh = folder.parent / f".{folder.name}.new-{os.getpid()}"
    fresh.mkdir()
    try:
        write(fresh)
        if fill and not is_empty(folder):
            return
        try:
            fresh.rename(folder)
        except OSError:
            _replace(folder, fresh)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Remove what runs that were killed left beside the folder."""
    if os.name != "posix":
        return  # elsewhere, asking whether a process lives may end it
    for left in folder.parent.glob(f".{folder.name}.new-*"):
        try:
            os.kill(int(left.suffix.removeprefix(".new-")), 0)
        except (ProcessLookupError, ValueError):
            shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue


def _replace(folder: Path, fresh: Path) -> None:
    """Put a new folder in the place of one that is there."""
    old = folder.parent / f".{folder.name}.old-{os.getpid()}"
    try:
        folder.rename(old)
    except OSError:
        _move_files(fresh, folder)
        return
    fresh.rename(folder)
    for entry in old.iterdir():
        if not (folder / entry.name).exists():
            entry.rename(folder / entry.name)
    shutil.rmtree(old)


def _move_files(source: Path, target: Path) -> None:
    for table in MASTER_TABLES:
        file_of(target, table).unlink(missing_ok=True)
    for table in MASTER_TABLES:
        shutil.move(file_of(source, table), file_of(target, table))
