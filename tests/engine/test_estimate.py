"""The dry run: close to what the job then does, and without a trace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from fake_retailer import START, FakeSource

from retail_datagen.config.errors import UserError
from retail_datagen.engine.estimate import estimate_job
from retail_datagen.engine.job import JobRequest, run_job


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
