"""The truth about a stream's problems: a line for each event that was hit, for whoever grades."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I64
from retail_datagen.core.ids import texts
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.stamps import Stamped
from retail_datagen.sinks import EventSink

TABLE = Table(
    name="stream_problems",
    doc="One row per event of a stream that a problem was made of, told when that was decided.",
    columns=(
        Column("problem", Kind.TEXT, "Which problem.", example="out_of_order"),
        Column("of_event", Kind.TEXT, "The event's event_id."),
        Column("of_table", Kind.TEXT, "The event's table."),
        Column("event_ms", Kind.LONG, "When it happened: milliseconds since 1970 UTC."),
        Column(
            "arrives_ms",
            Kind.LONG,
            "When it is sent, or a second time: the stream's clock; null: never.",
            null=True,
        ),
        Column("detail", Kind.TEXT, "What else there is to say.", null=True),
    ),
    key=(),
    namespace="events",
    topic="retail-stream-problems",
    message_key="of_event",
)


class Truth:
    """Writes to any sink that takes events, or nowhere."""

    def __init__(self, sink: EventSink | None = None) -> None:
        self._sink = sink

    def note(
        self, problem: str, stamped: Stamped, arrives: I64 | None, details: Sequence[str] = ()
    ) -> None:
        """Events that are hit, when they arrive, and more words for each if there are any."""
        count = len(stamped.instant)
        if self._sink is None or not count:
            return
        never = np.full(count, arrives is None)
        words: list[str | None] = [*details] or [None] * count
        moments = stamped.instant if arrives is None else arrives
        rows = pa.table(
            [
                texts([problem] * count),
                stamped.event_id,
                texts([stamped.table.name] * count),
                pa.array(stamped.instant, pa.int64()),
                pa.array(moments, pa.int64(), mask=never),
                pa.array(words, pa.string()),
            ],
            schema=TABLE.arrow,
        )
        self._sink.send(Stamped(TABLE, rows, stamped.event_id, stamped.instant))

    def commit(self) -> None:
        """Let it appear. Raises SinkError."""
        if self._sink is not None:
            self._sink.commit()
