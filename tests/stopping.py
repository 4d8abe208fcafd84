"""How long what we promise in seconds may take, and commands that are told to stop."""

from __future__ import annotations

import os
import subprocess
import time

_OF_OTHERS = 8.0 if "PYTEST_XDIST_WORKER" in os.environ else 0.0
"""Seconds on top of a promise where workers, servers and their disks share the processors: there a
process may wait for seconds before it runs at all. Whoever heeds no signal takes longer still. Run
alone (`pytest -m timed` without -n, as `make soak` does), a promise is measured as it stands."""


def allowed(promised: float) -> float:
    """Seconds that something may take here which is promised within so many."""
    return promised + _OF_OTHERS


def ends_in_time(process: subprocess.Popen[str], promised: float = 2.0) -> tuple[str, str]:
    """What a process that was just told to stop still says, which it does as soon as promised."""
    told = time.monotonic()
    said = process.communicate(timeout=120)
    assert time.monotonic() - told < allowed(promised)
    return said
