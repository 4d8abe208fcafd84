"""Killed or stopped at any moment and run again, a job ends with what an undisturbed one gives."""

from __future__ import annotations

import os
import pickle
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import run_fake
from fake_retailer import START, FakeSource
from real_retailer import digests

from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.worker import Setup
from stopping import ends_in_time

SCRIPT = Path(run_fake.__file__)
PAUSE = 0.02


def start(root: Path, workers: int, chunk: int = 1, pause: float = PAUSE) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(root), str(workers), str(chunk), str(pause)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


def leftovers(root: Path) -> list[Path]:
    return [path for path in root.rglob(".*.tmp") if path.is_file()]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("undisturbed")
    last = START + run_fake.DAYS - 1
    run_job(JobRequest(FakeSource(), str(root), root, START, last, workers=1))
    return digests(root)


def wait_for_lines(process: subprocess.Popen[str], lines: int) -> list[str]:
    assert process.stdout
    return [process.stdout.readline() for _ in range(lines)]


@pytest.mark.timed
@pytest.mark.parametrize(
    ("signum", "code", "workers"),
    [
        (signal.SIGINT, 130, 1),
        (signal.SIGTERM, 143, 2),
        pytest.param(signal.SIGINT, 130, 2, marks=pytest.mark.soak),
        pytest.param(signal.SIGTERM, 143, 1, marks=pytest.mark.soak),
    ],
)
def test_a_stopped_job_keeps_what_is_whole(
    tmp_path: Path, undisturbed: dict[str, str], signum: signal.Signals, code: int, workers: int
) -> None:
    # Slow enough that we are heard before the job is over, however late we come.
    process = start(tmp_path, workers, pause=0.3)
    wait_for_lines(process, 6)
    process.send_signal(signum)
    out, err = ends_in_time(process)
    assert process.returncode == code, err
    assert err == ""
    assert out.splitlines()[-1].startswith("stopped with ")
    assert f" of {len(undisturbed)}" in out
    found = digests(tmp_path)
    assert 6 <= len(found) < len(undisturbed)
    assert found.items() <= undisturbed.items()
    assert leftovers(tmp_path) == []
    again = start(tmp_path, workers)
    assert again.communicate()[1] == ""
    assert again.returncode == 0
    assert digests(tmp_path) == undisturbed


def kill_at_random(root: Path, dice: random.Random, workers: int, chunk: int) -> bool:
    """Run the job, kill it -9 at some moment; whether it was still running."""
    process = start(root, workers, chunk)
    try:
        process.wait(timeout=dice.uniform(0.2, 1.6))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    process.communicate()
    return False


def crash_round(root: Path, seed: int, undisturbed: dict[str, str]) -> int:
    """Kill a job again and again until it once comes to its end; how often it was killed."""
    dice = random.Random(seed)
    kills = 0
    while kill_at_random(root, dice, dice.choice([1, 2]), dice.choice([1, 3])):
        kills += 1
        assert digests(root).items() <= undisturbed.items()
        if kills == 12:
            process = start(root, 1)
            process.communicate()
            assert process.returncode == 0
            break
    assert digests(root) == undisturbed
    assert leftovers(root) == []
    return kills


def test_a_killed_job_goes_on(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    assert crash_round(tmp_path, 1, undisturbed) >= 1


@pytest.mark.soak
def test_ten_rounds_of_kills(tmp_path: Path, undisturbed: dict[str, str]) -> None:
    kills = [crash_round(tmp_path / str(seed), seed, undisturbed) for seed in range(10)]
    assert sum(kills) >= 10


def test_workers_end_with_a_killed_job(tmp_path: Path) -> None:
    process = start(tmp_path, 3)
    wait_for_lines(process, 4)
    workers = _children(process.pid)
    assert len(workers) == 2
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 60
    while any(_alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert [pid for pid in workers if _alive(pid)] == []


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("hears", [True, False])
def test_a_worker_whose_job_was_killed_amid_sending_says_nothing(
    tmp_path: Path, share: float, hears: bool
) -> None:
    setup = Setup(FakeSource(), START, tmp_path, str(tmp_path), "csv")
    sent = b"".join(pickle.dumps(message) for message in (FakeSource(), setup, b"x" * 100_000))
    folders = [str(SCRIPT.parent), *sys.path]
    process = subprocess.Popen(
        [sys.executable, "-c", "from retail_datagen.engine.worker import main; main()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))},
    )
    assert process.stdin
    assert process.stdout
    if not hears:
        process.stdout.close()
    cut = len(pickle.dumps(FakeSource())) + len(pickle.dumps(setup))
    process.stdin.write(sent[: int(share * cut)])
    process.stdin.close()
    assert process.stderr
    said = process.stderr.read()
    process.wait(timeout=120)
    assert said == b""


def test_a_worker_that_cannot_tell_its_job_of_a_failure_says_nothing(tmp_path: Path) -> None:
    setup = Setup(FakeSource(), START, tmp_path / "absent", "nonsense://x", "csv")
    folders = [str(SCRIPT.parent), *sys.path]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-c", "from retail_datagen.engine.worker import main; main()"],
        input=pickle.dumps(FakeSource()) + pickle.dumps(setup),
        stdout=write,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))},
        timeout=120,
    )
    os.close(write)
    assert done.stderr == b""


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    if not path.exists():
        pytest.skip("needs /proc")
    return [int(child) for child in path.read_text().split()]


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
