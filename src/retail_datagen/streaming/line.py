"""The line from whoever plays events to the sinks that take them, sound or with problems on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from retail_datagen.core.arrays import I64
from retail_datagen.schema.stamps import Stamped
from retail_datagen.sinks import EventSink


@dataclass(frozen=True, slots=True)
class Piece:
    """Events on their way: rows of one table and day, `row` is each one's number in that day."""

    stamped: Stamped
    day: int
    row: I64

    @classmethod
    def of(cls, stamped: Stamped, day: int, first: int) -> Piece:
        """Rows that follow each other, from number `first` on."""
        return cls(stamped, day, first + np.arange(stamped.rows.num_rows, dtype=np.int64))


class Trouble(Protocol):
    """What happens to events between here and the sinks."""

    def put(self, piece: Piece) -> None: ...

    def deliver(self, sinks: Sequence[EventSink], now: int | None) -> None:
        """Send what arrives by `now`; with None, all that is still on its way."""
        ...

    def next_arrival(self) -> int | None:
        """When the next event arrives that is still on its way, if any is."""
        ...


class Line:
    """Sends events to every sink; `trouble` may be on the line."""

    def __init__(self, sinks: Sequence[EventSink], trouble: Trouble | None = None) -> None:
        self._sinks, self._trouble = sinks, trouble

    def put(self, piece: Piece) -> None:
        """Events that go with the next `commit`. Raises SinkError."""
        if self._trouble is not None:
            self._trouble.put(piece)
            return
        for sink in self._sinks:
            sink.send(piece.stamped)

    def commit(self, now: int) -> None:
        """Let appear what has arrived by `now`. Raises SinkError."""
        if self._trouble is not None:
            self._trouble.deliver(self._sinks, now)
        for sink in self._sinks:
            sink.commit()

    def next_arrival(self) -> int | None:
        """When something arrives that is held back, if anything is."""
        return None if self._trouble is None else self._trouble.next_arrival()

    def flush(self, now: int) -> None:
        """Let everything appear that is still on its way. Raises SinkError."""
        if self._trouble is not None:
            self._trouble.deliver(self._sinks, None)
        for sink in self._sinks:
            sink.commit()
