"""What `clickhouse init` makes and `clickhouse drop` takes away: database, tables, views."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace

from retail_datagen.schema.sql import (
    CLICKHOUSE,
    create_merge_tree,
    qualified,
    stored_columns,
    table_name,
)
from retail_datagen.schema.stamps import EVENT_ID, INSTANT, SCHEMA_VERSION
from retail_datagen.schema.table import Column, Kind, Table
from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.clickhouse_client import ClickHouse, literal, literals
from retail_datagen.sinks.clickhouse_load import POSITIONS, REFUSED
from retail_datagen.sinks.clickhouse_notes import PROGRESS
from retail_datagen.sinks.clickhouse_views import create_views, view_names

_OWN = "default"
"""A database that every server has, to make others from."""


@dataclass(frozen=True, slots=True)
class KafkaReader:
    """For servers that read a topic of JSON messages by themselves."""

    brokers: str
    topic: str
    group: str = "retail-datagen-clickhouse"


@dataclass(frozen=True, slots=True)
class Plan:
    """What there is to be: tables of events and facts, and of master data."""

    stamped: Sequence[Table]
    dimensions: Sequence[Table]


def kafka_names(table: Table) -> tuple[str, str]:
    """The Kafka engine table and the materialised view that fill a table."""
    return f"{table_name(table)}_kafka", f"{table_name(table)}_from_kafka"


def init(clickhouse: ClickHouse, plan: Plan, hub: Table, reader: KafkaReader | None) -> list[str]:
    """Make what is not there yet; the names of all tables and views. Raises SinkError."""
    if reader and clickhouse.embedded:
        raise SinkError(
            f"{clickhouse.address.where}: the embedded ClickHouse cannot read Kafka by itself; "
            "leave --kafka out, and fill it with `retail-datagen load --from kafka://… --to chdb:…`"
        )
    database = clickhouse.address.database
    _make_database(clickhouse)
    made = []
    for tables, stamped in ((plan.stamped, True), (plan.dimensions, False)):
        for table in tables:
            clickhouse.run(create_merge_tree(table, stamped, database))
            made.append(table_name(table))
    for name, statement in create_views(database):
        clickhouse.run(statement)
        made.append(name)
    if reader:
        for name, statement in zip(
            kafka_names(hub), kafka_statements(hub, database, reader), strict=True
        ):
            clickhouse.run(statement)
            made.append(name)
    return made


def kafka_statements(table: Table, database: str, reader: KafkaReader) -> tuple[str, str]:
    """CREATE statements of the Kafka engine table and of the view that moves its rows on.

    A server reads at least once: after a crash of its own some events may come twice, which
    `event_id` tells; `retail-datagen load` moves each once.
    """
    source, view = kafka_names(table)
    dialect = CLICKHOUSE
    columns = ",\n  ".join(f"{dialect.quoted(c.name)} {_as_message(c)}" for c in table.columns)
    engine = (
        f"CREATE TABLE IF NOT EXISTS {qualified(database, source)} (\n  {columns}\n)\n"
        "ENGINE = Kafka SETTINGS\n"
        f"  kafka_broker_list = {literal(reader.brokers)},\n"
        f"  kafka_topic_list = {literal(reader.topic)},\n"
        f"  kafka_group_name = {literal(reader.group)},\n"
        "  kafka_format = 'JSONEachRow',\n"
        "  kafka_flush_interval_ms = 1000,\n"
        "  input_format_skip_unknown_fields = 1"
    )
    own = ",\n  ".join(
        f"parseDateTimeBestEffort({dialect.quoted(c.name)}, 'UTC') AS {dialect.quoted(c.name)}"
        if c.kind is Kind.TIMESTAMP
        else dialect.quoted(c.name)
        for c in table.columns
    )
    told = {
        EVENT_ID: _header("event_id"),
        SCHEMA_VERSION: f"toInt32OrZero({_header('schema_version')})",
        INSTANT: f"parseDateTime64BestEffortOrZero({_header('event_time')}, 3, 'UTC')",
    }
    stamps = ",\n  ".join(
        f"{told[c.name]} AS {c.name}"
        for c in stored_columns(table, stamped=True)[len(table.columns) :]
    )
    move = (
        f"CREATE MATERIALIZED VIEW IF NOT EXISTS {qualified(database, view)}\n"
        f"TO {qualified(database, table_name(table))} AS\n"
        f"SELECT\n  {own},\n  {stamps}\nFROM {qualified(database, source)}"
    )
    return engine, move


def present(clickhouse: ClickHouse, plan: Plan, hub: Table) -> list[str]:
    """What is there of all that we make, in the order in which it can be dropped."""
    ours = [*kafka_names(hub)[::-1], *view_names()]
    ours += [table_name(table) for table in (*plan.stamped, *plan.dimensions)]
    ours += [PROGRESS, POSITIONS, REFUSED]
    found = clickhouse.rows(
        f"SELECT name FROM system.tables WHERE database = {literal(clickhouse.address.database)} "
        f"AND name IN ({literals(ours)})"
    )
    there = {str(name) for (name,) in found}
    return [name for name in ours if name in there]


def drop(clickhouse: ClickHouse, names: Sequence[str]) -> bool:
    """Drop these tables and views; the database as well, if nothing else is in it: whether it was.

    Raises SinkError.
    """
    database = clickhouse.address.database
    for name in names:
        # Views are tables to DROP TABLE.
        clickhouse.run(f"DROP TABLE IF EXISTS {qualified(database, name)} SYNC")
    left = clickhouse.rows(
        f"SELECT count() FROM system.tables WHERE database = {literal(database)}"
    )
    if int(left[0][0]) or database == _OWN or clickhouse.embedded:
        return False
    with suppress(SinkError):
        clickhouse.run(f"DROP DATABASE {CLICKHOUSE.quoted(database)} SYNC")
        return True
    return False


def _make_database(clickhouse: ClickHouse) -> None:
    """Make the database, from another one: a server refuses to talk in one that is missing."""
    if clickhouse.embedded:
        return
    elsewhere = ClickHouse(replace(clickhouse.address, database=_OWN))
    with closing(elsewhere):
        name = CLICKHOUSE.quoted(clickhouse.address.database)
        elsewhere.run(f"CREATE DATABASE IF NOT EXISTS {name}")


def _as_message(column: Column) -> str:
    """A column's type as a JSON message has it; times come as texts in more than one form."""
    plain = "String" if column.kind is Kind.TIMESTAMP else CLICKHOUSE.types[column.kind]
    return f"Nullable({plain})" if column.null and "(" not in plain else plain


def _header(name: str) -> str:
    """A Kafka header's value, as the Kafka engine gives it."""
    return f"_headers.value[indexOf(_headers.name, {literal(name)})]"
