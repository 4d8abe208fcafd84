"""The lake job on a fake retailer: same partitions however it is run, and a clear word if not."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from fake_retailer import START, FakeSource
from lake_runs import DAYS, honest, manifests, note_call, request, run, staged, told
from plain_store import FailingStore, PlainStore

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import to_date
from retail_datagen.engine.events import DayPlanned, PartitionWritten
from retail_datagen.lake.catalog import Catalog
from retail_datagen.lake.events import (
    ChunkPublished,
    LakeEvent,
    LakeOpened,
    PublishRetried,
    StateCorrected,
)
from retail_datagen.lake.hooks import Hook
from retail_datagen.lake.job import run_lake_job
from retail_datagen.lake.lease import Lease, LeaseError
from retail_datagen.lake.publish import Pace, PublishError, Retries
from retail_datagen.objects.base import StoreError
from retail_datagen.partitions.layout import CATALOG, LEASE

LAST = to_date(START + DAYS - 1).isoformat()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("undisturbed")
    run(request(folder))
    return honest(folder)


def catalog(folder: Path) -> Catalog:
    return Catalog.from_json((folder / "lake" / CATALOG).read_bytes())


def id_state(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "artifacts/.id_state.json").read_bytes())
    return content


def checkpoint(folder: Path) -> str:
    return (folder / "artifacts/.backlog_checkpoint").read_text()


def test_what_it_leaves_behind(tmp_path: Path) -> None:
    seen: list[LakeEvent] = []
    summary = run(request(tmp_path), seen.append)
    found = honest(tmp_path)
    assert len(found) == 2 * DAYS + 3 + 1
    assert "customers/signup_date=__HIVE_DEFAULT_PARTITION__" in found
    assert all((tmp_path / "lake" / place / "_SUCCESS").exists() for place in found)
    assert not (tmp_path / "lake" / LEASE).exists()
    assert staged(tmp_path) == []
    assert checkpoint(tmp_path) == f"{LAST}\n"
    rows = duckdb.sql(
        f"select count(*) from read_parquet('{tmp_path}/lake/receipts/*/*.parquet')"
    ).fetchall()[0]
    state = id_state(tmp_path)
    assert (state["last_cart_id"], state["last_order_id"]) == (rows[0], 2 * rows[0])
    assert "last_updated" in state
    whole = catalog(tmp_path)
    assert whole.complete
    assert {table.name: len(table.partitions) for table in whole.tables} == {
        "receipts": DAYS,
        "returns": DAYS,
        "customers": 3,
        "levels": 1,
    }
    assert {(t.name, p.value): p.digest for t in whole.tables for p in t.partitions} == {
        (place.split("/")[0], place.split("=")[1]): digest for place, digest in found.items()
    }
    assert (summary.published_partitions, summary.complete) == (len(found), True)
    assert summary.total_rows == sum(m.total_rows for m in manifests(tmp_path).values())
    assert [e.chunk.number for e in seen if isinstance(e, ChunkPublished)] == [1, 2, 3]
    assert next(e for e in seen if isinstance(e, LakeOpened)).published == 0


@pytest.mark.parametrize(("workers", "chunk", "task"), [(1, 30, 1), (2, 1, 1), (2, 7, 4)])
def test_workers_and_chunks_change_no_byte(
    tmp_path: Path, undisturbed: dict[str, str], workers: int, chunk: int, task: int
) -> None:
    asked = request(tmp_path, workers=workers, chunk_days=chunk, task_days=task)
    run(asked)
    assert honest(tmp_path) == undisturbed
    assert checkpoint(tmp_path) == f"{LAST}\n"


def test_manifests_come_after_files_and_before_success(tmp_path: Path) -> None:
    store = PlainStore(tmp_path / "lake")
    run_lake_job(request(tmp_path), (), store)
    order = [key for key in store.puts if key.startswith("receipts/ingest_dt=2024-01-03/")]
    names = [key.rpartition("/")[2] for key in order]
    assert names == ["part-0000.parquet", "_MANIFEST.json", "_SUCCESS"]
    assert store.puts[0] == store.puts[-1] == CATALOG


def test_a_second_run_makes_nothing(tmp_path: Path) -> None:
    run(request(tmp_path))
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "lake").rglob("part-*")}
    summary = run(request(tmp_path, chunk_days=5))
    assert (summary.published_partitions, summary.job.partitions_written) == (0, 0)
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "lake").rglob("part-*")} == before
    assert checkpoint(tmp_path) == f"{LAST}\n"


def test_a_history_is_continued(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    run(request(tmp_path, last=9))
    assert catalog(tmp_path).complete
    run(request(tmp_path, first_day=START + 10))
    assert honest(tmp_path) == undisturbed
    assert catalog(tmp_path).complete
    assert checkpoint(tmp_path) == f"{LAST}\n"
    with pytest.raises(UserError, match=r"begins on 2024-01-01, so .* cannot be added"):
        run(request(tmp_path, history_start=START - 1, source=FakeSource()))


def test_the_target_wins_over_what_this_machine_remembers(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    run(request(tmp_path))
    expected = id_state(tmp_path)
    shutil.rmtree(tmp_path / "artifacts")
    for day in ("2024-01-05", "2024-01-12"):
        shutil.rmtree(tmp_path / f"lake/receipts/ingest_dt={day}")
    (tmp_path / "lake/returns/ingest_dt=2024-01-06/part-0000.parquet").unlink()
    (tmp_path / "artifacts").mkdir()
    (tmp_path / "artifacts/.backlog_checkpoint").write_text("2024-01-19\n")
    seen: list[LakeEvent] = []
    summary = run(request(tmp_path), seen.append)
    assert summary.job.partitions_written == 3
    assert honest(tmp_path) == undisturbed
    (corrected,) = [e for e in seen if isinstance(e, StateCorrected)]
    assert (corrected.was, corrected.now) == ("2024-01-19", "2024-01-04")
    assert checkpoint(tmp_path) == f"{LAST}\n"
    assert {**id_state(tmp_path), "last_updated": ""} == {**expected, "last_updated": ""}


def test_what_was_killed_before_its_success_is_made_anew(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    run(request(tmp_path))
    (customers,) = (tmp_path / "lake").glob("customers/signup_date=2023-01-02")
    for folder in (tmp_path / "lake/receipts/ingest_dt=2024-01-05", customers):
        (folder / "_SUCCESS").unlink()
    run(request(tmp_path))
    held = [path.parent for path in (tmp_path / "lake").rglob("_MANIFEST.json")]
    assert [str(folder) for folder in held if not (folder / "_SUCCESS").exists()] == []
    assert honest(tmp_path) == undisturbed


def test_ids_of_a_whole_lake_are_found_without_local_state(tmp_path: Path) -> None:
    run(request(tmp_path))
    expected = id_state(tmp_path)
    shutil.rmtree(tmp_path / "artifacts")
    run(request(tmp_path))
    assert {**id_state(tmp_path), "last_updated": ""} == {**expected, "last_updated": ""}


def test_another_history_is_refused_and_overwritten_when_asked(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    run(request(tmp_path, source=FakeSource(seed=2)))
    with pytest.raises(UserError, match=r"another history: seed was 2, now 1.*--overwrite"):
        run(request(tmp_path))
    (tmp_path / "lake" / CATALOG).unlink()
    with pytest.raises(UserError, match=r"another history \(.*config_hash was"):
        run(request(tmp_path))
    (tmp_path / "lake/receipts/notes.txt").write_text("stray")
    (tmp_path / "lake/mine").mkdir()
    (tmp_path / "lake/mine/notes.txt").write_text("mine")
    run(request(tmp_path, overwrite=True))
    assert honest(tmp_path) == undisturbed
    assert not (tmp_path / "lake/receipts/notes.txt").exists()
    assert (tmp_path / "lake/mine/notes.txt").exists()


def test_another_target_size_is_another_lake(tmp_path: Path) -> None:
    run(request(tmp_path))
    with pytest.raises(UserError, match="target-size-mb was 96, now 48"):
        run(request(tmp_path, target_mb=48))


def test_large_partitions_are_cut_and_stale_parts_go(tmp_path: Path) -> None:
    big = FakeSource(rows=60_000)
    run(request(tmp_path, last=1, source=big, target_mb=0.07))
    files = manifests(tmp_path)["receipts/ingest_dt=2024-01-01"].files
    assert len(files) > 1
    assert max(file.bytes for file in files) <= 0.07 * 2**20
    place = tmp_path / "lake/receipts/ingest_dt=2024-01-01"
    (place / "part-0009.parquet").write_bytes(b"stale")
    (place / files[1].path).write_bytes(b"damaged")
    run(request(tmp_path, last=1, source=big, target_mb=0.07))
    assert manifests(tmp_path)["receipts/ingest_dt=2024-01-01"].files == files
    honest(tmp_path)


def test_two_jobs_on_one_prefix(tmp_path: Path) -> None:
    lease = Lease.take(PlainStore(tmp_path / "lake"))
    with pytest.raises(LeaseError, match=r"is being written by process \d+ on .* since"):
        run(request(tmp_path))
    lease.release()
    run(request(tmp_path))


def test_a_job_that_lost_its_lease_stops(tmp_path: Path) -> None:
    def steal(event: LakeEvent) -> None:
        written = isinstance(event, PartitionWritten) and event.record.day == START + 5
        lease = tmp_path / "lake" / LEASE
        if written and lease.read_text() != "{}":
            lease.write_text("{}")
            time.sleep(seconds)

    seconds = 3.0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("retail_datagen.lake.lease.TTL_SECONDS", seconds)
        patch.setattr(Lease.take.__func__, "__defaults__", (seconds,))
        with pytest.raises(LeaseError, match="was removed"):
            run(request(tmp_path), steal)
    assert 0 < len(honest(tmp_path)) < 2 * DAYS
    assert (tmp_path / "lake" / LEASE).read_text() == "{}"


def test_hooks_are_told_of_each_partition_once(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    fails = {"receipts/ingest_dt=2024-01-09"}

    def bad(table: str, partition: str, path: str, manifest: dict[str, Any]) -> None:
        assert Path(path).exists()
        if f"{table}/{partition}" in fails:
            raise RuntimeError("the warehouse is shut")

    hooks = (note_call(tmp_path), Hook("tests:bad", bad))
    seen: list[LakeEvent] = []
    with pytest.raises(PublishError) as stopped:
        run(request(tmp_path, hooks=hooks), seen.append)
    for word in ("chunk 2 of 3", "2024-01-08 to", "after 4 attempts", "shut", "run the same"):
        assert word in str(stopped.value)
    retried = [e for e in seen if isinstance(e, PublishRetried)]
    assert [e.attempt for e in retried] == [1, 2, 3]
    assert [e.seconds for e in retried] == [0.01, 0.02, 0.04]
    assert checkpoint(tmp_path) <= "2024-01-08\n"
    fails.clear()
    run(request(tmp_path, hooks=hooks))
    assert honest(tmp_path) == undisturbed
    assert Counter(told(tmp_path)) == Counter(list(undisturbed))
    run(request(tmp_path, hooks=hooks))
    assert Counter(told(tmp_path)) == Counter(list(undisturbed))


def test_staging_is_kept_when_asked(tmp_path: Path) -> None:
    run(request(tmp_path, keep_staging=True))
    for place, manifest in manifests(tmp_path).items():
        for file in manifest.files:
            assert (tmp_path / "staging" / place / file.path).exists()
    run(request(tmp_path, keep_staging=True))
    assert staged(tmp_path)
    run(request(tmp_path))
    assert staged(tmp_path) == []


def test_csv_is_kept_when_asked(tmp_path: Path) -> None:
    run(request(tmp_path, last=3))
    run(request(tmp_path, keep_csv=True))
    folders = sorted(path.name for path in (tmp_path / "artifacts").glob("raw_run_*"))
    assert folders == [
        "raw_run_2024-01-01_2024-01-07",
        "raw_run_2024-01-08_2024-01-14",
        "raw_run_2024-01-15_2024-01-20",
    ]
    ((count,),) = duckdb.sql(
        f"select count(*) from read_csv('{tmp_path}/artifacts/raw_run_*/receipts.csv')"
    ).fetchall()
    expected = sum(m.total_rows for p, m in manifests(tmp_path).items() if "receipts" in p)
    assert count == expected
    first = (tmp_path / "artifacts" / folders[0] / "receipts.csv").read_text().splitlines()
    assert first[0] == "ReceiptId,EventTS,Total,TenderType"
    assert first.count(first[0]) == 1


def most_staged(folder: Path, pause: float, in_flight: int) -> int:
    """How many days were staged at once, at most."""
    most = 0

    def look(event: LakeEvent) -> None:
        nonlocal most
        if isinstance(event, DayPlanned | PartitionWritten):
            names = list((folder / "staging/returns").glob("ingest_dt=*"))
            most = max(most, len(names))

    asked = request(folder, chunk_days=1, pace=Pace(1, in_flight))
    run_lake_job(asked, [look], PlainStore(folder / "lake", pause))
    return most


def test_generation_waits_for_a_slow_target(tmp_path: Path) -> None:
    assert most_staged(tmp_path / "slow", 0.02, 2) <= 3
    assert most_staged(tmp_path / "free", 0.02, 99) > 10


@pytest.mark.parametrize("seed", range(4))
def test_a_failing_store_ends_complete_or_with_a_clear_error(
    tmp_path: Path, undisturbed: dict[str, str], seed: int
) -> None:
    finished = False
    failures = 0
    for attempt in range(40):
        store = FailingStore(tmp_path / "lake", 100 * seed + attempt)
        with suppress(StoreError, PublishError):
            run_lake_job(request(tmp_path, retries=Retries(5, 0.001)), (), store)
            finished = True
        failures += store.failures
        assert honest(tmp_path).items() <= undisturbed.items()
        # A lease that could not be deleted is left to expire, or to whoever sees us dead.
        (tmp_path / "lake" / LEASE).unlink(missing_ok=True)
        if finished:
            break
    assert finished
    assert failures > 10
    assert honest(tmp_path) == undisturbed
    assert catalog(tmp_path).complete


def test_what_can_not_be_asked_for(tmp_path: Path) -> None:
    for other, why in (
        ({"chunk_days": 0}, "chunk-size: 0"),
        ({"target_mb": 0.01}, "target-size-mb: 0.01"),
        ({"retries": Retries(0)}, "attempts: 0"),
        ({"staging": tmp_path / "lake"}, "a folder of its own"),
        ({"tables": ("nothing",)}, "'nothing' is not known"),
        ({"last_day": START - 1}, "is before the start"),
    ):
        with pytest.raises(UserError, match=why):
            run(replace(request(tmp_path), **other))
