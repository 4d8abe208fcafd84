"""Which store a command works on: one that is served, or one in a database of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from retail_datagen.config.errors import UserError
from retail_datagen.store.where import DEFAULT_API, DEFAULT_URL, URL_VARIABLE

if TYPE_CHECKING:
    from sqlalchemy import Engine

Api = Annotated[
    str | None,
    typer.Option("--api", metavar="URL", help=f"The store's server.  [default: {DEFAULT_API}]"),
]
ApiKey = Annotated[
    str | None,
    typer.Option("--api-key", metavar="KEY", help="The server's key.", envvar="STORE_API_KEY"),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        metavar="URL",
        help=f"The store's database, without a server: {DEFAULT_URL} or postgresql://…; "
        f"{URL_VARIABLE} says it for all commands.",
    ),
]
Database = Annotated[
    str,
    typer.Option(
        "--database-url",
        envvar=URL_VARIABLE,
        metavar="URL",
        help="postgresql://USER:PASSWORD@HOST:5432/DATABASE, or sqlite:///FILE.",
    ),
]


@dataclass(frozen=True, slots=True)
class Served:
    """A store behind the server at a URL."""

    url: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A store in the database of a URL."""

    url: str


Place = Served | Kept


def place_of(api: str | None, database_url: str | None) -> Place:
    """The store that options and environment name, else the one served on this machine.

    Raises UserError where both options are given.
    """
    if api is not None and database_url is not None:
        raise UserError(
            "api: leave --database-url out beside --api; the server has a database of its own"
        )
    url = database_url or (os.environ.get(URL_VARIABLE) if api is None else None)
    return Kept(url) if url else Served(api or DEFAULT_API)


def refuse_given(context: typer.Context, options: Sequence[str], why: str) -> None:
    """Raises UserError for those of the options that are on the command line: nobody heeds them."""
    for name in options:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            shown = name.replace("_", "-")
            raise UserError(f"{shown}: {why}; leave --{shown} out")


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
def opened_store(url: str, *, create: bool) -> Iterator[Engine]:
    """The store in a database, made where it is not there if `create`.

    Raises UserError for one in memory, as for what cannot be opened.
    """
    from retail_datagen.store.database import open_database, refuse_in_memory

    refuse_in_memory(url)
    engine = open_database(url, create=create)
    try:
        yield engine
    finally:
        engine.dispose()
