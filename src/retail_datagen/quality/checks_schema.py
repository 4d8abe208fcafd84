"""Checks that follow from how tables are declared: values, days, keys and references.

A new table or column is checked without a line here.
"""

from __future__ import annotations

from collections.abc import Iterator

from retail_datagen import tables
from retail_datagen.quality.check import Check, Source
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world.master import MASTER_TABLES

PROFILE_WORDS = (
    "ble_pings.Zone",
    "foot_traffic.Zone",
    "marketing.Channel",
    "marketing.Device",
    "online_orders.TenderType",
    "receipts.TenderType",
    "store_returns.Reason",
)
"""Columns whose words the profile decides."""


def _facts() -> Iterator[Check]:
    facts = {name: fact.table for name, fact in tables.registry().items()}
    for table in facts.values():
        yield _values(table)
        if "EventTS" in table.header:
            yield _partition(table)
        if table.key:
            yield _key(table, is_fact=True)
        for column in table.columns:
            if column.references.split(".")[0] in facts:
                yield _reference_to_fact(table, column)
            elif column.references:
                yield _reference(table, column, "dt")


def _master() -> Iterator[Check]:
    for table in MASTER_TABLES:
        if table.key:
            yield _key(table, is_fact=False)
        for column in table.columns:
            if column.references:
                yield _reference(table, column)


def _values(table: Table) -> Check:
    """Nothing is absent that may not be, traces and times are such, and fixed words are known."""
    wrong = {f'"{c.name}" IS NULL': f"no {c.name}" for c in table.columns if not c.null}
    if "TraceId" in table.header:
        wrong[
            "trace IS NULL OR trace < 1 OR NOT starts_with(TraceId, 'TRC') OR length(TraceId) < 13"
        ] = "TraceId is not TRC and ten digits"
    for column in table.columns:
        if column.kind is Kind.TIMESTAMP:
            name = f'"{column.name}"'
            wrong[f"{name} <> date_trunc('second', {name})"] = f"{column.name} is no whole second"
        if column.words:
            known = ", ".join(f"'{word}'" for word in column.words)
            wrong[f'"{column.name}" NOT IN ({known})'] = (
                f"{column.name} is none of {', '.join(column.words)}"
            )
    problems = ", ".join(f"CASE WHEN {rule} THEN '{why}' END" for rule, why in wrong.items())
    columns = ", ".join(f'"{name}"' for name in table.header)
    return Check(
        f"{table.name}.values",
        "every value that must be there is, and is one that is allowed",
        (table.name,),
        f"SELECT dt, concat_ws('; ', {problems}) AS problem, {columns} FROM {table.name} WHERE "
        + " OR ".join(f"({rule})" for rule in wrong),
    )


def _partition(table: Table) -> Check:
    return Check(
        f"{table.name}.day",
        "EventTS lies in the day of the partition",
        (table.name,),
        f"SELECT dt AS partition, {_first_columns(table)} FROM {table.name} "
        "WHERE EventTS < dt OR EventTS >= dt + INTERVAL 1 DAY",
    )


def _key(table: Table, *, is_fact: bool) -> Check:
    key = ["trace" if name == "TraceId" and is_fact else f'"{name}"' for name in table.key]
    return Check(
        f"{table.name}.key",
        f"{' and '.join(table.key)} {'is' if len(table.key) == 1 else 'are'} unique",
        (table.name,),
        f"SELECT {', '.join(key)}, count(*) AS rows FROM {table.name} "
        f"GROUP BY ALL HAVING count(*) > 1",
    )


def _reference(table: Table, column: Column, *more: str) -> Check:
    parent, field = column.references.split(".")
    shown = ", ".join((*more, _first_columns(table)))
    return Check(
        f"{table.name}.{column.name}",
        f"is a {field} of {parent}",
        (table.name, parent),
        f'SELECT {shown}, "{column.name}" FROM {table.name} t WHERE "{column.name}" IS NOT NULL '
        f'AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE p."{field}" = t."{column.name}")',
    )


def _reference_to_fact(table: Table, column: Column) -> Check:
    """As `_reference`; what was before the days on file is let pass.

    Identifiers of facts have the day after their prefix; one that has none is taken for today's.
    """
    parent, field = column.references.split(".")
    made = f"try_strptime(substr(\"{column.name}\", 4, 8), '%Y%m%d')"
    return Check(
        f"{table.name}.{column.name}",
        f"is a {field} of {parent}, where that day is on file",
        (table.name, parent, "beginning"),
        f"""
        SELECT child.dt, {_first_columns(table)}, "{column.name}" FROM (
            SELECT t.*, coalesce(CAST({made} AS DATE), t.dt) AS made
            FROM {table.name} t WHERE NOT EXISTS (
                SELECT 1 FROM {parent} p WHERE p."{field}" = t."{column.name}")
        ) child, beginning
        WHERE "{column.name}" IS NOT NULL AND (
            made > child.dt OR made < beginning.dt
            OR made IN (SELECT dt FROM days WHERE table_name = '{parent}'))
        """,
        aligned=False,
    )


def _first_columns(table: Table) -> str:
    """What tells a row to people: its first two columns."""
    return ", ".join(f'"{name}"' for name in table.header[:2])


def _words_of_profile() -> Iterator[Check]:
    for name in PROFILE_WORDS:
        table, column = name.split(".")
        yield Check(
            f"{name}.words",
            "is one of the words of the profile",
            (table, "words"),
            f'SELECT dt, TraceId, "{column}" FROM {table} WHERE "{column}" NOT IN '
            f"(SELECT word FROM words WHERE \"column\" = '{name}')",
            sources=(Source.PROFILE,),
        )


CHECKS = (*_facts(), *_words_of_profile(), *_master())
