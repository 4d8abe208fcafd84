"""Rows loaded from Kafka into ClickHouse, each once, whatever dies when; for the loader alone.

ClickHouse has no transactions. So each row carries where it came from, in `_topic`, `_partition`
and `_offset`, and a table of positions says up to which offset all rows of a partition are there:

1. the rows of a batch are inserted, table by table;
2. one insert of one block, which is there whole or not at all, writes the positions behind them.

What has an offset beyond the positions is the rest of a batch that did not get as far as 2, and
nobody else's: `settle` deletes it, waits until it is gone, and the messages are read again from the
positions. Killed in 1, some of such rows are there, or none; killed in 2, either the positions
count, and so do the rows, or they do not, and the rows go; killed while deleting, deleting twice is
deleting once, and a deletion that goes on later spares what was inserted after it was asked for.
After an error `settle` comes first, too: an insert that failed may have arrived all the same.

A position is one of the topic's generation, which is kept with it. Where a topic is of another one
now, `renew` deletes its positions, and nothing else: all of its rows are then beyond them, for
`settle` to delete. Killed in between, the next `settle` does it.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol
from uuid import uuid4

import numpy as np
import pyarrow as pa

from retail_datagen.core.arrays import I64
from retail_datagen.schema.sql import create_merge_tree, qualified, stored_columns, table_name
from retail_datagen.schema.table import Table
from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.clickhouse_client import CODE, ClickHouse, literal
from retail_datagen.sinks.kafka_generations import is_another
from retail_datagen.sinks.sql import other_columns

_LOG = logging.getLogger(__name__)
POSITIONS, REFUSED = "_retail_loaded", "_retail_refused"
_TAKEN_OVER = ""
"""In place of a topic: the row that says who loads."""
_ORIGIN = (
    "`_topic` LowCardinality(String) DEFAULT ''",
    "`_partition` Int32 DEFAULT -1",
    "`_offset` Int64 DEFAULT -1",
)
_PASSING = {"159", "202", "209", "210", "241", "242", "243", "252", "279", "285", "425", "999"}
"""Codes of what ends: timeouts, no connection, no memory, no space, read-only, too many parts."""
Place = tuple[str, int]
"""A topic and one of its partitions."""


class Part(Protocol):
    """What a batch brings of one topic: rows for its table, and messages that are no rows."""

    @property
    def table(self) -> Table: ...

    @property
    def rows(self) -> pa.Table: ...

    @property
    def refused(self) -> pa.Table: ...


class LoadTarget:
    """Tables that are loaded, with what was loaded. Methods raise SinkError."""

    def __init__(self, clickhouse: ClickHouse) -> None:
        self._clickhouse = clickhouse
        self._database = clickhouse.address.database
        self._writer = uuid4().hex
        self._fitting: set[str] = set()
        self._generations: Mapping[str, str] = {}
        place = hashlib.sha256(clickhouse.address.where.encode()).hexdigest()[:12]
        self.name = f"load-{place}"
        self._query_id = f"retail-datagen-{self.name}"
        self.where = clickhouse.address.where

    def begin(self, cluster: str) -> None:
        """Become the one who loads; whoever did before finds out with his next batch.

        Raises SinkError where what is there was loaded from another cluster.
        """
        if not self._clickhouse.embedded:
            with suppress(SinkError):  # who may not make databases has one
                self._clickhouse.run(f"CREATE DATABASE IF NOT EXISTS `{self._database}`")
        self._clickhouse.run(
            f"CREATE TABLE IF NOT EXISTS {self._named(POSITIONS)} (topic String, partition Int32, "
            "next UInt64, cluster String, writer String, generation String DEFAULT '') "
            "ENGINE = ReplacingMergeTree(next) ORDER BY (topic, partition)"
        )
        self._clickhouse.run(
            f"ALTER TABLE {self._named(POSITIONS)} "
            "ADD COLUMN IF NOT EXISTS generation String DEFAULT ''"
        )
        self._clickhouse.run(
            f"CREATE TABLE IF NOT EXISTS {self._named(REFUSED)} (_topic LowCardinality(String), "
            "_partition Int32, _offset Int64, reason String, value String, "
            "at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY (_topic, _partition, _offset)"
        )
        others = self._clickhouse.rows(
            f"SELECT DISTINCT cluster FROM {self._named(POSITIONS)} "
            f"WHERE topic <> '' AND cluster <> {literal(cluster)}"
        )
        if others:
            raise SinkError(
                f"{self.where} was loaded from another Kafka cluster ({others[0][0]}, this one is "
                f"{cluster}), whose positions mean nothing here; load into another database, or "
                "remove what was loaded with `retail-datagen clickhouse drop`"
            )
        turn = self._turn()[0] + 1
        self._write({(_TAKEN_OVER, 0): turn}, cluster)

    def renew(self, tables: Mapping[str, Table], generations: Mapping[str, str]) -> None:
        """Forget the positions of topics that are of other generations than these; then `settle`.

        A position without a generation, of a cluster that told none, is taken for one of today's.
        """
        self._refuse_if_shut_out()
        self._generations = generations
        positions = self._named(POSITIONS)
        found = self._clickhouse.rows(
            f"SELECT topic, max(generation), countIf(generation = '') FROM {positions} "
            "WHERE topic <> '' GROUP BY topic ORDER BY topic"
        )
        for topic, was, without in found:
            now = generations.get(str(topic))
            if now is None or topic not in tables:
                continue
            where = f"WHERE topic = {literal(str(topic))} AND generation"
            if was and is_another(str(was), now):
                _LOG.warning(
                    "topic %s was made anew: its %d rows of before are replaced",
                    topic,
                    self._count(tables[str(topic)], str(topic)),
                )
                change = f"DELETE {where} <> {literal(now)}"
            elif without:
                # Not by an insert: a deletion that is still going on would spare that.
                change = f"UPDATE generation = {literal(now)} {where} = ''"
            else:
                continue
            self._clickhouse.run(f"ALTER TABLE {positions} {change} SETTINGS mutations_sync = 2")

    def positions(self) -> dict[Place, int]:
        """The offset that comes next, of each partition of which something was loaded."""
        found = self._clickhouse.rows(
            f"SELECT topic, partition, max(next) FROM {self._named(POSITIONS)} "
            "WHERE topic <> '' GROUP BY topic, partition"
        )
        return {(str(topic), int(number)): int(offset) for topic, number, offset in found}

    def settle(self, tables: Mapping[str, Table]) -> dict[Place, int]:
        """Delete what is beyond the positions, which are returned; `tables` by their topics."""
        self._clickhouse.end_queries(self._query_id)
        positions = self.positions()
        for topic, table in tables.items():
            name = table_name(table)
            if "_offset" in self._clickhouse.names_of_columns(name):
                self._trim(name, topic, positions)
        for topic in tables:
            self._trim(REFUSED, topic, positions)
        return positions

    def load(
        self,
        parts: Iterable[Part],
        positions: Mapping[Place, int],
        cluster: str,
    ) -> None:
        """Insert what comes from before `positions`, and let these count.

        Raises SinkError; what is there then is not known until `settle` has been called.
        """
        self._refuse_if_shut_out()
        for part in parts:
            self._ensure(part.table)
            for name, rows in ((table_name(part.table), part.rows), (REFUSED, part.refused)):
                if rows.num_rows:
                    self._clickhouse.insert(name, rows, self._next_id())
        self._write(positions, cluster)

    def close(self) -> None:
        self._clickhouse.close()

    def _write(self, positions: Mapping[Place, int], cluster: str) -> None:
        count = len(positions)
        rows = pa.table(
            {
                "topic": [topic for topic, _ in positions],
                "partition": pa.array([number for _, number in positions], pa.int32()),
                "next": pa.array(list(positions.values()), pa.uint64()),
                "cluster": [cluster] * count,
                "writer": [self._writer] * count,
                "generation": [self._generations.get(topic, "") for topic, _ in positions],
            }
        )
        self._clickhouse.insert(POSITIONS, rows, self._next_id())

    def _turn(self) -> tuple[int, str]:
        """Who loads: the number of his turn, and his name."""
        found = self._clickhouse.rows(
            f"SELECT max(next), argMax(writer, next) FROM {self._named(POSITIONS)} WHERE topic = ''"
        )
        return int(found[0][0]), str(found[0][1])

    def _refuse_if_shut_out(self) -> None:
        turn, writer = self._turn()
        if writer != self._writer:
            raise SinkError(
                f"{self.where}: another loader began (its turn is {turn}) and has shut this one "
                "out; what it had loaded is kept, nothing is there twice"
            )

    def _count(self, table: Table, topic: str) -> int:
        name = table_name(table)
        if "_offset" not in self._clickhouse.names_of_columns(name):
            return 0
        found = self._clickhouse.rows(
            f"SELECT count() FROM {self._named(name)} "
            f"WHERE _topic = {literal(topic)} AND _offset >= 0"
        )
        return int(found[0][0])

    def _trim(self, name: str, topic: str, positions: Mapping[Place, int]) -> None:
        known = {number: offset for (t, number), offset in positions.items() if t == topic}
        beyond = [f"(_partition = {n} AND _offset >= {offset})" for n, offset in known.items()]
        if known:
            numbers = ", ".join(str(number) for number in known)
            beyond.append(f"(_partition NOT IN ({numbers}) AND _offset >= 0)")
        else:
            beyond.append("_offset >= 0")
        where = f"_topic = {literal(topic)} AND ({' OR '.join(beyond)})"
        if self._clickhouse.rows(f"SELECT 1 FROM {self._named(name)} WHERE {where} LIMIT 1"):
            self._clickhouse.run(
                f"ALTER TABLE {self._named(name)} DELETE WHERE {where} SETTINGS mutations_sync = 2"
            )

    def _ensure(self, table: Table) -> None:
        """The table, made where there is none, with columns for where rows come from."""
        name = table_name(table)
        if name in self._fitting:
            return
        self._clickhouse.run(create_merge_tree(table, stamped=True, database=self._database))
        wanted = [column.name for column in stored_columns(table, stamped=True)]
        there = [c for c in self._clickhouse.names_of_columns(name) if not c.startswith("_")]
        if sorted(there) != sorted(wanted):
            raise other_columns(self.where, name, there, wanted)
        adding = ", ".join(f"ADD COLUMN IF NOT EXISTS {column}" for column in _ORIGIN)
        self._clickhouse.run(f"ALTER TABLE {self._named(name)} {adding}")
        self._fitting.add(name)

    def _named(self, name: str) -> str:
        return qualified(self._database, name)

    def _next_id(self) -> str:
        return f"{self._query_id}-{uuid4().hex}"


def passes_by_itself(error: SinkError) -> bool:
    """Whether what ClickHouse said may be otherwise in a moment: away, out of space, too busy."""
    cause = error.__cause__
    if cause is None:
        return False
    code = CODE.search(str(cause))
    if code:
        return code[1] in _PASSING
    return "No space left" in str(cause) or not isinstance(cause, ValueError | TypeError | KeyError)


def with_origin(rows: pa.Table, topic: str, partition: I64, offset: I64) -> pa.Table:
    """Rows with the columns that say where they come from."""
    count = rows.num_rows
    same = pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, dtype=np.int32)), [topic])
    rows = rows.append_column("_topic", same)
    rows = rows.append_column("_partition", pa.array(partition.astype(np.int32)))
    return rows.append_column("_offset", pa.array(offset.astype(np.int64)))


def refused_rows(
    topic: str, partition: I64, offset: I64, reasons: list[str], values: list[bytes]
) -> pa.Table:
    """What could not be read, as the table of such messages has it."""
    at = datetime.now(UTC).replace(tzinfo=None)
    texts = [value.decode("utf-8", "backslashreplace") for value in values]
    return pa.table(
        {
            "_topic": pa.array([topic] * len(reasons), pa.string()),
            "_partition": pa.array(partition.astype(np.int32)),
            "_offset": pa.array(offset.astype(np.int64)),
            "reason": pa.array(reasons, pa.string()),
            "value": pa.array(texts, pa.string()),
            "at": pa.array([at] * len(reasons), pa.timestamp("ms")),
        }
    )
