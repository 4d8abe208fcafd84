"""What helpers of services share: where a server may be, and what to do when it is nowhere."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest

_DICE = random.SystemRandom()
"""Not the common ones, whose seed some tests set: all workers would choose the same ports."""


def unavailable(why: str) -> NoReturn:
    """Skip the test and say why, or fail it where REQUIRE_SERVICES=1."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"REQUIRE_SERVICES=1, but {why}")
    pytest.skip(why)


def cache_folder() -> Path:
    """Where servers are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base, "retail-datagen")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def free_port() -> int:
    """A loopback port that is free now."""
    return free_ports(1)[0]


def free_ports(count: int) -> list[int]:
    """Different loopback ports that are free now, and stay so until somebody asks for them.

    They lie below those that systems give to whoever connects or asks for any port. One of these
    would soon be somebody else's: before its server begins to listen, or while it is restarted.
    """
    found: list[int] = []
    while len(found) < count:
        port = _DICE.randrange(10_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            if port not in found:
                found.append(port)
    return found


def until(what: Callable[[], object], seconds: float = 120) -> None:
    """Wait until something is so; long, as others may be using the machine."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come to be"
        time.sleep(0.02)


def answers(url: str, process: subprocess.Popen[str], seconds: float = 120) -> bool:
    """Whether a server began to answer before it ended and before time was up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            time.sleep(0.05)
    return False


def stop(process: subprocess.Popen[str]) -> None:
    """End a server that we started."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
