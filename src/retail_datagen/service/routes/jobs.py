"""Jobs: how they are doing, and ending them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from retail_datagen.service.answers import answer
from retail_datagen.service.asking import Limit
from retail_datagen.service.core import Asked
from retail_datagen.service.problems import Problem, documented
from retail_datagen.store.joblog import JobRecord

router = APIRouter(prefix="/jobs", tags=["jobs"])
JobId = Annotated[str, Path(pattern=r"^[0-9a-f-]{1,36}$")]


@router.get("", response_model=list[JobRecord])
def recent(service: Asked, limit: Limit = 20) -> Response:
    """The latest jobs, the newest first."""
    return answer(list[JobRecord], service.jobs.recent(limit))


@router.get("/{job}", response_model=JobRecord, responses=documented(404))
def find(service: Asked, job: JobId) -> Response:
    """A job and its progress."""
    return _answer(job, service.jobs.find(job))


@router.post("/{job}/cancel", response_model=JobRecord, responses=documented(404, 409))
def cancel(service: Asked, job: JobId) -> Response:
    """Ask a job to end; nothing of it is written then. One that has ended stays as it is.

    A job of another server of this store answers 409.
    """
    return _answer(job, service.jobs.cancel(job))


def _answer(job: str, record: JobRecord | None) -> Response:
    if record is None:
        raise Problem(404, f"job: there is no job {job!r}", "job")
    return answer(JobRecord, record)
