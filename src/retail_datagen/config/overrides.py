"""Overrides of a profile: a value by the dotted path of the field that it replaces.

`departments.Grocery.categories.Dairy.season.0` goes through names of mappings, indexes of lists,
and elements of lists by their `name` or `rule`. Case does not count, and a space, a hyphen and
an underscore are the same. Nested mappings say the same thing as dotted paths.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from retail_datagen.config.problems import Location, Problem, dotted, name_of, show, suggest_near


@dataclass(frozen=True, slots=True)
class Override:
    """A value and the path that the user wrote for it."""

    path: str
    value: object


@dataclass(frozen=True, slots=True)
class Applied:
    """An override that found its field: where it lies, what it was and what it is."""

    override: Override
    location: Location
    field: str
    was: object

    @property
    def value(self) -> object:
        return self.override.value


def flatten(overrides: Mapping[str, object], above: str = "") -> list[Override]:
    """Nested mappings as dotted paths, in the order given."""
    found: list[Override] = []
    for key, value in overrides.items():
        path = f"{above}{key}"
        if isinstance(value, Mapping):
            found += flatten(value, f"{path}.")
        else:
            found.append(Override(path, value))
    return found


def merge(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """Both sets of overrides, dotted; `above` wins where both name the same path."""
    winners = {_folded(override.path) for override in flatten(above)}
    kept = [o for o in flatten(below) if _folded(o.path) not in winners]
    return {override.path: override.value for override in (*kept, *flatten(above))}


def names_field(overrides: Mapping[str, object], path: str) -> bool:
    """Whether one of the overrides has that path."""
    return _folded(path) in {_folded(override.path) for override in flatten(overrides)}


def apply(tree: dict[str, object], overrides: Mapping[str, object]) -> list[Applied]:
    """Sets each override's value in `tree`, plain data as JSON has it, in place.

    Raises `OverrideProblems` that lists every path that leads nowhere and every pair of
    overrides for the same field.
    """
    applied: list[Applied] = []
    problems: list[Problem] = []
    for override in flatten(overrides):
        try:
            location = _locate(tree, override.path.split("."), "")
        except _NotFoundError as error:
            problems.append(_problem(override, str(error)))
            continue
        field = dotted(location, tree)
        for other in applied:
            if _overlap(location, other.location):
                problems.append(
                    _problem(override, f'overlaps the override "{other.override.path}"')
                )
        applied.append(Applied(override, location, field, _get(tree, location)))
    if problems:
        raise OverrideProblems(problems)
    for change in applied:
        _set(tree, change.location, change.value)
    return applied


class OverrideProblems(Exception):
    """Overrides that cannot be applied; the loader turns them into a ConfigError."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = problems


class _NotFoundError(Exception):
    """Nothing has that name; the text says what exists."""


def _problem(override: Override, text: str) -> Problem:
    return Problem((override.path,), f'override "{override.path}"', text)


def _locate(node: object, words: list[str], above: str) -> Location:
    """Where words lead from a node, which `above` names; a name may hold dots, so long ones first.

    Raises _NotFoundError.
    """
    if not words:
        return ()
    choices = _choices(node)
    for count in range(len(words), 0, -1):
        key = _match(choices, ".".join(words[:count]))
        if key is not None:
            name = next(name for name, same in choices if same == key)
            path = f"{above}.{name}" if above else name
            return (key, *_locate(_get(node, (key,)), words[count:], path))
    if not choices:
        raise _NotFoundError(f'leads nowhere: "{above}" is a single value, {show(node)}')
    names = [name for name, _ in choices]
    indexes = isinstance(node, list) and names[0] == "0"
    known = f"allowed: 0 to {names[-1]}" if indexes else _near(words[0], names)
    where = f'under "{above}"' if above else "in a profile"
    raise _NotFoundError(f'leads nowhere: there is no "{words[0]}" {where}; {known}')


def _near(word: str, names: list[str]) -> str:
    known = f"known are {', '.join(names)}"
    return " ".join(filter(None, (suggest_near(word, names), known)))


def _choices(node: object) -> list[tuple[str, str | int]]:
    """The names that go further down from a node, and the key that each stands for."""
    if isinstance(node, Mapping):
        return [(str(key), key) for key in node]
    if isinstance(node, list):
        return [(name_of(element) or str(i), i) for i, element in enumerate(node)]
    return []


def _match(choices: list[tuple[str, str | int]], word: str) -> str | int | None:
    exact = [key for name, key in choices if name == word]
    alike = exact or [key for name, key in choices if _folded(name) == _folded(word)]
    if len(alike) > 1:
        raise _NotFoundError(
            f'leads nowhere: several are called "{word}", use one of the indexes '
            f"{', '.join(map(str, alike))}"
        )
    if alike:
        return alike[0]
    indexes = [key for _, key in choices if isinstance(key, int) and str(key) == word]
    return indexes[0] if indexes else None


def _folded(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip()).casefold()


def _overlap(one: Location, other: Location) -> bool:
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


def _get(node: object, location: Iterable[str | int]) -> object:
    for key in location:
        node = node[key]  # type: ignore[index]  # locations come from the same tree
    return node


def _set(tree: object, location: Location, value: object) -> None:
    parent = _get(tree, location[:-1])
    parent[location[-1]] = value  # type: ignore[index]
