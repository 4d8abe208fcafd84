"""`retail-datagen lake` looks at a lake, wherever it lies, and brings it elsewhere."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from retail_datagen.cli.console import console
from retail_datagen.cli.output_options import AsJson
from retail_datagen.core.memory import clear_up_at_exit
from retail_datagen.lake import report
from retail_datagen.lake.backlog import lake_request, recorded_backlog
from retail_datagen.lake.catalog import Catalog, read_catalog
from retail_datagen.lake.declared import declared_tables, expected_of, known_tables
from retail_datagen.lake.ls import Gap, TableListing, list_tables
from retail_datagen.lake.read import no_lake, read_lake
from retail_datagen.lake.repair import repair_lake
from retail_datagen.lake.request import LakeRequest
from retail_datagen.lake.upload import Step, UploadProgress, UploadSummary, upload_lake
from retail_datagen.lake.verify import Progress, verify_lake
from retail_datagen.objects import open_store
from retail_datagen.partitions.layout import CATALOG, Partition

Where = Annotated[
    str, typer.Argument(metavar="URL|DIR", help="gs://, s3:// or az:// with a prefix, or a folder.")
]
Endpoint = Annotated[
    str | None,
    typer.Option("--endpoint-url", help="Address of another service of that kind."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print problems and the last line.")]
_WIDE = 200
_WITHOUT_CATALOG = (
    "tables are held to what they are without a mess, and days from the first to the last that is "
    "there; `retail-datagen backlog`, run again as it was, writes it anew"
)
_GAPS_SHOWN = 3


def register(app: typer.Typer) -> None:
    """Mounts `lake` on the application."""
    lake = typer.Typer(
        help="Check, list, upload and repair a lake, wherever it lies.", no_args_is_help=True
    )
    lake.command("verify")(verify)
    lake.command("ls")(ls)
    lake.command("upload")(upload)
    lake.command("repair")(repair)
    app.add_typer(lake, name="lake")
    clear_up_at_exit()


def verify(
    where: Where,
    endpoint_url: Endpoint = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Manifests and sizes only; read no data file.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Check a lake on what lies there: manifests, checksums, keys, sums, and what is missing.

    Ends with 1 where a check failed.
    """
    store = open_store(where, endpoint_url)
    try:
        catalog = read_catalog(store)
        tables = declared_tables(catalog, known_tables())
        if catalog is None:
            typer.echo(f"no {CATALOG} there: {_WITHOUT_CATALOG}", err=True)
        with _bar("verify", quiet or as_json) as show:

            def listen(progress: Progress) -> None:
                show(progress.doing, progress.done, progress.total)

            found = verify_lake(store, tables, expected_of(catalog), not quick, [listen])
    finally:
        store.close()
    if as_json:
        typer.echo(report.as_json(found))
    else:
        report.print_report(found, _out(), only_problems=quiet)
    if not found.passed:
        raise typer.Exit(1)


def ls(where: Where, endpoint_url: Endpoint = None, as_json: AsJson = False) -> None:
    """List a lake's tables: partitions, first and last, rows, bytes, and days that are missing."""
    store = open_store(where, endpoint_url)
    try:
        contents = read_lake(store)
    finally:
        store.close()
    if contents.is_empty:
        raise no_lake(contents.url)
    listed = list_tables(contents)
    if as_json:
        typer.echo(json.dumps([asdict(table) for table in listed], indent=2))
    else:
        _out().print(_listing(listed))


