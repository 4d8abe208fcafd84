"""How rows that are due reach a target: one that remembers them, or a line that forgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import pyarrow as pa

from retail_datagen.schema import Table
from retail_datagen.schema.stamps import stamp
from retail_datagen.sinks import EventSink, PartitionRecord, Progress, RememberingSink
from retail_datagen.sinks.staging import Key
from retail_datagen.streaming.line import Line, Piece

LineTo = Callable[[EventSink, int], Line]
"""A line to a sink that begins at an instant (milliseconds UTC)."""


class Delivery(Protocol):
    """Where the rows of one play go. Methods raise SinkError."""

    remembers: bool
    """Whether the target itself knows what it holds, by table and day."""

    def begin(self, now: int) -> None:
        """The play begins at this instant."""
        ...

    def progress(self) -> Mapping[Key, Progress]:
        """What the target knows that it holds; nothing where it does not remember."""
        ...

    def put(self, table: Table, day: int, first: int, rows: pa.Table) -> None:
        """Rows of a day from number `first` on; they go with the next `commit`."""
        ...

    def finish(self, table: Table, day: int, rows: pa.Table) -> PartitionRecord | None:
        """The whole day, of which goes what is not there; the record of it, where it is kept."""
        ...

    def commit(self, now: int) -> None:
        """Let appear what was put."""
        ...

    def next_arrival(self) -> int | None:
        """When something arrives that the line holds back, if anything is."""
        ...

    def flush(self, now: int) -> None:
        """Let go of what the line holds back."""
        ...


class Remembered:
    """To a target that remembers: each row once, whoever dies when."""

    remembers = True

    def __init__(self, sink: RememberingSink) -> None:
        self._sink = sink

    def begin(self, now: int) -> None:
        """Where it goes on is what the target says."""

    def progress(self) -> Mapping[Key, Progress]:
        return self._sink.progress()

    def put(self, table: Table, day: int, first: int, rows: pa.Table) -> None:
        self._sink.append(table, day, first, rows)

    def finish(self, table: Table, day: int, rows: pa.Table) -> PartitionRecord | None:
        return self._sink.write_partition(table, day, rows)

    def commit(self, now: int) -> None:
        self._sink.commit()

    def next_arrival(self) -> int | None:
        return None

    def flush(self, now: int) -> None:
        """Nothing is held back."""


class OnLine:
    """As events on a line, sound or with problems on it, which no target remembers."""

    remembers = False

    def __init__(self, sink: EventSink, line_to: LineTo, zone: str) -> None:
        self._sink, self._line_to, self._zone = sink, line_to, zone
        self._line = Line([])

    def begin(self, now: int) -> None:
        self._line = self._line_to(self._sink, now)

    def progress(self) -> Mapping[Key, Progress]:
        return {}

    def put(self, table: Table, day: int, first: int, rows: pa.Table) -> None:
        self._line.put(Piece.of(stamp(table, day, first, rows, self._zone), day, first))

    def finish(self, table: Table, day: int, rows: pa.Table) -> PartitionRecord | None:
        return None

    def commit(self, now: int) -> None:
        self._line.commit(now)

    def next_arrival(self) -> int | None:
        return self._line.next_arrival()

    def flush(self, now: int) -> None:
        self._line.flush(now)
