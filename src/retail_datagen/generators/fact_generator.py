"""Historical facts by the published object API: a generator, a range of days, a summary.

    config = RetailConfig.from_file("config.json")
    generator = FactDataGenerator(config)
    summary = generator.generate_historical_data(datetime(2024, 1, 1), datetime(2024, 1, 30))
    print(f"Generated {summary.total_records} records in {summary.generation_time_seconds:.1f}s")

The work is the engine's job: what a run finds finished is kept, and what was interrupted goes on.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.engine.events import (
    DayPlanned,
    Event,
    JobFinished,
    JobStarted,
    JobSummary,
    PartitionKept,
    PartitionLost,
    PartitionWritten,
)
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.retail import RetailSource
from retail_datagen.generators.business_rules import BusinessRulesEngine
from retail_datagen.retailer import Config, Date, as_config, as_date
from retail_datagen.world.model import World
from retail_datagen.world.read import ensure_world

logger = logging.getLogger(__name__)
ProgressCallback = Callable[[Event], None]
"""Hears each of the engine's events: the job's start and end, days planned, partitions."""


@dataclass(frozen=True, slots=True)
class FactGenerationSummary:
    """What is there for the range of days, both ends included.

    `total_records`, `records` (per table) and `bytes` count the whole range; `partitions_written`
    are this run's, `partitions_kept` those that earlier runs had finished.
    """

    start_date: date
    end_date: date
    total_records: int
    records: dict[str, int]
    bytes: int
    partitions_written: int
    partitions_kept: int
    generation_time_seconds: float


class FactDataGenerator:
    """Writes fact tables under `paths.facts`, one file a day and table.

    Master data is loaded by itself, and built first where `paths.master` is empty. `tables` are
    all when none are named; `format` is csv or parquet; `workers` are one for each core where that
    pays, unless given; `overwrite` replaces another history in the same folder.
    """

    def __init__(
        self,
        config: Config,
        progress_callback: ProgressCallback | None = None,
        *,
        tables: Sequence[str] = (),
        format: str = "csv",
        workers: int = 0,
        overwrite: bool = False,
    ) -> None:
        self.config = as_config(config)
        self.business_rules = BusinessRulesEngine()
        """For checks of one's own; `retail-datagen verify` checks all that was written."""
        self._progress_callback = progress_callback
        self._tables = tuple(tables)
        self._format = format
        self._workers = workers
        self._overwrite = overwrite

    @cached_property
    def world(self) -> World:
        """Master data in memory. Raises MasterDataError when it cannot be used."""
        return ensure_world(self.config, self.config.load_profile())

    def generate_historical_data(self, start: Date, end: Date) -> FactGenerationSummary:
        """Writes what is not there yet of the days from `start` to `end`, both included.

        The time of a datetime is passed over. Raises UserError for what the user can put right:
        days out of range, master data, another history in the same folder.
        """
        listeners: list[ProgressCallback] = [_DayLog()]
        if self._progress_callback:
            listeners.append(self._progress_callback)
        request = JobRequest(
            source=RetailSource(self.config),
            target=str(self.config.paths.facts),
            facts=self.config.paths.facts,
            first_day=to_day(as_date(start)),
            last_day=to_day(as_date(end)),
            tables=self._tables,
            format=self._format,
            workers=self._workers,
            overwrite=self._overwrite,
        )
        return _summary(run_job(request, listeners))


def _summary(job: JobSummary) -> FactGenerationSummary:
    return FactGenerationSummary(
        start_date=to_date(job.first_day),
        end_date=to_date(job.last_day),
        total_records=job.total_records,
        records=dict(job.rows),
        bytes=job.bytes,
        partitions_written=job.partitions_written,
        partitions_kept=job.partitions_kept,
        generation_time_seconds=job.generation_time_seconds,
    )


class _DayLog:
    """Logs the job: its start and end as INFO, each day planned and written as DEBUG."""

    def __init__(self) -> None:
        self._tables = 0
        self._partitions: Counter[int] = Counter()
        self._rows: Counter[int] = Counter()

    def __call__(self, event: Event) -> None:
        match event:
            case JobStarted():
                self._tables = len(event.tables)
                logger.info(
                    "%s: %d tables from %s to %s, %d days to plan, workers: %d",
                    event.target,
                    len(event.tables),
                    to_date(event.first_day),
                    to_date(event.last_day),
                    event.days_to_plan,
                    event.workers,
                )
            case DayPlanned():
                logger.debug("%s planned", to_date(event.day))
            case PartitionLost(record):
                logger.warning("%s is missing or damaged and will be made again", record.path)
            case PartitionWritten(record) | PartitionKept(record):
                self._count(record.day, record.rows)
            case JobFinished(summary):
                logger.info(
                    "%d records in %.1f s; partitions written: %d, kept: %d",
                    summary.total_records,
                    summary.generation_time_seconds,
                    summary.partitions_written,
                    summary.partitions_kept,
                )

    def _count(self, day: int, rows: int) -> None:
        self._partitions[day] += 1
        self._rows[day] += rows
        if self._partitions[day] == self._tables:
            logger.debug("%s complete: %d records", to_date(day), self._rows[day])
