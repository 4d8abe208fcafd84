"""Products: looked up, searched, added one by one and in bulk."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from retail_datagen.service import schemas as s
from retail_datagen.service.answers import answer
from retail_datagen.service.bulk import bulk_answer, json_body, product_rows, read_rows
from retail_datagen.service.core import Asked
from retail_datagen.service.pages import links, read_cursor
from retail_datagen.service.paths import SKU
from retail_datagen.service.problems import Problem, documented
from retail_datagen.service.settings import DEFAULT_PAGE, MOST_PAGE
from retail_datagen.store.listing import Product, find_product, list_products
from retail_datagen.store.rows import Outcome

router = APIRouter(prefix="/products", tags=["products"])
_BULK = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": s.ProductsIn.model_json_schema()}},
    }
}


@router.get("", response_model=list[Product])
def list_all(
    service: Asked,
    request: Request,
    limit: Annotated[int | None, Query(ge=1, le=MOST_PAGE)] = None,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    category: Annotated[s.Category | None, Query()] = None,
    search: Annotated[s.Search | None, Query()] = None,
) -> Response:
    """All products; with a limit or a cursor a page of them, whose `Link` header leads on."""
    paged = limit is not None or cursor is not None
    most = (limit or DEFAULT_PAGE) if paged else None
    after = read_cursor(cursor)
    with service.reading() as connection:
        found = list_products(connection, most, after, category, search)
    more = found[-1].id if most is not None and len(found) == most else None
    return answer(list[Product], found, headers=links(request, more))


@router.post("", status_code=201, response_model=Product, responses=documented(409))
def add(service: Asked, product: s.ProductIn) -> Response:
    """Add a product."""
    added = service.ledger.add_products(product_rows([product]))
    if added.errors:
        field, _, _ = added.errors[0].partition(":")
        raise Problem(422, added.errors[0], field)
    if added.outcome[0] != Outcome.CREATED:
        raise Problem(409, f"sku: there is a product {product.sku!r} already", "sku")
    return answer(Product, _find(service, product.sku), 201)


@router.post(
    "/bulk",
    status_code=201,
    response_model=s.BulkResult,
    responses={
        200: {"model": s.BulkResult, "description": "None is lost; some were there just so"},
        207: {
            "model": s.BulkResult,
            "description": "Some were not added: they are wrong, or there with other values",
        },
        **documented(415),
    },
    openapi_extra=_BULK,
)
def add_many(service: Asked, body: Annotated[bytes, Depends(json_body)]) -> Response:
    """Add many products; those whose SKU is known stay as they are.

    A row that differs from what is there is a `conflict`.
    """
    numbers, rows, wrong = read_rows(body, "products", s.ProductIn)
    return bulk_answer(numbers, service.ledger.add_products(product_rows(rows)), wrong)


@router.get(f"/{SKU}", response_model=Product, responses=documented(404))
def find(service: Asked, sku: s.Sku) -> Response:
    """The product of a SKU."""
    return answer(Product, _find(service, sku))


def _find(service: Asked, sku: str) -> Product:
    with service.reading() as connection:
        found = find_product(connection, sku)
    if found is None:
        raise Problem(404, f"sku: there is no product {sku!r}", "sku")
    return found
