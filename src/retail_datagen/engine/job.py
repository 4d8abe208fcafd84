"""The job: plan what is missing, render what is missing, and remember it, so that it can go on."""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import cast

from retail_datagen.core.memory import reuse_memory
from retail_datagen.engine.events import (
    DayPlanned,
    Event,
    JobFinished,
    JobStarted,
    JobSummary,
    Listener,
    PartitionKept,
    PartitionLost,
    PartitionWritten,
)
from retail_datagen.engine.planning import PlanWalk, lacking, needed
from retail_datagen.engine.pool import Pool, available_cores
from retail_datagen.engine.request import (
    JobRequest,
    check_request,
    choose_tables,
    count_workers,
    open_retailer,
)
from retail_datagen.engine.source import Retailer
from retail_datagen.engine.stop import JobStopped, stop_on_signals
from retail_datagen.engine.target import Target, Wanted, open_target
from retail_datagen.engine.worker import DayRenderer, Setup, Task
from retail_datagen.sinks import DimensionSink, PartitionRecord, Sink, open_sink

__all__ = ["JobRequest", "choose_tables", "run_job"]
_LOG = logging.getLogger(__name__)


def run_job(
    request: JobRequest, listeners: Sequence[Listener] = (), sink: Sink | None = None
) -> JobSummary:
    """Generate what `request` asks for and is not there yet.

    `sink` is used instead of opening `request.target`, for targets within this process. Raises
    UserError for what the user can put right, JobStopped on SIGINT or SIGTERM; whatever was
    finished until then is kept, and the same request goes on from there.
    """
    tables = check_request(request)
    reuse_memory()
    with stop_on_signals(), ExitStack() as stack:
        began = time.monotonic()
        if sink is None:
            sink = open_sink(request.target, request.format)
            stack.callback(sink.close)
        workers = count_workers(request, sink.capabilities)
        # This process renders as well, beside planning.
        pool = stack.enter_context(closing(Pool(request.source, workers - 1)))
        retailer = open_retailer(request)
        wanted = Wanted(request.first_day, request.last_day, request.history_start)
        target = stack.enter_context(
            open_target(sink, request.facts, retailer, wanted, request.overwrite)
        )
        _write_dimensions(request, sink)
        return _Job(request, retailer, target, tables, pool, listeners).run(began)


def _write_dimensions(request: JobRequest, sink: Sink) -> None:
    """Master data before the first fact that refers to it, where the sink takes it."""
    if request.dimensions and sink.capabilities.dimensions:
        for table, data in request.dimensions():
            cast(DimensionSink, sink).write_dimension(table, data)


