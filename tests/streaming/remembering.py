"""A target in memory that remembers what it holds, and may fail; and a clock that tests move."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa

from retail_datagen.schema.stamps import Stamped, stamp
from retail_datagen.schema.table import Table
from retail_datagen.sinks import Capabilities, PartitionRecord, Progress, SinkError, Unit


@dataclass
class Store:
    """What outlives a process: the header, the events in the order of arrival, progress."""

    header: str | None = None
    events: list[tuple[str, str, int, tuple[object, ...]]] = field(default_factory=list)
    """(table, event_id, instant, row)"""
    progress: dict[tuple[str, int], Progress] = field(default_factory=dict)
    commits: int = 0

    def digest(self) -> str:
        """Of all events, whatever the order in which tables and days came."""
        return hashlib.sha256(repr(sorted(self.events)).encode()).hexdigest()

    def of(self, table: str) -> list[str]:
        """The identifiers of a table's events in the order of arrival."""
        return [event_id for name, event_id, _, _ in self.events if name == table]


class RememberingMemory:
    """Fails at commit number `fails_at`, before or after it lasts (`lasts`): a crash."""

    capabilities = Capabilities(
        atomic_unit=Unit.PARTITION,
        idempotent=True,
        transactional=True,
        durable=True,
        parallel=False,
        remembers=True,
    )
    format = "memory"
    root = None
    where, elsewhere = "memory", "another memory"

    def __init__(
        self, store: Store, zone: str = "UTC", fails_at: int = -1, lasts: bool = False
    ) -> None:
        self.name = f"remembering-{id(store)}"
        self._store, self._zone = store, zone
        self._fails_at, self._lasts = fails_at, lasts
        self._rows: list[Stamped] = []
        self._changed: dict[tuple[str, int], Progress] = {}
        self._commits = 0

    def read_header(self) -> str | None:
        return self._store.header

    def write_header(self, text: str) -> None:
        self._store.header = text

    def progress(self) -> Mapping[tuple[str, int], Progress]:
        return dict(self._store.progress)

    def recover(self, tables: Iterable[str]) -> None:
        self.close()

    def send(self, stamped: Stamped) -> None:
        self._rows.append(stamped)

    def append(self, table: Table, day: int, first: int, rows: pa.Table) -> None:
        known = self._known(table, day)
        end = first + rows.num_rows
        assert not known.is_whole
        assert all(end <= a or b <= first for a, b in known.held), "rows that are there already"
        self._rows.append(stamp(table, day, first, rows, self._zone))
        self._changed[table.name, day] = known.plus(first, end)

    def write_partition(self, table: Table, day: int, data: pa.Table) -> PartitionRecord:
        known = self._known(table, day)
        for first, end in known.lacks(data.num_rows):
            self._rows.append(stamp(table, day, first, data.slice(first, end - first), self._zone))
        content = repr(data.to_pylist()).encode()
        record = PartitionRecord(
            table.name,
            day,
            table.name,
            data.num_rows,
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
        whole = ((0, data.num_rows),) if data.num_rows else ()
        self._changed[table.name, day] = replace(known, held=whole, record=record)
        return record

    def commit(self) -> None:
        self._commits += 1
        fails = self._commits == self._fails_at
        if fails and not self._lasts:
            raise SinkError("the target is gone")
        for stamped in self._rows:
            columns = (stamped.event_id.to_pylist(), stamped.instant.tolist())
            rows = [tuple(map(str, row.values())) for row in stamped.rows.to_pylist()]
            self._store.events += [
                (stamped.table.name, event_id, instant, row)
                for event_id, instant, row in zip(*columns, rows, strict=True)
            ]
        self._store.progress |= self._changed
        self._store.commits += 1
        self.close()
        if fails:
            raise SinkError("the target is gone")

    def check(self, record: PartitionRecord) -> bool:
        known = self._store.progress.get((record.table, record.day))
        return known is not None and known.record == record

    def holds(self, tables: Iterable[str]) -> bool:
        return any(table in set(tables) for table, _ in self._store.progress)

    def clear(self, tables: Iterable[str]) -> None:
        wanted = set(tables)
        self._store.header = None
        self._store.events = [e for e in self._store.events if e[0] not in wanted]
        for key in [key for key in self._store.progress if key[0] in wanted]:
            del self._store.progress[key]

    def close(self) -> None:
        self._rows, self._changed = [], {}

    def _known(self, table: Table, day: int) -> Progress:
        key = table.name, day
        return self._changed.get(key) or self._store.progress.get(key, Progress(*key))


class SimulatedClock:
    """Stands still until somebody waits: `now` is moved on to what was waited for.

    `breaks_at` is an instant at which the process is taken to be killed.
    """

    def __init__(self, now: int, breaks_at: int | None = None) -> None:
        self._now, self._breaks_at = now, breaks_at
        self.waits: list[int] = []

    def now(self) -> int:
        return self._now

    def wait_until(self, instant: int) -> None:
        if self._breaks_at is not None and instant >= self._breaks_at:
            self._now = self._breaks_at
            raise Killed
        self.waits.append(instant - self._now)
        self._now = max(self._now, instant)


class Killed(BaseException):
    """Stands for the end of a process, wherever it was."""
