"""Product lines: how a profile's templates, brands and variants combine into products.

A template whose `name_format` names `{brand}` (the default does) sells every variant under every
brand; one that does not sells each variant once, under one of its brands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from string import Formatter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.config.errors import UserError
from retail_datagen.config.profile import Profile, Template
from retail_datagen.core.arrays import I64
from retail_datagen.core.rng import Stream, integer_weights, slots


@dataclass(frozen=True, slots=True)
class Line:
    """A template in its place: its brands and variants span its combinations.

    A combination is a number in mixed radix: brand (if brands multiply) first, then the variant
    dimensions in their order, the last one fastest. `first_number` begins its SKU numbers.
    """

    template: Template
    department: int
    category: int
    brands: tuple[str, ...]
    multiplied: bool
    radix: tuple[int, ...]
    first_number: int

    @property
    def size(self) -> int:
        """The number of combinations."""
        return math.prod(self.radix)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The name of each radix."""
        return (("brand",) if self.multiplied else ()) + tuple(self.template.variants)

    def positions(self, combination: I64) -> dict[str, I64]:
        """Where combinations stand in each dimension."""
        found: dict[str, I64] = {}
        for name, base in zip(reversed(self.dimensions), reversed(self.radix), strict=True):
            found[name] = combination % base
            combination = combination // base
        return found


@dataclass(frozen=True, slots=True)
class Chosen:
    """Products by line, combination and brand (a position in the line's): [products].

    Products follow the order of lines; those of line i are the rows bounds[i] to bounds[i + 1].
    """

    line: I64
    combination: I64
    brand: I64
    bounds: I64

    def rows(self, line: int) -> slice:
        """The products of a line."""
        return slice(int(self.bounds[line]), int(self.bounds[line + 1]))


def product_lines(profile: Profile) -> list[Line]:
    """The profile's templates in their order. Raises UserError for a wrong `name_format`."""
    lines: list[Line] = []
    used: dict[str, int] = {}
    category = -1
    for number, department in enumerate(profile.departments):
        for entry in department.categories:
            category += 1
            for template in entry.templates:
                multiplied = "brand" in _fields(template) and bool(template.brands)
                brands = template.brands or ("Unbranded",)
                radix = tuple(len(values) for values in template.variants.values())
                radix = ((len(brands),) if multiplied else ()) + radix
                first = used.get(template.sku_prefix, 0) + 1
                line = Line(template, number, category, brands, multiplied, radix, first)
                used[template.sku_prefix] = first - 1 + line.size
                lines.append(line)
    return lines


def _format(template: Template) -> str:
    if template.name_format:
        return template.name_format
    brand = ["{brand}"] if template.brands else []
    return " ".join([*brand, "{template}", *(f"{{{name}}}" for name in template.variants)])


def _fields(template: Template) -> set[str]:
    """The names in braces of a name format. Raises UserError for one that means nothing."""
    allowed = {"template", "brand", *template.variants}
    try:
        parsed = list(Formatter().parse(_format(template)))
    except ValueError as error:
        raise UserError(
            f"profile, template {template.name!r}: name_format {template.name_format!r} cannot be "
            f"read ({error}); write names in braces, such as {{template}}"
        ) from None
    fields = {field for _, field, _, _ in parsed if field is not None}
    for field in sorted(fields - allowed):
        raise UserError(
            f"profile, template {template.name!r}: name_format names {{{field}}}; allowed are "
            f"{', '.join('{' + name + '}' for name in sorted(allowed))}"
        )
    return fields


