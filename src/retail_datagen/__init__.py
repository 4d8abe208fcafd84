"""One seed, one coherent synthetic retailer.

    import retail_datagen as rd
    receipts = rd.render("receipts", "2024-01-17")

What is named here is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retail_datagen.config.errors import UserError
    from retail_datagen.config.models import RetailConfig
    from retail_datagen.generators.fact_generator import FactDataGenerator
    from retail_datagen.retailer import Retailer, render

__all__ = ["FactDataGenerator", "RetailConfig", "Retailer", "UserError", "render"]
_HOME = {
    "FactDataGenerator": "generators.fact_generator",
    "RetailConfig": "config.models",
    "Retailer": "retailer",
    "UserError": "config.errors",
    "render": "retailer",
}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
