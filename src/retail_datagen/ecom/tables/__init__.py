"""The shop's tables, one module each: a module with a `SHOP` is a table, adding one adds it."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

import pyarrow as pa

from retail_datagen.ecom.base import ShopTable
from retail_datagen.ecom.context import ShopContext

__all__ = ["ShopTable", "registry", "render"]


@cache
def registry() -> dict[str, ShopTable]:
    """Every table of the shop that grows by the day, in alphabetical order of their modules."""
    modules = [import_module(f"{__name__}.{info.name}") for info in iter_modules(__path__)]
    found = [m.SHOP for m in modules if hasattr(m, "SHOP")]
    return {made.table.name: made for made in found}


def render(name: str, context: ShopContext, day: int) -> pa.Table:
    """One day (days since 1970-01-01) of one table. Raises KeyError for an unknown name."""
    return registry()[name].render(context.day(day))
