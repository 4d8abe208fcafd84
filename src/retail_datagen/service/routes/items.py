"""Items: looked up, searched, added one by one and in bulk; their status and place changed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from retail_datagen.service import schemas as s
from retail_datagen.service.answers import answer
from retail_datagen.service.bulk import bulk_answer, item_rows, json_body, read_rows
from retail_datagen.service.core import Asked
from retail_datagen.service.live import stock_message
from retail_datagen.service.pages import links, read_cursor
from retail_datagen.service.paths import TAG
from retail_datagen.service.problems import Problem, documented
from retail_datagen.service.settings import DEFAULT_PAGE, MOST_PAGE
from retail_datagen.store.analytics.stock import stock_now
from retail_datagen.store.database.models import MANUAL, PRESENT, SOLD
from retail_datagen.store.ledger import Changed
from retail_datagen.store.listing import (
    Item,
    Reason,
    Status,
    Zone,
    find_item,
    list_items,
    list_zones,
)
from retail_datagen.store.rows import ItemRows, Outcome, item_errors

router = APIRouter(tags=["items"])
_PLACES = {"x_position", "y_position", "zone_id"}
_BULK = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": s.ItemsIn.model_json_schema()}},
    }
}


@router.get("/zones", response_model=list[Zone])
def zones(service: Asked) -> Response:
    """The floor: rectangles in centimetres."""
    with service.reading() as connection:
        return answer(list[Zone], list_zones(connection))


@router.get("/items", response_model=list[Item])
def page(
    service: Asked,
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MOST_PAGE)] = DEFAULT_PAGE,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
    status: Status | None = None,
    reason: Reason | None = None,
    sku: Annotated[s.Sku | None, Query()] = None,
    zone_id: Annotated[s.ZoneId | None, Query()] = None,
    search: Annotated[s.Search | None, Query()] = None,
) -> Response:
    """A page of items, whose `Link` header leads on; `search` looks into tag and EPC."""
    after = read_cursor(cursor)
    with service.reading() as connection:
        found = list_items(connection, limit, after, status, reason, sku, zone_id, search)
    more = found[-1].id if len(found) == limit else None
    return answer(list[Item], found, headers=links(request, more))


@router.post("/items", status_code=201, response_model=Item, responses=documented(409))
def add(service: Asked, item: s.ItemIn) -> Response:
    """Add an item, present from now on."""
    added = service.ledger.add_items(item_rows([item]))
    if added.errors:
        field, _, _ = added.errors[0].partition(":")
        raise Problem(422, added.errors[0], field)
    if added.outcome[0] != Outcome.CREATED:
        raise Problem(409, f"rfid_tag: there is an item {item.rfid_tag!r} already", "rfid_tag")
    return answer(Item, _find(service, item.rfid_tag), 201)


@router.post(
    "/items/bulk",
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
    """Add many items, present from now on; those whose tag is known stay as they are.

    A row that differs from what is there in product, EPC or place is a `conflict`.
    """
    numbers, rows, wrong = read_rows(body, "items", s.ItemIn)
    return bulk_answer(numbers, service.ledger.add_items(item_rows(rows)), wrong)


@router.get(f"/items/{TAG}", response_model=Item, responses=documented(404))
def find(service: Asked, rfid_tag: s.Tag) -> Response:
    """The item with a tag."""
    return answer(Item, _find(service, rfid_tag))


@router.patch(f"/items/{TAG}", response_model=Item, responses=documented(404, 409))
def change(service: Asked, rfid_tag: s.Tag, patch: s.ItemPatch) -> Response:
    """Change status and place. A change of status is a movement of stock, and told to `/ws/live`.

    Twice is as once: an item that is present, or left for that very reason, answers 200 as it is
    and nothing moves; one that left for another reason answers 409.
    """
    item = _find(service, rfid_tag)
    given = patch.model_dump(include=_PLACES & patch.model_fields_set)
    if given:
        place = item_rows([_placed(item).model_copy(update=given)])
        _check_place(service, place)
    _set_status(service, item, patch)
    if given:
        service.ledger.place([item.id], place.x, place.y, place.zone_id)
    return answer(Item, _find(service, rfid_tag))


def _placed(item: Item) -> s.ItemIn:
    return s.ItemIn.model_construct(
        rfid_tag=item.rfid_tag,
        sku=item.sku,
        epc=item.epc,
        x_position=item.x_position,
        y_position=item.y_position,
        zone_id=item.zone_id,
    )


def _set_status(service: Asked, item: Item, patch: s.ItemPatch) -> None:
    if patch.status is None:
        return
    if patch.status == item.status:
        if patch.status != PRESENT and patch.reason != item.reason:
            raise Problem(409, f"reason: the item is {item.reason} already", "reason")
        return
    reason: str = patch.reason or "found"
    if patch.status == PRESENT:
        changed, change = service.ledger.bring_back([item.id], reason=reason), 1
    elif reason == SOLD:
        changed, change = service.ledger.sell([item.id], source=MANUAL), -1
    else:
        changed, change = service.ledger.lose([item.id], reason=reason), -1
    _tell(service, changed, reason, change)


def _tell(service: Asked, changed: Changed, reason: str, change: int) -> None:
    if len(changed.refused):
        raise Problem(409, "status: somebody else changed this item meanwhile", "status")
    with service.reading() as connection:
        on_hand = stock_now(connection, changed.products.tolist())
    at = datetime.now().isoformat(timespec="milliseconds")
    products = changed.products.tolist()
    message = stock_message(at, reason, products, [change] * len(products), on_hand)
    service.hub.publish("stock", message)


def _check_place(service: Asked, place: ItemRows) -> None:
    with service.reading() as connection:
        zones = list_zones(connection)
    wrong = item_errors(place, {z.id: (z.x0, z.y0, z.x1, z.y1) for z in zones})
    if wrong:
        field, _, _ = wrong[0].partition(":")
        raise Problem(422, wrong[0], field)


def _find(service: Asked, rfid_tag: str) -> Item:
    with service.reading() as connection:
        found = find_item(connection, rfid_tag)
    if found is None:
        raise Problem(404, f"rfid_tag: there is no item {rfid_tag!r}", "rfid_tag")
    return found
