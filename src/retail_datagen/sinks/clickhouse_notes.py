"""What a ClickHouse remembers of a feed, entry by entry; the latest of each counts.

All feeds share one table. An insert of one block is there whole or not at all, so entries that are
written together count together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from uuid import uuid4

import pyarrow as pa

from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.schema.sql import qualified
from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.clickhouse_client import ClickHouse, literal
from retail_datagen.sinks.progress import Progress
from retail_datagen.sinks.staging import Key

PROGRESS = "_retail_progress"
HEADER, INTENT, DAY = "header", "intent", "day:"


class Notes:
    """The notes of one feed, read when first asked for and again after `forget`.

    `name` is that of the feed in this ClickHouse, safe in a file name; statements of whoever
    writes the feed begin with `query_id`. Methods raise SinkError.
    """

    def __init__(self, clickhouse: ClickHouse, feed: str) -> None:
        self._clickhouse = clickhouse
        self._feed = feed
        self._table = qualified(clickhouse.address.database, PROGRESS)
        self._entries: dict[str, str] | None = None
        self._days: dict[Key, Progress] = {}
        self._sequence = 0
        told = f"{clickhouse.address.where}\0{feed}"
        self.name = f"clickhouse-{hashlib.sha256(told.encode()).hexdigest()[:12]}"
        self.query_id = f"retail-datagen-{self.name}"

    def read(self) -> dict[str, str]:
        """All entries; one that was taken back is empty."""
        if self._entries is None:
            self._clickhouse.run(
                f"CREATE TABLE IF NOT EXISTS {self._table} "
                "(feed String, entry String, value String, sequence UInt64) "
                "ENGINE = ReplacingMergeTree(sequence) ORDER BY (feed, entry)"
            )
            found = self._clickhouse.rows(
                f"SELECT entry, argMax(value, sequence), max(sequence) FROM {self._table} "
                f"WHERE feed = {literal(self._feed)} GROUP BY entry"
            )
            self._entries = {str(entry): str(value) for entry, value, _ in found}
            self._sequence = max((int(number) for *_, number in found), default=0)
            days = [v for k, v in self._entries.items() if v and k.startswith(DAY)]
            self._days = {(p.table, p.day): p for p in map(Progress.from_json, days)}
        return self._entries

    def days(self) -> Mapping[Key, Progress]:
        """What is there, by table and day."""
        self.read()
        return self._days

    def write(self, entries: Mapping[str, str]) -> None:
        """Let these entries count from now on: all of them or, if this fails, none."""
        before = self.read()
        rows = pa.table(
            {
                "feed": [self._feed] * len(entries),
                "entry": list(entries),
                "value": list(entries.values()),
                "sequence": pa.array([self._sequence + 1] * len(entries), pa.uint64()),
            }
        )
        try:
            self._clickhouse.insert(PROGRESS, rows, self.next_id())
        except SinkError:
            self.forget()
            raise
        self._sequence += 1
        before.update(entries)
        for entry, value in entries.items():
            if entry.startswith(DAY):
                self._learn(entry, value)

    def forget(self) -> None:
        """Read again what is there when it is next asked for."""
        self._entries = None
        self._days = {}

    def refuse_second_writer(self) -> None:
        """Raise SinkError unless these notes were the last to be written of their feed."""
        found = self._clickhouse.rows(
            f"SELECT max(sequence) FROM {self._table} WHERE feed = {literal(self._feed)}"
        )
        if int(found[0][0]) != self._sequence:
            raise SinkError(
                f"{self._clickhouse.address.where}: another job has written meanwhile; nothing of "
                "this one was added: let one job at a time write there, then run the same command "
                "again"
            )

    def next_id(self) -> str:
        """An identifier for a statement of whoever writes this feed."""
        return f"{self.query_id}-{uuid4().hex}"

    def _learn(self, entry: str, value: str) -> None:
        table, _, day = entry.removeprefix(DAY).rpartition("/")
        key = table, to_day(date.fromisoformat(day))
        self._days.pop(key, None)
        if value:
            self._days[key] = Progress.from_json(value)


def day_entry(progress: Progress) -> str:
    """The entry that tells of a partition."""
    return f"{DAY}{progress.table}/{to_date(progress.day)}"
