"""`retail-datagen init` writes a configuration, `retail-datagen config show` explains one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from retail_datagen.cli.console import console
from retail_datagen.cli.output_options import AsJson
from retail_datagen.config.errors import UserError
from retail_datagen.config.library import Tailored
from retail_datagen.config.models import Resolved, RetailConfig
from retail_datagen.config.problems import dotted, leaves, rows
from retail_datagen.config.template import render

config_app = typer.Typer(
    help="Look at the configuration in force.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Mounts `init` and `config` on the application."""
    app.command("init")(init)
    app.add_typer(config_app, name="config")


def init(
    path: Annotated[
        Path, typer.Argument(help="File to write: .yaml or .toml with comments, or .json.")
    ] = Path("config.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Write a configuration file with every setting, its default and what it means."""
    text = render(RetailConfig(), path.suffix)
    try:
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UserError(f"{path} exists already; --force replaces it") from None
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}") from None
    typer.echo(f"wrote {path}")


@config_app.command("show")
def show(
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="Configuration file; else defaults.")
    ] = None,
    as_json: AsJson = False,
    full: Annotated[
        bool, typer.Option("--full", help="Print every value of the profile as well.")
    ] = False,
) -> None:
    """Print every value in force and where it comes from."""
    resolved = RetailConfig.resolve(config)
    tailored = resolved.config.tailored()
    lines = [*_config_lines(resolved), *_profile_lines(tailored, full)]
    digest = resolved.config.content_hash()
    if as_json:
        values = [asdict(line) for line in lines]
        typer.echo(json.dumps({"values": values, "content_hash": digest}, indent=2))
        return
    table = Table("field", "value", "from", box=None, header_style="bold", pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    for line in lines:
        value = json.dumps(line.value, ensure_ascii=False)
        style = "" if line.source == "default" else "cyan"
        table.add_row(line.field, value, line.source, style=style)
    out = console()
    if not out.is_terminal:
        out.width = 1000  # a pipe has no width, and grep wants one value a line
    out.print(table)
    out.print(f"content {digest}", style="dim", soft_wrap=True)


@dataclass(frozen=True, slots=True)
class Line:
    """A value in force; plain data as JSON has it."""

    field: str
    value: object
    source: str


def _config_lines(resolved: Resolved) -> Iterator[Line]:
    # Overrides are shown with the profile's fields that they change.
    plain = resolved.config.model_dump(mode="json", exclude={"overrides"})
    for location, value in leaves(plain):
        field = dotted(location, plain)
        yield Line(field, value, _source(resolved, field))


def _source(resolved: Resolved, field: str) -> str:
    layers = resolved.layers
    source = layers.source(field)
    if not source:
        return "default"
    return f"file {source}" if source == layers.file else f"environment {source}"


def _profile_lines(tailored: Tailored, full: bool) -> Iterator[Line]:
    if not full:
        for change in tailored.applied:
            was = json.dumps(change.was, ensure_ascii=False)
            yield Line(f"profile.{change.field}", change.value, f"profile override (was {was})")
        return
    tree = tailored.profile.model_dump(mode="json")
    # A change marks the row of its list too: `months.0` that of `months`.
    changed = {c.location for c in tailored.applied} | {
        c.location[:-1] for c in tailored.applied if isinstance(c.location[-1], int)
    }
    for location, value in rows(tree):
        source = "profile override" if location in changed else f"profile {tailored.file.name}"
        yield Line(f"profile.{dotted(location, tree)}", value, source)
