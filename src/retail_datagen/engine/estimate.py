"""What a job would take: rows, bytes and time, from a few days planned and rendered in memory."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from statistics import fmean

import pyarrow as pa

from retail_datagen.core.files import HashingFile
from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.pool import available_cores
from retail_datagen.engine.request import JobRequest, check_request, open_retailer
from retail_datagen.engine.source import Plan, Planner, Rendered, Retailer
from retail_datagen.engine.target import Wanted, history_of
from retail_datagen.sinks import Sink, open_sink
from retail_datagen.sinks.file import FORMATS

SAMPLE_DAYS = 3
"""The first day of a history fills the shelves; the two after it are like the others."""


@dataclass(frozen=True, slots=True)
class Expected:
    """Rows and bytes of a table, or of all, over the partitions that are still to be made."""

    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What running the request would write, and how long it would take."""

    tables: dict[str, Expected]
    total: Expected
    seconds: float
    workers: int
    days_to_plan: int
    partitions: int
    partitions_finished: int


@dataclass(frozen=True, slots=True)
class _Sample:
    """A day that was really rendered. Times are CPU seconds."""

    traffic: float
    plan_seconds: float
    render_seconds: float
    tables: dict[str, Expected]


def estimate_job(request: JobRequest) -> Estimate:
    """Estimate `run_job(request)`. Writes nothing to the target.

    Raises UserError wherever `run_job` would refuse the request.
    """
    names = check_request(request)
    sink = open_sink(request.target, request.format)
    try:
        began = time.monotonic()
        retailer = open_retailer(request)
        opening = time.monotonic() - began
        wanted = Wanted(request.first_day, request.last_day, request.history_start)
        store, start = history_of(sink, request.facts, retailer, wanted, request.overwrite)
        planner, to_plan = _planner(request, retailer, store, start)
        samples = _samples(retailer, sink, store, start, names, planner)
    finally:
        sink.close()
    return _scale(request, retailer, store, start, names, samples, to_plan, opening)


def _planner(
    request: JobRequest, retailer: Retailer, store: JobStore | None, start: int
) -> tuple[Planner, int]:
    """A planner as the job would open it, and how many days it would plan."""
    days = range(request.first_day, request.last_day + 1)
    unplanned = [d for d in days if store is None or not store.plans.path(d).exists()]
    first = unplanned[0] if unplanned else request.first_day
    planner = retailer.planner(start, store.state_before(first) if store else None)
    return planner, unplanned[-1] + 1 - planner.next_day if unplanned else 0


def _samples(
    retailer: Retailer,
    sink: Sink,
    store: JobStore | None,
    start: int,
    names: tuple[str, ...],
    planner: Planner,
) -> dict[int, _Sample]:
    """The next few days of the planner."""
    plans: dict[int, Plan] = {}

    def load(day: int) -> Plan:
        if day in plans or store is None:
            return plans[day]
        return retailer.read_plan(store.plans.read(day))

    render = retailer.render(start, load)
    last = min(planner.next_day + SAMPLE_DAYS, retailer.calendar[-1] + 1)
    samples = {}
    for day in range(planner.next_day, last):
        began = time.process_time()
        plans[day] = retailer.read_plan(planner.step().to_bytes())
        planned = time.process_time()
        tables = {}
        for name in names:
            data = render(name, day)
            size = _encoded(sink, retailer.tables[name], data)
            tables[name] = Expected(data.num_rows, size)
        rendered = time.process_time()
        samples[day] = _Sample(retailer.traffic(day), planned - began, rendered - planned, tables)
    return samples


def _encoded(sink: Sink, rendered: Rendered, data: pa.Table) -> int:
    """Bytes of a partition as the sink would write it; those in memory where that is not known."""
    write = FORMATS.get(sink.format)
    if write is None:
        return int(data.nbytes)
    file = HashingFile(io.BytesIO())
    write(rendered.table, data, file)
    return file.bytes


def _scale(
    request: JobRequest,
    retailer: Retailer,
    store: JobStore | None,
    start: int,
    names: tuple[str, ...],
    samples: dict[int, _Sample],
    to_plan: int,
    opening: float,
) -> Estimate:
    """From the sampled days to all that are left to do, each by how busy it is."""
    typical = [s for day, s in samples.items() if day != start] or list(samples.values())
    traffic = max(sum(s.traffic for s in typical), 1e-9)
    finished = {} if store is None or request.overwrite else store.records()
    days = range(request.first_day, request.last_day + 1)
    tables = {}
    for name in names:
        lacking = [day for day in days if (name, day) not in finished]
        sampled = [samples[day].tables[name] for day in lacking if day in samples]
        # The other days have their share of the typical ones, by how busy they are.
        others = sum(retailer.traffic(day) for day in lacking if day not in samples) / traffic
        tables[name] = Expected(
            round(
                sum(t.rows for t in sampled) + others * sum(s.tables[name].rows for s in typical)
            ),
            round(
                sum(t.bytes for t in sampled) + others * sum(s.tables[name].bytes for s in typical)
            ),
        )
    total = Expected(sum(t.rows for t in tables.values()), sum(t.bytes for t in tables.values()))
    plan_seconds = to_plan * fmean(s.plan_seconds for s in samples.values())
    sampled_rows = max(sum(t.rows for s in samples.values() for t in s.tables.values()), 1)
    render_seconds = total.rows * sum(s.render_seconds for s in samples.values()) / sampled_rows
    workers = min(request.workers or available_cores(), len(days))
    cores = min(workers, available_cores())
    wall = max(plan_seconds, (plan_seconds + render_seconds) / cores)
    # Workers open their own world, side by side, after the job has opened its.
    wall += opening * (2 if workers > 1 else 1)
    done = sum(1 for name in names for day in days if (name, day) in finished)
    return Estimate(tables, total, wall, workers, to_plan, len(days) * len(names), done)
