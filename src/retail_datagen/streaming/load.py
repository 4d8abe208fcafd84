"""The loader: what is committed in Kafka's topics into ClickHouse's tables, each message once.

It reads where the positions in ClickHouse stand, gathers a batch, and has rows and positions
written in the order that `sinks.clickhouse_load` puts right after any crash.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from retail_datagen.config.errors import UserError
from retail_datagen.engine.lock import JobLock
from retail_datagen.schema.table import Table
from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.clickhouse_client import ClickHouse
from retail_datagen.sinks.clickhouse_load import LoadTarget, passes_by_itself
from retail_datagen.sinks.kafka_generations import is_another
from retail_datagen.sinks.kafka_reading import (
    Arrived,
    Listing,
    Place,
    TopicChangedError,
    TopicReader,
)
from retail_datagen.sinks.kafka_settings import Settings
from retail_datagen.streaming.arrivals import Decoded, ReadByRegistry, decoded
from retail_datagen.streaming.stop import Stop, stopping

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.2
_READ_AT_ONCE = 20_000
_LOOK_SECONDS = 10.0
"""How often topics and partitions that are new, or were made anew, are looked for."""
_CHANGE_SECONDS = 1.0
"""What is given to a topic that was taken away before it is looked for again."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
_TOLD_EVERY = 5.0
_MOST_TOLD = 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Load:
    """What to load: topics, each with its table, of a Kafka cluster into a ClickHouse.

    A batch is written when it has `batch_rows` messages or its first is `batch_seconds` old.
    `continuous` goes on at the topics' end. `wait_seconds` is how long what does not answer is
    waited for; a continuous one waits for ever once it runs. `notes` is where the lock lies.
    `beforehand` is called with the cluster's topics before some of them are first read;
    `by_registry` reads messages that it takes a schema registry to read.
    """

    kafka: Settings
    clickhouse: ClickHouse
    topics: Mapping[str, Table]
    notes: Path
    continuous: bool = False
    batch_rows: int = 100_000
    batch_seconds: float = 1.0
    wait_seconds: float = 60.0
    beforehand: Callable[[Collection[str]], None] | None = None
    by_registry: ReadByRegistry | None = None


@dataclass(slots=True)
class Loaded:
    """What was done so far: rows by table, messages that were refused, and seconds."""

    rows: dict[str, int] = field(default_factory=dict)
    refused: int = 0
    batches: int = 0
    seconds: float = 0.0

    @property
    def total(self) -> int:
        return sum(self.rows.values())


Listener = Callable[[Loaded], None]
"""Told after each batch."""


def run_load(load: Load, told: Listener = lambda loaded: None) -> Loaded:
    """Load what is there and, if continuous, what comes. Raises UserError, JobStopped."""
    with ExitStack() as stack:
        target = LoadTarget(load.clickhouse)
        stack.callback(target.close)
        folder = load.notes / f"_{target.name}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = JobLock(folder, target.where, "another ClickHouse with --to")
        except OSError as error:
            raise UserError(f"cannot write to {folder}: {error.strerror}") from error
        stack.callback(lock.release)
        reader = TopicReader(load.kafka)
        stack.callback(reader.close)
        stop = stack.enter_context(stopping())
        loader = _Loader(load, reader, target, stop)
        return loader.run(told)


