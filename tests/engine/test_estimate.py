"""The dry run: close to what the job then does, and without a trace."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from fake_retailer import START, FakeSource

from retail_datagen.config.errors import UserError
from retail_datagen.config.models import RetailConfig
from retail_datagen.engine.estimate import estimate_job
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.pool import available_cores
from retail_datagen.engine.request import count_workers
from retail_datagen.engine.retail import RetailSource
from retail_datagen.engine.trend import Trend, spread
from retail_datagen.sinks import open_sink


def request(root: Path, last: int = 19, **other: object) -> JobRequest:
    source = FakeSource(rows=1000)
    base = JobRequest(source, str(root), root, START, START + last, workers=1)
    return replace(base, **other)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_it_is_close_to_the_truth_and_writes_nothing(tmp_path: Path, format: str) -> None:
    job = request(tmp_path / "out", format=format)
    estimate = estimate_job(job)
    assert list(tmp_path.iterdir()) == []
    summary = run_job(job)
    assert estimate.total.rows == pytest.approx(summary.total_records, rel=0.02)
    assert estimate.total.bytes == pytest.approx(summary.bytes, rel=0.05)
    assert estimate.tables["receipts"].rows == pytest.approx(summary.rows["receipts"], rel=0.02)
    assert (estimate.partitions, estimate.partitions_finished) == (40, 0)
    assert estimate.days_to_plan == 20
    assert estimate.seconds > 0


def test_each_table_of_a_real_retailer_is_close(tmp_path: Path) -> None:
    """Returns come for weeks before they are as many as ever; the first day fills the shelves."""
    paths = {"master": str(tmp_path / "master"), "facts": str(tmp_path / "facts")}
    volume = {"customers_per_day": 500, "online_orders_per_day": 60}
    config = RetailConfig.model_validate({"paths": paths, "volume": volume})
    job = JobRequest(
        RetailSource(config), paths["facts"], config.paths.facts, START, START + 29, workers=1
    )
    estimate = estimate_job(job)
    rows, size = run_job(job).rows, Counter[str]()
    for file in config.paths.facts.glob("*/dt=*/*.csv"):
        size[file.parts[-3]] += file.stat().st_size
    large = {table: count for table, count in rows.items() if count > 1000}
    assert {"store_returns", "dc_inventory_txn", "marketing"} <= set(large)
    for table, count in large.items():
        assert estimate.tables[table].rows == pytest.approx(count, rel=0.25), table
        assert estimate.tables[table].bytes == pytest.approx(size[table], rel=0.25), table


def test_a_trend_goes_through_what_was_sampled() -> None:
    def traffic(day: int) -> float:
        return 2.0 if day % 7 == 6 else 1.0

    busy = Trend({day: 10 * traffic(day) for day in (0, 2, 6, 9)}, traffic)
    assert [busy.at(day) for day in (2, 6, 7, 13, 99)] == [10, 20, 10, 20, 10]
    steady = Trend(dict.fromkeys((0, 2, 6, 9), 10), traffic)
    assert [steady.at(day) for day in (2, 6, 7, 13, 99)] == [10] * 5
    rising = Trend({0: 0, 10: 100, 20: 200, 30: 200}, lambda day: 1.0)
    assert [rising.at(day) for day in (5, 15, 25)] == [50, 150, 200]
    assert Trend({4: 7}, traffic).at(100) == 7


@pytest.mark.parametrize(("days", "count"), [(1, 3), (2, 3), (3, 3), (30, 3), (30, 12), (35, 12)])
def test_samples_are_the_first_two_days_the_last_and_some_between(days: int, count: int) -> None:
    found = spread(range(days), count)
    assert found == sorted(set(found))
    assert found[:2] == list(range(min(days, 2)))
    assert found[-1] == days - 1
    assert len(found) == min(days, count)


def test_what_is_finished_does_not_count(tmp_path: Path) -> None:
    run_job(request(tmp_path, last=9))
    before = sorted(path for path in tmp_path.rglob("*"))
    estimate = estimate_job(request(tmp_path))
    assert (estimate.partitions, estimate.partitions_finished) == (40, 20)
    assert estimate.tables["receipts"].rows == pytest.approx(10 * 1003, rel=0.02)
    assert estimate.days_to_plan == 10
    assert sorted(path for path in tmp_path.rglob("*")) == before
    assert estimate_job(request(tmp_path, overwrite=True)).partitions_finished == 0


@pytest.mark.parametrize("harm", ["damaged", "missing"])
@pytest.mark.parametrize(("day", "last"), [(9, 19), (8, 19), (2, 19), (9, 9), (0, 9)])
def test_a_plan_that_is_not_whole_is_planned_again(
    tmp_path: Path, harm: str, day: int, last: int
) -> None:
    """Of a day asked for and finished, in the look-back window of the next, or needed by none."""
    run_job(request(tmp_path, last=9))
    plan = JobStore(tmp_path / "_job").plans.path(START + day)
    plan.unlink() if harm == "missing" else plan.write_bytes(plan.read_bytes()[:-1] + b"?")
    estimate = estimate_job(request(tmp_path, last=last))
    summary = run_job(request(tmp_path, last=last))
    assert estimate.days_to_plan == summary.days_planned
    assert estimate.total.rows == pytest.approx(summary.records_written, rel=0.02)


def test_a_plan_that_only_sampling_needs_may_be_damaged(tmp_path: Path) -> None:
    """Two states are kept; the days before the first of them are sampled with their windows."""
    run_job(request(tmp_path, last=39))
    store = JobStore(tmp_path / "_job")
    for day in (30, 31):
        store.plans.path(START + day).unlink()
    assert estimate_job(request(tmp_path, last=39)).days_to_plan == 0
    job = request(tmp_path, last=49)
    assert estimate_job(job).days_to_plan == run_job(job).days_planned == 10


@pytest.mark.parametrize(
    ("other", "workers"),
    [
        ({}, 1),
        ({"workers": 3}, 3),
        ({"workers": 9}, 8),
        ({"workers": 9, "chunk_days": 3}, 3),
        ({"workers": 9, "target": "memory:"}, 1),
        ({"workers": 0}, 1),
    ],
)
def test_as_many_workers_are_foreseen_as_work(
    tmp_path: Path, other: dict[str, object], workers: int
) -> None:
    job = request(tmp_path, last=7, **other)
    assert estimate_job(job).workers == workers
    assert run_job(job).workers == workers


def test_large_jobs_use_every_core(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path)).capabilities
    large = request(tmp_path, last=99, workers=0, source=FakeSource(rows=10_000))
    assert count_workers(large, sink) == min(available_cores(), 100)
    assert count_workers(replace(large, last_day=START + 98), sink) == 1
    assert count_workers(replace(large, chunk_days=100), sink) == 1
    assert count_workers(large, open_sink("memory:").capabilities) == 1


def test_one_day_of_one_table(tmp_path: Path) -> None:
    job = request(tmp_path, first_day=START + 5, last_day=START + 5, tables=("returns",))
    estimate = estimate_job(replace(job, history_start=START))
    assert list(estimate.tables) == ["returns"]
    assert estimate.partitions == 1


def test_other_sinks_are_estimated_without_opening_them(tmp_path: Path) -> None:
    target = tmp_path / "rows.jsonl"
    target.write_text("precious")
    job = replace(request(tmp_path / "facts"), target=f"jsonl:{target}")
    estimate = estimate_job(job)
    assert target.read_text() == "precious"
    run_job(job)
    assert estimate.total.bytes == pytest.approx(target.stat().st_size, rel=0.05)


def test_what_the_job_refuses_is_refused(tmp_path: Path) -> None:
    run_job(request(tmp_path, last=1))
    with pytest.raises(UserError, match="seed was 1, now 2"):
        estimate_job(request(tmp_path, source=FakeSource(seed=2)))
    with pytest.raises(UserError, match="is before the start"):
        estimate_job(request(tmp_path, last=-1))
