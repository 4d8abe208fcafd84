"""Products: what a profile's templates, brands and variants make, with prices and popularity.

A variant dimension in `GROWING` lists sizes in ascending order, and the price follows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import pyarrow as pa

from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I32, I64
from retail_datagen.core.rng import Stream
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world.product_lines import (
    Chosen,
    Line,
    choose,
    product_lines,
    product_names,
    shuffled,
    skus,
)

FIRST_ID = 1001
GROWING = ("pack", "weight", "capacity", "screen", "length", "width", "diameter", "resistance")
_EPOCH = date(1970, 1, 1)
_DEMAND = ("low", "medium", "high")
"""Demand classes; popularity counts them 1, 2 and 3."""
MOST_POPULAR = 1_000_000
_LEAST_POPULAR = 100
_NEW_IN_65536 = 3_277
"""Chance of a launch within the calendar: 5 %."""
_OLDEST_DAYS = 3_650
"""Products from before the calendar were launched at most this long before it."""
_MSRP_PPM = 150_000
"""The recommended price is at most this much above the price, in ppm."""

PRODUCTS = Table(
    name="products",
    doc="Products, grouped by category in the profile's order.",
    columns=(
        Column("ProductID", Kind.INT, "Identifier", example="1001"),
        Column("SKU", Kind.TEXT, "Stock keeping unit, unique", example="RUN-0042", unique=True),
        Column("ProductName", Kind.TEXT, "Name", example="Running Shoes - Pro Black 9"),
        Column("Department", Kind.CATEGORY, "Department", example="Footwear"),
        Column("Category", Kind.CATEGORY, "Category: one of the profile's", example="Footwear"),
        Column("Subcategory", Kind.CATEGORY, "Kind of product", example="Running Shoes"),
        Column("Brand", Kind.CATEGORY, "Brand", example="Stridewell Arc"),
        Column("SupplierID", Kind.INT, "Supplier", references="suppliers.SupplierID"),
        Column("Cost", Kind.MONEY, "What the retailer pays, at launch", example="55.40"),
        Column("MSRP", Kind.MONEY, "The maker's recommended price; at least Price"),
        Column("Price", Kind.MONEY, "Price at launch, before inflation and promotions"),
        Column("Refrigerated", Kind.FLAG, "Travels in refrigerated trucks only"),
        Column("Taxable", Kind.FLAG, "Sales tax applies"),
        Column("LaunchDate", Kind.DATE, "First day of sale"),
        Column("Pack", Kind.INT, "Units in a case; shipments come in cases", example="6"),
        Column("Demand", Kind.CATEGORY, "Demand class", words=_DEMAND, example="high"),
        Column(
            "Popularity",
            Kind.INT,
            "Relative odds within its category, 1,000,000 at most",
            example="83000",
        ),
    ),
    key=("ProductID",),
)


def build_products(
    profile: Profile,
    count: int,
    seed: int,
    supplier_count: int,
    calendar_first: date,
    calendar_last: date,
) -> pa.Table:
    """`count` products as a table of the schema `PRODUCTS`, identifiers from 1001.

    Suppliers are numbered 1 … `supplier_count`; one supplies all products of a template and brand.
    19 of 20 products, and the most popular of each category, were launched before
    `calendar_first`. Raises UserError when the profile describes fewer products than `count`,
    or has more categories.
    """
    lines = product_lines(profile)
    chosen = choose(profile, lines, count, seed)
    makers = [name for line in lines for name in line.brands]
    brands = np.array([len(line.brands) for line in lines], np.int64)
    maker = (np.cumsum(brands) - brands)[chosen.line] + chosen.brand
    price = _prices(lines, chosen, maker, len(makers), seed)
    cost, msrp = _cost_and_msrp(lines, chosen, price, seed)
    category = np.array([line.category for line in lines], np.int64)[chosen.line]
    rank = _ranks(category, seed)
    demand = np.array([_DEMAND.index(line.template.demand) for line in lines])[chosen.line]
    supplier = Stream(seed, "world.products.suppliers").below(len(makers), supplier_count)
    names = tuple(c.name for c in profile.categories)
    departments = tuple(d.name for d in profile.departments)
    department = np.array([line.department for line in lines], np.int64)[chosen.line]
    subcategories = [line.template.subcategory or line.template.name for line in lines]
    packs = np.array([line.template.pack for line in lines], np.int32)
    columns = {
        "ProductID": np.arange(FIRST_ID, FIRST_ID + count, dtype=np.int32),
        "SKU": skus(lines, chosen),
        "ProductName": product_names(lines, chosen),
        "Department": _labels(department, departments),
        "Category": _labels(category, names),
        "Subcategory": _labels(chosen.line, subcategories),
        "Brand": _labels(maker, makers),
        "SupplierID": (supplier[maker] + 1).astype(np.int32),
        "Cost": _money(cost),
        "MSRP": _money(msrp),
        "Price": _money(price),
        "Refrigerated": np.array([c.refrigerated for c in profile.categories])[category],
        "Taxable": np.array([c.taxable for c in profile.categories])[category],
        "LaunchDate": _launch_days(rank, calendar_first, calendar_last, seed).view("M8[D]"),
        "Pack": packs[chosen.line],
        "Demand": _labels(demand, _DEMAND),
        "Popularity": _popularity(rank, demand),
    }
    return pa.table([columns[name] for name in PRODUCTS.header], schema=PRODUCTS.arrow)


def _prices(lines: list[Line], chosen: Chosen, maker: I64, makers: int, seed: int) -> I64:
    """Cents within each template's range: by brand, by size where it has one, and by chance."""
    stream = Stream(seed, "world.products.prices")
    brand = stream.u16(makers).astype(np.int64)[maker]
    chance = stream.u16(len(maker)).astype(np.int64)
    size = np.full(len(maker), -1, np.int64)
    for row, line in enumerate(lines):
        rows = chosen.rows(row)
        for name, position in line.positions(chosen.combination[rows]).items():
            if name in GROWING:
                steps = max(len(line.template.variants[name]) - 1, 1)
                size[rows] = position * 65_535 // steps
    sized = (30 * brand + 50 * size + 20 * chance) // 100
    place = np.where(size >= 0, sized, (40 * brand + 60 * chance) // 100)
    low = _cents(line.template.price[0] for line in lines)[chosen.line]
    high = _cents(line.template.price[1] for line in lines)[chosen.line]
    return _retail(low + ((high - low) * place >> 16), low, high)


def _cents(dollars: Iterable[float]) -> I64:
    return np.array([round(value * 100) for value in dollars], np.int64)


def _retail(cents: I64, low: I64, high: I64) -> I64:
    """The nearby price that ends as shelf prices do: .x9, .49 or .99, .99, 9.99 as it grows."""
    step = np.select([cents < 500, cents < 5_000, cents < 20_000], [10, 50, 100], 1_000)
    price = cents // step * step + step - 1
    price = np.where(price > high, price - step, price)
    return np.where(price < low, cents, price)


def _cost_and_msrp(lines: list[Line], chosen: Chosen, price: I64, seed: int) -> tuple[I64, I64]:
    """(cost, recommended price) in cents; half of the products sell at the recommended price."""
    stream = Stream(seed, "world.products.costs")
    low = np.array([round(line.template.cost_ratio[0] * 1e6) for line in lines])[chosen.line]
    high = np.array([round(line.template.cost_ratio[1] * 1e6) for line in lines])[chosen.line]
    ratio = low + stream.below(len(price), high - low + 1)
    cost = np.clip((price * ratio + 500_000) // 1_000_000, 1, price)
    above = np.maximum(stream.below(len(price), 2 * _MSRP_PPM) - _MSRP_PPM, 0)
    msrp = (price + price * above // 1_000_000 + 1) // 10 * 10 - 1
    return cost, np.maximum(price, msrp)


def _ranks(category: I64, seed: int) -> I64:
    """Rank of popularity within the category, 1 the most popular, in random order."""
    rows = shuffled(category, "world.products.popularity", seed)
    first = np.searchsorted(category, category)
    ranks = np.empty(len(rows), np.int64)
    ranks[rows] = np.arange(len(rows)) - first + 1
    return ranks


def _popularity(rank: I64, demand: I64) -> I32:
    """A long tail: the weight falls with rank ** 0.75.

    Roots and quotients are exactly rounded on every CPU, which a power is not.
    """
    slope = np.sqrt(np.sqrt((rank**3).astype(np.float64)))
    weight = np.floor(MOST_POPULAR // len(_DEMAND) * (demand + 1) / slope)
    return np.maximum(weight, _LEAST_POPULAR).astype(np.int32)


def _launch_days(rank: I64, first: date, last: date, seed: int) -> I64:
    """Days since 1970-01-01."""
    stream = Stream(seed, "world.products.launches")
    opening = (first - _EPOCH).days
    before = opening - 1 - stream.below(len(rank), _OLDEST_DAYS)
    span = (last - first).days
    new = (stream.u16(len(rank)) < _NEW_IN_65536) & (rank > 1) & (span > 0)
    return np.where(new, opening + 1 + stream.below(len(rank), max(span, 1)), before)


def _money(cents: I64) -> pa.Array:
    return pa.Array.from_buffers(pa.decimal64(12, 2), len(cents), [None, pa.py_buffer(cents)])


def _labels(codes: I64, names: tuple[str, ...] | list[str]) -> pa.Array:
    """A dictionary column; equal names share one entry."""
    distinct = {name: code for code, name in enumerate(dict.fromkeys(names))}
    merged = np.array([distinct[name] for name in names], np.int32)[codes]
    return pa.DictionaryArray.from_arrays(pa.array(merged), pa.array(list(distinct)))
