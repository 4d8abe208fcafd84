"""Every check and helper. A module `checks_…` with `CHECKS` adds its own: one entry, one check."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from retail_datagen import quality
from retail_datagen.quality.check import Check, Helper

_FIRST = ("checks_files", "checks_schema")


@cache
def checks() -> tuple[Check, ...]:
    """All checks, those of files and of the schema first. Their names are unique."""
    found = [check for module in _modules() for check in getattr(module, "CHECKS", ())]
    names = [check.name for check in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise ValueError(f"more than one check is called {', '.join(sorted(twice))}")
    return tuple(found)


@cache
def helpers() -> dict[str, Helper]:
    """All helpers by name."""
    found = (helper for module in _modules() for helper in getattr(module, "HELPERS", ()))
    return {helper.name: helper for helper in found}


def _modules() -> list[object]:
    names = [i.name for i in iter_modules(quality.__path__) if i.name.startswith("checks_")]
    names.sort(key=lambda name: (name not in _FIRST, name))
    return [import_module(f"{quality.__name__}.{name}") for name in names]
