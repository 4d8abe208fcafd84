"""Jobs: one at a time, in a thread of their own; on record from when they are asked for.

Where somebody else writes to the only writer's database that SQLite is, nobody waits for that: a
job that is queued then is in memory alone, and on record when its turn comes. A server that is
killed before has forgotten it. Progress is kept in memory while a job runs: it writes in one
transaction, and its record would wait for that. A job that is cancelled writes nothing.
"""

from __future__ import annotations

import logging
import queue
import threading
import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from retail_datagen.config.errors import UserError
from retail_datagen.service.problems import Problem
from retail_datagen.store.database import Engine, noting
from retail_datagen.store.database.failures import UNAVAILABLE, is_busy
from retail_datagen.store.joblog import (
    OPEN,
    JobRecord,
    find_job,
    give_up_open_jobs,
    note_job,
    open_server,
    open_servers,
    recent_jobs,
)
from retail_datagen.store.presence import presence_at

_LOG = logging.getLogger(__name__)
_ENDS_WITHIN = 20.0
_AGAIN_SECONDS = 1.0

Progress = Callable[[str, float], None]
"""Is told what is being done, and the share of all that is done."""
Work = Callable[[Progress], dict[str, Any]]


class _Cancelled(BaseException):
    """Not an Exception: no work may take it for a failure of its own."""


class _Job:
    """A job that has not ended."""

    def __init__(self, record: JobRecord, work: Work) -> None:
        self.record = record
        self.work = work
        self.cancelled = threading.Event()
        self.recording = threading.Lock()
        """Held by who writes its record: what is written last is the latest."""


class Jobs:
    """The jobs of one store. All methods may be called from any thread."""

    def __init__(self, engine: Engine, most_waiting: int) -> None:
        self._engine = engine
        self._presence = presence_at(engine)
        self._waiting: queue.Queue[_Job | None] = queue.Queue(most_waiting)
        self._open: dict[str, _Job] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def take_over(self) -> None:
        """Begin: what servers left open that are gone has failed."""
        self._presence.hold()
        with self._engine.connect() as connection:
            servers = open_servers(connection)
        self._give_up({one for one in servers if one is None or self._is_gone(one)})
        self._presence.sweep()

    def _is_gone(self, server: int) -> bool:
        return server != self._presence.number and not self._presence.is_alive(server)

    def _give_up(self, servers: set[int | None]) -> None:
        if not servers:
            return
        with noting(self._engine) as connection:
            left = give_up_open_jobs(connection, servers, datetime.now())
        _LOG.warning("%s jobs of servers that are gone had not ended", left)

    def start(self, kind: str, params: dict[str, Any], work: Work) -> JobRecord:
        """Put a job in the queue. Raises Problem (503) where that is full."""
        now = datetime.now()
        record = JobRecord(
            str(uuid.uuid4()), kind, "queued", 0.0, "", params, None, now, None, None
        )
        job = _Job(record, work)
        # Before it is in the queue: else its turn may come while it is put on record here.
        with job.recording:
            self._enqueue(job)
            try:
                self._note(job, soon=True)
            except Exception as error:
                if not is_busy(error):
                    job.cancelled.set()
                    raise
        return record

    def _enqueue(self, job: _Job) -> None:
        with self._lock:
            if self._waiting.full():
                raise Problem(
                    503,
                    f"{self._waiting.maxsize} jobs wait already; try again when one has ended",
                    headers={"Retry-After": "10"},
                )
            self._open[job.record.id] = job
            self._waiting.put_nowait(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
                self._thread.start()

    def find(self, job: str) -> JobRecord | None:
        """A job as it is now."""
        held = self._open.get(job)
        if held is not None:
            return held.record
        with self._engine.connect() as connection:
            return find_job(connection, job)

    def recent(self, limit: int) -> list[JobRecord]:
        """The latest jobs, the newest first."""
        # Before those on record are asked for: one that ends meanwhile is in both, not in neither.
        held = list(self._open.values())
        with self._engine.connect() as connection:
            found = {record.id: record for record in recent_jobs(connection, limit)}
        found |= {job.record.id: job.record for job in held}
        latest = sorted(found.values(), key=lambda record: record.id)
        return sorted(latest, key=lambda record: record.created_at, reverse=True)[:limit]

    def cancel(self, job: str) -> JobRecord | None:
        """Ask a job to end; as it is now. One that has ended stays as it is.

        Raises Problem (409) for a job of another server of this store.
        """
        held = self._open.get(job)
        if held is not None:
            held.cancelled.set()
            return held.record
        with self._engine.connect() as connection:
            server = open_server(connection, job)
        if server is not None and server != self._presence.number:
            if not self._is_gone(server):
                raise Problem(409, "job: another server of this store does it; ask that", "job")
            self._give_up({server})
        return self.find(job)

    @property
    def now(self) -> dict[str, int]:
        """How many are queued and running."""
        states = [job.record.state for job in list(self._open.values())]
        return {state: states.count(state) for state in OPEN}

    def close(self) -> None:
        """Cancel all of them, and wait until they have ended."""
        self._closing.set()
        for job in list(self._open.values()):
            job.cancelled.set()
        thread = self._thread
        if thread is not None:
            self._waiting.put(None)
            thread.join(_ENDS_WITHIN)
        self._presence.leave()

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None:
            try:
                self._do(job)
            except Exception:  # its record could not be written; the next one may be luckier
                _LOG.exception("job %s could not be put on record", job.record.id)
            finally:
                self._open.pop(job.record.id, None)

    def _do(self, job: _Job) -> None:
        if job.cancelled.is_set():
            self._end(job, "cancelled", "before it began")
            return
        job.record = replace(job.record, state="running", started_at=datetime.now())
        self._write(job)

        def progress(doing: str, share: float) -> None:
            if job.cancelled.is_set():
                raise _Cancelled
            job.record = replace(job.record, message=doing, progress=round(share, 4))

        try:
            result = job.work(progress)
        except _Cancelled:
            self._end(job, "cancelled", "nothing was written")
        except UserError as error:
            self._end(job, "failed", str(error))
        except Exception as error:
            _LOG.exception("job %s failed", job.record.id)
            self._end(job, "failed", f"{type(error).__name__}: this is on the service's log")
        else:
            job.record = replace(job.record, progress=1.0, result=result)
            self._end(job, "done", "")

    def _end(self, job: _Job, state: Any, message: str) -> None:
        job.record = replace(job.record, state=state, message=message, ended_at=datetime.now())
        self._write(job)

    def _write(self, job: _Job) -> None:
        """Put it on record, again and again where the database does not take it: else it would be
        queued or running there for ever. Only a service that ends does not wait for that."""
        while True:
            try:
                with job.recording:
                    self._note(job)
                return
            except UNAVAILABLE as error:
                if self._closing.wait(_AGAIN_SECONDS):
                    raise
                _LOG.warning("job %s is not on record yet: %s", job.record.id, error)

    def _note(self, job: _Job, *, soon: bool = False) -> None:
        self._presence.hold()
        with noting(self._engine, soon=soon) as connection:
            note_job(connection, job.record, self._presence.number)