def choose(profile: Profile, lines: list[Line], count: int, seed: int) -> Chosen:
    """`count` different combinations: by category's weight, then evenly over its templates."""
    sizes = np.array([line.size for line in lines], np.int64)
    _check(profile, count, int(sizes.sum()))
    category = np.array([line.category for line in lines])
    first = np.searchsorted(category, np.arange(len(profile.categories) + 1))
    room = np.add.reduceat(sizes, first[:-1])
    quotas = _allot(count, integer_weights([c.products for c in profile.categories]), room)
    takes = np.concatenate(
        [
            _allot(int(quota), np.ones(end - start, np.int64), sizes[start:end])
            for quota, start, end in zip(quotas, first[:-1], first[1:], strict=True)
        ]
    )
    line = np.repeat(np.arange(len(lines)), sizes)
    starts = np.cumsum(sizes) - sizes
    order = shuffled(line, "world.products.choice", seed)
    kept = np.sort(order[np.arange(len(line)) - starts[line] < takes[line]])
    line, combination = line[kept], kept - starts[line[kept]]
    bounds = np.concatenate([[0], np.cumsum(takes)])
    return Chosen(line, combination, _brands(lines, line, combination, seed), bounds)


def _brands(lines: list[Line], line: I64, combination: I64, seed: int) -> I64:
    brands = np.array([len(entry.brands) for entry in lines], np.int64)
    outer = np.array([entry.size // len(entry.brands) for entry in lines], np.int64)
    multiplied = np.array([entry.multiplied for entry in lines])
    drawn = Stream(seed, "world.products.brands").below(len(line), brands[line])
    return np.where(multiplied[line], combination // np.maximum(outer[line], 1), drawn)


def _check(profile: Profile, count: int, available: int) -> None:
    if count > available:
        raise UserError(
            f"volume.products is {count}, but profile {profile.name} describes {available} "
            f"products; ask for {available} or fewer, or add templates, brands or variants"
        )
    if count < len(profile.categories):
        raise UserError(
            f"volume.products is {count}, but profile {profile.name} has "
            f"{len(profile.categories)} categories and each needs a product; ask for "
            f"{len(profile.categories)} or more, or use a profile with fewer categories"
        )


def _allot(total: int, weights: I64, room: I64) -> I64:
    """`total` shared by weight, at most `room` each, and at least 1 each if there is enough."""
    given = np.minimum(room, 1) if total >= len(room) else np.zeros_like(room)
    while (rest := total - int(given.sum())) > 0:
        wanted = np.where(given < room, weights, 0)
        if not wanted.any():
            wanted = (given < room).astype(np.int64)
        given = given + np.minimum(slots(wanted, rest), room - given)
    return given


def shuffled(group: I64, name: str, seed: int) -> I64:
    """Row numbers, in random order within each group of equal (ascending) `group`."""
    rows = np.arange(len(group), dtype=np.uint64)
    chance = Stream(seed, name).u64(len(group)) >> np.uint64(40) << np.uint64(24)
    keys = (group.astype(np.uint64) << np.uint64(48)) | chance | rows
    keys.sort()
    return (keys & np.uint64((1 << 24) - 1)).astype(np.int64)


def product_names(lines: list[Line], chosen: Chosen) -> pa.Array:
    """Names by each template's format."""
    return pa.concat_arrays(
        [
            _names(line, chosen.combination[chosen.rows(row)], chosen.brand[chosen.rows(row)])
            for row, line in enumerate(lines)
        ]
    )


def _names(line: Line, combination: I64, brand: I64) -> pa.Array:
    positions = line.positions(combination) | {"brand": brand}
    values = {**line.template.variants, "brand": line.brands}
    parts: list[object] = [pa.nulls(len(brand), pa.string()).fill_null("")]
    for literal, field, _, _ in Formatter().parse(_format(line.template)):
        parts.append(literal)
        if field == "template":
            parts.append(line.template.name)
        elif field is not None:
            parts.append(pa.array(values[field]).take(pa.array(positions[field])))
    return pc.binary_join_element_wise(*parts, "")


def skus(lines: list[Line], chosen: Chosen) -> pa.Array:
    """Prefix and number of the combination, so a product keeps its SKU in every assortment."""
    first = np.array([line.first_number for line in lines], np.int64)
    number = pa.array(first[chosen.line] + chosen.combination).cast(pa.string())
    prefix = pa.array([line.template.sku_prefix for line in lines]).take(pa.array(chosen.line))
    return pc.binary_join_element_wise(prefix, pc.utf8_lpad(number, 4, "0"), "-")
