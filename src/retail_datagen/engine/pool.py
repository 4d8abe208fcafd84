"""Processes that render beside the job's own: they take tasks and give back what was written."""

from __future__ import annotations

import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import suppress

from retail_datagen.config.errors import UserError
from retail_datagen.engine.source import Source
from retail_datagen.engine.worker import Failed, Message, Setup, Task, TaskDone
from retail_datagen.sinks import PartitionRecord

_WORKER = "import gc; gc.disable(); from retail_datagen.engine.worker import main; main()"
"""Garbage is looked for from when the world is in memory on: there is none before."""
_TASKS_AT_HAND = 3
"""Per worker: the one that it works on, and those that it takes while this process is busy."""


class WorkerError(UserError):
    """A worker process ended without being told to."""


class Pool:
    """`workers` processes, each fed by a thread that waits for its answers; there may be none.

    They start at once, so that they load what `source` needs while the job opens it; their work
    starts with `begin`.
    """

    def __init__(self, source: Source, workers: int) -> None:
        self.workers = workers
        self._source = source
        self._setups: queue.SimpleQueue[Setup | None] = queue.SimpleQueue()
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._under_way = 0
        self._closing = False
        self._processes: list[subprocess.Popen[bytes]] = []
        try:
            for _ in range(workers):
                self._processes.append(_start())
        except BaseException:
            self.close()
            raise
        for process in self._processes:
            threading.Thread(target=self._feed, args=(process,), daemon=True).start()

    def begin(self, setup: Setup) -> None:
        """Let the workers open what the job has open, and take tasks."""
        for _ in self._processes:
            self._setups.put(setup)

    @property
    def has_room(self) -> bool:
        """Whether a worker could do with one more task."""
        return self._under_way < self.workers * _TASKS_AT_HAND

    @property
    def is_busy(self) -> bool:
        """Whether tasks are under way."""
        return self._under_way > 0

    def submit(self, task: Task) -> None:
        """Give a task to whichever worker is free next."""
        self._under_way += 1
        self._tasks.put(task)

    def take_back(self) -> Task | None:
        """A task that no worker has begun, if there is one: it is no longer under way."""
        with suppress(queue.Empty):
            task = self._tasks.get_nowait()
            self._under_way -= 1
            return task
        return None

    def collect(self, wait: bool) -> Iterator[PartitionRecord]:
        """What has been written since; with `wait`, at least one thing, if tasks are under way."""
        wait = wait and self.is_busy
        while True:
            try:
                # A timeout now and then, so that signals are noticed on every platform.
                message = self._messages.get(block=wait, timeout=0.5 if wait else None)
            except queue.Empty:
                if not wait:
                    return
                continue
            wait = False
            if isinstance(message, Failed):
                raise (WorkerError if message.user else RuntimeError)(message.message)
            if isinstance(message, TaskDone):
                self._under_way -= 1
            else:
                yield message

    def close(self) -> None:
        """End at once; what is whole stays."""
        self._closing = True
        for process in self._processes:
            process.kill()
        for process in self._processes:
            self._setups.put(None)
            self._tasks.put(None)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(OSError):
                        pipe.close()

    def _feed(self, process: subprocess.Popen[bytes]) -> None:
        """One worker's life: set up, then a task at a time until the pool closes."""
        assert process.stdin
        assert process.stdout
        try:
            _send(process, self._source)
            setup = self._setups.get()
            if setup is None:
                return
            _send(process, setup)
            while task := self._tasks.get():
                _send(process, task)
                while True:
                    message: Message = pickle.load(process.stdout)
                    self._messages.put(message)
                    if isinstance(message, Failed):
                        return
                    if isinstance(message, TaskDone):
                        break
        except (EOFError, OSError, pickle.UnpicklingError):
            if not self._closing:
                self._messages.put(_last_words(process) or Failed(_obituary(process), user=True))
        except Exception:  # Whatever else goes wrong in a thread, the job must hear of it.
            self._messages.put(Failed(traceback.format_exc(), user=False))


def _send(process: subprocess.Popen[bytes], message: Source | Setup | Task) -> None:
    assert process.stdin
    pickle.dump(message, process.stdin)
    process.stdin.flush()


def _start() -> subprocess.Popen[bytes]:
    """A worker that finds the same modules as this process does.

    In a process group of its own, so that Ctrl-C reaches the job alone, which then ends it.
    """
    folders = [os.path.abspath(p) for p in sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(folders), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        process_group=None if sys.platform == "win32" else 0,
    )


def _last_words(process: subprocess.Popen[bytes]) -> Failed | None:
    """What a worker said before it ended, if it did."""
    assert process.stdout
    with suppress(EOFError, OSError, pickle.UnpicklingError):
        message = pickle.load(process.stdout)
        return message if isinstance(message, Failed) else None
    return None


def _obituary(process: subprocess.Popen[bytes]) -> str:
    """What is known about a worker's end, and what to do."""
    code = process.wait()
    ended = f"ended with exit code {code}"
    if code < 0:
        with suppress(ValueError):
            ended = f"was killed by {signal.Signals(-code).name}"
        if -code == signal.SIGKILL:
            ended += " (often: the machine ran out of memory)"
    return (
        f"worker process {process.pid} {ended}; what is finished is kept: run the same command "
        "again to go on, with fewer --workers if memory is short"
    )


def available_cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
