"""A stream takes as much memory after an hour as after its first minutes, at full speed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from played import Played

SCRIPT = Path(__file__).parent / "memory_process.py"
pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")


def measured(played: Played, folder: Path, what: str, hours: int) -> list[tuple[int, int, int]]:
    """(minutes, events, kB) as the stream went on."""
    path = folder / "config.json"
    path.write_text(played.config.model_dump_json())
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(path), what, str(hours)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    return [(int(minutes), int(events), int(size)) for minutes, events, size in lines]


def assert_flat(found: list[tuple[int, int, int]]) -> None:
    sizes = [size for _, _, size in found]
    early, late = sizes[len(sizes) // 5 : 2 * len(sizes) // 5], sizes[-len(sizes) // 5 :]
    assert len(early) >= 2
    assert max(late) <= 1.08 * max(early), found


@pytest.mark.soak
def test_an_hour_of_live_events_takes_no_more_memory(played: Played, tmp_path: Path) -> None:
    found = measured(played, tmp_path, "live", 1)
    assert found[-1][0] >= 55
    assert found[-1][1] > 60_000
    assert_flat(found)


@pytest.mark.soak
def test_weeks_of_history_take_no_more_memory_than_days(played: Played, tmp_path: Path) -> None:
    found = measured(played, tmp_path, "history", 24 * 21)
    assert_flat(found)


def test_days_of_history_take_no_more_memory(played: Played, tmp_path: Path) -> None:
    assert_flat(measured(played, tmp_path, "history", 24 * 4))
