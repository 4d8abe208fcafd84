"""What a job would take: rows, bytes and time, from a few days planned and rendered in memory."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass

from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.planning import lacking, needed, window
from retail_datagen.engine.pool import available_cores
from retail_datagen.engine.request import JobRequest, check_request, count_workers, open_retailer
from retail_datagen.engine.source import Plan, Planner, Retailer
from retail_datagen.engine.target import Wanted, history_of
from retail_datagen.engine.trend import Trend, spread
from retail_datagen.sinks import Sink, encoded_bytes, open_sink

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


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A job that is not run: what it would begin with."""

    request: JobRequest
    names: tuple[str, ...]
    sink: Sink
    retailer: Retailer
    store: JobStore | None
    """What is remembered of the target, if anything."""
    start: int
    """The first day of the history."""

    @property
    def days(self) -> range:
        return range(self.request.first_day, self.request.last_day + 1)

    @property
    def finished(self) -> Collection[tuple[str, int]]:
        """The partitions of earlier runs, by what they noted: none is looked at."""
        return {} if self.store is None else self.store.records()


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
        ahead = _Ahead(request, names, sink, retailer, store, start)
        missing = _missing(ahead)
        samples = _samples(ahead, _planner(ahead, missing[0] if missing else request.first_day))
        return _scale(ahead, samples, _days_to_plan(ahead, missing), opening)
    finally:
        sink.close()


def _missing(ahead: _Ahead) -> list[int]:
    """The days whose plans the job would find missing or damaged."""
    todo = lacking(ahead.days, ahead.names, ahead.finished)
    days = needed(ahead.retailer, ahead.start, todo)
    return ahead.store.plans.missing(days) if ahead.store else sorted(days)


def _days_to_plan(ahead: _Ahead, missing: list[int]) -> int:
    """How many days the job would plan: from the last state to the last plan that is missing."""
    return missing[-1] + 1 - _open_planner(ahead, missing[0]).next_day if missing else 0


def _open_planner(ahead: _Ahead, day: int) -> Planner:
    """A planner that stands before `day`, where the job would open it."""
    state = ahead.store.state_before(day) if ahead.store else None
    return ahead.retailer.planner(ahead.start, state)


def _planner(ahead: _Ahead, day: int) -> Planner:
    """A planner that stands before `day`, early enough: its first day can be rendered."""
    planner = _open_planner(ahead, day)
    if ahead.store:
        earlier = window(ahead.retailer, ahead.start, planner.next_day, ahead.names)[:-1]
        missing = ahead.store.plans.missing(earlier)
        if missing:
            return _planner(ahead, missing[0])
    return planner


def _samples(ahead: _Ahead, planner: Planner) -> list[_Sample]:
    """Some of the next days of the planner, up to the last that is asked for."""
    retailer, store = ahead.retailer, ahead.store
    plans: dict[int, Plan] = {}

    def load(day: int) -> Plan:
        if day in plans or store is None:
            return plans[day]
        return retailer.read_plan(store.plans.read(day))

    render = retailer.render(ahead.start, load)

    def sample(day: int) -> _Sample:
        began = time.process_time()
        while planner.next_day <= day:
            plan = planner.step()
            plans[plan.day] = retailer.read_plan(plan.to_bytes())
        planned = time.process_time()
        tables = {}
        for name in ahead.names:
            data = render(name, day)
            size = encoded_bytes(ahead.sink.format, retailer.tables[name].table, data)
            tables[name] = Expected(data.num_rows, size)
        return _Sample(day, planned - began, time.process_time() - planned, tables)

    first = planner.next_day
    last = min(max(ahead.request.last_day, first + 1), retailer.calendar[-1])
    samples = [sample(day) for day in range(first, min(first + 2, last + 1))]
    # The first day of a history fills the shelves; the second shows what a day costs.
    cost = samples[-1]
    planned_days = _affordable(PLANNED_DAYS, PLAN_SECONDS, cost.plan_seconds)
    days = range(first, min(first + planned_days - 1, last) + 1)
    count = _affordable(SAMPLE_DAYS, RENDER_SECONDS, cost.render_seconds)
    return samples + [sample(day) for day in spread(days, count) if day > cost.day]


def _affordable(most: int, seconds: float, each: float) -> int:
    """How many of `most` fit into the time; three do always."""
    return max(3, min(most, int(seconds / max(each, 1e-6))))


def _scale(ahead: _Ahead, samples: list[_Sample], to_plan: int, opening: float) -> Estimate:
    """From the sampled days to all that are left to do."""
    days, names, finished = ahead.days, ahead.names, ahead.finished
    tables = {}
    for name in names:
        left = [day for day in days if (name, day) not in finished]
        sampled = {s.day: s.tables[name] for s in samples}
        tables[name] = Expected(
            _sum({day: t.rows for day, t in sampled.items()}, left, ahead),
            _sum({day: t.bytes for day, t in sampled.items()}, left, ahead),
        )
    total = Expected(sum(t.rows for t in tables.values()), sum(t.bytes for t in tables.values()))
    planned = samples[-1].day + 1 - samples[0].day
    plan_seconds = to_plan * sum(s.plan_seconds for s in samples) / planned
    sampled_rows = max(sum(t.rows for s in samples for t in s.tables.values()), 1)
    render_seconds = total.rows * sum(s.render_seconds for s in samples) / sampled_rows
    workers = count_workers(ahead.request, ahead.sink.capabilities)
    cores = min(workers, available_cores())
    wall = max(plan_seconds, (plan_seconds + render_seconds) / cores)
    # Workers open their own world, side by side, after the job has opened its.
    wall += opening * (2 if workers > 1 else 1)
    done = sum(1 for name in names for day in days if (name, day) in finished)
    return Estimate(tables, total, wall, workers, to_plan, len(days) * len(names), done)


def _sum(sampled: dict[int, int], days: list[int], ahead: _Ahead) -> int:
    """Over the days: as sampled, or by the trend of the days that are like others."""
    typical = {day: value for day, value in sampled.items() if day != ahead.start} or sampled
    trend = Trend(typical, lambda day: max(ahead.retailer.traffic(day), 1e-9))
    return round(sum(sampled[day] if day in sampled else trend.at(day) for day in days))
