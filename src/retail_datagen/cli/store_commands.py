"""`retail-datagen inventory` fills a store of tagged items; `store` checks and empties it.

What needs the extra `store` is imported when a command runs, not when its help is shown.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from retail_datagen.cli import inventory_output as shown
from retail_datagen.cli.console import console
from retail_datagen.cli.output_options import AsJson, Quiet
from retail_datagen.cli.store_place import (
    Api,
    ApiKey,
    Database,
    DatabaseUrl,
    Kept,
    Place,
    Served,
    needs_store,
    opened_store,
    place_of,
    refuse_given,
)
from retail_datagen.cli.words import ListedOptions
from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import day_of, to_date
from retail_datagen.quality import report
from retail_datagen.store.where import DEFAULT_URL

if TYPE_CHECKING:
    from retail_datagen.store.backfill import Backfill
    from retail_datagen.store.generate import Loaded, Target
    from retail_datagen.store.items import Inventory
    from retail_datagen.store.runs import Progress, Replaced, Summary

DEFAULT_ITEMS = 3000
_WIDE = 200

Seed = Annotated[int, typer.Option(min=0, help="Another seed, another store.")]
Store = Annotated[
    int | None,
    typer.Option(
        "--store", metavar="N", help="What store N of a generated retailer has, and what it did."
    ),
]
Facts = Annotated[
    Path, typer.Option("--facts", metavar="DIR", help="With --store: the retailer's history.")
]


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
    context: typer.Context,
    items: Annotated[
        int | None,
        typer.Option(min=0, help=f"How many RFID-tagged items.  [default: {DEFAULT_ITEMS}]"),
    ] = None,
    api: Api = None,
    database_url: DatabaseUrl = None,
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
    api_key: ApiKey = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Make a store's products and tagged items. Twice is safe: what is there stays as it is."""
    with needs_store():
        _refuse_unheeded(context, store, ("seed",))
        place = place_of(api, database_url)
        inventory, at = _inventory_asked(store, facts, items, templates, template_file, seed)
        out = shown.Output(quiet or as_json)
        out.configuration(inventory, _shown(place))
        if dry_run:
            out.dry_run()
            if as_json:
                typer.echo(json.dumps(shown.planned(inventory), indent=2))
            return
        with _target(place, api_timeout, api_key, inventory, at) as target:
            products, loaded = _load(target, inventory, out)
    if as_json:
        typer.echo(json.dumps({"products": asdict(products), "items": asdict(loaded)}, indent=2))


def _inventory_asked(
    store: int | None,
    facts: Path,
    items: int | None,
    templates: list[str] | None,
    template_file: Path | None,
    seed: int,
) -> tuple[Inventory, datetime | None]:
    """What is to be there, out of the catalogue or a store's history, and when it came, else now.

    Raises UserError for options that a store's history does not heed.
    """
    if store is None:
        from retail_datagen.store.catalogue import read_catalogue
        from retail_datagen.store.items import plan_inventory

        catalogue = read_catalogue(template_file, seed)
        chosen = catalogue.of_templates(templates or [])
        wanted = DEFAULT_ITEMS if items is None else items
        return plan_inventory(catalogue, chosen, wanted), None
    from retail_datagen.store.facts import read_store
    from retail_datagen.store.receipts import inventory_of

    if items is not None:
        raise UserError(
            "items: store N has its own stock at the end of its history; leave --items "
            "out beside --store"
        )
    if templates or template_file:
        raise UserError(
            "templates: store N has its own products; leave --templates and "
            "--template-file out beside --store"
        )
    found = read_store(facts, store)
    return inventory_of(found), found.end


