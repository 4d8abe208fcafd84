"""`retail-datagen inventory` fills a store of tagged items; `store` checks and empties it.

What needs the extra `store` is imported when a command runs, not when its help is shown.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from retail_datagen.cli import inventory_output as shown
from retail_datagen.cli.console import console
from retail_datagen.cli.words import ListedOptions
from retail_datagen.config.errors import UserError
from retail_datagen.quality import report
from retail_datagen.store.where import DEFAULT_URL, URL_VARIABLE

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from retail_datagen.store.generate import Target
    from retail_datagen.store.items import Inventory

DEFAULT_API = "http://localhost:8000"
_WIDE = 200

Database = Annotated[
    str,
    typer.Option(
        "--database-url",
        envvar=URL_VARIABLE,
        metavar="URL",
        help="postgresql://USER:PASSWORD@HOST:5432/DATABASE, or sqlite:///FILE.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Another seed, another store.")]
Store = Annotated[
    int | None,
    typer.Option(
        "--store", metavar="N", help="Store N of a generated retailer, in place of templates."
    ),
]
Facts = Annotated[
    Path, typer.Option("--facts", metavar="DIR", help="With --store: the retailer's history.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print problems only.")]


def register(app: typer.Typer) -> None:
    """Mounts `inventory` and `store` on the application."""
    inventory = typer.Typer(
        help="Fill a store of RFID-tagged items: its inventory, and a past for it.",
        no_args_is_help=True,
    )
    inventory.command("generate", cls=ListedOptions.of("--templates"))(generate)
    inventory.command("backfill")(backfill_command)
    app.add_typer(inventory, name="inventory")
    store = typer.Typer(help="Check a store's books, or empty it.", no_args_is_help=True)
    store.command("verify")(verify)
    store.command("reset")(reset)
    app.add_typer(store, name="store")


def generate(
    items: Annotated[int, typer.Option(min=0, help="How many RFID-tagged items.")] = 3000,
    api: Annotated[
        str | None,
        typer.Option(metavar="URL", help=f"The API of the store.  [default: {DEFAULT_API}]"),
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            "--database-url",
            metavar="URL",
            help=f"Load the database directly instead, such as {DEFAULT_URL}.",
        ),
    ] = None,
    templates: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME …", help="Only these templates of products; else all."),
    ] = None,
    template_file: Annotated[
        Path | None,
        typer.Option("--template-file", metavar="FILE", help="YAML with templates of your own."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be made, and make nothing.")
    ] = False,
    store: Store = None,
    facts: Facts = Path("data/facts"),
    seed: Seed = 42,
    api_timeout: Annotated[
        float, typer.Option("--api-timeout", min=0.1, help="Seconds to wait for each answer.")
    ] = 30.0,
    api_key: Annotated[
        str | None, typer.Option("--api-key", envvar="STORE_API_KEY", help="Key of the API.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Make a store's products and tagged items. Twice is safe: what is there stays as it is."""
    with needs_store():
        if api is not None and database_url is not None:
            raise UserError("api: give either --api or --database-url, not both")
        where = f"API: {api or DEFAULT_API}"
        if database_url is not None:
            from retail_datagen.store.database import shown_form

            where = f"Database: {shown_form(database_url)}"
        if store is None:
            from retail_datagen.store.catalogue import read_catalogue
            from retail_datagen.store.items import plan_inventory

            catalogue = read_catalogue(template_file, seed)
            chosen = catalogue.of_templates(templates or [])
            inventory = plan_inventory(catalogue, chosen, items)
            at = None
        else:
            from retail_datagen.store.facts import read_store
            from retail_datagen.store.receipts import inventory_of

            if templates or template_file:
                raise UserError(
                    "templates: store N has its own products; leave --templates and "
                    "--template-file out beside --store"
                )
            found = read_store(facts, store)
            inventory, at = inventory_of(found), found.end
        out = shown.Output(quiet)
        out.configuration(inventory, where)
        if dry_run:
            out.dry_run()
            return
        with _target(api, database_url, api_timeout, api_key, at) as target:
            _load(target, inventory, out)


