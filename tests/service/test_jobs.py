"""Backfills as jobs: progress, cancelling, failing, what a dead process left."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from retail_datagen.service.app import create_app
from retail_datagen.service.core import Service
from retail_datagen.service.jobs import Progress
from retail_datagen.service.problems import Problem
from retail_datagen.service.settings import ServiceSettings
from retail_datagen.store import presence
from retail_datagen.store.database import Engine, open_database, writing
from retail_datagen.store.joblog import JobRecord, find_job, note_job
from retail_datagen.store.presence import presence_at
from service.conftest import MANY, fill, until
from stopping import allowed
from stores import violations

ENDED = ("done", "failed", "cancelled")


def ended(client: TestClient, job: str) -> dict[str, Any]:
    until(lambda: client.get(f"/jobs/{job}").json()["state"] in ENDED, 300)
    return client.get(f"/jobs/{job}").json()  # type: ignore[no-any-return]


def service_of(client: TestClient) -> Service:
    return client.app.state.service  # type: ignore[attr-defined,no-any-return]


def test_a_backfill_is_a_job(client: TestClient, engine: Engine) -> None:
    fill(client, 10, 6)
    begun = client.post("/analytics/backfill", json={"days": 10, "density": "sparse"})
    assert begun.status_code == 202
    assert begun.headers["location"] == f"/jobs/{begun.json()['id']}"
    job = ended(client, begun.json()["id"])
    assert (job["state"], job["progress"], job["message"]) == ("done", 1.0, "")
    assert job["result"]["purchases"] + job["result"]["missed"] == 200
    overview = client.get("/analytics/overview").json()
    assert overview["sales"]["units"] == job["result"]["purchases"]
    again = ended(client, client.post("/analytics/backfill", json={"days": 5}).json()["id"])
    assert again["state"] == "failed"
    assert "replace" in again["message"]
    wanted = {"days": 10, "density": "sparse", "replace": True}
    replaced = ended(client, client.post("/analytics/backfill", json=wanted).json()["id"])
    assert replaced["state"] == "done"
    days = {name: replaced["result"][name] for name in ("first_day", "last_day")}
    assert replaced["result"]["replaced"] == {"runs": 1, **days}
    assert [one["id"] for one in client.get("/jobs").json()][-1] == job["id"]
    assert violations(engine) == []


def test_an_empty_store_has_no_past(client: TestClient) -> None:
    job = ended(client, client.post("/analytics/backfill", json={"days": 3}).json()["id"])
    assert job["state"] == "failed"
    assert "No products found in database" in job["message"]


@pytest.mark.parametrize(
    ("body", "field"), [({"days": 0}, "days"), ({"density": "huge"}, "density"), ({"x": 1}, "x")]
)
def test_a_wrong_job_is_refused(client: TestClient, body: dict[str, object], field: str) -> None:
    told = client.post("/analytics/backfill", json=body)
    assert (told.status_code, told.json()["field"]) == (422, field)
    assert client.get("/jobs").json() == []


class Steps:
    """Work that waits for a word before each of its steps."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.done = 0

    def __call__(self, progress: Progress) -> dict[str, Any]:
        for step in range(4):
            progress(f"step {step}", step / 4)
            assert self.go.acquire(timeout=600)
            self.done += 1
        return {"steps": self.done}


def test_jobs_run_one_after_the_other_and_tell_how_far(client: TestClient) -> None:
    jobs, first, second = service_of(client).jobs, Steps(), Steps()
    one = jobs.start("steps", {}, first).id
    two = jobs.start("steps", {}, second).id
    until(lambda: client.get(f"/jobs/{one}").json()["message"] == "step 0")
    first.go.release(2)
    until(lambda: client.get(f"/jobs/{one}").json()["progress"] == 0.5)
    assert client.get(f"/jobs/{two}").json()["state"] == "queued"
    assert 'retail_store_jobs{state="queued"} 1.0' in client.get("/metrics").text
    first.go.release(2)
    assert ended(client, one)["result"] == {"steps": 4}
    second.go.release(4)
    assert ended(client, two)["state"] == "done"


