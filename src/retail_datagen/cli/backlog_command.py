"""`retail-datagen backlog` fills a lake with years of a web shop's days; run again, it goes on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from retail_datagen.cli.backlog_output import print_plan, print_summary
from retail_datagen.cli.console import console
from retail_datagen.cli.finished import told_when_stopped
from retail_datagen.cli.output_options import AsJson, Quiet
from retail_datagen.cli.progress import ProgressBar
from retail_datagen.cli.words import names_of
from retail_datagen.config.errors import UserError
from retail_datagen.config.generator_file import Given, read_generator_file
from retail_datagen.core.calendar import day_of
from retail_datagen.core.files import atomic_file
from retail_datagen.ecom import lookups
from retail_datagen.engine.events import Event
from retail_datagen.lake.backlog import Backlog, lake_request, lookup_tables
from retail_datagen.lake.catalog import read_catalog
from retail_datagen.lake.declared import declared_tables, expected_of, known_tables
from retail_datagen.lake.events import LakeEvent, LakeSummary, PublishRetried, StateCorrected
from retail_datagen.lake.hooks import load_hooks
from retail_datagen.lake.job import run_lake_job
from retail_datagen.lake.registration import register_lake
from retail_datagen.lake.verify import verify_lake
from retail_datagen.objects import ObjectStore, open_store
from retail_datagen.quality.mess import Mess
from retail_datagen.schema.csv import write_csv

LOOKUPS = "static_lookups"
_SMOKE_DAYS = 60


def register(app: typer.Typer) -> None:
    """Mounts `backlog` on the application."""
    group = typer.Typer(
        help="Fill a lake with years of a web shop's days, in object storage or a folder.",
        invoke_without_command=True,
    )
    group.callback()(backlog)
    group.command("lookups")(lookups_command)
    app.add_typer(group, name="backlog")


Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", envvar="CONFIG_PATH", help="YAML of the retailer."),
]
Artifacts = Annotated[
    Path,
    typer.Option(
        "--artifact-root", envvar="ARTIFACT_ROOT", help="Folder for state, lookups and CSV runs."
    ),
]
Start = Annotated[
    str, typer.Option("--start", envvar="START_DATE", metavar="DAY", help="First day.")
]
Seed = Annotated[int | None, typer.Option(min=0, help="In place of the configuration's.")]


def backlog(
    context: typer.Context,
    config: Config = None,
    start: Start = "2020-01-01",
    end: Annotated[
        str,
        typer.Option("--end", envvar="END_DATE", metavar="DAY", help="Last day, itself included."),
    ] = "2026-01-08",
    chunk_size: Annotated[
        int,
        typer.Option("--chunk-size", envvar="CHUNK_SIZE", help="Days published and noted at once."),
    ] = 30,
    bucket: Annotated[
        str,
        typer.Option(
            envvar="BUCKET",
            help="Bucket, gs:// unless it says otherwise; without one, nothing is uploaded.",
        ),
    ] = "",
    prefix: Annotated[
        str, typer.Option(envvar="PREFIX", help="Path within the bucket.")
    ] = "ecom/raw",
    to: Annotated[
        str | None,
        typer.Option(metavar="URL|DIR", help="Where to, prefix included, in place of a bucket."),
    ] = None,
    target_root: Annotated[
        Path,
        typer.Option(
            "--target-root",
            envvar="TARGET_ROOT",
            help="Local folder: the lake without a bucket, else where partitions wait.",
        ),
    ] = Path("output/raw"),
    artifact_root: Artifacts = Path("artifacts"),
    messiness_level: Annotated[
        str,
        typer.Option(
            "--messiness-level",
            envvar="MESSINESS_LEVEL",
            metavar="none|light_mess|medium_mess|heavy_mess",
            help="How messy the data is.",
        ),
    ] = "medium_mess",
    mess: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=SHARE",
            help="More mess: duplicates, late_arrivals, typos, broken_dates, orphaned_keys=0.01, "
            "schema_drift=true.",
        ),
    ] = None,
    truth: Annotated[
        bool, typer.Option("--truth", help="Beside each messy table, what was done to it.")
    ] = False,
    tables: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B", help="Only these tables, those of `generate` too."),
    ] = None,
    id_state_file: Annotated[
        Path | None,
        typer.Option("--id-state-file", envvar="ID_STATE_FILE", help="Last identifiers given."),
    ] = None,
    checkpoint_file: Annotated[
        Path | None,
        typer.Option("--checkpoint-file", envvar="CHECKPOINT_FILE", help="Last completed day."),
    ] = None,
    post_export_hook: Annotated[
        list[str] | None,
        typer.Option(
            "--post-export-hook",
            envvar="POST_EXPORT_HOOK",
            metavar="MODULE:FUNCTION",
            help="Called with table, partition, manifest path and manifest.",
        ),
    ] = None,
    target_size_mb: Annotated[
        float, typer.Option("--target-size-mb", help="No file is larger.")
    ] = 96.0,
    table_format: Annotated[
        str | None,
        typer.Option(
            "--table-format", metavar="delta|iceberg", help="Register the tables as such, too."
        ),
    ] = None,
    endpoint_url: Annotated[
        str | None,
        typer.Option("--endpoint-url", help="Address of another service of the bucket's kind."),
    ] = None,
    seed: Seed = None,
    workers: Annotated[
        int, typer.Option(min=0, metavar="N", help="Processes; 0: one for each core that pays.")
    ] = 0,
    keep_staging: Annotated[
        bool, typer.Option("--keep-staging", help="Leave partitions where they waited.")
    ] = False,
    keep_csv: Annotated[
        bool, typer.Option("--keep-csv", help="Also write each chunk as CSV under artifacts.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be made; write nothing.")
    ] = False,
    smoke: Annotated[
        bool, typer.Option("--smoke", help="Two months through the whole path, then cleaned up.")
    ] = False,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another history at the target.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Fill a lake with years of a web shop's days; run again, it goes on where it stopped."""
    if context.invoked_subcommand:
        return
    master = artifact_root / LOOKUPS / "master"
    first = day_of("start", start)
    url = to or _url(bucket, prefix) or str(target_root)
    wanted = Backlog(
        config=read_generator_file(config, master, Given(seed)),
        url=url,
        first_day=first,
        last_day=min(first + _SMOKE_DAYS - 1, day_of("end", end)) if smoke else day_of("end", end),
        artifacts=artifact_root,
        staging=artifact_root / "staging" if url == str(target_root) else target_root,
        endpoint_url=endpoint_url,
        mess=Mess.of(messiness_level, _shares(mess)),
        truth=truth,
        tables=names_of(tables),
        hooks=load_hooks(post_export_hook or ()),
        id_state_file=id_state_file,
        checkpoint_file=checkpoint_file,
        chunk_days=chunk_size,
        target_mb=target_size_mb,
        workers=workers,
        keep_staging=keep_staging,
        keep_csv=keep_csv,
        overwrite=overwrite,
    )
    if dry_run:
        print_plan(wanted, as_json, quiet)
        return
    with told_when_stopped(quiet):
        if smoke:
            _smoke(wanted, to is not None or bool(bucket), as_json, quiet)
            return
        summary = _run(wanted, quiet or as_json)
        if table_format:
            _register(table_format, wanted)
        print_summary(summary, as_json, quiet)


