"""Takes partitions to the target while the engine makes more of them, chunk by chunk.

The engine's events come in from the job's thread; partitions leave by a pool of threads; another
thread closes chunks. At most `in_flight` chunks wait wholly written: then the job's thread waits,
which bounds what is staged. Chunks that are not wholly written never make it wait, for it is that
thread that collects what workers write.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from retail_datagen.config.errors import UserError
from retail_datagen.engine.events import Event, PartitionKept, PartitionWritten
from retail_datagen.lake.delivery import Delivery, Parcel
from retail_datagen.lake.events import (
    Announcer,
    Chunk,
    ChunkPublished,
    PartitionPublished,
    PublishRetried,
)
from retail_datagen.lake.lease import LeaseError
from retail_datagen.lake.target import LakeTarget
from retail_datagen.partitions.layout import MANIFEST, Partition
from retail_datagen.partitions.manifest import Manifest

_GLANCE_SECONDS = 0.5
"""How often a waiting thread looks for signals and a lost lease."""


class PublishError(UserError):
    """A chunk that could not be published; the message says why, and how to go on."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often something is tried, and after how many seconds first; each wait doubles."""

    attempts: int = 3
    seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How much is under way at once."""

    threads: int = 8
    in_flight: int = 2


@dataclass(slots=True)
class _Progress:
    """What a chunk lacks, and what this run did for it."""

    chunk: Chunk
    unwritten: int
    unpublished: int
    partitions: int = 0
    rows: int = 0
    bytes: int = 0


Close = Callable[[Chunk, bool], None]
"""Notes a published chunk and tidies it away; whether this run did anything for it."""


def cut(first_day: int, last_day: int, days: int) -> tuple[Chunk, ...]:
    """The chunks of a range, the last perhaps shorter."""
    starts = range(first_day, last_day + 1, days)
    return tuple(
        Chunk(n, len(starts), start, min(start + days - 1, last_day))
        for n, start in enumerate(starts, 1)
    )


class Publisher:
    """An engine listener. `finish` waits for all, `stop` for what is under way only."""

    def __init__(
        self,
        delivery: Delivery,
        target: LakeTarget,
        staging: Path,
        chunks: Sequence[Chunk],
        tables: int,
        close: Close,
        retries: Retries,
        pace: Pace,
        tell: Announcer,
        holding: Callable[[], None],
    ) -> None:
        self._delivery = delivery
        self._target = target
        self._staging = staging
        self._chunk_days = chunks[0].last_day - chunks[0].first_day + 1
        self._first_day = chunks[0].first_day
        self._progress = [_Progress(c, n := _size(c, tables), n) for c in chunks]
        self._close = close
        self._retries = retries
        self._pace = pace
        self._tell = tell
        self._holding = holding
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._error: Exception | None = None
        self._open_chunks = self._unwritten_chunks = len(chunks)
        self._loose = 0
        self._senders = ThreadPoolExecutor(pace.threads, thread_name_prefix="publish")
        self._closer = ThreadPoolExecutor(1, thread_name_prefix="close")
        self.partitions = 0
        self.bytes = 0

    def __call__(self, event: Event) -> None:
        """Raises PublishError, LeaseError and what else went wrong in a thread."""
        self._raise()
        match event:
            case PartitionKept(record=record):
                self._keep(self._progress_of(record.day), record.path)
            case PartitionWritten(record=record):
                progress = self._progress_of(record.day)
                self._submit(self._senders, lambda: self._send_staged(progress, record.path))
                self._written(progress)
                self._wait(lambda: self._full() < self._pace.in_flight)

    def send_dimension(self, manifest: Manifest, keep_staged: bool) -> None:
        """Publish a partition that belongs to no chunk. What is at the target already is told."""
        published = self._target.manifest(manifest.partition) is manifest
        if published and self._delivery.is_told(manifest):
            return
        with self._changed:
            self._loose += 1
        parcel = Parcel(manifest, published=published)
        self._submit(self._senders, lambda: self._send_loose(parcel, keep_staged))

    def finish(self) -> None:
        """Wait until every chunk is closed. Raises as `__call__` does."""
        self._wait(lambda: not self._open_chunks and not self._loose)

    def wait_for_dimensions(self) -> None:
        """Wait for all that `send_dimension` took. Raises as `__call__` does."""
        self._wait(lambda: not self._loose)

    def stop(self) -> None:
        """Begin nothing any more, and wait for what is under way. Doing it twice is allowed."""
        self._stopping.set()
        for pool in (self._senders, self._closer):
            pool.shutdown(wait=True, cancel_futures=True)

    def _progress_of(self, day: int) -> _Progress:
        return self._progress[(day - self._first_day) // self._chunk_days]

    def _full(self) -> int:
        """Chunks that are wholly written and not closed."""
        return self._open_chunks - self._unwritten_chunks

    def _keep(self, progress: _Progress, folder: str) -> None:
        partition = Partition.parse(folder)
        manifest = self._target.manifest(partition) if partition else None
        self._written(progress)
        if manifest and not self._delivery.is_told(manifest):
            parcel = Parcel(manifest, published=True)
            self._submit(self._senders, lambda: self._send(progress, parcel))
        else:
            self._settle(progress)

    def _written(self, progress: _Progress) -> None:
        with self._changed:
            progress.unwritten -= 1
            self._unwritten_chunks -= progress.unwritten == 0

    def _send_staged(self, progress: _Progress, folder: str) -> None:
        def read() -> None:
            content = (self._staging / folder / MANIFEST).read_bytes()
            found.append(Manifest.from_json(content))

        found: list[Manifest] = []
        if self._persist(f"{progress.chunk}: {folder}", read):
            self._send(progress, Parcel(found[0]))

    def _send(self, progress: _Progress, parcel: Parcel) -> None:
        manifest, was_there = parcel.manifest, parcel.published
        where = f"{progress.chunk}: {parcel.partition.folder}"
        if not self._persist(where, lambda: self._delivery.send(parcel)):
            return
        if not was_there:
            with self._changed:
                progress.partitions += 1
                progress.rows += manifest.total_rows
                progress.bytes += manifest.total_bytes
            self._count(manifest)
        self._settle(progress)

    def _send_loose(self, parcel: Parcel, keep_staged: bool) -> None:
        manifest, was_there = parcel.manifest, parcel.published
        where = f"dimension tables: {parcel.partition.folder}"
        if not self._persist(where, lambda: self._delivery.send(parcel)):
            return
        if not was_there:
            self._count(manifest)
            if not keep_staged:
                self._delivery.tidy(parcel.partition)
        with self._changed:
            self._loose -= 1
            self._changed.notify_all()

    def _count(self, manifest: Manifest) -> None:
        with self._changed:
            self.partitions += 1
            self.bytes += manifest.total_bytes
        folder = manifest.partition.folder
        self._tell(PartitionPublished(folder, manifest.total_rows, manifest.total_bytes))

    def _settle(self, progress: _Progress) -> None:
        """One more partition of a chunk is published; the last lets the chunk be closed."""
        with self._changed:
            progress.unpublished -= 1
            if progress.unpublished == 0 and not self._stopping.is_set():
                self._submit(self._closer, lambda: self._close_chunk(progress))

    def _close_chunk(self, progress: _Progress) -> None:
        chunk = progress.chunk
        anything = progress.partitions > 0
        if not self._persist(str(chunk), lambda: self._close(chunk, anything)):
            return
        self._tell(ChunkPublished(chunk, progress.partitions, progress.rows, progress.bytes))
        with self._changed:
            self._open_chunks -= 1
            self._changed.notify_all()

    def _submit(self, pool: ThreadPoolExecutor, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:  # Nobody looks at what a thread ends with.
                self._fail(error)

        pool.submit(run)

    def _persist(self, where: str, action: Callable[[], None]) -> bool:
        """Do it, again and again if need be; False once there is no more use in it."""
        for attempt in range(1, self._retries.attempts + 1):
            if self._stopping.is_set():
                return False
            try:
                action()
                return True
            except LeaseError as error:
                self._fail(error)
            except (UserError, OSError) as error:
                if attempt == self._retries.attempts:
                    self._fail(self._failure(where, error))
                else:
                    self._pause(where, error, attempt)
            except Exception as error:  # A mistake of ours: the job must hear of it.
                self._fail(error)
        return False

    def _pause(self, where: str, error: Exception, attempt: int) -> None:
        seconds = self._retries.seconds * 2 ** (attempt - 1)
        self._tell(PublishRetried(where, str(error), attempt, seconds))
        self._stopping.wait(seconds)

    def _failure(self, where: str, error: Exception) -> PublishError:
        tries = self._retries.attempts
        tried = f" after {tries} attempts" if tries > 1 else ""
        failure = PublishError(
            f"{where} could not be published{tried}: {error}. What is published is kept: run the "
            "same command again to go on from there"
        )
        failure.__cause__ = error
        return failure

    def _fail(self, error: Exception) -> None:
        """The first error is what the job is told; nothing more begins."""
        with self._changed:
            self._error = self._error or error
            self._stopping.set()
            self._changed.notify_all()

    def _raise(self) -> None:
        if self._error:
            raise self._error
        self._holding()

    def _wait(self, until: Callable[[], bool]) -> None:
        while True:
            self._raise()
            with self._changed:
                if until() or (not self._error and self._changed.wait(_GLANCE_SECONDS) and until()):
                    return


def _size(chunk: Chunk, tables: int) -> int:
    return (chunk.last_day - chunk.first_day + 1) * tables