def test_jobs_are_cancelled_running_or_waiting(client: TestClient) -> None:
    jobs, first, second = service_of(client).jobs, Steps(), Steps()
    one, two = jobs.start("steps", {}, first).id, jobs.start("steps", {}, second).id
    until(lambda: client.get(f"/jobs/{one}").json()["state"] == "running")
    assert client.post(f"/jobs/{two}/cancel").json()["state"] == "queued"
    client.post(f"/jobs/{one}/cancel")
    first.go.release(1)
    assert ended(client, one)["state"] == "cancelled"
    assert ended(client, two)["state"] == "cancelled"
    assert (first.done, second.done) == (1, 0)
    assert client.post(f"/jobs/{one}/cancel").json()["state"] == "cancelled"
    assert client.post("/jobs/0000/cancel").status_code == 404


def test_a_cancelled_backfill_writes_nothing(client: TestClient, engine: Engine) -> None:
    fill(client, 10, 6)
    blocker = Steps()
    service_of(client).jobs.start("steps", {}, blocker)
    job = client.post("/analytics/backfill", json={"days": 30}).json()["id"]
    client.post(f"/jobs/{job}/cancel")
    blocker.go.release(4)
    assert ended(client, job)["state"] == "cancelled"
    assert client.get("/analytics/overview?days=365").json()["sales"]["units"] == 0
    assert violations(engine) == []


@pytest.mark.timed
def test_a_job_is_taken_at_once_while_another_writes(client: TestClient, engine: Engine) -> None:
    fill(client, 20, 20)
    long = {"days": 300, "density": "extreme"}
    first = client.post("/analytics/backfill", json=long).json()["id"]
    until(lambda: client.get(f"/jobs/{first}").json()["progress"] > 0.05)
    began = time.monotonic()
    second = client.post("/analytics/backfill", json={"days": 2, "density": "sparse"})
    assert time.monotonic() - began < allowed(1)
    assert second.status_code == 202
    queued = second.json()["id"]
    assert client.get(f"/jobs/{first}").json()["state"] == "running"
    assert client.get(f"/jobs/{queued}").json()["state"] == "queued"
    assert [one["id"] for one in client.get("/jobs").json()] == [queued, first]
    client.post(f"/jobs/{first}/cancel")
    assert ended(client, first)["state"] == "cancelled"
    assert ended(client, queued)["state"] == "done"
    until(lambda: on_record(engine, queued) == "done")
    assert on_record(engine, first) == "cancelled"


def on_record(engine: Engine, job: str) -> str | None:
    with engine.connect() as connection:
        found = find_job(connection, job)
    return None if found is None else found.state


def test_a_job_ends_on_record_however_long_somebody_else_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retail_datagen.store.database.engine._BUSY_SECONDS", 0.1)
    monkeypatch.setattr("retail_datagen.service.jobs._AGAIN_SECONDS", 0.05)
    engine, steps = open_database(f"sqlite:///{tmp_path / 'store.db'}"), Steps()
    with TestClient(create_app(ServiceSettings(), engine)) as client:
        jobs = service_of(client).jobs
        job = jobs.start("steps", {}, steps).id
        until(lambda: client.get(f"/jobs/{job}").json()["message"] == "step 0")
        other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        waiting = jobs.start("steps", {}, steps).id
        steps.go.release(8)
        until(lambda: steps.done == 4)
        time.sleep(0.5)
        assert (on_record(engine, job), on_record(engine, waiting)) == ("running", None)
        assert client.get(f"/jobs/{waiting}").json()["state"] == "queued"
        other.execute("ROLLBACK")
        other.close()
        until(lambda: on_record(engine, job) == on_record(engine, waiting) == "done")
    engine.dispose()


def test_work_that_breaks_is_a_failed_job(client: TestClient) -> None:
    def broken(progress: Progress) -> dict[str, Any]:
        raise ZeroDivisionError("secret")

    job = ended(client, service_of(client).jobs.start("broken", {}, broken).id)
    assert job["state"] == "failed"
    assert "secret" not in job["message"]
    jobs, steps = service_of(client).jobs, Steps()
    steps.go.release(4)
    assert ended(client, jobs.start("steps", {}, steps).id)["state"] == "done"


