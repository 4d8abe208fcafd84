"""The master data folder: which files belong to it and how it appears, whole or not at all."""

from __future__ import annotations

import filecmp
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from retail_datagen.config.errors import UserError
from retail_datagen.schema import Table
from retail_datagen.world.calendar_table import CALENDAR
from retail_datagen.world.customers import CUSTOMERS
from retail_datagen.world.errors import MasterDataError
from retail_datagen.world.geography import GEOGRAPHIES
from retail_datagen.world.logistics import DISTRIBUTION_CENTERS, TRUCKS
from retail_datagen.world.marketing import CAMPAIGNS, PROMOTIONS
from retail_datagen.world.products import PRODUCTS
from retail_datagen.world.sensors import BEACONS, SENSORS
from retail_datagen.world.stores import STORES
from retail_datagen.world.suppliers import SUPPLIERS

Made = TypeVar("Made")

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
    """Whether nothing is there: no folder, or only hidden files such as .gitkeep.

    Raises UserError where a file is in the folder's place.
    """
    _refuse_file(folder)
    return not folder.is_dir() or all(entry.name.startswith(".") for entry in folder.iterdir())


def _refuse_file(folder: Path) -> None:
    """Raise UserError where the folder, or one that should hold it, is a file."""
    for place in (folder, *folder.parents):
        if place.is_dir():
            return
        if place.exists():
            raise UserError(
                f"paths.master: {place} is a file; master data needs a folder of its own"
            )


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


def write_whole(folder: Path, write: Callable[[Path], Made], *, fill: bool = False) -> Made:
    """Let `write` fill a new folder beside `folder`, then put it in its place; what it returned.

    What the old folder held beside master data stays. With `fill`, a folder that somebody else
    has filled meanwhile stays as it is. Where a folder cannot be renamed (a mounted volume), files
    are moved one by one; a crash then leaves one missing, which reading refuses.
    """
    folder = folder.resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    tidy(folder)
    fresh = folder.parent / f".{folder.name}.new-{os.getpid()}"
    fresh.mkdir()
    try:
        made = write(fresh)
        if fill and not is_empty(folder):
            return made
        try:
            fresh.rename(folder)
        except OSError:
            _replace(folder, fresh)
        return made
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def tidy(folder: Path) -> None:
    """Undo or finish what runs that were killed had begun: a folder moved away comes back.

    Raises UserError where a file is in the folder's place.
    """
    _refuse_file(folder)
    folder = folder.resolve()
    for fresh in _left_behind(folder, "new"):
        shutil.rmtree(fresh, ignore_errors=True)
    for old in _left_behind(folder, "old"):
        if folder.exists():
            _retire(old, folder)
        else:
            old.rename(folder)


def _left_behind(folder: Path, kind: str) -> list[Path]:
    """Folders of that kind beside `folder` whose process has ended, or had this one's number."""
    if os.name != "posix":
        return []  # elsewhere, asking whether a process lives may end it
    found = []
    for left in sorted(folder.parent.glob(f".{folder.name}.{kind}-*")):
        number = left.suffix.removeprefix(f".{kind}-")
        try:
            if int(number) != os.getpid():
                os.kill(int(number), 0)
                continue
        except (ProcessLookupError, ValueError):
            pass
        except OSError:
            continue
        found.append(left)
    return found


def _replace(folder: Path, fresh: Path) -> None:
    """Put a new folder in the place of one that is there."""
    old = folder.parent / f".{folder.name}.old-{os.getpid()}"
    try:
        folder.rename(old)
    except OSError:
        _move_files(fresh, folder)
        return
    fresh.rename(folder)
    _retire(old, folder)


def _retire(old: Path, folder: Path) -> None:
    """Remove a folder after what `folder` lacks of it has moved there."""
    for entry in old.iterdir():
        if not (folder / entry.name).exists():
            entry.rename(folder / entry.name)
    shutil.rmtree(old)


def _move_files(source: Path, target: Path) -> None:
    """Replace the files of `target` that differ. One is missing while the others are moved."""
    changed = [table for table in MASTER_TABLES if not _same(source, target, table)]
    for table in changed[-1:]:
        file_of(target, table).unlink(missing_ok=True)
    for table in changed:
        staged = target / f".{table.name}.csv.new"
        shutil.move(file_of(source, table), staged)
        os.replace(staged, file_of(target, table))


def _same(source: Path, target: Path, table: Table) -> bool:
    there = file_of(target, table)
    return there.is_file() and filecmp.cmp(file_of(source, table), there, shallow=False)
