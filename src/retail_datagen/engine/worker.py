"""Renders days and writes them: the same code in the job's own process and in a worker's.

A worker is a new Python that runs `main`: not a fork, so that threads do no harm, and not
`multiprocessing`, which would run the user's script again. It takes pickles from its standard
input and answers on its standard output; when the input ends, because the job ended or was
killed, it ends at once.
"""

from __future__ import annotations

import gc
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from retail_datagen.config.errors import UserError
from retail_datagen.core.memory import reuse_memory
from retail_datagen.engine.jobstore import Plans
from retail_datagen.engine.lock import hold_as_worker
from retail_datagen.engine.source import LoadPlan, Retailer, Source
from retail_datagen.sinks import PartitionRecord, Sink, open_sink


@dataclass(frozen=True, slots=True)
class Task:
    """Days to render, each with the tables that it still lacks."""

    days: tuple[tuple[int, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class TaskDone:
    """All partitions of a task were written."""

    task: Task


@dataclass(frozen=True, slots=True)
class Failed:
    """A worker could not go on. `message` is for people if `user`, else a traceback."""

    message: str
    user: bool


Message = PartitionRecord | TaskDone | Failed


@dataclass(frozen=True, slots=True)
class Setup:
    """All that a worker needs to open for itself what the job has open."""

    source: Source
    history_start: int
    job_folder: Path
    target: str
    format: str | None


class DayRenderer:
    """Renders tasks and writes what comes out."""

    def __init__(
        self, retailer: Retailer, history_start: int, load_plan: LoadPlan, sink: Sink
    ) -> None:
        self._tables = retailer.tables
        self._sink = sink
        window = max((t.lookback_days for t in retailer.tables.values()), default=0) + 1
        self._render = retailer.render(history_start, lru_cache(window + 1)(load_plan))
        self._uncommitted: list[PartitionRecord] = []

    def run(self, task: Task) -> Iterator[PartitionRecord]:
        """Partitions, as soon as they are committed: their day, or all days that a commit takes."""
        enough = self._sink.capabilities.commit_rows
        for day, tables in task.days:
            self._uncommitted += [
                self._sink.write_partition(self._tables[name].on(day), day, self._render(name, day))
                for name in tables
            ]
            if sum(record.rows for record in self._uncommitted) >= enough:
                yield from self.flush()

    def flush(self) -> Iterator[PartitionRecord]:
        """Commit what is not yet, and say what it was."""
        self._sink.commit()
        records, self._uncommitted = self._uncommitted, []
        yield from records


def main() -> None:
    """Serve the job at the other end of standard input and output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    source = sys.stdin.buffer
    # Whatever prints must not get between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        try:
            _serve(source, answers)
        except BrokenPipeError:
            raise
        except UserError as error:
            _answer(answers, Failed(str(error), user=True))
        except Exception:
            _answer(answers, Failed(traceback.format_exc(), user=False))
    except BrokenPipeError:
        os._exit(1)  # The job is gone.


def _serve(source: BinaryIO, answers: BinaryIO) -> None:
    setup = _setup(source)
    if setup is None:
        return
    hold_as_worker(setup.job_folder)
    tasks: queue.SimpleQueue[Task] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(source, tasks), daemon=True).start()
    _use_one_thread()
    reuse_memory()
    sink = open_sink(setup.target, setup.format)
    plans = Plans(setup.job_folder / "plans")
    retailer = setup.source.open()
    renderer = DayRenderer(
        retailer, setup.history_start, lambda day: retailer.read_plan(plans.read(day)), sink
    )
    gc.freeze()
    gc.enable()
    while True:
        task = tasks.get()
        for record in renderer.run(task):
            _answer(answers, record)
        _answer(answers, TaskDone(task))


def _setup(source: BinaryIO) -> Setup | None:
    """What the job sends once it has opened the retailer; None if it ends before.

    The source comes first, to load the modules that its retailer needs in the meantime.
    """
    try:
        outline: Source = pickle.load(source)
        _ = outline.tables
        setup: Setup = pickle.load(source)
    except (EOFError, pickle.UnpicklingError):  # Killed amid sending, the job leaves a part.
        return None
    return setup


def _receive(source: BinaryIO, tasks: queue.SimpleQueue[Task]) -> None:
    """Pass tasks on; the end of the input is the end of the job, and of this process."""
    try:
        while True:
            tasks.put(pickle.load(source))
    finally:
        os._exit(0)


def _answer(answers: BinaryIO, message: Message) -> None:
    pickle.dump(message, answers)
    answers.flush()


def _use_one_thread() -> None:
    """Workers are as many as the cores are: none needs threads of its own."""
    import pyarrow as pa

    pa.set_cpu_count(1)
