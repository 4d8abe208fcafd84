"""Whether the service is well, and what Prometheus asks."""

from __future__ import annotations

from fastapi import APIRouter, Response

from retail_datagen.core.version import program_version
from retail_datagen.service.answers import answer
from retail_datagen.service.core import Asked
from retail_datagen.service.metrics import CONTENT_TYPE
from retail_datagen.service.schemas import Health
from retail_datagen.store.listing import answers

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


@router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
def metrics(service: Asked) -> Response:
    """Counters and gauges for Prometheus."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE)