class _Job:
    """One run over an open target."""

    def __init__(
        self,
        request: JobRequest,
        retailer: Retailer,
        target: Target,
        tables: tuple[str, ...],
        pool: Pool,
        listeners: Sequence[Listener],
    ) -> None:
        self._request = request
        self._retailer = retailer
        self._target = target
        self._tables = tables
        self._pool = pool
        self._listeners = listeners
        self._finished: list[PartitionRecord] = []
        self._written = 0
        self._records_written = 0
        self._planned = 0

    def run(self, began: float) -> JobSummary:
        days = range(self._request.first_day, self._request.last_day + 1)
        kept, lost = self._verify_finished(days)
        tasks = self._tasks(days, {(r.table, r.day) for r in kept})
        if tasks:
            self._pool.begin(self._setup())
        walk = PlanWalk(
            self._target.store,
            self._retailer,
            self._target.history_start,
            needed(
                self._retailer,
                self._target.history_start,
                [day_and_tables for task in tasks for day_and_tables in task.days],
            ),
        )
        self._tell(
            JobStarted(
                self._request.target,
                self._tables,
                days[0],
                days[-1],
                len(days) * len(self._tables),
                walk.remaining,
                self._pool.workers + 1,
            )
        )
        for record in lost:
            self._tell(PartitionLost(record))
        for record in kept:
            self._finished.append(record)
            self._tell(PartitionKept(record))
        try:
            if tasks:
                self._work(deque(tasks), walk)
        except JobStopped as stop:
            stop.finished, stop.partitions = len(self._finished), len(days) * len(self._tables)
            stop.goes_on = self._target.sink.capabilities.durable
            raise
        summary = self._summary(began)
        self._tell(JobFinished(summary))
        return summary

    def _work(self, tasks: deque[Task], walk: PlanWalk) -> None:
        target = self._target
        here = DayRenderer(self._retailer, target.history_start, walk.plan, target.sink)
        try:
            self._hand_out(tasks, walk, here)
            self._finish(here)
        except BaseException:
            self._pool.close()
            target.sink.recover(self._tables)
            raise

    def _hand_out(self, tasks: deque[Task], walk: PlanWalk, here: DayRenderer) -> None:
        """Each task as soon as its days are planned: to a worker that has room, else here.

        Here, what planning has just drawn is still at hand.
        """
        while tasks:
            task = tasks.popleft()
            while not self._is_planned(task, walk):
                self._plan(walk)
            if self._pool.has_room:
                self._pool.submit(task)
            else:
                self._render(task, here)
            self._collect(wait=False)

    def _finish(self, here: DayRenderer) -> None:
        """Help the workers with what they have not begun, and wait for the rest."""
        while self._pool.is_busy:
            task = self._pool.take_back()
            if task:
                self._render(task, here)
            self._collect(wait=task is None)
        for record in here.flush():
            self._note(record)

    def _render(self, task: Task, here: DayRenderer) -> None:
        for record in here.run(task):
            self._note(record)

    def _collect(self, wait: bool) -> None:
        for record in self._pool.collect(wait):
            self._note(record)

    def _plan(self, walk: PlanWalk) -> None:
        day = walk.step()
        self._planned += 1
        self._tell(DayPlanned(day))

    def _note(self, record: PartitionRecord) -> None:
        self._target.store.add(record)
        self._finished.append(record)
        self._written += 1
        self._records_written += record.rows
        self._tell(PartitionWritten(record))

    def _verify_finished(self, days: range) -> tuple[list[PartitionRecord], list[PartitionRecord]]:
        """The partitions of an earlier run: those found whole, and the others."""
        known = [
            record
            for (table, day), record in sorted(self._target.store.records().items())
            if day in days and table in self._tables
        ]
        # Hashing releases the interpreter: threads do.
        with ThreadPoolExecutor(available_cores()) as pool:
            whole = list(pool.map(self._target.sink.check, known))
        kept = [record for record, ok in zip(known, whole, strict=True) if ok]
        lost = [record for record, ok in zip(known, whole, strict=True) if not ok]
        return kept, lost

    def _tasks(self, days: range, finished: set[tuple[str, int]]) -> list[Task]:
        todo = lacking(days, self._tables, finished)
        size = self._request.chunk_days
        return [Task(tuple(todo[i : i + size])) for i in range(0, len(todo), size)]

    def _is_planned(self, task: Task, walk: PlanWalk) -> bool:
        return walk.has(needed(self._retailer, self._target.history_start, task.days))

    def _setup(self) -> Setup:
        return Setup(
            self._retailer.source,
            self._target.history_start,
            self._target.store.folder,
            self._request.target,
            self._request.format,
        )

    def _summary(self, began: float) -> JobSummary:
        rows = Counter(dict.fromkeys(self._tables, 0))
        for record in self._finished:
            rows[record.table] += record.rows
        return JobSummary(
            target=self._request.target,
            first_day=self._request.first_day,
            last_day=self._request.last_day,
            history_start=self._target.history_start,
            total_records=sum(rows.values()),
            records_written=self._records_written,
            generation_time_seconds=time.monotonic() - began,
            rows=dict(rows),
            bytes=sum(record.bytes for record in self._finished),
            partitions_written=self._written,
            partitions_kept=len(self._finished) - self._written,
            days_planned=self._planned,
            workers=self._pool.workers + 1,
        )

    def _tell(self, event: Event) -> None:
        _LOG.debug("%s", event)
        for listener in self._listeners:
            listener(event)
