"""The job on a fake retailer: same bytes however it is run, and a clear word when it cannot."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from fake_retailer import START, FakeSource

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date
from retail_datagen.engine.events import (
    DayPlanned,
    Event,
    JobFinished,
    JobStarted,
    JobSummary,
    PartitionKept,
    PartitionLost,
    PartitionWritten,
)
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.lock import JobLock
from retail_datagen.engine.pool import WorkerError
from retail_datagen.sinks import SinkError
from retail_datagen.sinks.memory import MemorySink


def request(
    target: Path | str, first: int = 0, last: int = 9, workers: int = 1, **other: object
) -> JobRequest:
    facts = Path(target) if not str(target).endswith(":") else Path("nowhere")
    base = JobRequest(FakeSource(), str(target), facts, START + first, START + last)
    return replace(base, workers=workers, **other)


def digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file() and "_job" not in path.parts
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("undisturbed")
    run_job(request(root))
    return digests(root)


def test_the_layout_is_the_published_one(undisturbed: dict[str, str]) -> None:
    assert len(undisturbed) == 20
    assert "receipts/dt=2024-01-03/receipts_20240103.csv" in undisturbed
    assert "returns/dt=2024-01-10/returns_20240110.csv" in undisturbed


def test_the_summary_counts_what_is_there(tmp_path: Path) -> None:
    summary = run_job(request(tmp_path, last=2))
    lines = sum(
        len(p.read_text().splitlines()) - 1 for p in tmp_path.glob("receipts/*/receipts_*.csv")
    )
    assert summary.rows["receipts"] == lines > 150
    assert summary.total_records == lines + 1 + 2 + 3
    assert summary.bytes == sum(p.stat().st_size for p in tmp_path.glob("*/dt=*/*.csv"))
    assert (summary.partitions_written, summary.partitions_kept) == (6, 0)
    assert summary.generation_time_seconds > 0


@pytest.mark.parametrize(("workers", "chunk"), [(1, 3), (1, 30), (2, 1), (2, 4), (3, 7)])
def test_workers_and_chunks_change_no_byte(
    tmp_path: Path, undisturbed: dict[str, str], workers: int, chunk: int
) -> None:
    summary = run_job(request(tmp_path, workers=workers, chunk_days=chunk))
    assert digests(tmp_path) == undisturbed
    assert summary.workers <= workers


def test_a_later_range_goes_on(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    run_job(request(tmp_path, last=3))
    summary = run_job(request(tmp_path, first=4, workers=2))
    assert summary.days_planned == 6
    assert summary.history_start == START
    assert digests(tmp_path) == undisturbed


def test_days_between_are_planned_but_not_rendered(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    run_job(request(tmp_path, last=0))
    summary = run_job(request(tmp_path, first=7, last=7))
    assert summary.days_planned == 7
    found = digests(tmp_path)
    assert len(found) == 4
    assert found.items() <= undisturbed.items()
    # The days left out come later, in any order, from the plans on file.
    assert run_job(request(tmp_path, first=1, last=6)).days_planned == 0
    run_job(request(tmp_path))
    assert digests(tmp_path) == undisturbed


def test_tables_may_come_one_by_one(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    run_job(request(tmp_path, tables=("returns",)))
    assert {path.split("/")[0] for path in digests(tmp_path)} == {"returns"}
    summary = run_job(request(tmp_path))
    assert (summary.partitions_written, summary.partitions_kept) == (10, 10)
    assert digests(tmp_path) == undisturbed


def test_one_day_alone_from_a_given_history_start(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    run_job(request(tmp_path, first=5, last=5, history_start=START, tables=("returns",)))
    found = digests(tmp_path)
    assert list(found) == ["returns/dt=2024-01-06/returns_20240106.csv"]
    assert found.items() <= undisturbed.items()


def test_finished_partitions_are_kept(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    run_job(request(tmp_path))
    before = {p: p.stat().st_mtime_ns for p in tmp_path.glob("*/dt=*/*")}
    summary = run_job(request(tmp_path))
    assert (summary.partitions_written, summary.partitions_kept) == (0, 20)
    assert (summary.records_written, summary.days_planned) == (0, 0)
    assert summary.total_records > 500
    assert {p: p.stat().st_mtime_ns for p in tmp_path.glob("*/dt=*/*")} == before


def test_missing_and_damaged_partitions_are_made_again(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    run_job(request(tmp_path))
    (tmp_path / "receipts/dt=2024-01-02/receipts_20240102.csv").unlink()
    damaged = tmp_path / "returns/dt=2024-01-05/returns_20240105.csv"
    damaged.write_bytes(damaged.read_bytes().replace(b"0", b"1", 1))
    events: list[Event] = []
    summary = run_job(request(tmp_path), [events.append])
    assert summary.partitions_written == 2
    assert sum(isinstance(e, PartitionLost) for e in events) == 2
    assert digests(tmp_path) == undisturbed


def test_a_torn_journal_line_is_ignored(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    run_job(request(tmp_path, last=4))
    journal = tmp_path / "_job/partitions.jsonl"
    journal.write_bytes(journal.read_bytes()[:-20])
    summary = run_job(request(tmp_path))
    assert summary.partitions_kept == 9
    assert digests(tmp_path) == undisturbed
    assert len([json.loads(line) for line in journal.read_text().splitlines()]) == 20


def test_journal_lines_that_are_no_text_are_ignored(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    run_job(request(tmp_path, last=4))
    journal = tmp_path / "_job/partitions.jsonl"
    first, *others = journal.read_bytes().splitlines(keepends=True)
    noise = bytes(range(128, 256))
    journal.write_bytes(noise + b"\n" + noise[:60] + first + b"".join(others))
    assert run_job(request(tmp_path)).partitions_kept == 9
    assert digests(tmp_path) == undisturbed


@pytest.mark.parametrize("damage", ["plan", "plans", "state", "all"])
def test_plans_and_states_can_be_made_again(
    tmp_path: Path, undisturbed: dict[str, str], damage: str
) -> None:
    run_job(request(tmp_path, last=5))
    job = tmp_path / "_job"
    if damage in ("plan", "all"):
        plan = job / "plans/plan-20240106.bin"
        plan.write_bytes(plan.read_bytes()[:-1])
    if damage in ("plans", "all"):
        shutil.rmtree(job / "plans")
    if damage in ("state", "all"):
        for state in job.glob("state-*"):
            state.write_bytes(b"nonsense")
    run_job(request(tmp_path))
    assert digests(tmp_path) == undisturbed


def test_two_states_are_kept(tmp_path: Path) -> None:
    for last in (0, 1, 40):
        run_job(request(tmp_path, last=last))
    states = sorted(p.name for p in (tmp_path / "_job").glob("state-*"))
    assert states == ["state-20240203.bin", "state-20240210.bin"]


def test_a_changed_program_is_noticed_when_it_plans_otherwise(tmp_path: Path) -> None:
    run_job(request(tmp_path, last=5))
    for state in (tmp_path / "_job").glob("state-*"):
        state.unlink()
    changed = replace(request(tmp_path), source=FakeSource(rows=51))
    with pytest.raises(UserError, match="planning 2024-01-01 again gives another plan"):
        run_job(changed)


def test_half_written_files_of_a_killed_run_go_away(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    run_job(request(tmp_path, last=1))
    torn = tmp_path / "receipts/dt=2024-01-02/.receipts_20240102.csv.4711.tmp"
    torn.write_bytes(b"half")
    (tmp_path / "returns/dt=2024-02-01").mkdir()
    (tmp_path / "returns/dt=2024-02-01/.returns_20240201.csv.4711.tmp").write_bytes(b"half")
    run_job(request(tmp_path))
    assert digests(tmp_path) == undisturbed
    assert not (tmp_path / "returns/dt=2024-02-01").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": FakeSource(seed=2)}, "seed was 1, now 2"),
        ({"source": FakeSource(version="1.1")}, "version was 1.0, now 1.1"),
        ({"source": FakeSource(master="n" * 64)}, "master data was mmmmmmmmmmmm, now nnnnnnnn"),
        ({"format": "parquet"}, "format was csv, now parquet"),
    ],
)
def test_another_history_is_refused_unless_overwritten(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    run_job(request(tmp_path, last=3))
    before = digests(tmp_path)
    with pytest.raises(UserError) as refused:
        run_job(request(tmp_path, last=1, **change))
    assert message in str(refused.value)
    assert "--overwrite" in str(refused.value)
    assert digests(tmp_path) == before
    (tmp_path / "receipts/mine.txt").write_text("the user's own")
    run_job(request(tmp_path, last=1, overwrite=True, **change))
    (tmp_path / "receipts/mine.txt").unlink()
    fresh = tmp_path / "fresh"
    run_job(request(fresh, last=1, **change))
    expected = digests(fresh)
    shutil.rmtree(fresh)
    assert digests(tmp_path) == expected


def test_an_earlier_start_is_refused(tmp_path: Path) -> None:
    run_job(request(tmp_path, first=3))
    for first, start in ((2, None), (3, START)):
        with pytest.raises(UserError, match="begins on 2024-01-04, so 2024-01-0"):
            run_job(request(tmp_path, first=first, history_start=start))
    assert run_job(request(tmp_path, first=2, overwrite=True)).history_start == START + 2


def test_files_of_unknown_origin_are_refused(tmp_path: Path) -> None:
    run_job(request(tmp_path, last=1))
    shutil.rmtree(tmp_path / "_job")
    with pytest.raises(UserError, match="holds tables without a record of how they were made"):
        run_job(request(tmp_path))
    assert run_job(request(tmp_path, overwrite=True)).partitions_kept == 0


@pytest.mark.parametrize(
    ("content", "damage"),
    [
        (b"{", "not JSON: line 1, column 2: Expecting property name enclosed in double quotes"),
        (b'{"version": "\xff\xfe"}' * 50, "not UTF-8 text, from byte 13 on"),
        (b"{}", "version is missing"),
        (b"[]", "a value is not one that is written there"),
        (b'{"version": 1, "config": 1, "master": 1, "settings": 3}', "a value is not one that"),
    ],
)
def test_a_damaged_header_is_refused_in_one_line(
    tmp_path: Path, content: bytes, damage: str
) -> None:
    run_job(request(tmp_path, last=1))
    (tmp_path / "_job/job.json").write_bytes(content)
    with pytest.raises(UserError, match=r"job\.json is damaged") as refused:
        run_job(request(tmp_path))
    message = str(refused.value)
    assert f"({damage}" in message
    assert "start anew with --overwrite or choose another folder with --to" in message
    assert len(message.splitlines()) == 1
    elsewhere = replace(request(tmp_path, last=1), target=str(tmp_path / "elsewhere"))
    assert run_job(elsewhere).partitions_written == 4
    assert run_job(request(tmp_path, last=1, overwrite=True)).partitions_written == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"last": -1}, "end: 2023-12-31 is before the start, 2024-01-01; both are included"),
        ({"last": 5000}, "end: 2037-09-09 is outside of the calendar; allowed is 2024-01-01 to"),
        ({"tables": ("receits",)}, "tables: 'receits' is not known; allowed are receipts, retur"),
        ({"workers": -1}, "workers: -1 is not allowed; give 1 or more"),
        ({"chunk_days": 0}, "chunk-days: 0 is not allowed; give 1 or more"),
        ({"format": "xml"}, "format: 'xml' is not known; allowed are csv and parquet"),
    ],
)
def test_bad_requests_say_what_is_allowed(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError) as refused:
        run_job(request(tmp_path / "new", **change))
    assert message in str(refused.value)
    assert not (tmp_path / "new").exists()


def test_only_one_job_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "_job").mkdir()
    lock = JobLock(tmp_path / "_job")
    with pytest.raises(UserError, match=rf"\(process {os.getpid()}, since 20"):
        run_job(request(tmp_path))
    lock.release()
    lock.release()
    run_job(request(tmp_path))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failed_write_leaves_nothing_and_goes_on_later(
    tmp_path: Path, undisturbed: dict[str, str], workers: int
) -> None:
    blocked = tmp_path / "receipts/dt=2024-01-05"
    blocked.parent.mkdir()
    blocked.write_text("in the way")
    with pytest.raises(UserError, match=r"cannot write .*20240105\.csv: .*run the same"):
        run_job(request(tmp_path, workers=workers))
    blocked.unlink()
    found = digests(tmp_path)
    assert found.items() <= undisturbed.items()
    run_job(request(tmp_path, workers=workers))
    assert digests(tmp_path) == undisturbed


def test_a_full_disk_is_told(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    target = f"jsonl:{Path('/dev/full')}"
    with pytest.raises(SinkError, match="cannot write /dev/full: No space left"):
        run_job(replace(request(tmp_path), target=target))


def faulty(fault: str, once: Path) -> FakeSource:
    """A source whose first day, which goes to a worker, goes wrong there."""
    return FakeSource(bad_day=START, fault=fault, once=once, home=os.getpid())


def test_a_killed_worker_is_told_and_the_job_goes_on(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    source = faulty("kill", tmp_path / "once")
    out = tmp_path / "out"
    job = replace(request(out, workers=2), source=source)
    with pytest.raises(WorkerError, match=r"worker process \d+ was killed by SIGKILL"):
        run_job(job)
    run_job(job)
    assert digests(out) == undisturbed


def test_errors_in_workers_reach_the_user(tmp_path: Path) -> None:
    job = request(tmp_path / "out", workers=2)
    with pytest.raises(UserError, match="the day is cursed"):
        run_job(replace(job, source=faulty("user", tmp_path / "user")))
    with pytest.raises(RuntimeError, match="ZeroDivisionError: a mistake of ours"):
        run_job(replace(job, source=faulty("bug", tmp_path / "bug")))


def test_prints_in_workers_do_no_harm(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    source = faulty("print", tmp_path / "once")
    run_job(replace(request(tmp_path / "out", workers=2), source=source))
    assert source.once.exists()
    assert digests(tmp_path / "out") == undisturbed


@pytest.mark.parametrize("workers", [1, 2])
def test_events_tell_the_whole_story(tmp_path: Path, workers: int) -> None:
    events: list[Event] = []
    summary = run_job(request(tmp_path, last=3, workers=workers), [events.append])
    started = events[0]
    assert isinstance(started, JobStarted)
    assert (started.partitions, started.days_to_plan) == (8, 4)
    assert started.tables == ("receipts", "returns")
    assert events[-1] == JobFinished(summary)
    planned = [e.day for e in events if isinstance(e, DayPlanned)]
    assert planned == list(range(START, START + 4))
    for i, event in enumerate(events):
        if isinstance(event, PartitionWritten):
            assert DayPlanned(event.record.day) in events[:i]
    kept: list[Event] = []
    run_job(request(tmp_path, last=3, workers=workers), [kept.append])
    assert sum(isinstance(e, PartitionKept) for e in kept) == 8


def test_a_sink_of_ones_own_is_used(tmp_path: Path) -> None:
    sink = MemorySink()
    summary = run_job(request("memory:", workers=4), sink=sink)
    assert summary.workers == 1
    assert sink.table("receipts").num_rows == summary.rows["receipts"]
    assert not Path("nowhere").exists()
    assert isinstance(sink.partitions["returns", START], pa.Table)


def test_other_sinks_tell_the_history_that_is_on_file(tmp_path: Path) -> None:
    run_job(request(tmp_path, last=0))
    later = replace(request(tmp_path, first=4, last=4), target="memory:")
    sink = MemorySink()
    assert run_job(later, sink=sink).history_start == START
    run_job(request(tmp_path, first=4, last=4))
    line = (tmp_path / "receipts/dt=2024-01-05/receipts_20240105.csv").read_text().splitlines()[1]
    assert sink.table("receipts")["ReceiptId"][0].as_py() == line.split(",")[0]
    other = replace(later, source=FakeSource(seed=3))
    assert run_job(other, sink=MemorySink()).history_start == START + 4


def test_summary_reports_a_rate() -> None:
    summary = JobSummary("x", 0, 0, 0, 100, 50, 2.0, {}, 0, 1, 1, 0, 1)
    assert summary.records_per_second == 25
    assert to_date(summary.first_day).year == 1970
