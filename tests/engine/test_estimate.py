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
from retail_datagen.engine.retail import RetailSource
from retail_datagen.engine.trend import Trend, spread


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


def test_one_day_of_one_table(tmp_path: Path) -> None:
    job = request(tmp_path, first_day=START + 5, last_day=START + 5, tables=("returns",))
    estimate = estimate_job(replace(job, history_start=START))
    assert list(estimate.tables) == ["returns"]
    assert estimate.partitions == 1


def test_other_sinks_are_estimated_without_opening_them(tmp_path: Path) -> None:
    target = tmp_path / "rows.jsonl"
    target.write_text("precious")
    estimate = estimate_job(replace(request(tmp_path / "facts"), target=f"jsonl:{target}"))
    assert estimate.total.bytes > 0
    assert target.read_text() == "precious"


def test_what_the_job_refuses_is_refused(tmp_path: Path) -> None:
    run_job(request(tmp_path, last=1))
    with pytest.raises(UserError, match="seed was 1, now 2"):
        estimate_job(request(tmp_path, source=FakeSource(seed=2)))
    with pytest.raises(UserError, match="is before the start"):
        estimate_job(request(tmp_path, last=-1))
