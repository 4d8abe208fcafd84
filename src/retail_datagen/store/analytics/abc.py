"""ABC: the few products that make most of the revenue, and the many that make the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Float, Subquery, cast, func, select

from retail_datagen.store.analytics.window import amount, share, sold, window
from retail_datagen.store.database import models as m

_products, _levels = m.products.c, m.stock_levels.c

Grade = Literal["A", "B", "C"]
GRADES: tuple[Grade, ...] = ("A", "B", "C")
A_SHARE, B_SHARE = 0.80, 0.95


@dataclass(frozen=True, slots=True)
class GradeSummary:
    """All products of a grade: how many, their sales and their stock at today's prices."""

    grade: Grade
    products: int
    product_share: float
    units: int
    revenue: float
    revenue_share: float
    stock_value: float


@dataclass(frozen=True, slots=True)
class GradedProduct:
    """A product's grade; `cumulative_share` is of the revenue of all up to and with it."""

    rank: int
    sku: str
    name: str
    category: str
    units: int
    revenue: float
    cumulative_share: float
    grade: Grade


@dataclass(frozen=True, slots=True)
class Abc:
    """Grades of all products, and the first of them by revenue."""

    grades: list[GradeSummary]
    products: list[GradedProduct]


def abc_analysis(
    connection: Connection, days: int, limit: int, until: datetime | None = None
) -> Abc:
    """A product is A while those before it make less than 80 % of the revenue, B to 95 %."""
    rows = _by_revenue(connection, sold(window(connection, days, until)))
    summed = {grade: [0.0, 0.0, 0.0, 0.0] for grade in GRADES}
    graded = []
    whole = float(rows[0].whole or 0) if rows else 0.0
    for rank, row in enumerate(rows, start=1):
        sku, name, category, units, made, cumulated, _, value = row
        grade = _grade(share(cumulated - made, whole), made)
        of_grade = summed[grade]
        of_grade[0] += 1
        of_grade[1] += units
        of_grade[2] += made
        of_grade[3] += value or 0.0
        if rank <= limit:
            part = share(cumulated, whole)
            graded.append(
                GradedProduct(rank, sku, name, category, units, amount(made), part, grade)
            )
    summaries = [
        GradeSummary(
            grade,
            int(products),
            share(products, len(rows)),
            int(units),
            amount(made),
            share(made, whole),
            amount(value),
        )
        for grade, (products, units, made, value) in summed.items()
    ]
    return Abc(summaries, graded)


def _by_revenue(connection: Connection, bought: Subquery) -> Sequence[Any]:
    """All products, those of the most revenue first, and what it sums up to."""
    # Floats: of some thousand products, decimals would take longer than all the rest.
    revenue = cast(func.coalesce(bought.c.revenue, 0), Float)
    order = (revenue.desc(), _products.sku)
    return connection.execute(
        select(
            _products.sku,
            _products.name,
            func.coalesce(_products.category, "").label("category"),
            func.coalesce(bought.c.units, 0).label("units"),
            revenue.label("revenue"),
            func.sum(revenue).over(order_by=order, rows=(None, 0)).label("cumulated"),
            func.sum(revenue).over().label("whole"),
            cast(_products.unit_price * func.coalesce(_levels.on_hand, 0), Float).label("value"),
        )
        .select_from(m.products)
        .outerjoin(bought, bought.c.product_id == _products.id)
        .outerjoin(m.stock_levels, _levels.product_id == _products.id)
        .order_by(*order)
    ).all()


def _grade(before: float, revenue: float) -> Grade:
    if not revenue or before >= B_SHARE:
        return "C"
    return "A" if before < A_SHARE else "B"
