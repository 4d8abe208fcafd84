"""Puts a configuration together: defaults, below the file, below the environment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from retail_datagen.config.environment import Environment, read_environment
from retail_datagen.config.files import read_mapping
from retail_datagen.config.overrides import merge, names_field
from retail_datagen.config.problems import Location, Problem, explain, refuse

M = TypeVar("M", bound=BaseModel)
_OVERRIDES = "overrides"


@dataclass(frozen=True, slots=True)
class Layers:
    """What file and environment say together, and who says what."""

    data: dict[str, object]
    file: str
    """The file as the user named it; empty without one."""
    environment: Environment
    stated: frozenset[str] = field(default=frozenset())
    """Dotted paths of the fields that the file gives."""

    def source(self, path: str) -> str:
        """Who gave the field at a dotted path: a variable's name, the file, or nothing."""
        for above in _upwards(path):
            if above in self.environment.variables:
                return self.environment.variables[above]
        return self.file if path in self.stated else ""

    def override_source(self, path: str) -> str:
        """Who gave the override with that path, as `source` says it."""
        given = self.environment.values.get(_OVERRIDES)
        if isinstance(given, Mapping) and names_field(given, path):
            return self.source(f"{_OVERRIDES}.{path.lower()}")
        return self.file


def read_layers(model: type[BaseModel], path: str | Path | None) -> Layers:
    """Reads file and environment, unchecked. Raises ConfigError for a file without sense."""
    data = read_mapping(Path(path), "configuration") if path is not None else {}
    for name in data:
        # `volume:` with every line below it commented out is an empty section, not a wrong one.
        if data[name] is None and name in model.model_fields and _is_mapping(model, name):
            data[name] = {}
    stated = frozenset(_paths(data))
    environment = read_environment(model)
    for name, value in environment.values.items():
        data[name] = _merged(name, data.get(name), value)
    return Layers(data, str(path) if path is not None else "", environment, stated)


def build(model: type[M], layers: Layers, found: list[Problem]) -> M:
    """The model from its layers. Raises one ConfigError with every problem, `found` included."""
    problems = [*layers.environment.problems, *found]

    def source(location: Location) -> str:
        return layers.source(".".join(map(str, location))) or layers.file

    try:
        built = model.model_validate_json(json.dumps(layers.data), strict=True)
    except ValidationError as error:
        raise refuse([*problems, *explain(error, model, layers.data, source)]) from None
    if problems:
        raise refuse(problems)
    return built


def _is_mapping(model: type[BaseModel], name: str) -> bool:
    return isinstance(model.model_fields[name].default, Mapping | BaseModel)


def _merged(name: str, below: object, above: object) -> object:
    if not (isinstance(below, Mapping) and isinstance(above, Mapping)):
        return above
    return merge(below, above) if name == _OVERRIDES else {**below, **above}


def _paths(data: Mapping[str, object], above: str = "") -> list[str]:
    found = []
    for key, value in data.items():
        found.append(f"{above}{key}")
        if isinstance(value, Mapping):
            found += _paths(value, f"{above}{key}.")
    return found


def _upwards(path: str) -> list[str]:
    words = path.split(".")
    return [".".join(words[:count]) for count in range(len(words), 0, -1)]
