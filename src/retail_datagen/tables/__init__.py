"""Fact tables, one module each. A module with a `FACTS` is a table: adding one adds the table."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import pyarrow as pa

from retail_datagen.tables.base import FactTable
from retail_datagen.tables.context import Context

__all__ = ["Context", "FactTable", "registry", "render"]


@cache
def registry() -> dict[str, FactTable]:
    """Every fact table by its name, in alphabetical order of their modules."""
    modules = (import_module(f"{__name__}.{info.name}") for info in iter_modules(__path__))
    facts = [module.FACTS for module in modules if hasattr(module, "FACTS")]
    return {fact.table.name: fact for fact in facts}


def render(name: str, context: Context, day: int) -> pa.Table:
    """One day (days since 1970-01-01) of one table. Raises KeyError for an unknown name."""
    return registry()[name].render(context.day(day))
