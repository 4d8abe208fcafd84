"""`retail-datagen generate` runs the job, or estimates it with `--dry-run`."""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from retail_datagen.cli.console import console, figures
from retail_datagen.cli.finished import (
    counted,
    partitions_in_words,
    print_summary,
    size_in_words,
    told_when_stopped,
)
from retail_datagen.cli.output_options import AsJson, Quiet
from retail_datagen.cli.progress import ProgressBar
from retail_datagen.cli.words import names_of
from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.core.calendar import day_of
from retail_datagen.engine.estimate import Estimate, estimate_job
from retail_datagen.engine.events import JobSummary, Listener
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.retail import RetailSource
from retail_datagen.sinks import open_sink
from retail_datagen.world.dimensions import read_dimensions
from retail_datagen.world.master import is_empty


def register(app: typer.Typer) -> None:
    """Mounts `generate` on the application."""
    app.command("generate")(generate)


def generate(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Configuration file; else defaults.")
    ] = None,
    start: Annotated[
        str | None, typer.Option(metavar="DAY", help="First day, such as 2024-01-01.")
    ] = None,
    end: Annotated[
        str | None, typer.Option(metavar="DAY", help="Last day, itself included.")
    ] = None,
    format: Annotated[
        str | None, typer.Option(metavar="csv|parquet", help="Format of files; else csv.")
    ] = None,
    tables: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B", help="Only these tables, separated by commas; else all."),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", help="Processes; else one for each core where that pays."),
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Where to: a folder, file:FOLDER?format=parquet, jsonl:-; else paths.facts.",
        ),
    ] = None,
    only_day: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Only this day; --start is for a new history."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say rows, bytes and time; write nothing.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Remove what was generated there; start anew.")
    ] = False,
    chunk_days: Annotated[
        int, typer.Option(metavar="N", help="Days that a worker takes at a time.")
    ] = 1,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Generate the fact tables of a range of days; run again, it goes on where it stopped."""
    with told_when_stopped(quiet):
        chosen = RetailConfig.resolve(config).config
        first, last, history_start = _days(start, end, only_day)
        request = JobRequest(
            source=RetailSource(chosen),
            target=str(chosen.paths.facts) if to is None else to,
            facts=chosen.paths.facts,
            first_day=first,
            last_day=last,
            tables=names_of(tables),
            format=format,
            workers=_at_least_one(workers),
            chunk_days=chunk_days,
            history_start=history_start,
            overwrite=overwrite,
            dimensions=partial(read_dimensions, chosen.paths.master),
        )
        _refuse_master(request.target, chosen.paths.master, format)
        if dry_run:
            _print_estimate(_estimate(request, chosen), quiet, as_json)
            return
        print_summary(_run(request, quiet or as_json), request.target, quiet, as_json)


def _run(request: JobRequest, quiet: bool) -> JobSummary:
    terminal = Console(stderr=True)
    if quiet or not terminal.is_terminal:
        return run_job(request)
    with ProgressBar(terminal) as bar:
        listeners: list[Listener] = [bar]
        return run_job(request, listeners)


def _days(start: str | None, end: str | None, only: str | None) -> tuple[int, int, int | None]:
    """First and last day, and where a new history begins if that is another day."""
    if only is not None:
        if end is not None:
            raise UserError("end: leave --end out beside --only-day, which is one day")
        day = day_of("only-day", only)
        return day, day, None if start is None else day_of("start", start)
    if start is None or end is None:
        missing = " and ".join(
            name for name, given in (("--start", start), ("--end", end)) if given is None
        )
        raise UserError(
            f"{missing} missing: give the first and the last day, both included, such as "
            "--start 2024-01-01 --end 2024-01-30"
        )
    return day_of("start", start), day_of("end", end), None


def _refuse_master(target: str, master: Path, format: str | None) -> None:
    with closing(open_sink(target, format)) as sink:
        if sink.root and sink.root.resolve() == master.resolve():
            raise UserError(
                f"to: {target} is the folder of the master data (paths.master); choose another "
                "folder for facts"
            )


def _at_least_one(workers: int | None) -> int:
    if workers is not None and workers < 1:
        raise UserError(f"workers: {workers} is not allowed; give 1 or more")
    return workers or 0


def _estimate(request: JobRequest, config: RetailConfig) -> Estimate:
    """The estimate; a world that is not there yet is built where it is removed again."""
    if not is_empty(config.paths.master):
        return estimate_job(request)
    with tempfile.TemporaryDirectory(prefix="retail-datagen-") as folder:
        source = RetailSource(config, master=Path(folder) / "master")
        return estimate_job(replace(request, source=source))


def _print_estimate(estimate: Estimate, quiet: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(estimate), indent=2))
        return
    if quiet:
        return
    table = figures("table", "rows", "bytes")
    for name, expected in [*estimate.tables.items(), ("all", estimate.total)]:
        table.add_row(name, f"~{expected.rows:,}", f"~{size_in_words(expected.bytes)}")
    shown = console()
    shown.print(table)
    shown.print(
        f"would write {estimate.partitions - estimate.partitions_finished:,} of "
        f"{partitions_in_words(estimate.partitions)} and plan "
        f"{counted(estimate.days_to_plan, 'day')}, in about {max(estimate.seconds, 1):,.0f} s "
        f"with {counted(estimate.workers, 'worker')}; "
        "nothing was written",
        soft_wrap=True,
    )