def backfill_command(
    context: typer.Context,
    days: Annotated[int, typer.Option(help="How many days, the last being yesterday.")] = 30,
    density: Annotated[
        str,
        typer.Option(
            metavar="sparse|normal|dense|extreme",
            help="20, 50, 100 or 200 purchases a day, and 4, 8, 24 or 24 snapshots.",
        ),
    ] = "normal",
    api: Api = None,
    database_url: DatabaseUrl = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Replace earlier backfills that have any of these days."),
    ] = False,
    store: Store = None,
    facts: Facts = Path("data/facts"),
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another past.")] = 42,
    until: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="The day after the last, such as 2024-01-31; else today."),
    ] = None,
    api_key: ApiKey = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Give a store a past: its items are bought and restocked, up to today's stock.

    With --store, the past is what that store's history says: its receipts, deliveries and losses.
    """
    with needs_store():
        from retail_datagen.store.backfill import Backfill

        _refuse_unheeded(context, store, ("days", "seed", "until"))
        last = None if until is None else to_date(day_of("until", until))
        wanted = Backfill(days, density, seed, replace, last)
        wanted.checked()
        place = place_of(api, database_url)
        silent = quiet or as_json
        with _bar("backfill", silent) as progress:
            if store is not None:
                summary = _past_of(store, facts, place, wanted, progress, silent)
            else:
                summary = _past(place, wanted, api_key, progress, silent)
    if as_json:
        typer.echo(json.dumps(asdict(summary), indent=2))
    elif not quiet:
        typer.echo(shown.backfilled(summary))


def _refuse_unheeded(context: typer.Context, store: int | None, chance: Sequence[str]) -> None:
    """Raises UserError for options of `chance` beside --store, and for --facts without it."""
    if store is None:
        refuse_given(context, ("facts",), "a history is read with --store N only")
    else:
        refuse_given(context, chance, "store N is as its own history says")


def _past(
    place: Place, wanted: Backfill, key: str | None, progress: Progress, quiet: bool
) -> Summary:
    """A past out of chance, by the store's server or in its database."""
    if isinstance(place, Served):
        from retail_datagen.store.http import StoreClient
        from retail_datagen.store.remote_backfill import backfill_on

        with StoreClient(place.url, key) as server:
            return backfill_on(server, wanted, progress)
    from retail_datagen.store.backfill import backfill, replaced_by

    with opened_store(place.url, create=False) as engine:
        if wanted.replace and not quiet:
            _tell_replaced(replaced_by(engine, wanted))
        return backfill(engine, wanted, progress)


def _past_of(
    store: int, facts: Path, place: Place, wanted: Backfill, progress: Progress, quiet: bool
) -> Summary:
    """What a generated history says of a store."""
    from retail_datagen.store.facts import read_store
    from retail_datagen.store.receipts import backfill_receipts, replaced_receipts

    if not isinstance(place, Kept):
        raise UserError(
            "store: a history is read here; name the store's database as well, such as "
            f"--database-url {DEFAULT_URL}"
        )
    past = read_store(facts, store)
    with opened_store(place.url, create=False) as engine:
        if wanted.replace and not quiet:
            _tell_replaced(replaced_receipts(engine))
        return backfill_receipts(engine, past, wanted.snapshots, wanted.replace, progress)


def _tell_replaced(old: Replaced) -> None:
    if old.runs:
        typer.echo(f"replaces {old}, all of it")


def verify(
    database_url: Database = DEFAULT_URL,
    as_json: AsJson = False,
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
            opened_store(database_url, create=False) as engine,
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

        with opened_store(database_url, create=False) as engine:
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
def _target(
    place: Place, timeout: float, key: str | None, inventory: Inventory, at: datetime | None
) -> Iterator[Target]:
    """What takes this inventory; `at` is when its items arrived, else now.

    Raises UserError for a store that holds something else.
    """
    from retail_datagen.store.origin import claim_database, claim_server

    if isinstance(place, Served):
        from retail_datagen.store.http import StoreClient
        from retail_datagen.store.remote import LATE, StoreApi

        with StoreClient(place.url, key, timeout, LATE) as server:
            claim_server(server, inventory)
            yield StoreApi(server)
        return
    from retail_datagen.store.generate import Direct
    from retail_datagen.store.ledger import Ledger

    with opened_store(place.url, create=True) as engine:
        claim_database(engine, inventory)
        yield Direct(Ledger(engine), at)


def _shown(place: Place) -> str:
    if isinstance(place, Served):
        from retail_datagen.store.http import shown_api

        return f"API: {shown_api(place.url)}"
    from retail_datagen.store.database import shown_form

    return f"Database: {shown_form(place.url)}"


def _load(target: Target, inventory: Inventory, out: shown.Output) -> tuple[Loaded, Loaded]:
    """What became of the products, and of the items."""
    from retail_datagen.store.generate import load_items, load_products

    out.creating_products(len(inventory.products))
    products = load_products(target, inventory, out.progress)
    out.created_products(products)
    out.creating_items(len(inventory.items))
    items = load_items(target, inventory, out.progress)
    out.complete(products, items)
    return products, items


@contextmanager
def _bar(name: str, hidden: bool) -> Iterator[Progress]:
    """A bar on a terminal, and nothing elsewhere."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    terminal = Console(stderr=True)
    hidden = hidden or not terminal.is_terminal
    with Bar(*columns, console=terminal, transient=True, disable=hidden) as bar:
        task = bar.add_task(name, total=None)

        def show(doing: str, done: int, total: int) -> None:
            bar.update(task, description=doing, completed=done, total=total or None)

        yield show
