"""Whether the service is well, what its store was filled with, and what Prometheus asks."""

from __future__ import annotations

from fastapi import APIRouter, Response

from retail_datagen.config.errors import UserError
from retail_datagen.core.version import program_version
from retail_datagen.service.answers import answer
from retail_datagen.service.core import Asked
from retail_datagen.service.metrics import CONTENT_TYPE
from retail_datagen.service.problems import documented, of_user_error
from retail_datagen.service.schemas import Health, Origin, OriginIn
from retail_datagen.store.listing import answers
from retail_datagen.store.origin import claim_origin, held_store

router = APIRouter(tags=["system"])


@router.get("/healthz", response_model=Health)
def healthz(service: Asked) -> Response:
    """200 while the store's database answers. Needs no key."""
    with service.reading() as connection:
        answers(connection)
    state = service.desk.status()
    health = Health(
        status="ok",
        version=program_version(),
        database="ok",
        simulation="idle" if state is None else state.state,
    )
    return answer(Health, health)


@router.get("/origin", response_model=Origin)
def origin(service: Asked) -> Response:
    """Which store of a retailer this one was filled with."""
    with service.reading() as connection:
        return answer(Origin, Origin(store=held_store(connection)))


@router.put("/origin", response_model=Origin, responses=documented(409))
def claim(service: Asked, wanted: OriginIn) -> Response:
    """Say what this store is to be filled with, before its products and items are added.

    409 where it is another store of a retailer, or is one and templates are to come.
    """
    try:
        claim_origin(service.engine, wanted.store)
    except UserError as error:
        raise of_user_error(error, 409) from None
    return answer(Origin, Origin(store=wanted.store))


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(service: Asked) -> Response:
    """Counters and gauges for Prometheus."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE)
