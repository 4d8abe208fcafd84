"""The reference in docs/reference, written from what it describes: tables, settings, commands.

python tools/reference.py            write the pages anew
python tools/reference.py --check    say which are stale, and end with 1 if any is
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from typer.main import get_command
from typer.testing import CliRunner

from retail_datagen import tables
from retail_datagen.cli.app import build_app
from retail_datagen.config.allowed import describe, members, node_at
from retail_datagen.config.library import packaged, profile_file, read_profile
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world.master import MASTER_TABLES

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
_WIDTH = 88
_KINDS = {
    Kind.INT: "32-bit integer",
    Kind.LONG: "64-bit integer",
    Kind.MONEY: "decimal(12, 2)",
    Kind.TIMESTAMP: "timestamp",
    Kind.DATE: "date",
    Kind.TEXT: "text",
    Kind.CATEGORY: "text, few values",
    Kind.FLAG: "true or false",
    Kind.FLOAT: "number",
}


def note(source: str) -> str:
    return f"<!-- Written by `make docs` from {source}: change it there. -->\n"


# Tables.


def data_dictionary() -> str:
    """Every fact table and every table of master data, with its columns."""
    facts = [fact.table for fact in tables.registry().values()]
    text = note("the tables' declarations") + "\n# Data dictionary\n\n"
    text += (
        "Facts have a row per event and a file per day; master data has a file per table. Times\n"
        "are the store's own wall clock, to the second, without a zone; money has two decimals.\n"
        "An empty value is allowed only where *may be empty* stands. Arrow and Parquet hold the\n"
        "types below; CSV writes `2024-01-01 15:45:30`, `25.98`, `true` and nothing for an empty\n"
        "value.\n"
    )
    for title, listed in (("Facts", facts), ("Master data", MASTER_TABLES)):
        text += f"\n## {title}\n\n| table | what a row is |\n|---|---|\n"
        text += "".join(f"| [{t.name}](#{t.name}) | {_cell(t.doc)} |\n" for t in listed)
        text += "".join(map(_table, listed))
    return text


def _table(table: Table) -> str:
    text = f"\n### {table.name}\n\n{table.doc}"
    text += "" if table.doc.endswith(".") else "."
    text += f" A row is identified by {' and '.join(table.key)}." if table.key else ""
    text += "\n\n"
    text += "| column | type | meaning | example |\n|---|---|---|---|\n"
    return text + "".join(_column(c) for c in table.columns)


def _column(column: Column) -> str:
    meaning = column.doc if column.doc.endswith(".") else f"{column.doc}."
    if column.words:
        meaning += f" One of {', '.join(f'`{word}`' for word in column.words)}."
    if column.references:
        target = column.references.split(".")[0]
        meaning += f" → [{column.references}](#{target})"
    if column.null:
        meaning += " *May be empty.*"
    example = f"`{column.example}`" if column.example else ""
    return f"| {column.name} | {_KINDS[column.kind]} | {_cell(meaning)} | {example} |\n"


# Settings.


def config_reference() -> str:
    """Every setting of a configuration and every field of a profile."""
    text = note("the models in config") + "\n# Configuration\n\n"
    text += (
        "A configuration is a JSON, YAML or TOML file; every setting has a default, so an empty\n"
        "file, and none at all, will do. `retail-datagen init` writes one with all of them, and\n"
        "`retail-datagen config show` prints what is in force and where it comes from.\n\n"
        "An environment variable wins over the file: `RETAIL_SEED` is `seed`,\n"
        "`RETAIL_VOLUME__STORES` is `volume.stores`. An unknown name, in the file or in the\n"
        "environment, is an error.\n"
    )
    text += "\n## Settings\n\n| setting | default | allowed | meaning |\n|---|---|---|---|\n"
    text += "".join(_rows(RetailConfig, RetailConfig()))
    text += (
        "\n`paths`, `stream` and `realtime` do not shape content: everything else is part of a\n"
        "history's identity, and a history is not continued with another.\n"
    )
    text += "\n## Profiles\n\n"
    text += (
        "A profile says what kind of retailer it is: a name below, or the path of a YAML file of\n"
        "your own. Any of its fields can be changed in `overrides` by its dotted path.\n\n"
        "| profile | what it is | departments | categories | products |\n|---|---|---|---|---|\n"
    )
    for name in packaged():
        profile = read_profile(profile_file(name))
        counts = f"{len(profile.departments)} | {len(profile.categories)} | {profile.products:,}"
        text += f"| {name} | {_cell(profile.description)} | {counts} |\n"
    text += "\n## Fields of a profile\n\n"
    text += "A field without a default must be there. Unknown fields are errors.\n"
    return text + "".join(_part(model) for model in _parts(Profile))


def _rows(model: type[BaseModel], values: BaseModel, above: str = "") -> Iterator[str]:
    schema = model.model_json_schema()
    for name in members(schema, schema):
        value = getattr(values, name)
        if isinstance(value, BaseModel):
            yield from _rows(type(value), value, f"{above}{name}.")
            continue
        node = node_at(schema, (name,)) or {}
        meaning = str(node.get("description", ""))
        plain = value.as_posix() if isinstance(value, Path) else value
        shown = plain.isoformat() if isinstance(plain, date) else plain
        cells = (f"`{above}{name}`", _default(shown), describe(node, schema), meaning)
        yield f"| {' | '.join(map(_cell, cells))} |\n"


def _parts(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A profile's model and those of its parts, in the order in which they are met."""
    found = [model]
    for part in found:
        for field in part.model_fields.values():
            found += [m for m in _models(field.annotation) if m not in found]
    return iter(found)


