"""`retail-datagen verify` checks the files of a history, whoever wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from retail_datagen.cli.console import console
from retail_datagen.cli.output_options import AsJson
from retail_datagen.core.memory import clear_up_at_exit
from retail_datagen.quality import report
from retail_datagen.quality.verify import EXAMPLES, Progress
from retail_datagen.quality.verify import verify as run


def register(app: typer.Typer) -> None:
    """Mounts `verify` on the application."""
    app.command("verify")(verify)
    clear_up_at_exit()


def verify(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Folder with the fact tables, or the one above it."),
    ] = Path("data/facts"),
    master: Annotated[
        Path | None,
        typer.Option("--master", help="Master data; else the folder master beside or in DIR."),
    ] = None,
    as_json: AsJson = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print failed checks and the last line only.")
    ] = False,
    first: Annotated[
        int, typer.Option("--first", min=0, help="Offending rows to show of each failed check.")
    ] = EXAMPLES,
) -> None:
    """Check a history on its files alone: keys, sums, stock, trucks, prices, hours, checksums.

    Ends with 1 where a check failed. Checks whose tables are not on file are skipped.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    terminal = Console(stderr=True)
    hidden = quiet or as_json or not terminal.is_terminal
    with Bar(*columns, console=terminal, transient=True, disable=hidden) as bar:
        task = bar.add_task("verify")

        def show(progress: Progress) -> None:
            bar.update(
                task,
                description=progress.doing,
                completed=progress.done,
                total=progress.total,
            )

        found = run(folder, master, first, show)
    if as_json:
        typer.echo(report.as_json(found))
    else:
        out = console()
        if not out.is_terminal:
            out.width = 200
        report.print_report(found, out, only_problems=quiet)
    if not found.passed:
        raise typer.Exit(1)
