"""Brands and products of one's own: dictionaries that replace what a profile sells."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from retail_datagen.config.errors import UserError
from retail_datagen.config.profile import Category, Profile, Template
from retail_datagen.world import words
from retail_datagen.world.errors import some

BRANDS = "brands.csv"
PRODUCTS = "products.csv"
ALLOWED = (words.FIRST_NAMES, words.LAST_NAMES, words.STREETS, words.GEOGRAPHIES, BRANDS, PRODUCTS)
_DEAREST = 1_000_000
"""Highest price, in the currency's units: sums of many lines must stay exact."""
_COSTS = ("CostLow", "CostHigh")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a dictionary: its values by column, and where it stands."""

    where: str
    values: dict[str, str]

    def text(self, column: str) -> str:
        """A value that must be there."""
        return self.values[column] or self.fail(column, "a text")

    def one_of(self, column: str, names: Collection[str]) -> str:
        """One of the names."""
        value = self.values[column]
        return value if value in names else self.fail(column, some(names))

    def amount(self, column: str, low: float, high: float) -> float:
        """A number of `low` to `high`."""
        try:
            value = float(self.values[column])
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            self.fail(column, f"a number from {low:.2f} to {high:.2f}")
        return value

    def fail(self, column: str, allowed: str) -> str:
        """Raises UserError: this column's value is not allowed."""
        raise UserError(
            f"{self.where}, column {column}: {self.values[column]!r} is not allowed; "
            f"allowed: {allowed}"
        )


def check_dictionaries(folder: Path) -> None:
    """Raises UserError for a CSV file that is no dictionary, which nothing would ever read."""
    for file in sorted(folder.glob("*")):
        if file.suffix.lower() == ".csv" and file.name not in ALLOWED:
            raise UserError(
                f"{file}: is no dictionary; allowed are {', '.join(ALLOWED)}; rename it or move "
                "it elsewhere"
            )


def with_own_products(profile: Profile, folder: Path) -> Profile:
    """The profile with the brands and products that the folder has for its categories.

    Raises UserError for a file that cannot be used.
    """
    names = [category.name for category in profile.categories]
    brands = _brands(folder / BRANDS, names)
    products = _products(folder / PRODUCTS, names)
    if not brands and not products:
        return profile
    departments = tuple(
        department.model_copy(
            update={
                "categories": tuple(
                    _category(category, brands.get(category.name), products.get(category.name))
                    for category in department.categories
                )
            }
        )
        for department in profile.departments
    )
    return profile.model_copy(update={"departments": departments})


def _category(
    category: Category, brands: list[str] | None, products: list[_Row] | None
) -> Category:
    templates = category.templates
    if products:
        usual = dict.fromkeys(brand for template in templates for brand in template.brands)
        prefix = templates[0].sku_prefix
        templates = tuple(_template(row, tuple(usual), prefix) for row in products)
    if brands:
        own = {"brands": tuple(brands)}
        templates = tuple(template.model_copy(update=own) for template in templates)
    return category.model_copy(update={"templates": templates})


def _brands(file: Path, categories: Collection[str]) -> dict[str, list[str]]:
    """Brands by category."""
    found: dict[str, list[str]] = {}
    for row in _rows(file, ("Category", "Brand")):
        brands = found.setdefault(row.one_of("Category", categories), [])
        if row.text("Brand") in brands:
            row.fail("Brand", "each brand once in a category")
        brands.append(row.text("Brand"))
    return found


def _products(file: Path, categories: Collection[str]) -> dict[str, list[_Row]]:
    """Checked rows of products by category."""
    found: dict[str, list[_Row]] = {}
    needed = ("Category", "Product", "PriceLow", "PriceHigh")
    for row in _rows(file, needed, ("SkuPrefix", *_COSTS)):
        others = found.setdefault(row.one_of("Category", categories), [])
        if row.text("Product") in [other.text("Product") for other in others]:
            row.fail("Product", "each product once in a category")
        _template(row, (), "AA")
        others.append(row)
    return found


def _template(row: _Row, brands: tuple[str, ...], prefix: str) -> Template:
    """The template that a row describes, with `prefix` where it names none."""
    given = row.values["SkuPrefix"]
    if given and not re.fullmatch("[A-Z]{2,4}", given):
        row.fail("SkuPrefix", "two to four letters A to Z, or nothing")
    low = row.amount("PriceLow", 0.01, _DEAREST)
    high = row.amount("PriceHigh", low, _DEAREST)
    usual = Template(
        name=row.text("Product"), sku_prefix=given or prefix, price=(low, high), brands=brands
    )
    if not any(row.values[column] for column in _COSTS):
        return usual
    least = row.amount("CostLow", 0.01, low - 0.01)
    most = row.amount("CostHigh", least, high - 0.01)
    ratios = sorted((least / low, most / high))
    return usual.model_copy(update={"cost_ratio": tuple(ratios)})


def _rows(file: Path, needed: tuple[str, ...], optional: tuple[str, ...] = ()) -> list[_Row]:
    """The rows of a file; none if there is no such file. Absent optional values are empty."""
    if not file.is_file():
        return []
    columns = (*needed, *optional)
    try:
        lines = csv.reader(io.StringIO(file.read_text("utf-8-sig"), newline=""), strict=True)
        header = next(lines, [])
        numbered = [(lines.line_num, line) for line in lines if line]
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{file}: cannot be read ({error}); allowed are UTF-8 CSV files") from None
    wrong = [name for name in header if name not in columns or header.count(name) > 1]
    missing = [name for name in needed if name not in header]
    if wrong or missing:
        more = f"; optional: {', '.join(optional)}" if optional else ""
        problem = f"{wrong[0]}: is not allowed" if wrong else f"{missing[0]}: is missing"
        raise UserError(
            f"{file}, line 1, column {problem}; allowed: {', '.join(needed)}, each once{more}"
        )
    if not numbered:
        raise UserError(f"{file}: has no rows; at least one is needed")
    rows = []
    for number, line in numbered:
        where = f"{file}, line {number}"
        if len(line) != len(header):
            raise UserError(f"{where}: has {len(line)} values; allowed: {len(header)}, as line 1")
        values = dict.fromkeys(columns, "") | {
            name: value.strip() for name, value in zip(header, line, strict=True)
        }
        rows.append(_Row(where, values))
    return rows
