"""Rebuild master data around files of the user's own, which stay as they are."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.schema import Table
from retail_datagen.world.build import build_world, write_tables
from retail_datagen.world.errors import Misfit
from retail_datagen.world.kept import Copies, read_kept
from retail_datagen.world.master import MASTER_TABLES, file_of, write_whole
from retail_datagen.world.read import read_world


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Rows of each table, the tables that were kept, and the columns added to their files."""

    rows: Mapping[str, int]
    kept: tuple[str, ...]
    added: Mapping[str, tuple[str, ...]]


def rebuild_world_files(
    config: RetailConfig, profile: Profile, folder: Path, keep: Sequence[str]
) -> Rebuilt:
    """Replace all master data of `folder` but the files that `keep` names, such as `stores.csv`.

    Those stay byte for byte, but for columns that `files.ADDED` lists and that they lack. Raises
    UserError when such a file is not there, and MasterDataError when it cannot be used or does not
    fit the others that are kept; the folder is then as it was.
    """
    tables = _named(folder, keep)

    def write(fresh: Path) -> Rebuilt:
        for table in tables:
            shutil.copy2(file_of(folder, table), file_of(fresh, table))
        kept = read_kept(Copies(fresh, folder, tables), config, profile)
        built = build_world(config, profile, kept.tables)
        write_tables(fresh, {name: rows for name, rows in built.items() if name not in kept.tables})
        read_world(fresh, profile, shown=folder)
        counts = {name: rows.num_rows for name, rows in built.items()}
        return Rebuilt(counts, tuple(kept.tables), kept.added)

    try:
        return write_whole(folder, write)
    except Misfit as misfit:
        raise misfit.among(keep) from None


def _named(folder: Path, keep: Sequence[str]) -> tuple[Table, ...]:
    """The tables of the files that `keep` names, in their usual order."""
    by_file = {f"{table.name}.csv": table for table in MASTER_TABLES}
    for name in keep:
        if name not in by_file:
            raise UserError(
                f"--keep: {name!r} is no file of master data; allowed: {', '.join(by_file)}"
            )
        if not (folder / name).is_file():
            raise UserError(
                f"--keep: {folder} has no {name}; put it there, or leave it out to have it built"
            )
    return tuple(table for name, table in by_file.items() if name in keep)