def test_the_queue_has_an_end(client: TestClient) -> None:
    jobs, first = service_of(client).jobs, Steps()
    jobs.start("steps", {}, first)
    until(lambda: jobs.now["running"] == 1)
    waiting = [Steps() for _ in range(MANY.jobs_waiting)]
    for steps in waiting:
        jobs.start("steps", {}, steps)
    with pytest.raises(Problem, match="wait already"):
        jobs.start("steps", {}, Steps())
    for job in client.get("/jobs").json():
        client.post(f"/jobs/{job['id']}/cancel")
    first.go.release(4)
    until(lambda: jobs.now == {"queued": 0, "running": 0})


def test_what_a_dead_process_left_has_failed(engine: Engine) -> None:
    now = datetime.now()
    left = [
        JobRecord(f"0{n}", "backfill", state, 0.4, "", {}, None, now, None, None)  # type: ignore[arg-type]
        for n, state in enumerate(["queued", "running", "done"])
    ]
    with writing(engine) as connection:
        for record in left:
            note_job(connection, record)
    with TestClient(create_app(ServiceSettings(), engine)) as client:
        told = [client.get(f"/jobs/{record.id}").json() for record in left]
    assert [one["state"] for one in told] == ["failed", "failed", "done"]
    assert "start it again" in told[0]["message"]
    assert asdict(left[2])["state"] == told[2]["state"]


def test_a_second_server_leaves_the_first_ones_jobs_alone(
    client: TestClient, engine: Engine
) -> None:
    steps = Steps()
    job = service_of(client).jobs.start("steps", {}, steps).id
    until(lambda: client.get(f"/jobs/{job}").json()["state"] == "running")
    with TestClient(create_app(ServiceSettings(), engine)) as other:
        assert other.get(f"/jobs/{job}").json()["state"] == "running"
        told = other.post(f"/jobs/{job}/cancel")
        assert (told.status_code, told.json()["field"]) == (409, "job")
    assert client.get(f"/jobs/{job}").json()["state"] == "running"
    steps.go.release(4)
    assert ended(client, job)["state"] == "done"
    with TestClient(create_app(ServiceSettings(), engine)) as later:
        assert later.get(f"/jobs/{job}").json()["state"] == "done"


def test_a_server_that_leaves_has_left_its_jobs(client: TestClient, engine: Engine) -> None:
    gone = presence_at(engine)
    gone.hold()
    now = datetime.now()
    left = JobRecord("07", "backfill", "running", 0.4, "", {}, None, now, None, None)
    with writing(engine) as connection:
        note_job(connection, left, gone.number)
    assert client.post("/jobs/07/cancel").status_code == 409
    gone.leave()
    assert client.post("/jobs/07/cancel").json()["state"] == "failed"


def test_what_killed_servers_left_beside_the_database_is_swept(
    sqlite: Engine, tmp_path: Path
) -> None:
    alive = presence_at(sqlite)
    alive.hold()
    there = tmp_path / f"plain.db.server-{alive.number}"
    other = tmp_path / "plain.db.server-notes"
    left = [tmp_path / f"plain.db.server-{number}" for number in (7, 2**30)]
    for path in (*left, other):
        path.write_text("")
    with TestClient(create_app(ServiceSettings(), sqlite)):
        assert [path.exists() for path in left] == [False, False]
        assert there.exists()
        assert other.exists()
    alive.leave()


def test_a_server_that_begins_while_another_sweeps_is_alive(
    sqlite: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begins, other = presence_at(sqlite), presence_at(sqlite)
    lock, swept = presence._try_lock, []

    def swept_before(descriptor: int, *, shared: bool) -> bool:
        if not swept:
            swept.append(descriptor)
            (tmp_path / f"plain.db.server-{begins.number}").unlink()
        return lock(descriptor, shared=shared)

    monkeypatch.setattr(presence, "_try_lock", swept_before)
    begins.hold()
    assert other.is_alive(begins.number)
    begins.leave()
    assert not other.is_alive(begins.number)


def test_a_service_that_ends_cancels_its_jobs(
    serving: Callable[[ServiceSettings], TestClient], sqlite: Engine
) -> None:
    steps = Steps()
    with TestClient(create_app(ServiceSettings(), sqlite)) as client:
        job = service_of(client).jobs.start("steps", {}, steps).id
        until(lambda: client.get(f"/jobs/{job}").json()["state"] == "running")
        steps.go.release(4)
        client.post(f"/jobs/{job}/cancel")
    assert serving(ServiceSettings()).get(f"/jobs/{job}").json()["state"] in ("cancelled", "done")
