"""The topics, one module each: one with a `TOPIC` is a topic. `feeds` says which go together."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from retail_datagen.events.base import EventTopic


@cache
def registry() -> dict[str, EventTopic]:
    """Every topic by its table's name, in alphabetical order of their modules."""
    modules = (import_module(f"{__name__}.{info.name}") for info in iter_modules(__path__))
    found = [module.TOPIC for module in modules if hasattr(module, "TOPIC")]
    return {topic.table.name: topic for topic in found}
