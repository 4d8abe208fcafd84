"""Loads for tests: what lies in topics, a ClickHouse that fails, and what was loaded."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from retail_datagen.config.models import RetailConfig
from retail_datagen.schema import Table
from retail_datagen.schema.sql import table_name
from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.clickhouse_client import ClickHouse
from retail_datagen.sinks.kafka_reading import settings_of
from retail_datagen.sinks.options import KafkaOptions
from retail_datagen.streaming.feed import loadable
from retail_datagen.streaming.load import Load

Happening = Callable[[int, str], bool]
"""Whether something happens now: (number of the call, table or statement) -> yes or no."""


def never(number: int, what: str) -> bool:
    return False


class Failing(ClickHouse):
    """The embedded ClickHouse, which fails `before` or `after` it has done as it was told."""

    before: Happening = staticmethod(never)
    after: Happening = staticmethod(never)
    calls = 0

    def insert(self, table: str, data: pa.Table, query_id: str = "") -> None:
        self._around(table, lambda: super(Failing, self).insert(table, data, query_id))

    def run(self, statement: str, query_id: str = "") -> None:
        self._around(statement, lambda: super(Failing, self).run(statement, query_id))

    def fail(self) -> None:
        raise SinkError("the connection was lost") from ConnectionError("lost")

    def _around(self, what: str, call: Callable[[], None]) -> None:
        self.calls += 1
        if self.before(self.calls, what):
            self.fail()
        call()
        if self.after(self.calls, what):
            self.fail()


class Dying(Failing):
    """Its process ends there, as by `kill -9`."""

    def fail(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


def load_of(
    servers: str,
    prefix: str,
    clickhouse: ClickHouse,
    tables: Mapping[str, Table],
    notes: Path,
    **more: Any,
) -> Load:
    """A load of the topics of these tables, which are told by topic without prefix."""
    options = KafkaOptions(topic_prefix=prefix, wait_seconds=30.0)
    settings, _ = settings_of(f"kafka://{servers}", options)
    topics = {prefix + topic: table for topic, table in tables.items()}
    return Load(settings, clickhouse, topics, notes, **more)


def tables_of(config: RetailConfig, *feeds: str) -> dict[str, Table]:
    return {topic: t for feed in feeds for topic, t in loadable(config, feed).items()}


def some_tables(config: RetailConfig) -> dict[str, Table]:
    """A few, of facts and of changes."""
    names = ("receipts", "receipt_lines", "cdc_store_stock", "cdc_online_orders")
    return {t: table for t, table in loadable(config).items() if table.name in names}


def rows_in(clickhouse: ClickHouse, table: Table) -> Counter[tuple[object, ...]]:
    """The rows of a table with their identifiers, and how often each is there."""
    names = [*table.header, *(["event_id"] if "event_id" not in table.header else [])]
    columns = ", ".join(f"`{name}`" for name in names)
    return Counter(
        tuple(row) for row in clickhouse.rows(f"SELECT {columns} FROM {table_name(table)}")
    )


def ids_in(clickhouse: ClickHouse, table: Table) -> Counter[str]:
    found: Sequence[Sequence[Any]] = clickhouse.rows(f"SELECT event_id FROM {table_name(table)}")
    return Counter(str(name) for (name,) in found)
