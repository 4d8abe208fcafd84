"""What a lake job tells while it runs, beside the engine's own events. It prints nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from retail_datagen.core.calendar import to_date
from retail_datagen.engine.events import Event, JobSummary


@dataclass(frozen=True, slots=True)
class Chunk:
    """A run of days that is published, noted and tidied away together; both ends are included.

    Where chunks are cut changes no row.
    """

    number: int
    of: int
    first_day: int
    last_day: int

    def __str__(self) -> str:
        days = f"{to_date(self.first_day)} to {to_date(self.last_day)}"
        return f"chunk {self.number} of {self.of} ({days})"


@dataclass(frozen=True, slots=True)
class LakeOpened:
    """The target is ours and was read: so many partitions of facts are there already."""

    url: str
    chunks: int
    partitions: int
    published: int


@dataclass(frozen=True, slots=True)
class StateCorrected:
    """A file on this machine disagreed with the target, which is right. Empty: no such file."""

    path: str
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class PartitionPublished:
    """A partition, and its manifest after it, are at the target."""

    folder: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PublishRetried:
    """Something went wrong, and is tried again after so many seconds."""

    where: str
    reason: str
    attempt: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ChunkPublished:
    """All partitions of a chunk are at the target. Rows and bytes: those of this run."""

    chunk: Chunk
    partitions: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class DimensionPublished:
    """All partitions of a dimension table are at the target, or on their way there."""

    table: str
    partitions: int
    kept: int


@dataclass(frozen=True, slots=True)
class LakeSummary:
    """What a lake job did. `published` counts what this run brought to the target.

    Rows and bytes of `total` are those of all tables that the catalog lists.
    """

    url: str
    job: JobSummary
    chunks: int
    published_partitions: int
    published_bytes: int
    total_partitions: int
    total_rows: int
    total_bytes: int
    complete: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class LakeFinished:
    """Everything that was asked for is at the target, and the catalog says so."""

    summary: LakeSummary


LakeEvent = (
    LakeOpened
    | StateCorrected
    | PartitionPublished
    | PublishRetried
    | ChunkPublished
    | DimensionPublished
    | LakeFinished
    | Event
)
LakeListener = Callable[[LakeEvent], None]


class Announcer:
    """Tells all listeners, from whichever thread, one event at a time."""

    def __init__(self, listeners: Sequence[LakeListener]) -> None:
        self._listeners = tuple(listeners)
        self._lock = threading.Lock()

    def __call__(self, event: LakeEvent) -> None:
        with self._lock:
            for listener in self._listeners:
                listener(event)