def lookups_command(
    config: Config = None,
    start: Start = "2020-01-01",
    artifact_root: Artifacts = Path("artifacts"),
    seed: Seed = None,
    quiet: Quiet = False,
) -> None:
    """Make the static customers and products once; every chunk, and every later run, uses them."""
    folder = artifact_root / LOOKUPS
    chosen = read_generator_file(config, folder / "master", Given(seed))
    first = day_of("start", start)
    wanted = Backlog(chosen, "", first, first, artifact_root, artifact_root / "staging")
    retailer = wanted.source.open()
    declared = {table.name: table for table in (lookups.CUSTOMERS, lookups.PRODUCT_CATALOG)}
    shown = Table("lookup", "rows", "file", box=None, header_style="bold", pad_edge=False)
    for name, rows in lookup_tables(retailer, first).items():
        path = folder / f"{name}.csv"
        with atomic_file(path) as file:
            write_csv(declared[name], rows, file)
        shown.add_row(name, f"{rows.num_rows:,}", str(path))
    if not quiet:
        console().print(shown)


def _run(wanted: Backlog, quiet: bool) -> LakeSummary:
    request, terminal = lake_request(wanted), Console(stderr=True)
    if quiet:
        return run_lake_job(request)
    if not terminal.is_terminal:
        return run_lake_job(request, [_say])
    with ProgressBar(terminal) as bar:

        def show(event: LakeEvent) -> None:
            if isinstance(event, Event):
                bar(event)

        return run_lake_job(request, [show, _say])


