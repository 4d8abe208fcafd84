"""What a job tells while it runs: typed events for whoever listens. The engine prints nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from retail_datagen.sinks import PartitionRecord


@dataclass(frozen=True, slots=True)
class JobStarted:
    """The job knows its work. `partitions` counts all of the range, kept ones included."""

    target: str
    tables: tuple[str, ...]
    first_day: int
    last_day: int
    partitions: int
    days_to_plan: int
    workers: int


@dataclass(frozen=True, slots=True)
class PartitionKept:
    """A partition of an earlier run was found whole."""

    record: PartitionRecord


@dataclass(frozen=True, slots=True)
class PartitionLost:
    """A partition of an earlier run is missing or damaged, and will be made again."""

    record: PartitionRecord


@dataclass(frozen=True, slots=True)
class DayPlanned:
    """A day was planned; days between two ranges are planned without being rendered."""

    day: int


@dataclass(frozen=True, slots=True)
class PartitionWritten:
    """A partition was written and stands in the journal."""

    record: PartitionRecord


@dataclass(frozen=True, slots=True)
class JobSummary:
    """What a job did. Rows and bytes are those of the whole range, kept partitions included."""

    target: str
    first_day: int
    last_day: int
    history_start: int
    total_records: int
    records_written: int
    generation_time_seconds: float
    rows: dict[str, int]
    bytes: int
    partitions_written: int
    partitions_kept: int
    days_planned: int
    workers: int

    @property
    def records_per_second(self) -> float:
        """Rows written per second of this run."""
        return self.records_written / max(self.generation_time_seconds, 1e-9)


@dataclass(frozen=True, slots=True)
class JobFinished:
    """Every partition of the range is there."""

    summary: JobSummary


Event = JobStarted | PartitionKept | PartitionLost | DayPlanned | PartitionWritten | JobFinished
Listener = Callable[[Event], None]
