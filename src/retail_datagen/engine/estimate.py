"""What a job would take: rows, bytes and time, from a few days planned and rendered in memory."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass

import pyarrow as pa

from retail_datagen.core.files import HashingFile
from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.pool import available_cores
from retail_datagen.engine.request import JobRequest, check_request, open_retailer
from retail_datagen.engine.source import Plan, Planner, Rendered, Retailer
from retail_datagen.engine.target import Wanted, history_of
from retail_datagen.engine.trend import Trend, spread
from retail_datagen.sinks import Sink, open_sink
from retail_datagen.sinks.file import FORMATS

SAMPLE_DAYS, PLANNED_DAYS = 12, 35
"""Days rendered and days planned at most: what is sold comes back within a month."""
RENDER_SECONDS, PLAN_SECONDS = 1.0, 1.0
"""CPU that both may take, roughly; large retailers make do with fewer days."""


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

    day: int
    plan_seconds: float
    """Of the days since the sample before, this one included."""
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
        samples = _samples(retailer, sink, store, start, names, planner, request.last_day)
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
    last_day: int,
) -> list[_Sample]:
    """Some of the next days of the planner, up to the last that is asked for."""
    plans: dict[int, Plan] = {}

    def load(day: int) -> Plan:
        if day in plans or store is None:
            return plans[day]
        return retailer.read_plan(store.plans.read(day))

    render = retailer.render(start, load)

    def sample(day: int) -> _Sample:
        began = time.process_time()
        while planner.next_day <= day:
            plan = planner.step()
            plans[plan.day] = retailer.read_plan(plan.to_bytes())
        planned = time.process_time()
        tables = {}
        for name in names:
            data = render(name, day)
            tables[name] = Expected(data.num_rows, _encoded(sink, retailer.tables[name], data))
        return _Sample(day, planned - began, time.process_time() - planned, tables)

    first = planner.next_day
    last = min(max(last_day, first + 1), retailer.calendar[-1])
    samples = [sample(day) for day in range(first, min(first + 2, last + 1))]
    # The first day of a history fills the shelves; the second shows what a day costs.
    cost = samples[-1]
    window = _affordable(PLANNED_DAYS, PLAN_SECONDS, cost.plan_seconds)
    days = range(first, min(first + window - 1, last) + 1)
    count = _affordable(SAMPLE_DAYS, RENDER_SECONDS, cost.render_seconds)
    return samples + [sample(day) for day in spread(days, count) if day > cost.day]


def _affordable(most: int, seconds: float, each: float) -> int:
    """How many of `most` fit into the time; three do always."""
    return max(3, min(most, int(seconds / max(each, 1e-6))))


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
    samples: list[_Sample],
    to_plan: int,
    opening: float,
) -> Estimate:
    """From the sampled days to all that are left to do."""
    finished = {} if store is None or request.overwrite else store.records()
    days = range(request.first_day, request.last_day + 1)
    tables = {}
    for name in names:
        lacking = [day for day in days if (name, day) not in finished]
        sampled = {s.day: s.tables[name] for s in samples}
        tables[name] = Expected(
            _sum({day: t.rows for day, t in sampled.items()}, lacking, start, retailer),
            _sum({day: t.bytes for day, t in sampled.items()}, lacking, start, retailer),
        )
    total = Expected(sum(t.rows for t in tables.values()), sum(t.bytes for t in tables.values()))
    planned = samples[-1].day + 1 - samples[0].day
    plan_seconds = to_plan * sum(s.plan_seconds for s in samples) / planned
    sampled_rows = max(sum(t.rows for s in samples for t in s.tables.values()), 1)
    render_seconds = total.rows * sum(s.render_seconds for s in samples) / sampled_rows
    workers = min(request.workers or available_cores(), len(days))
    cores = min(workers, available_cores())
    wall = max(plan_seconds, (plan_seconds + render_seconds) / cores)
    # Workers open their own world, side by side, after the job has opened its.
    wall += opening * (2 if workers > 1 else 1)
    done = sum(1 for name in names for day in days if (name, day) in finished)
    return Estimate(tables, total, wall, workers, to_plan, len(days) * len(names), done)


def _sum(sampled: dict[int, int], days: list[int], start: int, retailer: Retailer) -> int:
    """Over the days: as sampled, or by the trend of the days that are like others."""
    typical = {day: value for day, value in sampled.items() if day != start} or sampled
    trend = Trend(typical, lambda day: max(retailer.traffic(day), 1e-9))
    return round(sum(sampled[day] if day in sampled else trend.at(day) for day in days))
