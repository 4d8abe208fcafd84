"""Every column is watched: another value in it makes some check fail, or a list says why not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from retail_datagen import tables
from retail_datagen.quality.catalog import checks
from retail_datagen.quality.check import Check, Status
from retail_datagen.quality.database import Database
from retail_datagen.quality.files import find_history
from retail_datagen.quality.verify import Run, tables_of
from retail_datagen.schema import Kind, Table
from retail_datagen.world.master import MASTER_TABLES

ROWS = 40
"""Rows to try: not every value matters to a check (a customer who never orders has any home)."""
STEPS = {
    Kind.INT: ("{} + 1", "{} - 1", "-1", "{} + 1000"),
    Kind.LONG: ("{} + 1", "-1"),
    Kind.MONEY: ("{} + 0.01", "{} - 0.01", "-1"),
    Kind.TIMESTAMP: ("{} + INTERVAL 1 SECOND", "{} - INTERVAL 1 SECOND", "{} + INTERVAL 9 HOUR"),
    Kind.DATE: ("{} + 20000", "{} - 20000"),
    Kind.FLAG: ("NOT {}",),
    Kind.FLOAT: ("{} * 2", "{} + 1000"),
}
"""Other values by kind, the smallest steps first; texts become another row's, or nonsense."""
UNWATCHED = {
    "geographies": ("City", "State", "PostalCode"),
    "stores": ("StoreName", "Address", "City", "State", "PostalCode", "Format", "SizeClass"),
    "distribution_centers": ("DCName", "City", "State"),
    "suppliers": ("SupplierName",),
    "customers": (
        "FirstName", "LastName", "Address", "City", "State", "PostalCode", "Latitude",
        "Longitude", "LoyaltyTier", "LoyaltyNumber",
    ),
    "calendar": (
        "DayName", "RetailYear", "RetailQuarter", "RetailPeriod", "RetailWeek", "Holiday", "Event",
        "Weather", "FlashSale",
    ),
    "products": ("ProductName", "Department", "Brand", "Demand"),
    "promotions": ("PromotionName",),
    "campaigns": ("CampaignName",),
}  # fmt: skip
"""Columns of master data that describe, and that no fact follows from; of facts there are none."""
CHOSEN = {
    "customers": "SignupDate IS NOT NULL AND CustomerID IN (SELECT CustomerID FROM online_orders)",
    "promotions": "PromoCode IN (SELECT PromoCode FROM price_changes)",
    "products": "ProductID IN (SELECT ProductID FROM price_changes WHERE PromoCode IS NOT NULL)",
}
"""The rows to try, where few of a table matter."""
EVERY: tuple[Table, ...] = (*(fact.table for fact in tables.registry().values()), *MASTER_TABLES)


class Trial(Database):
    """A history whose values can be changed for a moment."""

    def some_rows(self, table: str) -> list[int]:
        """Rows spread over a table, the same ones each time."""
        found = self._connection.execute(
            f"SELECT rowid FROM {table} t WHERE {CHOSEN.get(table, 'true')} ORDER BY t"
        ).fetchall()
        return [int(row[0]) for row in found[:: max(len(found) // ROWS, 1)]]

    @contextmanager
    def changed(self, table: str, row: int, values: dict[str, str]) -> Iterator[bool]:
        """The table with other values in one row; whether they are others."""
        made = set(self._helpers)
        self._connection.execute("BEGIN")
        try:
            before = self._row(table, row)
            parts = [f'"{column}" = {value}' for column, value in values.items()]
            if "TraceId" in values:
                parts.append(f"trace = TRY_CAST(substr({values['TraceId']}, 4) AS BIGINT)")
            self._connection.execute(f"UPDATE {table} SET {', '.join(parts)} WHERE rowid = {row}")
            yield before != self._row(table, row)
        finally:
            self._connection.execute("ROLLBACK")
            self._helpers = made

    def _row(self, table: str, row: int) -> tuple[object, ...] | None:
        return self._connection.execute(f"SELECT * FROM {table} WHERE rowid = {row}").fetchone()


@pytest.fixture(scope="module")
def trial(csv_history: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    with Trial.of(find_history(csv_history), tmp_path_factory.mktemp("trial")) as database:
        yield database


def looking_at(table: str) -> list[Check]:
    """The checks that a table matters to."""
    return [check for check in checks() if table in tables_of(check.needs)]


def others(table: Table, column: str) -> list[str]:
    """Expressions for values that the column might have instead."""
    declared = table.column(column)
    steps = [step.format(f'"{column}"') for step in STEPS.get(declared.kind, ())]
    if not steps:
        steps = [f'(SELECT {f}("{column}") FROM {table.name})' for f in ("min", "max")]
        steps.append("'XYZ'")
    return [*steps, "NULL"] if declared.null else steps


def noticed_by(trial: Trial, run: Run, table: Table, row: int, values: dict[str, str]) -> str:
    """The first check that notices other values in a row; else empty."""
    with trial.changed(table.name, row, values) as are_others:
        if are_others:
            for check in looking_at(table.name):
                if run.result(check).status is Status.FAILED:
                    return check.name
    return ""


@pytest.mark.parametrize("table", EVERY, ids=lambda table: table.name)
def test_another_value_is_noticed_in_every_column(
    table: Table, trial: Trial, csv_history: Path
) -> None:
    run = Run(find_history(csv_history), trial, 1)
    rows = trial.some_rows(table.name)
    unnoticed = [
        column
        for column in table.header
        if column not in UNWATCHED.get(table.name, ())
        and not any(
            noticed_by(trial, run, table, row, {column: value})
            for row in rows
            for value in others(table, column)
        )
    ]
    assert unnoticed == []


def test_what_nobody_watches_is_really_not_watched(trial: Trial, csv_history: Path) -> None:
    """Or the lists would hide that a check was lost."""
    run = Run(find_history(csv_history), trial, 1)
    for table in EVERY:
        if table.name in UNWATCHED:
            row = trial.some_rows(table.name)[0]
            values = {column: others(table, column)[-1] for column in UNWATCHED[table.name]}
            assert noticed_by(trial, run, table, row, values) == ""
