"""The catalogue: what templates make, as products with prices, popularity and places.

The templates are those of the profile sporting-goods; a YAML file may add others:

    templates:
      - {name: Kettlebell, category: Fitness, sku_prefix: KET, price: [19.99, 89.99],
         variants: {weight: [8 kg, 16 kg], color: [Black, Gray]}}

What a product is does not depend on which templates are asked for.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, ValidationError

from retail_datagen.config.errors import ConfigError, UserError
from retail_datagen.config.files import read_mapping
from retail_datagen.config.library import profile_file, read_profile
from retail_datagen.config.parts import Part
from retail_datagen.config.problems import explain, refuse
from retail_datagen.config.profile import Category, Department, Profile, Template
from retail_datagen.core.arrays import I64, Bool
from retail_datagen.core.rng import Stream
from retail_datagen.store.database.models import MOST_CENTS
from retail_datagen.store.epc import MOST_REFERENCE
from retail_datagen.world.product_lines import product_lines
from retail_datagen.world.products import build_products

PROFILE = "sporting-goods"
SEED = 42
ITEMS_PER_VARIANT = {"high": (5, 15), "medium": (3, 10), "low": (2, 6)}
"""Published: how many items a variant has, by its demand class."""
_FIRST_OWN_REFERENCE = 500_001
_CALENDAR = date(2020, 1, 1), date(2030, 12, 31)
_OTHER_ZONE = "CENTER"


class OwnTemplate(Template):
    """A template of the user's, and the category that it belongs to, which may be a new one."""

    category: str


