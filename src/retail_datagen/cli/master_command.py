"""`retail-datagen master` writes the master data of a configuration as CSV files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.world.build import build_world_files
from retail_datagen.world.master import is_empty


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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing.")] = False,
) -> None:
    """Write stores, products, customers and the rest of the world under paths.master."""
    chosen = RetailConfig.resolve(config).config
    folder = chosen.paths.master
    if not overwrite and not is_empty(folder):
        raise UserError(
            f"paths.master: {folder} is not empty; --overwrite replaces the master data in it, "
            "or name another folder"
        )
    rows = build_world_files(chosen, chosen.load_profile(), folder)
    if as_json:
        files = {f"{name}.csv": count for name, count in rows.items()}
        typer.echo(json.dumps({"folder": str(folder), "rows": files}, indent=2))
    elif not quiet:
        table = Table("file", "rows", box=None, header_style="bold", pad_edge=False)
        table.columns[1].justify = "right"
        for name, count in rows.items():
            table.add_row(f"{name}.csv", f"{count:,}")
        console = Console(markup=False, highlight=False)
        console.print(f"wrote {folder}", soft_wrap=True)
        console.print(table)
