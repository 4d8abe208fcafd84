"""What is wrong with a configuration, in people's words: field, value, what is allowed, where."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from retail_datagen.config.allowed import describe, members, node_at
from retail_datagen.config.errors import ConfigError

Key = str | int
Location = tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong. `source` is the file or variable that said so; it may be empty."""

    location: Location
    field: str
    """The dotted path, list elements by their names."""
    text: str
    source: str = ""

    def __str__(self) -> str:
        where = f"{self.source}: " if self.source else ""
        return f"{where}{self.field} {self.text}"


@dataclass(frozen=True, slots=True)
class Impossible:
    """A value that contradicts another one; `at` is its location below the model that checks."""

    at: Location
    value: object
    allowed: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.at))} is {show(self.value)}; allowed: {self.allowed}"


def impossible(*found: Impossible) -> PydanticCustomError:
    """The error to raise in a model's validator for values that contradict each other."""
    return PydanticCustomError(
        "impossible", "{text}", {"text": "; ".join(map(str, found)), "found": found}
    )


def wrong_weights(what: str, most: float, within: tuple[float, float]) -> PydanticCustomError:
    """The error to raise for weights of which the largest, `most`, is none to draw by.

    `what` names the field of the parts that have them, if that is where they are.
    """
    least, limit = within
    found = f"{most:g}" if most > limit else "none" if not what else f"no {what}"
    above = "" if most > limit else " above 0"
    return PydanticCustomError(
        "weights",
        "{text}",
        {
            "text": f"has {found}{above}; allowed: at least one above 0 ({least:g} or more), and "
            f"none above {limit:,}"
        },
    )


def refuse(problems: Sequence[Problem]) -> ConfigError:
    """One error that lists every problem, one a line."""
    if len(problems) == 1:
        return ConfigError(str(problems[0]))
    lines = "\n".join(f"  {problem}" for problem in problems)
    return ConfigError(f"{len(problems)} problems:\n{lines}")


def explain(
    error: ValidationError,
    model: type[BaseModel],
    data: object,
    source: Callable[[Location], str],
) -> list[Problem]:
    """Pydantic's errors as problems. `data` is what was validated; it lends list elements names.

    `source` tells from a location which file or variable the value there came from.
    """
    schema = model.model_json_schema()
    problems = []
    errors = error.errors(include_url=False)
    for details in errors:
        if details["type"] == "too_short" and _has_errors_within(errors, details["loc"]):
            continue  # pydantic does not count the elements that it has refused already
        if details["type"] == "impossible":
            for found in details["ctx"]["found"]:
                location = (*details["loc"], *found.at)
                text = f"is {show(found.value)}; allowed: {found.allowed}"
                problems.append(Problem(location, dotted(location, data), text, source(location)))
        else:
            location = tuple(key for key in details["loc"] if key != "[key]")
            of_its_own = details["type"] == "weights"
            text = details["msg"] if of_its_own else _sentence(details, location, schema)
            problems.append(Problem(location, dotted(location, data), text, source(location)))
    return problems


def show(value: object) -> str:
    """A value as people write it in a file, shortened."""
    if value is None:
        return "empty"
    if isinstance(value, Mapping):
        return "a mapping"
    text = json.dumps(value, default=str, ensure_ascii=False)
    if len(text) > 60:
        return f"a list of {len(value)}" if isinstance(value, list | tuple) else f"{text[:57]}…"
    return text


def dotted(location: Iterable[Key], data: object) -> str:
    """A location as a dotted path, list elements by their `name` or `rule` where they have one."""
    words = []
    for key in location:
        word = str(key)
        if isinstance(data, Mapping):
            data = data.get(key)
        elif isinstance(data, list | tuple) and isinstance(key, int) and key < len(data):
            data = data[key]
            word = name_of(data) or word
        else:
            data = None
        words.append(word)
    return ".".join(words)


def name_of(element: object) -> str:
    """What a list element is called: its `name` or `rule`, or nothing."""
    if isinstance(element, Mapping):
        for field in ("name", "rule"):
            if isinstance(element.get(field), str):
                return str(element[field])
    return ""


def leaves(data: object, above: Location = ()) -> Iterator[tuple[Location, object]]:
    """Every single value in plain data and where it lies; an empty list or mapping is one too."""
    for location, value in rows(data, above):
        if value and isinstance(value, list):
            yield from (((*location, i), element) for i, element in enumerate(value))
        else:
            yield location, value


def rows(data: object, above: Location = ()) -> Iterator[tuple[Location, object]]:
    """Like `leaves`, with a list of single values as one value."""
    if data and isinstance(data, Mapping):
        for key, value in data.items():
            yield from rows(value, (*above, key))
    elif isinstance(data, list) and any(isinstance(value, Mapping | list) for value in data):
        for i, value in enumerate(data):
            yield from rows(value, (*above, i))
    else:
        yield above, data


def suggest(word: str, known: Iterable[str]) -> str:
    """`did you mean "stores"?`, or the known words where none is near."""
    names = list(known)
    known_words = f"known are {', '.join(names)}" if names else "nothing is known there"
    return suggest_near(word, names) or known_words


def suggest_near(word: str, known: Iterable[str]) -> str:
    """`did you mean "stores"?`, or nothing where no known word is near."""
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    return f'did you mean "{folded[near[0]]}"?' if near else ""


def _has_errors_within(errors: Sequence[ErrorDetails], location: Location) -> bool:
    count = len(location)
    return any(len(e["loc"]) > count and e["loc"][:count] == location for e in errors)


def _sentence(details: ErrorDetails, location: Location, schema: dict[str, object]) -> str:
    if details["type"] == "extra_forbidden":
        return _unknown(location, schema)
    node = node_at(schema, location)
    allowed = describe(node, schema) if node is not None else details["msg"]
    if details["type"] == "missing":
        return f"is missing; allowed: {allowed}"
    if details["loc"][-1:] == ("[key]",):
        return f"is not a name allowed there: {details['msg']}"
    value = details["input"]
    if details["type"] in {"too_short", "too_long"}:
        return f"has {len(value)} entries; allowed: {allowed}"
    hint = ""
    if isinstance(value, bool) and allowed.startswith("text"):
        hint = " (YAML reads yes, no, on and off as true or false: put them in quotes)"
    return f"is {show(value)}; allowed: {allowed}{hint}"


def _unknown(location: Location, schema: dict[str, object]) -> str:
    word = str(location[-1])
    siblings = members(node_at(schema, location[:-1]) or {}, schema)
    if word not in siblings:
        for section in members(schema, schema):
            if word in members(node_at(schema, (section,)) or {}, schema):
                return f'is not a field there; did you mean "{section}.{word}"?'
    return f"is not a field; {suggest(word, siblings)}"
