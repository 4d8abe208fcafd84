"""What a lake job is asked to do, and whether it can be done at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date
from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.request import JobRequest, check_request
from retail_datagen.engine.source import Plan, Retailer, Source
from retail_datagen.lake.catalog import Details
from retail_datagen.lake.dimensions import Dimension
from retail_datagen.lake.hooks import Hook
from retail_datagen.lake.publish import Pace, Retries
from retail_datagen.lake.state import CHECKPOINT, ID_STATE, IdState
from retail_datagen.partitions.layout import CATALOG

CHUNK_DAYS = 30
TARGET_MB = 96.0
_LEAST_MB = 1 / 16

Dimensions = Callable[[Retailer], Iterable[Dimension]]
LateDimensions = Callable[[Retailer, JobStore, int], Iterable[Dimension]]
"""(retailer, what its job remembers, first day of the history) -> tables."""


@dataclass(frozen=True, slots=True)
class LakeRequest:
    """What to bring to a lake. Days count from 1970-01-01 and both ends are included.

    `url` has the prefix in it; `artifacts` is where this machine remembers the job, `staging`
    where partitions wait for their upload. `dimensions` are written before the facts and `late`
    ones after them. `ids_after` reads the last numbers from the plan of a day. `details` stand in
    the catalog. No `tables` means all, no `workers` one for each core, `task_days` what a worker
    takes at once.
    """

    source: Source
    url: str
    first_day: int
    last_day: int
    artifacts: Path
    staging: Path
    endpoint_url: str | None = None
    tables: tuple[str, ...] = ()
    history_start: int | None = None
    details: Details = field(default_factory=Details)
    dimensions: Dimensions | None = None
    late: LateDimensions | None = None
    ids_after: Callable[[Plan], IdState] | None = None
    id_state_file: Path | None = None
    checkpoint_file: Path | None = None
    hooks: tuple[Hook, ...] = ()
    chunk_days: int = CHUNK_DAYS
    target_mb: float = TARGET_MB
    workers: int = 0
    task_days: int = 1
    keep_staging: bool = False
    keep_csv: bool = False
    overwrite: bool = False
    retries: Retries = field(default_factory=Retries)
    pace: Pace = field(default_factory=Pace)

    @property
    def target_bytes(self) -> int:
        return int(self.target_mb * 2**20)

    @property
    def id_state_path(self) -> Path:
        return self.id_state_file or self.artifacts / ID_STATE

    @property
    def checkpoint_path(self) -> Path:
        return self.checkpoint_file or self.artifacts / CHECKPOINT

    def engine_request(self, target: str) -> JobRequest:
        """The one engine job that makes all of it, into `target`."""
        return JobRequest(
            self.source,
            target,
            self.artifacts,
            self.first_day,
            self.last_day,
            self.tables,
            workers=self.workers,
            chunk_days=self.task_days,
        )


def check_lake_request(request: LakeRequest) -> tuple[str, ...]:
    """The tables of facts that are asked for. Raises UserError for what cannot be done."""
    if request.chunk_days < 1:
        raise UserError(f"chunk-size: {request.chunk_days} is not allowed; give 1 day or more")
    if request.target_mb < _LEAST_MB:
        raise UserError(
            f"target-size-mb: {request.target_mb:g} is not allowed; give {_LEAST_MB:g} or more"
        )
    if request.retries.attempts < 1:
        raise UserError(
            f"attempts: {request.retries.attempts} is not allowed; give 1 or more (1: no retry)"
        )
    if local_folder(request.url) in (request.staging.resolve(), request.artifacts.resolve()):
        raise UserError(
            f"{request.url}: the lake needs a folder of its own, apart from what is staged "
            f"({request.staging}) and remembered ({request.artifacts}); choose another TARGET_ROOT"
        )
    if (request.staging / CATALOG).exists():
        raise UserError(
            f"target-root: {request.staging} is a lake itself, so what waits there on its way to "
            f"{request.url} would replace it; choose another folder with --target-root "
            "(TARGET_ROOT)"
        )
    return check_request(request.engine_request(request.url))


def first_of_history(request: LakeRequest, recorded: int | None) -> int:
    """The first day of the lake's history: the recorded one, else what is asked for.

    Raises UserError when what is wanted lies before the recorded one.
    """
    wanted = request.history_start
    wanted = request.first_day if wanted is None else min(wanted, request.first_day)
    if recorded is None:
        return wanted
    if wanted < recorded:
        raise UserError(
            f"start: the history in {request.url} begins on {to_date(recorded)}, so "
            f"{to_date(wanted)} cannot be added to it; choose a later day or another prefix, or "
            "start anew with --overwrite"
        )
    return recorded


def local_folder(url: str) -> Path | None:
    """The folder that a URL means, from the root; None for one that is elsewhere."""
    if "://" in url and not url.startswith("file:"):
        return None
    return Path(url.removeprefix("file:").removeprefix("//")).resolve()