class _Loader:
    def __init__(self, load: Load, reader: TopicReader, target: LoadTarget, stop: Stop) -> None:
        self._load, self._reader, self._target, self._stop = load, reader, target, stop
        self._cluster = Listing("", {}, {})
        self._positions: dict[Place, int] = {}
        self._followed: set[Place] = set()
        self._unsettled = False
        self._began = time.monotonic()
        self._looked = self._began
        self._batch = _Batch()
        self._loaded = Loaded()

    def run(self, told: Listener) -> Loaded:
        load, reader = self._load, self._reader
        found = reader.look(load.topics)
        self._patiently(lambda: self._target.begin(found.identifier))
        self._go_on_from(found)
        if not self._followed and not load.continuous:
            raise UserError(
                f"from: none of the topics is at {load.kafka.servers}: {_some(load.topics)}; see "
                "--feed and --topic-prefix, or wait for them with --continuous"
            )
        while True:
            self._read()
            self._refuse_to_wait()
            done = reader.at_end and not load.continuous
            if self._batch.messages and (done or self._is_due()):
                self._write(self._batch)
                told(self._so_far())
                self._batch = _Batch()
            elif done:
                return self._so_far()
            if load.continuous:
                self._look_around()

    def _read(self) -> None:
        """More into the batch; of topics that were taken away or made anew, from their beginning.

        Raises TopicChangedError unless it is continuous.
        """
        try:
            self._batch.add(self._reader.read(self._room(), self._patience()))
        except TopicChangedError as error:
            if not self._load.continuous:
                raise
            _LOG.warning("%s", str(error).partition(";")[0])
            time.sleep(_CHANGE_SECONDS)
            self._go_on_from(self._reader.look(self._load.topics))

    def _look_around(self) -> None:
        """Now and then: what is new is read, too."""
        if time.monotonic() - self._looked <= _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        there = self._reader.glance(self._load.topics)
        if there and self._is_made_anew(there):
            self._go_on_from(there)
        elif there:
            self._follow(there.topics)

    def _go_on_from(self, found: Listing) -> None:
        """Read from where the positions in ClickHouse stand, whatever was read before."""
        self._batch = _Batch()
        self._reader.leave()
        self._followed.clear()
        self._cluster = found
        self._patiently(lambda: self._target.renew(self._load.topics, found.generations))
        self._positions = self._patiently(lambda: self._target.settle(self._load.topics))
        self._unsettled = False
        self._follow(found.topics)

    def _is_made_anew(self, there: Listing) -> bool:
        """Whether a topic is of another generation than when reading began, or was not there."""
        known = self._cluster.generations
        return any(
            topic not in known or is_another(known[topic], now)
            for topic, now in there.generations.items()
        )

    def _follow(self, there: Mapping[str, int]) -> None:
        """Read the partitions that are there and not yet followed."""
        new = {
            (topic, number): self._positions.get((topic, number), 0)
            for topic in self._load.topics
            for number in range(there.get(topic, 0))
            if (topic, number) not in self._followed
        }
        if new and self._load.beforehand is not None:
            self._patiently(partial(self._load.beforehand, there))
        self._followed |= self._reader.follow(new)

    def _room(self) -> int:
        return min(_READ_AT_ONCE, self._load.batch_rows - self._batch.messages)

    def _patience(self) -> float:
        """Seconds that reading may take: the batch's first message must not wait for too long."""
        if not self._batch.messages:
            return _POLL_SECONDS
        return min(
            _POLL_SECONDS, max(0.0, self._batch.since + self._load.batch_seconds - time.monotonic())
        )

    def _is_due(self) -> bool:
        old = time.monotonic() - self._batch.since >= self._load.batch_seconds
        return old or self._batch.messages >= self._load.batch_rows

    def _write(self, batch: _Batch) -> None:
        load = self._load
        parts = [
            decoded(load.topics[topic], topic, arrived, load.by_registry)
            for topic, arrived in batch.topics.items()
        ]
        reached = {**batch.positions()}
        with self._stop.held():
            self._patiently(lambda: self._insert(parts, reached))
        self._positions |= reached
        loaded = self._loaded
        loaded.batches += 1
        for part in parts:
            loaded.refused += part.refused.num_rows
            name = part.table.name
            loaded.rows[name] = loaded.rows.get(name, 0) + part.rows.num_rows

    def _insert(self, parts: list[Decoded], reached: Mapping[Place, int]) -> None:
        """Rows and positions; after an error only what did not arrive the time before."""
        if self._unsettled:
            there = self._target.settle(self._load.topics)
            self._unsettled = False
            if all(there.get(place) == offset for place, offset in reached.items()):
                return
        self._unsettled = True
        self._target.load(parts, reached, self._cluster.identifier)
        self._unsettled = False

    def _refuse_to_wait(self) -> None:
        """Raise SinkError when the broker has been away for too long."""
        load, waited = self._load, self._reader.waited
        if not load.continuous and waited > load.kafka.wait_seconds:
            raise SinkError(
                f"no Kafka broker at {load.kafka.servers} has answered for {waited:.0f} s "
                f"({self._reader.last_trouble}); what is loaded is kept, nothing is there twice: "
                "start the broker and run the same command again"
            )

    def _patiently(self, call: Callable[[], T]) -> T:
        """Call again while ClickHouse is away. Raises SinkError for what does not pass."""
        since = time.monotonic()
        pause, heard = _FIRST_PAUSE, 0.0
        while True:
            try:
                answer = call()
            except SinkError as error:
                waited = time.monotonic() - since
                for_ever = self._load.continuous and self._loaded.batches > 0
                if not passes_by_itself(error) or (
                    waited > self._load.wait_seconds and not for_ever
                ):
                    raise
                if time.monotonic() - heard > _TOLD_EVERY:
                    heard = time.monotonic()
                    _LOG.warning("waiting for ClickHouse, %.0f s so far: %s", waited, error)
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            if heard:
                _LOG.warning("ClickHouse at %s answers again", self._target.where)
            return answer

    def _so_far(self) -> Loaded:
        self._loaded.seconds = time.monotonic() - self._began
        return self._loaded


def _some(topics: Collection[str]) -> str:
    """The first few of these topics, and how many there are beside them."""
    names = sorted(topics)
    more = len(names) - _MOST_TOLD
    return ", ".join(names[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "")


class _Batch:
    """Messages that are not yet written, by topic; `since` is when the first of them came."""

    def __init__(self) -> None:
        self.topics: dict[str, Arrived] = {}
        self.messages = 0
        self.since = 0.0

    def add(self, found: Mapping[str, Arrived]) -> None:
        if found and not self.messages:
            self.since = time.monotonic()
        for topic, arrived in found.items():
            self.topics.setdefault(topic, Arrived()).extend(arrived)
            self.messages += len(arrived.offset)

    def positions(self) -> dict[Place, int]:
        """The offset behind the last message of each partition."""
        return {
            (topic, partition): offset + 1
            for topic, arrived in self.topics.items()
            for partition, offset in zip(arrived.partition, arrived.offset, strict=True)
        }
