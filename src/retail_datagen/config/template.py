"""Writes a configuration file with every field, its default and its documentation.

Everything comes from the models, so a file never says what a model does not.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from pydantic import BaseModel

from retail_datagen.config.allowed import describe, node_at
from retail_datagen.config.errors import UserError

_WIDTH = 92


def render(model: BaseModel, extension: str) -> str:
    """The text of a file of that extension (`.yaml`, `.yml`, `.toml`, `.json`) with `model`'s
    values; JSON has no comments. Raises UserError for another extension."""
    match extension.lower():
        case ".json":
            return json.dumps(model.model_dump(mode="json"), indent=2) + "\n"
        case ".yaml" | ".yml":
            return "\n".join(_yaml(model)) + "\n"
        case ".toml":
            return "\n".join(_toml(model)) + "\n"
    raise UserError(f"unknown extension {extension!r}; allowed: .yaml, .yml, .toml, .json")


def _yaml(model: BaseModel) -> Iterator[str]:
    yield from _head(model)
    for name, value in model:
        yield ""
        if isinstance(value, BaseModel):
            yield from _yaml_section(name, value, "")
        elif isinstance(value, dict):
            yield from _comment(_docs(model, name))
            yield f"{name}:"
            yield from (f"  # {key}: {shown}" for key, shown in _examples(model, name))
        else:
            yield from _comment(_docs(model, name))
            yield f"{name}: {_scalar(value)}"


def _yaml_section(name: str, section: BaseModel, indent: str) -> Iterator[str]:
    yield from _comment(type(section).__doc__, indent)
    yield f"{indent}{name}:"
    for inner, setting in section:
        if isinstance(setting, BaseModel):
            yield from _yaml_section(inner, setting, indent + "  ")
        else:
            yield from _comment(_docs(section, inner), indent + "  ")
            yield f"{indent}  {inner}: {_scalar(setting)}"


def _toml(model: BaseModel) -> Iterator[str]:
    yield from _head(model)
    for name, value in model:  # TOML takes values without a section only before the first one
        if not isinstance(value, BaseModel | dict):
            yield ""
            yield from _comment(_docs(model, name))
            yield f"{name} = {_scalar(value)}"
    for name, value in model:
        if isinstance(value, BaseModel):
            yield from _toml_section(name, value)
        elif isinstance(value, dict):
            yield ""
            yield from _comment(_docs(model, name))
            yield f"[{name}]"
            yield from (f'# "{key}" = {shown}' for key, shown in _examples(model, name))


def _toml_section(name: str, section: BaseModel) -> Iterator[str]:
    yield ""
    yield from _comment(type(section).__doc__)
    yield f"[{name}]"
    for inner, setting in section:
        if not isinstance(setting, BaseModel):
            yield from _comment(_docs(section, inner))
            yield f"{inner} = {_scalar(setting)}"
    for inner, setting in section:
        if isinstance(setting, BaseModel):
            yield from _toml_section(f"{name}.{inner}", setting)


def _head(model: BaseModel) -> Iterator[str]:
    yield from _comment(type(model).__doc__)
    yield "# Every value below is the default; a line that is left out keeps it."


def _docs(model: BaseModel, name: str) -> str:
    """What a field means and what it allows."""
    schema = type(model).model_json_schema()
    node = node_at(schema, (name,)) or {}
    allowed = describe(node, schema)
    meaning = str(node.get("description", ""))
    plain = allowed.startswith(("text", "any value", "a mapping"))
    return meaning if plain else f"{meaning} Allowed: {allowed}."


def _examples(model: BaseModel, name: str) -> Iterator[tuple[str, str]]:
    for example in type(model).model_fields[name].examples or ():
        for key, value in example.items():
            yield key, json.dumps(value)


def _comment(text: str | None, indent: str = "") -> Iterator[str]:
    for line in textwrap.wrap(" ".join((text or "").split()), _WIDTH):
        yield f"{indent}# {line}"


def _scalar(value: object) -> str:
    """A value in the notation that YAML and TOML share."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Path):
        return json.dumps(value.as_posix())
    return json.dumps(value)
