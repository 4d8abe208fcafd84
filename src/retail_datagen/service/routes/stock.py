"""Stock: what is on hand, when it is gone, and how it came to be."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from retail_datagen.service import schemas as s
from retail_datagen.service.answers import answer
from retail_datagen.service.asking import Days, Limit, Until, wall_clock
from retail_datagen.service.core import Asked
from retail_datagen.service.paths import SKU
from retail_datagen.service.problems import Problem, documented
from retail_datagen.store.analytics.stock import (
    ProductStock,
    State,
    StockHistory,
    stock,
    stock_history,
)

router = APIRouter(prefix="/stock", tags=["stock"])


@router.get("", response_model=list[ProductStock])
def levels(
    service: Asked,
    days: Days = 30,
    limit: Limit = 100,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    state: State | None = None,
    category: Annotated[s.Category | None, Query()] = None,
) -> Response:
    """Products by how soon they are gone at the pace of the last days."""
    with service.reading() as connection:
        found = stock(connection, days, limit, offset, state, category)
    return answer(list[ProductStock], found)


@router.get(f"/{SKU}", response_model=StockHistory, responses=documented(404))
def history(
    service: Asked, sku: s.Sku, days: Days = 30, limit: Limit = 100, until: Until = None
) -> Response:
    """A product's stock now, and the last entries of its ledger."""
    with service.reading() as connection:
        found = stock_history(connection, sku, days, limit, wall_clock(until))
    if found is None:
        raise Problem(404, f"sku: there is no product {sku!r}", "sku")
    return answer(StockHistory, found)
