"""How a table is declared to databases: types, keys, references and indexes of each dialect.

Everything here is text: nobody talks to a database. A fact table is stored with the stamps of its
rows behind its own columns, so that each row says which event it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from retail_datagen.schema.stamps import EVENT_ID, INSTANT, STAMPS
from retail_datagen.schema.table import Column, Kind, Table

_SHARED = ("retail", "events")
"""Namespaces whose tables have their own names in a database; others put theirs before."""
_PLACES = ("stores", "distribution_centers", "products")
"""What analysts filter by: rows of a column store lie in this order, then by time."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One database's way to declare columns.

    `types` gives a type for each kind of column, `instant` that of an instant in UTC with
    milliseconds. `folds`: names are kept in lower case, so that nobody has to quote them.
    `quote` surrounds names.
    """

    name: str
    types: Mapping[Kind, str]
    instant: str
    quote: str = '"'
    folds: bool = False

    def named(self, name: str) -> str:
        """A name as this database keeps it, without quotes."""
        return name.lower() if self.folds else name

    def quoted(self, name: str) -> str:
        """A name as a statement writes it."""
        return f"{self.quote}{self.named(name)}{self.quote}"

    def list(self, names: Iterable[str]) -> str:
        """Names with commas between them, as a statement writes them."""
        return ", ".join(self.quoted(name) for name in names)

    def type_of(self, column: Column) -> str:
        """The column's type, without NULL or NOT NULL."""
        return self.instant if column.name == INSTANT else self.types[column.kind]


