"""Killed or stopped at any moment and run again, a lake ends as an undisturbed one does."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import lake_runs
import pytest
from lake_runs import honest, manifests, request, run, staged, told

from retail_datagen.lake.lease import LeaseError
from retail_datagen.partitions.layout import LEASE
from stopping import ends_in_time

SCRIPT = Path(lake_runs.__file__)
PAUSE, LONG_PAUSE = 0.01, 0.2
"""The long one is for whoever must be heard before the job is over, however late they come."""


def start(folder: Path, workers: int, chunk: int, pause: float = PAUSE) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(folder), str(workers), str(chunk), str(pause)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("undisturbed")
    run(request(folder))
    return honest(folder)


def kill_at_random(folder: Path, dice: random.Random) -> bool:
    """Run the job, kill it -9 at some moment of its work; whether it was still running."""
    process = start(folder, dice.choice([1, 2]), dice.choice([3, 7, 30]))
    assert process.stdout
    # As many as there are partitions to come, so that most runs are killed before their end.
    lines = dice.randrange(max(1, 2 * lake_runs.DAYS - len(manifests(folder))))
    for _ in range(lines):
        if not process.stdout.readline():
            break
    try:
        process.wait(timeout=dice.uniform(0.0, 0.05 if lines else 0.7))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    _, err = process.communicate()
    assert process.returncode == 0, err
    return False


def crash_round(folder: Path, seed: int, undisturbed: dict[str, str], most: int) -> int:
    """Kill a job again and again until it once comes to its end; how often it was killed."""
    dice = random.Random(seed)
    kills = 0
    while kills < most and kill_at_random(folder, dice):
        kills += 1
        assert honest(folder).items() <= undisturbed.items()
        if dice.random() < 0.2:
            shutil.rmtree(folder / "artifacts", ignore_errors=True)
    process = start(folder, 1, 7)
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert honest(folder) == undisturbed
    assert staged(folder) == []
    assert not (folder / "lake" / LEASE).exists()
    assert (folder / "artifacts/.backlog_checkpoint").read_text() == "2024-01-20\n"
    assert set(told(folder)) == set(undisturbed)
    return kills


def test_a_killed_job_goes_on(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    assert crash_round(tmp_path, 1, undisturbed, 6) >= 1


@pytest.mark.soak
def test_many_kills(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    kills = [crash_round(tmp_path / str(seed), seed, undisturbed, 12) for seed in range(2, 12)]
    assert sum(kills) >= 20


def test_the_second_of_two_processes_is_refused(
    tmp_path: Path, undisturbed: dict[str, str]
) -> None:
    process = start(tmp_path, 1, 7, LONG_PAUSE / 2)
    assert process.stdout
    process.stdout.readline()
    with pytest.raises(LeaseError, match=rf"is being written by process {process.pid} on"):
        run(request(tmp_path))
    _, err = process.communicate()
    assert process.returncode == 0, err
    assert honest(tmp_path) == undisturbed


@pytest.mark.timed
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_job_keeps_what_is_published(
    tmp_path: Path, undisturbed: dict[str, str], workers: int, signum: signal.Signals, code: int
) -> None:
    process = start(tmp_path, workers, 7, LONG_PAUSE)
    assert process.stdout
    for _ in range(9):
        process.stdout.readline()
    process.send_signal(signum)
    out, err = ends_in_time(process, promised=3)
    assert process.returncode == code, err
    assert err == ""
    last = out.splitlines()[-1]
    found = honest(tmp_path)
    facts = [place for place in found if "ingest_dt" in place]
    assert last == f"stopped with {len(facts)} of {2 * lake_runs.DAYS}"
    assert 6 <= len(found) < len(undisturbed)
    assert staged(tmp_path) == []
    assert not (tmp_path / "lake" / LEASE).exists()
    run(request(tmp_path))
    assert honest(tmp_path) == undisturbed