def _models(annotation: object) -> list[type[BaseModel]]:
    """The models in an annotation such as `tuple[Template, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for inner in get_args(annotation) for model in _models(inner)]


def _part(model: type[BaseModel]) -> str:
    schema, meanings = model.model_json_schema(), _meanings(model)
    text = f"\n### {model.__name__}\n\n"
    text += f"{inspect.cleandoc(model.__doc__)}\n\n" if model.__doc__ else ""
    text += "| field | default | what it is |\n|---|---|---|\n"
    for name, field in model.model_fields.items():
        node = schema["properties"][name]
        parts = _models(field.annotation)
        if parts:
            links = " or ".join(f"[{m.__name__}](#{m.__name__.lower()})" for m in parts)
            allowed = {"array": "a list of ", "object": "a mapping of names to "}.get(
                node.get("type", ""), ""
            ) + links
        else:
            allowed = describe(node, schema)
        nested = field.is_required() or isinstance(field.default, BaseModel)
        shown = "" if nested else _default(node.get("default"))
        said = meanings.get(name, "")
        text += f"| {name} | {shown} | {_cell(f'{_upper(allowed)}. {said}'.strip())} |\n"
    return text


def _meanings(model: type[BaseModel]) -> dict[str, str]:
    """The texts that stand below a model's fields."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for above, below in pairwise(definition.body):
        if isinstance(above, ast.AnnAssign) and isinstance(below, ast.Expr):
            found[ast.unparse(above.target)] = str(ast.literal_eval(below.value))
    return found


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _default(value: object) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


# Commands.


@cache
def commands() -> dict[str, str]:
    """The help of every command, by its words: `config show`."""
    app = build_app()
    found: dict[str, str] = {}

    def walk(words: list[str], command: object) -> None:
        done = CliRunner().invoke(
            app, [*words, "--help"], prog_name="retail-datagen", env={"COLUMNS": str(_WIDTH)}
        )
        found[" ".join(words)] = "\n".join(line.rstrip() for line in done.output.splitlines())
        for name, inner in getattr(command, "commands", {}).items():
            walk([*words, name], inner)

    walk([], get_command(app))
    return found


def cli_reference() -> str:
    """The help of every command, as `--help` prints it."""
    text = note("the commands' own help") + "\n# Commands\n\n"
    text += (
        "Errors that you can put right are one message without a traceback and exit code 2;\n"
        "`verify` ends with 1 when it finds a violation, `generate` with 130 after Ctrl-C.\n"
    )
    for name, shown in commands().items():
        title = f"retail-datagen {name}".strip()
        text += f"\n## {title}\n\n```text\n{shown.strip()}\n```\n"
    return text


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_reference,
    "config.md": config_reference,
    "data-dictionary.md": data_dictionary,
}


def main() -> int:
    parser = argparse.ArgumentParser(description="The generated pages of docs/reference.")
    parser.add_argument("--check", action="store_true", help="only say which pages are stale")
    check = parser.parse_args().check
    stale = 0
    for name, page in PAGES.items():
        path, text = FOLDER / name, page()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        print(f"{'stale' if check else 'wrote'}: docs/reference/{name}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
