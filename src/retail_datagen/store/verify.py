"""Proves a store's books on what its database holds: items, movements, purchases, snapshots.

`checks` and `readings` have the rules. All see the database at one moment, also while a
simulation writes to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from sqlalchemy import Connection, Engine, text

from retail_datagen.quality.check import Check, Report, Result, Rows, Status
from retail_datagen.store.checks import CHECKS
from retail_datagen.store.database.engine import shown_url
from retail_datagen.store.database.models import TABLES
from retail_datagen.store.readings import FOUND

EXAMPLES = 5
Progress = Callable[[str, int, int], None]


def verify_store(engine: Engine, first: int = EXAMPLES, progress: Progress | None = None) -> Report:
    """What every check found; `first` is how many offending rows of each are kept."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            rows = {t.name: _count(connection, t.name) for t in TABLES}
            results: list[Result] = []
            for check, find in _finders():
                if progress:
                    progress(check.name, len(results), len(CHECKS) + len(FOUND))
                checked = sum(rows[name] for name in check.needs)
                results.append(_result(check, checked, *find(connection, max(first, 1)), first))
    return Report(shown_url(engine), sum(rows.values()), tuple(results))


_Find = Callable[[Connection, int], tuple[int, Rows]]
"""Looks for violations: how many there are, and at least so many of them."""


def _finders() -> Iterator[tuple[Check, _Find]]:
    for check in CHECKS:
        yield check, partial(_queried, check.offending)
    for found in FOUND:
        yield found.check, partial(_computed, found.find)


def _queried(query: str, connection: Connection, first: int) -> tuple[int, Rows]:
    found = connection.execute(
        text(
            f"SELECT count(*) OVER () AS violations, offending.* FROM ({query}) "
            "AS offending LIMIT :first"
        ),
        {"first": first},
    )
    columns = tuple(found.keys())[1:]
    rows = found.all()
    shown = Rows(columns, tuple(tuple(row[1:]) for row in rows))
    return (int(rows[0][0]) if rows else 0), shown


def _computed(
    find: Callable[[Connection], Rows], connection: Connection, _first: int
) -> tuple[int, Rows]:
    found = find(connection)
    return len(found.values), found


def _result(check: Check, checked: int, violations: int, rows: Rows, first: int) -> Result:
    if not violations:
        return Result(check, Status.PASSED, checked)
    shown = Rows(rows.columns, rows.values[:first])
    return Result(check, Status.FAILED, checked, violations, shown)


def _count(connection: Connection, table: str) -> int:
    return int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