def backfill_command(
    days: Annotated[int, typer.Option(help="How many days, the last being yesterday.")] = 30,
    density: Annotated[
        str,
        typer.Option(
            metavar="sparse|normal|dense|extreme",
            help="20, 50, 100 or 200 purchases a day, and 4, 8, 24 or 24 snapshots.",
        ),
    ] = "normal",
    database_url: Database = DEFAULT_URL,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace days that an earlier backfill wrote.")
    ] = False,
    store: Store = None,
    facts: Facts = Path("data/facts"),
    seed: Seed = 42,
    until: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="The day after the last, such as 2024-01-31; else today."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Give a store a past: its items are bought and restocked, up to today's stock.

    With --store, the past is what that store's history says: its receipts, deliveries and losses.
    """
    with needs_store():
        from retail_datagen.store.backfill import Backfill, backfill
        from retail_datagen.store.facts import read_store
        from retail_datagen.store.receipts import backfill_receipts

        wanted = Backfill(days, density, seed, replace, _past_day("until", until))
        wanted.checked()
        past = None if store is None else read_store(facts, store)
        with _opened(database_url, create=False) as engine, _bar("backfill", quiet) as progress:
            if past is None:
                summary = backfill(engine, wanted, progress)
            else:
                summary = backfill_receipts(engine, past, wanted.snapshots, replace, progress)
    if not quiet:
        typer.echo(shown.backfilled(summary))


def verify(
    database_url: Database = DEFAULT_URL,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print failed checks and the last line only.")
    ] = False,
    first: Annotated[
        int, typer.Option("--first", min=0, help="Offending rows to show of each failed check.")
    ] = 5,
) -> None:
    """Check that items, movements, purchases, levels and snapshots of a store agree.

    Ends with 1 where a check failed.
    """
    with needs_store():
        from retail_datagen.store.verify import verify_store

        with (
            _opened(database_url, create=False) as engine,
            _bar("verify", quiet or as_json) as progress,
        ):
            found = verify_store(engine, first, progress)
    if as_json:
        typer.echo(report.as_json(found))
    else:
        out = console()
        if not out.is_terminal:
            out.width = _WIDE
        report.print_report(found, out, only_problems=quiet)
    if not found.passed:
        raise typer.Exit(1)


def reset(
    database_url: Database = DEFAULT_URL,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Empty a store: products, items, purchases, snapshots, everything. Asks first."""
    with needs_store():
        from retail_datagen.store.database import shown_url
        from retail_datagen.store.reset import count_rows, reset_store

        with _opened(database_url, create=False) as engine:
            rows = count_rows(engine)
            where = shown_url(engine)
            if not rows:
                typer.echo(f"{where}: the store is empty already")
                return
            listed = ", ".join(f"{count:,} {name}" for name, count in rows.items())
            if not yes:
                if not sys.stdin.isatty():
                    raise UserError(
                        f"yes: {where} has {listed}; nobody can be asked here: give --yes to "
                        "empty it"
                    )
                typer.confirm(f"{where} has {listed}. Delete all of it?", abort=True)
            reset_store(engine)
    typer.echo(f"{where}: emptied ({listed})")


@contextmanager
def needs_store() -> Iterator[None]:
    """Say what to install where the extra `store` is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "retail_datagen":
            raise
        raise UserError(
            f"a store needs the package {error.name}: pip install 'retail-datagen[store]'"
        ) from None


@contextmanager
def _opened(url: str, *, create: bool) -> Iterator[Engine]:
    from retail_datagen.store.database import open_database

    engine = open_database(url, create=create)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _target(
    api: str | None, database_url: str | None, timeout: float, key: str | None, at: object
) -> Iterator[Target]:
    if database_url is None:
        from retail_datagen.store.remote import StoreApi

        with StoreApi(api or DEFAULT_API, timeout, key) as remote:
            yield remote
        return
    from datetime import datetime

    from retail_datagen.store.generate import Direct
    from retail_datagen.store.ledger import Ledger

    with _opened(database_url, create=True) as engine:
        yield Direct(Ledger(engine), at if isinstance(at, datetime) else None)


def _load(target: Target, inventory: Inventory, out: shown.Output) -> None:
    from retail_datagen.store.generate import load_items, load_products

    out.creating_products(len(inventory.products))
    products = load_products(target, inventory, out.progress)
    out.created_products(products)
    out.creating_items(len(inventory.items))
    items = load_items(target, inventory, out.progress)
    out.complete(products, items)


def _past_day(field: str, text: str | None) -> date | None:
    """A day that has begun: nobody has bought anything later."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UserError(
            f"{field}: {text!r} is not a day; write it as YYYY-MM-DD, such as 2024-01-31"
        ) from None
    if day > date.today():
        raise UserError(f"{field}: {day} is not over; a past ends today, {date.today()}, at latest")
    return day


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
