"""Reads the YAML of an e-commerce generator as a configuration: what CONFIG_PATH names.

Such files say how many customers and products there are, under `lookup_config`, and a few shares
under `parameters`; the rest of them describes that generator's own code and is left aside. Below
`retailer` they may hold any of our own settings. A file of our own settings alone will do, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from retail_datagen.config.environment import read_environment
from retail_datagen.config.errors import ConfigError
from retail_datagen.config.files import read_mapping
from retail_datagen.config.layers import Layers, build
from retail_datagen.config.models import RetailConfig

DEFAULTS: Final[Mapping[str, object]] = {
    "profile": "ecommerce",
    "volume": {
        "stores": 8,
        "dcs": 2,
        "customers_per_day": 800,
        "items_per_ticket_mean": 2.6,
        "online_orders_per_day": 4000,
        "customers": 300_000,
        "products": 3000,
    },
    "signups": {"first": "2019-01-01", "last": "2026-01-08", "guest_share": 0.25},
    "calendar": {"first": "2019-01-01", "last": "2027-12-31"},
}
"""The retailer of the six-year backlog, where a file says nothing else."""
_OURS = "retailer"
_ASIDE = ("row_generators", "output_dir", "tables", "vocab", "channel_rules")
_NUMBERS = {
    ("lookup_config", "customers", "num_customers"): ("volume", "customers"),
    ("lookup_config", "customers", "guest_shopper_pct"): ("signups", "guest_share"),
    ("lookup_config", "product_catalog", "num_products"): ("volume", "products"),
    ("num_customers",): ("volume", "customers"),
    ("num_products",): ("volume", "products"),
    ("faker_seed",): ("seed",),
    ("parameters", "conversion_rate"): ("overrides", "webshop.funnel.conversion"),
    ("parameters", "return_rate"): ("overrides", "webshop.returns.share"),
}
"""Where a number of such a file belongs in ours."""


@dataclass(frozen=True, slots=True)
class Given:
    """Settings that a command line gives, which count more than any file."""

    seed: int | None = None


def read_generator_file(path: Path | None, master: Path, given: Given) -> RetailConfig:
    """The configuration of a file over DEFAULTS, under the environment and what is `given`.

    Master data lies under `master` where nothing says otherwise. Raises ConfigError.
    """
    data = read_mapping(path, "configuration") if path else {}
    known = set(RetailConfig.model_fields)
    foreign = {name for name in data if name not in known}
    aside = {*_ASIDE, _OURS, *(source[0] for source in _NUMBERS)}
    unknown = sorted(foreign - aside)
    if unknown:
        raise ConfigError(
            f"{path}: {unknown[0]} is not known; allowed are {', '.join(sorted(known))}, or those "
            f"of a generator's file: {', '.join(sorted(aside))}"
        )
    ours = data.get(_OURS, {})
    if not isinstance(ours, Mapping):
        raise ConfigError(f"{path}: {_OURS} is a mapping of our own settings, not {ours!r}")
    settings = _over(DEFAULTS, {"paths": {"master": master.as_posix()}})
    settings = _over(settings, _translated(data))
    settings = _over(settings, {name: data[name] for name in data if name in known})
    settings = _over(settings, ours)
    environment = read_environment(RetailConfig)
    settings = _over(settings, environment.values)
    if given.seed is not None:
        settings["seed"] = given.seed
    return build(RetailConfig, Layers(settings, str(path or ""), environment), [])


def _translated(data: Mapping[str, object]) -> dict[str, object]:
    """What a generator's file says, in our words."""
    found: dict[str, object] = {}
    for source, target in _NUMBERS.items():
        value: object = data
        for key in source:
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            for key in reversed(target):
                value = {key: value}
            assert isinstance(value, Mapping)
            found = _over(found, value)
    return found


def _over(below: Mapping[str, object], above: Mapping[str, object]) -> dict[str, object]:
    """Both mappings, with what `above` says where they differ."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = _over(old, value) if both else value  # type: ignore[arg-type]
    return merged