class OwnTemplates(Part):
    """The file of a user's templates."""

    templates: tuple[OwnTemplate, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Products: [products]. `weight` is the number of items that a variant has by itself.

    `own` marks the user's; `reference` is the item reference in EPCs; `zone` the profile's.
    """

    sku: list[str]
    name: list[str]
    category: list[str]
    template: list[str]
    zone: list[str]
    cents: I64
    weight: I64
    popularity: I64
    reference: I64
    own: Bool

    def __len__(self) -> int:
        return len(self.sku)

    @property
    def templates(self) -> list[str]:
        """Names of templates, each once, in the catalogue's order."""
        return list(dict.fromkeys(self.template))

    def of_templates(self, names: Sequence[str]) -> Bool:
        """Which products are of the templates with these names, or of any if none is given.

        Capitals do not matter. Raises UserError that lists the templates there are.
        """
        if not names:
            return np.ones(len(self), dtype=np.bool_)
        known = {name.casefold(): name for name in self.templates}
        unknown = [name for name in names if name.casefold() not in known]
        if unknown:
            listed = ", ".join(map(repr, unknown))
            raise UserError(
                f"templates: there is no template {listed}; there are: {', '.join(self.templates)}"
            )
        wanted = {known[name.casefold()] for name in names}
        return np.array([template in wanted for template in self.template], dtype=np.bool_)

    def categories(self, rows: Bool) -> dict[str, int]:
        """How many of these products each category has, in the catalogue's order."""
        return dict(Counter(np.array(self.category, dtype=object)[rows].tolist()))


def read_catalogue(own: Path | None = None, seed: int = SEED) -> Catalogue:
    """The published catalogue, and what a file of templates adds to it.

    Raises ConfigError for a file that cannot be used.
    """
    profile = read_profile(profile_file(PROFILE))
    published = _build(profile, seed, 0)
    if own is None:
        return published
    return _joined(published, _build(_own_profile(profile, own), seed, _FIRST_OWN_REFERENCE))


def _build(profile: Profile, seed: int, first_reference: int) -> Catalogue:
    """Every variant of a profile. With a first reference the products are a user's own."""
    count = sum(line.size for line in product_lines(profile))
    own = first_reference > 0
    if own and first_reference + count > MOST_REFERENCE:
        raise UserError(
            f"templates: they make {count:,} products; allowed are "
            f"{MOST_REFERENCE - first_reference:,}"
        )
    table = build_products(profile, count, seed, 1, *_CALENDAR)
    zones = {category.name: category.zone for category in profile.categories}
    category = table["Category"].to_pylist()
    number = table["ProductID"].to_numpy().astype(np.int64)
    return Catalogue(
        sku=table["SKU"].to_pylist(),
        name=table["ProductName"].to_pylist(),
        category=category,
        template=table["Subcategory"].to_pylist(),
        zone=[zones[name] for name in category],
        cents=_cents(table["Price"]),
        weight=_weights(table["Demand"].to_pylist(), seed, own),
        popularity=table["Popularity"].to_numpy().astype(np.int64),
        reference=first_reference + np.arange(count) if own else number,
        own=np.full(count, own),
    )


def _weights(demand: list[str], seed: int, own: bool) -> I64:
    least, most = np.array([ITEMS_PER_VARIANT[name] for name in demand], dtype=np.int64).T
    stream = Stream(seed, "store.items.own" if own else "store.items.weights")
    drawn: I64 = least + stream.below(len(demand), most - least + 1)
    return drawn


def _cents(prices: pa.ChunkedArray) -> I64:
    cents = pc.multiply(prices.cast(pa.decimal128(14, 2)), pa.scalar(100))
    whole: I64 = cents.cast(pa.int64()).to_numpy()
    return whole


def _joined(one: Catalogue, other: Catalogue) -> Catalogue:
    return Catalogue(
        one.sku + other.sku,
        one.name + other.name,
        one.category + other.category,
        one.template + other.template,
        one.zone + other.zone,
        np.concatenate([one.cents, other.cents]),
        np.concatenate([one.weight, other.weight]),
        np.concatenate([one.popularity, other.popularity]),
        np.concatenate([one.reference, other.reference]),
        np.concatenate([one.own, other.own]),
    )


def _own_profile(profile: Profile, file: Path) -> Profile:
    """The profile with the file's templates in place of its own."""
    own = _read_templates(file)
    known = {category.name: category for category in profile.categories}
    taken_names = {t.name.casefold() for c in profile.categories for t in c.templates}
    taken_skus = {t.sku_prefix for c in profile.categories for t in c.templates}
    for template in own:
        _refuse_price(file, template)
        if template.name.casefold() in taken_names:
            raise ConfigError(f"{file}: name {template.name!r} is another template's; use your own")
        if template.sku_prefix in taken_skus:
            raise ConfigError(
                f"{file}: sku_prefix {template.sku_prefix!r} of {template.name!r} is another "
                "template's; use your own"
            )
        taken_names.add(template.name.casefold())
        taken_skus.add(template.sku_prefix)
    categories = []
    for name in dict.fromkeys(template.category for template in own):
        templates = tuple(
            Template(**{**t.model_dump(exclude={"category"}), "subcategory": ""})
            for t in own
            if t.category == name
        )
        zone = known[name].zone if name in known else _OTHER_ZONE
        categories.append(Category(name=name, zone=zone, templates=templates))
    departments = (Department(name="Own", categories=tuple(categories)),)
    return profile.model_copy(update={"departments": departments})


def _refuse_price(file: Path, template: OwnTemplate) -> None:
    """Raises ConfigError for a price that no product of the store may have."""
    least, most = 0.01, MOST_CENTS / 100
    for price in template.price:
        if not least <= price <= most:
            raise ConfigError(
                f"{file}: price {price:,} of {template.name!r} is not possible; allowed are "
                f"{least} to {most:,}"
            )


def _read_templates(file: Path) -> tuple[OwnTemplate, ...]:
    data = read_mapping(file, "templates")
    try:
        return OwnTemplates.model_validate_json(json.dumps(data), strict=True).templates
    except ValidationError as error:
        raise refuse(explain(error, OwnTemplates, data, lambda _: str(file))) from None