def _say(event: LakeEvent) -> None:
    """What people should know while the job goes on."""
    match event:
        case StateCorrected():
            if event.was:
                now = event.now or "nothing"
                typer.echo(f"{event.path} said {event.was}, the target has {now}", err=True)
        case PublishRetried():
            typer.echo(
                f"{event.where}: {event.reason}; tried again in {event.seconds:.0f} s", err=True
            )


def _smoke(wanted: Backlog, remote: bool, as_json: bool, quiet: bool) -> None:
    """The whole path on two months in folders of its own, which are removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="retail-datagen-smoke-") as name:
        folder = Path(name)
        paths = wanted.config.paths.model_copy(update={"master": folder / "master"})
        url = str(folder / "lake")
        if remote:
            url = f"{wanted.url.rstrip('/')}/smoke-{folder.name[-8:]}"
        trial = replace(
            wanted,
            config=wanted.config.model_copy(update={"paths": paths}),
            url=url,
            artifacts=folder / "artifacts",
            staging=folder / "staging",
            id_state_file=None,
            checkpoint_file=None,
        )
        summary = _run(trial, quiet or as_json)
        with _removed_afterwards(url, wanted.endpoint_url) as store:
            catalog = read_catalog(store)
            tables = declared_tables(catalog, known_tables())
            report = verify_lake(store, tables, expected_of(catalog))
    if report.violations:
        raise UserError(
            f"smoke test: {len(report.violations)} checks failed, the first: {report.violations[0]}"
        )
    print_summary(summary, as_json, quiet)
    if not quiet and not as_json:
        console().print("smoke test passed: made, published, verified and cleaned up")


@contextmanager
def _removed_afterwards(url: str, endpoint_url: str | None) -> Iterator[ObjectStore]:
    store = open_store(url, endpoint_url)
    try:
        yield store
    finally:
        for found in list(store.list()):
            store.delete(found.key)
        store.close()


def _register(table_format: str, wanted: Backlog) -> None:
    with closing(open_store(wanted.url, wanted.endpoint_url)) as store:
        register_lake(store, table_format, wanted.artifacts, wanted.chunk_days, wanted.endpoint_url)


def _url(bucket: str, prefix: str) -> str:
    """The bucket as a URL; nothing without one."""
    if not bucket:
        return ""
    whole = bucket if "://" in bucket else f"gs://{bucket}"
    return f"{whole.rstrip('/')}/{prefix.strip('/')}".rstrip("/")


def _shares(given: list[str] | None) -> dict[str, str]:
    pairs = {}
    for text in [part for whole in given or () for part in whole.split(",")]:
        name, separator, value = text.partition("=")
        if not separator:
            raise UserError(f"mess: {text!r} is not NAME=SHARE, such as duplicates=0.01")
        pairs[name.strip()] = value.strip()
    return pairs