SQLITE = Dialect(
    "SQLite",
    {
        Kind.INT: "INTEGER",
        Kind.LONG: "INTEGER",
        Kind.MONEY: "DECIMAL(12, 2)",
        Kind.TIMESTAMP: "TEXT",
        Kind.DATE: "TEXT",
        Kind.TEXT: "TEXT",
        Kind.CATEGORY: "TEXT",
        Kind.FLAG: "INTEGER",
        Kind.FLOAT: "REAL",
    },
    instant="TEXT",
)
DUCKDB = Dialect(
    "DuckDB",
    {
        Kind.INT: "INTEGER",
        Kind.LONG: "BIGINT",
        Kind.MONEY: "DECIMAL(12, 2)",
        Kind.TIMESTAMP: "TIMESTAMP",
        Kind.DATE: "DATE",
        Kind.TEXT: "VARCHAR",
        Kind.CATEGORY: "VARCHAR",
        Kind.FLAG: "BOOLEAN",
        Kind.FLOAT: "DOUBLE",
    },
    instant="TIMESTAMP",
)
POSTGRESQL = Dialect(
    "PostgreSQL",
    {
        Kind.INT: "integer",
        Kind.LONG: "bigint",
        Kind.MONEY: "numeric(12, 2)",
        Kind.TIMESTAMP: "timestamp(0)",
        Kind.DATE: "date",
        Kind.TEXT: "text",
        Kind.CATEGORY: "text",
        Kind.FLAG: "boolean",
        Kind.FLOAT: "double precision",
    },
    instant="timestamp(3) with time zone",
    folds=True,
)
CLICKHOUSE = Dialect(
    "ClickHouse",
    {
        Kind.INT: "Int32",
        Kind.LONG: "Int64",
        Kind.MONEY: "Decimal(12, 2)",
        # Wall clock: with a zone of its own, else it is shown in that of the server.
        Kind.TIMESTAMP: "DateTime('UTC')",
        Kind.DATE: "Date32",
        Kind.TEXT: "String",
        Kind.CATEGORY: "LowCardinality(String)",
        Kind.FLAG: "Bool",
        Kind.FLOAT: "Float64",
    },
    instant="DateTime64(3, 'UTC')",
    quote="`",
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that names rows of another table."""

    column: str
    table: str
    target: str


def table_name(table: Table) -> str:
    """What a table is called in a database: `receipts`, `ecom_orders`."""
    return table.name if table.namespace in _SHARED else f"{table.namespace}_{table.name}"


def stored_columns(table: Table, stamped: bool) -> tuple[Column, ...]:
    """The columns that are stored; with those of the stamps where rows are `stamped`.

    A table that has a stamp's column itself holds the stamp there.
    """
    if not stamped:
        return table.columns
    return (*table.columns, *(c for c in STAMPS if c.name not in table.header))


def primary_key(table: Table, stamped: bool) -> tuple[str, ...]:
    """What identifies a row: the table's key, else the event's identifier."""
    if table.key or not stamped:
        return table.key
    return (EVENT_ID,)


def references(table: Table) -> tuple[Reference, ...]:
    """The columns that refer to other tables, in the table's order."""
    found = []
    for column in table.columns:
        name, dot, target = column.references.partition(".")
        if dot:
            found.append(Reference(column.name, name, target))
    return tuple(found)


def create_table(dialect: Dialect, table: Table, stamped: bool, keys: bool) -> str:
    """CREATE TABLE for a row store. With `keys`: primary key and unique columns."""
    lines = [_column(dialect, c) for c in stored_columns(table, stamped)]
    if keys:
        key = primary_key(table, stamped)
        if key:
            lines.append(f"PRIMARY KEY ({dialect.list(key)})")
        unique = [c.name for c in table.columns if c.unique and (c.name,) != key]
        lines += [f"UNIQUE ({dialect.quoted(name)})" for name in unique]
    body = ",\n  ".join(lines)
    return f"CREATE TABLE {dialect.quoted(table_name(table))} (\n  {body}\n)"


def _column(dialect: Dialect, column: Column) -> str:
    null = "" if column.null else " NOT NULL"
    return f"{dialect.quoted(column.name)} {dialect.type_of(column)}{null}"


def create_indexes(dialect: Dialect, table: Table, stamped: bool) -> list[str]:
    """CREATE INDEX for each column that refers to another table, unless the key leads with it."""
    name = table_name(table)
    led = primary_key(table, stamped)[:1]
    columns = [r.column for r in references(table) if (r.column,) != led]
    return [
        f"CREATE INDEX {dialect.quoted(f'{name}_{column}')} "
        f"ON {dialect.quoted(name)} ({dialect.quoted(column)})"
        for column in columns
    ]


def add_reference(dialect: Dialect, table: Table, reference: Reference) -> str:
    """ALTER TABLE that lets a database hold a reference, at the end of each transaction.

    Tables of one day come in any order, hence the deferral.
    """
    name = table_name(table)
    return (
        f"ALTER TABLE {dialect.quoted(name)} "
        f"ADD CONSTRAINT {dialect.quoted(f'{name}_{reference.column}_of')} "
        f"FOREIGN KEY ({dialect.quoted(reference.column)}) "
        f"REFERENCES {dialect.quoted(reference.table)} ({dialect.quoted(reference.target)}) "
        "DEFERRABLE INITIALLY DEFERRED"
    )


def create_merge_tree(table: Table, stamped: bool, database: str = "") -> str:
    """CREATE TABLE IF NOT EXISTS for ClickHouse: parts by month, sorted as analysts ask.

    No TTL: what is loaded stays.
    """
    dialect = CLICKHOUSE
    lines = [
        f"{dialect.quoted(c.name)} {_clickhouse_type(c)}" for c in stored_columns(table, stamped)
    ]
    body = ",\n  ".join(lines)
    order = _sorted_by(table)
    by_month = f"\nPARTITION BY toYYYYMM({dialect.quoted(table.time_column)})"
    return (
        f"CREATE TABLE IF NOT EXISTS {qualified(database, table_name(table))} (\n  {body}\n)\n"
        f"ENGINE = MergeTree{by_month if stamped and table.time_column else ''}\n"
        f"ORDER BY ({dialect.list(order)})"
    )


def qualified(database: str, name: str) -> str:
    """A table's name in ClickHouse, with its database where one is given."""
    quoted = CLICKHOUSE.quoted
    return f"{quoted(database)}.{quoted(name)}" if database else quoted(name)


def _clickhouse_type(column: Column) -> str:
    plain = CLICKHOUSE.type_of(column)
    if not column.null:
        return plain
    inner = plain.removeprefix("LowCardinality(")
    if inner != plain:
        return f"LowCardinality(Nullable({inner.removesuffix(')')}))"
    return f"Nullable({plain})"


def _sorted_by(table: Table) -> tuple[str, ...]:
    """The sorting key: place, product, time; a dimension's is its key."""
    time = table.time_column
    if not time:
        return table.key or table.header[:1]
    places = {r.column for r in references(table) if r.table in _PLACES}
    columns = [c.name for c in table.columns if c.name in places and not c.null]
    return (*columns, time)
