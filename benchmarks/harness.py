"""Runs a command as a process of its own and measures what its whole process tree used."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAMPLE_SECONDS = 0.05
_LOOK_FOR_CHILDREN_SECONDS = 0.5
_PSS_SPACING = 20
_SHOWN_OF_AN_ERROR = 2000


class BenchmarkError(Exception):
    """A measured command failed, or is not installed; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process tree used.

    CPU seconds are user and system time of the process and of all descendants it waited for.
    `peak_bytes` is the largest sum over the tree's processes at one moment, of `memory`: "PSS"
    counts pages that several processes share once, "RSS" counts them in each; 0 if nobody watched.
    """

    cpu_seconds: float
    wall_seconds: float
    peak_bytes: int
    memory: str


def run(command: Sequence[str], folder: Path, *, watched: bool = True) -> Usage:
    """Run `command` in `folder` to its end, its memory `watched` or not.

    Watching takes a twentieth of a core, which a command that uses all cores would miss. Raises
    BenchmarkError with the end of what it printed if it fails.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RETAIL_")}
    with tempfile.TemporaryFile() as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        watch = _MemoryWatch(process.pid)
        if watched:
            watch.start()
        try:
            # Not `process.wait`: only wait4 tells what this one tree used.
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            watch.stop()
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            said = output.read().decode(errors="replace")[-_SHOWN_OF_AN_ERROR:]
            raise BenchmarkError(f"{' '.join(command)} ended with {process.returncode}:\n{said}")
    return Usage(used.ru_utime + used.ru_stime, wall, watch.peak_bytes, watch.memory)


def program(name: str) -> str:
    """The path of an installed command, that of this Python's environment first.

    Raises BenchmarkError when it is not installed.
    """
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=beside) or shutil.which(name)
    if not found:
        raise BenchmarkError(f"{name} is not installed: pip install 'retail-datagen[bench]'")
    return found


class _MemoryWatch(threading.Thread):
    """Samples the memory of a process tree until stopped.

    PSS is never above RSS, which is a hundred times cheaper to read; so it is only looked up when
    RSS says that the peak may have been passed, and so seldom that it takes a twentieth of a core:
    the kernel walks all pages, while the process that owns them waits.
    """

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.memory = "PSS" if os.path.exists("/proc/self/smaps_rollup") else "RSS"
        self._pid = pid
        self._tree: list[psutil.Process] = []
        self._looked = 0.0
        self._next_pss = 0.0
        self._done = threading.Event()

    def stop(self) -> None:
        self._done.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            try:
                self._sample()
            except psutil.Error:
                continue  # A process ended meanwhile.

    def _sample(self) -> None:
        now = time.monotonic()
        if now - self._looked > _LOOK_FOR_CHILDREN_SECONDS:
            self._looked = now
            root = psutil.Process(self._pid)
            self._tree = [root, *root.children(recursive=True)]
        total = self._sum("RSS")
        if total <= self.peak_bytes:
            return
        if self.memory == "PSS":
            if now < self._next_pss:
                return
            total = self._sum("PSS")
            self._next_pss = now + _PSS_SPACING * (time.monotonic() - now)
        self.peak_bytes = max(self.peak_bytes, total)

    def _sum(self, kind: str) -> int:
        total = 0
        for process in self._tree:
            try:
                pss = kind == "PSS"
                total += process.memory_full_info().pss if pss else process.memory_info().rss
            except psutil.Error:
                continue
        return total
