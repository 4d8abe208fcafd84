"""The live simulation: started, stopped, changed, looked at."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Body, Query, Response

from retail_datagen.service import schemas as s
from retail_datagen.service.answers import answer
from retail_datagen.service.core import Asked
from retail_datagen.service.problems import documented
from retail_datagen.store.live import Status
from retail_datagen.store.simulation.clock import wall
from retail_datagen.store.simulation.settings import Settings

router = APIRouter(prefix="/simulation", tags=["simulation"])


@router.post("/start", response_model=s.SimulationStatus, responses=documented(409, 429))
def start(service: Asked, wanted: Annotated[s.SimulationStart | None, Body()] = None) -> Response:
    """Start the simulation. One at a time: 409 says who has it."""
    settings = Settings(**(wanted or s.SimulationStart()).model_dump())
    service.starts.take()
    return _answer(service, service.desk.start(settings))


@router.post("/stop", response_model=s.SimulationStatus)
def stop(service: Asked) -> Response:
    """Stop the simulation of this service; doing it twice is allowed."""
    return _answer(service, service.desk.stop())


@router.get("/status", response_model=s.SimulationStatus)
def status(service: Asked) -> Response:
    """How it is doing, or how the last one ended."""
    return _answer(service, service.desk.status())


@router.get("/params", response_model=s.SimulationParams)
def params(service: Asked) -> Response:
    """What it goes by."""
    return _params(service.desk.settings())


@router.patch("/params", response_model=s.SimulationParams, responses=documented(409))
def change(service: Asked, wanted: s.SimulationChange) -> Response:
    """Go on with other settings from the next step on."""
    return _params(service.desk.change(**wanted.model_dump()))


@router.get("/logs", response_model=s.SimulationLog)
def logs(
    service: Asked,
    after: Annotated[int, Query(ge=0, le=2**53, description="Lines after this number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """The last lines of its log, oldest first."""
    lines = [
        s.LogEntry(number=line.number, at=wall(line.at), text=line.text)
        for line in service.desk.log(after, limit)
    ]
    return answer(s.SimulationLog, s.SimulationLog(lines=lines))


def _params(settings: Settings) -> Response:
    return answer(s.SimulationParams, s.SimulationParams(**asdict(settings)))


def _answer(service: Asked, found: Status | None) -> Response:
    elsewhere = service.desk.elsewhere()
    if found is None:
        idle = s.SimulationStatus(state="idle", elsewhere=elsewhere)
        return answer(s.SimulationStatus, idle)
    tally = found.tally
    told = s.SimulationStatus.model_validate(
        {
            "state": found.state,
            "elsewhere": elsewhere,
            "error": found.error or None,
            "params": asdict(found.settings),
            "started_at": found.started.astimezone().replace(tzinfo=None),
            "began": wall(found.began),
            "clock": wall(found.now),
            "times_real": round(found.times_real, 3),
            "shoppers": found.shoppers,
            "employees": found.employees,
            "products": found.products,
            "items_present": found.items_present,
            "items_missing": found.items_missing,
            "counts": {
                "visitors": found.visitors,
                "turned_away": found.turned_away,
                "baskets": tally.baskets,
                "sold": tally.sold,
                "revenue": tally.revenue / 100,
                "stolen": tally.stolen,
                "restocked": tally.restocked,
                "refused": tally.refused,
                "detections": tally.detections,
                "snapshots": tally.snapshots,
            },
        }
    )
    return answer(s.SimulationStatus, told)