def upload(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="A lake that is whole.")],
    url: Annotated[str, typer.Argument(metavar="URL", help="Where it is to be.")],
    endpoint_url: Endpoint = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another history that is there.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Bring a lake into a bucket. Run again, it goes on where it stopped."""
    source, target = open_store(folder), open_store(url, endpoint_url)
    try:
        with _bar("upload", quiet or as_json) as show:

            def listen(progress: UploadProgress) -> None:
                show("upload", progress.partitions, progress.total_partitions)

            summary = upload_lake(source, target, dry_run, overwrite, [listen])
    finally:
        source.close()
        target.close()
    if as_json:
        typer.echo(json.dumps(_plain(summary, with_actions=dry_run), indent=2))
        return
    if dry_run and not quiet:
        for action in summary.actions:
            if action.step is not Step.KEEP:
                typer.echo(f"{action.step.value:8} {action.partition.folder}  {action.bytes:,} B")
    typer.echo(_summary(summary))


def repair(
    where: Where,
    endpoint_url: Endpoint = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be made again, and do nothing.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Make exactly the missing and damaged partitions again, from what the catalog says.

    Ends with 1 where there are damaged ones of other days or tables than the catalog's: they stay.
    """
    with (
        closing(open_store(where, endpoint_url)) as store,
        tempfile.TemporaryDirectory(prefix="retail-datagen-repair-") as folder,
        _bar("verify", quiet or as_json) as show,
    ):

        def request_of(catalog: Catalog) -> LakeRequest:
            return lake_request(recorded_backlog(catalog, where, Path(folder)))

        def listen(progress: Progress) -> None:
            show(progress.doing, progress.done, progress.total)

        summary = repair_lake(store, known_tables(), request_of, dry_run, [listen])
    if as_json:
        remade, left = ([p.folder for p in some] for some in (summary.remade, summary.left))
        found = {"url": summary.url, "dry_run": dry_run, "partitions": remade, "left": left}
        typer.echo(json.dumps(found, indent=2))
    else:
        if not quiet:
            for partition in summary.remade:
                typer.echo(partition.folder)
        verb = "to be made again" if dry_run else "made again"
        typer.echo(f"{summary.url}: {len(summary.remade):,} partitions {verb}")
        _tell_left(summary.left)
    if summary.left:
        raise typer.Exit(1)


def _tell_left(left: tuple[Partition, ...]) -> None:
    """What repairing does not touch, and what to do about it."""
    for partition in left:
        typer.echo(
            f"{partition.folder} is left as it is: the lake's {CATALOG} has no such table or day. "
            "If a job was adding it, run that job again; else remove it",
            err=True,
        )


def _listing(listed: tuple[TableListing, ...]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("table", "by", "partitions", "first", "last", "rows", "bytes", "gaps"):
        right = name in ("partitions", "rows", "bytes")
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    for one in listed:
        row = (one.table, one.by, f"{one.partitions:,}", one.first, one.last)
        table.add_row(
            *map(Text, row), Text(f"{one.rows:,}"), Text(f"{one.bytes:,}"), Text(_troubles(one))
        )
    return table


def _troubles(one: TableListing) -> str:
    """Missing days, and folders that are no partitions."""
    words = [_gap(gap) for gap in one.gaps[:_GAPS_SHOWN]]
    if more := len(one.gaps) - _GAPS_SHOWN:
        words += [f"{more:,} more gaps"] * (more > 0)
    words += [f"{one.unfinished:,} without a manifest"] * bool(one.unfinished)
    words += [f"{one.damaged:,} damaged manifests"] * bool(one.damaged)
    return ", ".join(words)


def _gap(gap: Gap) -> str:
    return gap.first if gap.days == 1 else f"{gap.first} to {gap.last} ({gap.days:,} days)"


def _plain(summary: UploadSummary, with_actions: bool) -> dict[str, object]:
    found: dict[str, object] = {
        "source": summary.source,
        "target": summary.target,
        "dry_run": summary.dry_run,
        **{step.value: len(summary.of(step)) for step in Step},
        "bytes_sent": summary.bytes_sent,
        "seconds": round(summary.seconds, 3),
    }
    if with_actions:
        found["actions"] = [
            {"step": a.step.value, "partition": a.partition.folder, "bytes": a.bytes}
            for a in summary.actions
        ]
    return found


def _summary(summary: UploadSummary) -> str:
    sent = len(summary.of(Step.UPLOAD, Step.REPLACE))
    removed = len(summary.of(Step.REMOVE))
    kept = len(summary.of(Step.KEEP))
    verb = "to upload" if summary.dry_run else "uploaded"
    gone = f", {removed:,} {'to remove' if summary.dry_run else 'removed'}" if removed else ""
    return (
        f"{summary.target}: {sent:,} partitions {verb} ({summary.bytes_sent:,} B)"
        f", {kept:,} there already{gone}"
    )


def _out() -> Console:
    out = console()
    if not out.is_terminal:
        out.width = _WIDE
    return out


@contextmanager
def _bar(name: str, hidden: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar on a terminal, and nothing elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    terminal = Console(stderr=True)
    hidden = hidden or not terminal.is_terminal
    with Bar(*columns, console=terminal, transient=True, disable=hidden) as bar:
        task = bar.add_task(name, total=None)

        def show(doing: str, done: int, total: int) -> None:
            bar.update(task, description=doing, completed=done, total=total or None)

        yield show
