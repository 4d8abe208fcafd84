"""`RETAIL_…` environment variables as values of a configuration's fields.

`RETAIL_SEED` is `seed`, `RETAIL_VOLUME__STORES` is `volume.stores`; a section, or `overrides`,
may also be one JSON text: `RETAIL_OVERRIDES={"temporal.months.0": 0.8}`. The names are those of
pydantic-settings; its reader does not serve, because it passes over a misspelled variable and
does not tell which variable gave a value: both belong in the errors here.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from retail_datagen.config.problems import Problem, show, suggest

PREFIX = "RETAIL_"
_DELIMITER = "__"


@dataclass(frozen=True, slots=True)
class Environment:
    """What the environment says: nested values, and the variable behind each dotted path."""

    values: dict[str, object] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_environment(model: type[BaseModel]) -> Environment:
    """The values that RETAIL_ variables give to fields of `model`.

    Texts become what their field holds; one that cannot stays text, for validation to refuse.
    """
    found = Environment()
    fields = dict(_fields(model))
    # In order of their names, so that one field's variable comes after its section's JSON.
    for variable in sorted(os.environ):
        if not variable.upper().startswith(PREFIX):
            continue
        path = tuple(variable[len(PREFIX) :].lower().split(_DELIMITER))
        text = os.environ[variable]
        name = ".".join(path)
        if not _is_whole(text):
            wanted = f"is {text!a}; allowed: text in UTF-8"
            found.problems.append(Problem((variable,), name, wanted, variable))
            continue
        if name in fields and not _holds_names(fields[name]):
            value = _typed(text, fields[name])
        elif name in fields:
            value = _json(text)
            if not isinstance(value, dict):
                wanted = f"is {show(text)}; allowed: a JSON mapping"
                found.problems.append(Problem((variable,), name, wanted, variable))
                continue
        elif path[0] in fields and get_origin(fields[path[0]].annotation) is dict:
            value = _json(text)
        else:
            names = [PREFIX + known.replace(".", _DELIMITER).upper() for known in fields]
            unknown = f"is not a setting; {suggest(variable, names)}"
            found.problems.append(Problem((variable,), variable, unknown, "environment"))
            continue
        _put(found.values, path, value)
        found.variables[name] = variable
    return found


def _fields(model: type[BaseModel], above: str = "") -> list[tuple[str, FieldInfo]]:
    """Every field by its dotted path, sections before what they hold."""
    found = []
    for name, info in model.model_fields.items():
        found.append((above + name, info))
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            found += _fields(info.annotation, f"{above}{name}.")
    return found


def _holds_names(info: FieldInfo) -> bool:
    kind: Any = info.annotation
    return get_origin(kind) is dict or (isinstance(kind, type) and issubclass(kind, BaseModel))


def _typed(text: str, info: FieldInfo) -> object:
    kind: Any = info.annotation
    if kind is Path:
        return text  # an empty one would become the working directory
    adapter: TypeAdapter[object] = TypeAdapter(kind)
    try:
        return adapter.dump_python(adapter.validate_strings(text), mode="json")
    except ValidationError:
        return text


def _json(text: str) -> object:
    try:
        value: object = json.loads(text)
    except ValueError:
        return text
    return value if _is_whole(json.dumps(value, ensure_ascii=False)) else text


def _is_whole(text: str) -> bool:
    """Whether no half of a surrogate pair is in a text, as for a byte that is not UTF-8."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _put(values: dict[str, object], path: tuple[str, ...], value: object) -> None:
    for word in path[:-1]:
        inner = values.setdefault(word, {})
        if not isinstance(inner, dict):  # a variable gave this a value, and another goes deeper
            inner = values[word] = {}
        values = inner
    values[path[-1]] = value
