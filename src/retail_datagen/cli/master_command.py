"""`retail-datagen master` writes the master data of a configuration as CSV files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from retail_datagen.cli.console import console
from retail_datagen.cli.output_options import AsJson, Quiet
from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.world.build import build_world_files
from retail_datagen.world.master import is_empty, tidy
from retail_datagen.world.rebuild import Rebuilt, rebuild_world_files


def register(app: typer.Typer) -> None:
    """Mounts `master` on the application."""
    app.command("master")(master)


def master(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Configuration file; else defaults.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the files that are there.")
    ] = False,
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="FILES",
            help="Files of your own, such as stores.csv,products.csv: they stay, the others are "
            "rebuilt around them.",
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write stores, products, customers and the rest of the world under paths.master."""
    chosen = RetailConfig.resolve(config).config
    folder, profile = chosen.paths.master, chosen.load_profile()
    tidy(folder)
    if keep is not None:
        own = [name.strip() for name in keep.split(",")]
        done = rebuild_world_files(chosen, profile, folder, own)
    elif overwrite or is_empty(folder):
        done = Rebuilt(build_world_files(chosen, profile, folder), (), {})
    else:
        raise UserError(
            f"paths.master: {folder} is not empty; --overwrite replaces the master data in it, "
            "--keep stores.csv,… replaces all but the files that it names; or name another folder"
        )
    if as_json:
        _print_json(folder, done)
    elif not quiet:
        _print_table(folder, done)


def _print_json(folder: Path, done: Rebuilt) -> None:
    found: dict[str, object] = {
        "folder": str(folder),
        "rows": {f"{name}.csv": count for name, count in done.rows.items()},
    }
    if done.kept:
        found["kept"] = [f"{name}.csv" for name in done.kept]
        found["added"] = {f"{name}.csv": list(columns) for name, columns in done.added.items()}
    typer.echo(json.dumps(found, indent=2))


def _print_table(folder: Path, done: Rebuilt) -> None:
    table = Table("file", "rows", box=None, header_style="bold", pad_edge=False)
    table.columns[1].justify = "right"
    if done.kept:
        table.add_column("")
    for name, count in done.rows.items():
        table.add_row(f"{name}.csv", f"{count:,}", *([_fate(name, done)] if done.kept else []))
    out = console()
    out.print(f"wrote {folder}", soft_wrap=True)
    out.print(table)


def _fate(name: str, done: Rebuilt) -> str:
    """What became of a file whose user keeps some."""
    if name not in done.kept:
        return "rebuilt"
    added = done.added.get(name)
    return f"kept, added {', '.join(added)}" if added else "kept"
