"""`ecomlake`: the three steps of a backlog one by one, under the names that scripts know.

`retail-datagen backlog` does all of it at once, and goes on where it was stopped.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from retail_datagen.cli.finished import told_when_stopped
from retail_datagen.cli.running import USER_ERROR, tell
from retail_datagen.config.errors import UserError
from retail_datagen.config.generator_file import Given, read_generator_file
from retail_datagen.core.calendar import day_of, to_date
from retail_datagen.lake.backlog import Backlog
from retail_datagen.lake.hooks import load_hooks
from retail_datagen.lake.rawexport import Export, export_run
from retail_datagen.lake.rawrun import write_run
from retail_datagen.lake.rawupload import upload_partitions
from retail_datagen.lake.request import TARGET_MB
from retail_datagen.lake.upload import Step
from retail_datagen.objects import open_store
from retail_datagen.quality.mess import Mess

LOOKUPS = "static_lookups"
_DAYS = 30

Day = Annotated[str | None, typer.Option(metavar="DAY")]
Tables = Annotated[
    list[str] | None,
    typer.Option("--table", metavar="NAME", help="Only this one; may be repeated."),
]


def build_app() -> typer.Typer:
    """The application with its three commands."""
    app = typer.Typer(
        help="A backlog step by step; `retail-datagen backlog` does all of it.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command("run-generator")(run_generator)
    app.command("export-raw")(export_raw)
    app.command("upload-raw")(upload_raw)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code; errors for people have no traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        build_app()(given, prog_name="ecomlake")
    except UserError as error:
        tell(f"error: {error}", typer.colors.RED)
        sys.exit(USER_ERROR)


def run_generator(
    config: Annotated[Path, typer.Option("--config", "-c", help="YAML of the retailer.")],
    artifact_root: Annotated[
        Path, typer.Option("--artifact-root", help="Folder that gets raw_run_<time>.")
    ] = Path("artifacts"),
    messiness_level: Annotated[
        str, typer.Option("--messiness-level", metavar="none|light_mess|medium_mess|heavy_mess")
    ] = "medium_mess",
    start_date: Annotated[str, typer.Option("--start-date", metavar="DAY")] = "2020-01-01",
    end_date: Annotated[
        str | None,
        typer.Option(
            "--end-date", metavar="DAY", help="Itself included; 30 days where it is left out."
        ),
    ] = None,
    load_lookups_from: Annotated[
        Path | None,
        typer.Option(help="Folder of static lookups, which the run then does not write again."),
    ] = None,
    id_state_file: Annotated[
        Path | None, typer.Option(help="Is told the last identifiers; they go on by themselves.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Begin another history under the artifact root.")
    ] = False,
    generator_src: Annotated[
        str | None, typer.Option(help="Ignored: the generator is here.")
    ] = None,
) -> None:
    """Write a range of days as CSV into a folder of its own, whose name is printed last."""
    first = day_of("start-date", start_date)
    lookups = load_lookups_from or artifact_root / LOOKUPS
    wanted = Backlog(
        config=read_generator_file(config, lookups / "master", Given()),
        url="",
        first_day=first,
        last_day=day_of("end-date", end_date) if end_date else first + _DAYS - 1,
        artifacts=artifact_root,
        staging=artifact_root,
        mess=Mess.of(messiness_level, {}),
        id_state_file=id_state_file,
        overwrite=overwrite,
    )
    with told_when_stopped(False):
        try:
            folder, rows = write_run(wanted, with_lookups=load_lookups_from is None)
        except OSError as error:
            raise UserError(f"cannot write {artifact_root}: {error.strerror or error}") from error
    for name, count in rows.items():
        typer.echo(f"{name} {count:,}")
    typer.echo(str(folder))


def export_raw(
    source: Annotated[Path, typer.Option(help="Folder of a run.")],
    target: Annotated[Path, typer.Option(help="Folder that gets the partitions.")] = Path(
        "output/raw"
    ),
    ingest_date: Day = None,
    start_date: Day = None,
    end_date: Day = None,
    days: Annotated[int | None, typer.Option(min=1, help="From --start-date on.")] = None,
    dates: Annotated[str | None, typer.Option(metavar="DAY,DAY", help="These days.")] = None,
    batch_id: Annotated[str, typer.Option(help="Stands in each manifest.")] = "",
    target_size_mb: Annotated[
        float, typer.Option(min=1 / 16, help="No file is larger.")
    ] = TARGET_MB,
    table: Tables = None,
    lookups_from: Annotated[
        Path | None, typer.Option(help="Folder of static lookups, exported too.")
    ] = None,
    post_export_hook: Annotated[
        list[str] | None, typer.Option(metavar="MODULE:FUNCTION", help="As that of backlog.")
    ] = None,
    source_prefix: Annotated[
        str, typer.Option(help="What the names of the source's files begin with.")
    ] = "",
) -> None:
    """Turn a run into partitions with manifests: by default all of its days."""
    single = [text for text in (ingest_date, *(dates or "").split(",")) if text]
    if single and (start_date or end_date or days):
        raise UserError("give either single days (--ingest-date, --dates) or a range of them")
    if days and (not start_date or end_date):
        raise UserError("days: they count from --start-date on, and leave no --end-date to give")
    first = day_of("start-date", start_date) if start_date else None
    last = day_of("end-date", end_date) if end_date else None
    made = export_run(
        Export(
            source=source,
            target=target,
            first_day=first,
            last_day=first + days - 1 if first is not None and days else last,
            days=tuple(day_of("date", text.strip()) for text in single),
            tables=tuple(table or ()),
            lookups_from=lookups_from,
            hooks=load_hooks(post_export_hook or ()),
            batch_id=batch_id,
            target_mb=target_size_mb,
            name_prefix=source_prefix,
        )
    )
    rows = sum(manifest.total_rows for manifest in made)
    typer.echo(f"{target}: {len(made):,} partitions, {rows:,} rows")


def upload_raw(
    bucket: Annotated[str, typer.Option(help="gs:// unless it says otherwise.")],
    source: Annotated[Path, typer.Option(help="Folder of partitions.")] = Path("output/raw"),
    prefix: Annotated[str, typer.Option(help="Path within the bucket.")] = "ecom/raw",
    ingest_date: Annotated[
        str | None, typer.Option(metavar="DAY", help="Only this day; all tables where left out.")
    ] = None,
    table: Tables = None,
    endpoint_url: Annotated[
        str | None, typer.Option(help="Address of another service of the bucket's kind.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")
    ] = False,
) -> None:
    """Bring partitions into a bucket; what is there already is not sent again."""
    day = to_date(day_of("ingest-date", ingest_date)).isoformat() if ingest_date else None
    whole = bucket if "://" in bucket else f"gs://{bucket}"
    url = f"{whole.rstrip('/')}/{prefix.strip('/')}".rstrip("/")
    with closing(open_store(url, endpoint_url)) as target:
        summary = upload_partitions(source, target, day, tuple(table or ()), dry_run)
    sent = summary.of(Step.UPLOAD, Step.REPLACE)
    if dry_run:
        for action in sent:
            typer.echo(f"{action.step.value:8} {action.partition.folder}  {action.bytes:,} B")
    kept = len(summary.of(Step.KEEP))
    verb = "to upload" if dry_run else "uploaded"
    typer.echo(f"{url}: {len(sent):,} partitions {verb}, {kept:,} there already")
