"""Checks that follow from the schema: every declared column, key and reference is watched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from copies import Copy, Row
from damage import is_, later

from retail_datagen import tables
from retail_datagen.quality.check import Report, Status
from retail_datagen.quality.checks_identity import TRACED
from retail_datagen.quality.checks_schema import PROFILE_WORDS
from retail_datagen.quality.verify import verify
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world.master import MASTER_TABLES

FACTS = [fact.table for fact in tables.registry().values()]
EVERY = [*FACTS, *MASTER_TABLES]
KEYS = {f"{t.name}.key" for t in EVERY if t.key}
VALUES = {f"{t.name}.values" for t in FACTS}
DAYS = {f"{t.name}.day" for t in FACTS}
REFERENCES = {f"{t.name}.{c.name}" for t in EVERY for c in t.columns if c.references}
WORDS = [f"{t.name}.{c.name}" for t in FACTS for c in t.columns if c.words]
PROFILE = {f"{name}.words" for name in PROFILE_WORDS}
TRACES = {f"{name}.traces" for name in TRACED}
FIRST = ("CREATED", "SCHEDULED")
DERIVED = KEYS | VALUES | DAYS | REFERENCES | PROFILE | TRACES


def failed(report: Report) -> dict[str, str]:
    """What each failed check shows."""
    return {r.check.name: str(r.first.values) for r in report.with_status(Status.FAILED)}


@pytest.fixture
def damaged(csv_history: Path, tmp_path: Path) -> Copy:
    copy = Copy.of(csv_history, tmp_path / "copy")
    copy.forget_journal()
    copy.day = 3
    return copy


def test_there_is_a_reference_for_every_identifier() -> None:
    """Columns that name another table's key say so, else nothing would check them."""
    keys = {t.key[0]: t for t in EVERY if len(t.key) == 1 and t.key != ("TraceId",)}
    silent = [
        f"{t.name}.{c.name}"
        for t in EVERY
        for c in t.columns
        if c.name in keys and keys[c.name] is not t and not c.references
    ]
    assert silent == []


def test_a_row_twice(damaged: Copy) -> None:
    for table in EVERY:
        if table.key:
            damaged.double(table.name)
    found = failed(verify(damaged.root))
    assert set(found) >= KEYS
    for name in KEYS:
        assert found[name].endswith(", 2),)"), found[name]


def test_a_value_that_is_not_there(damaged: Copy) -> None:
    for table in FACTS:
        column = next(c for c in reversed(table.columns) if not c.null)
        damaged.set(table.name, **{column.name: ""})
    found = failed(verify(damaged.root))
    assert set(found) >= VALUES
    assert "'no Condition'" in found["store_returns.values"]
    assert "'no Device'" in found["marketing.values"]


@pytest.mark.parametrize("trace", ["TRX0000000007", "TRC00000000x7", "TRC07", "TRC-000000007"])
def test_a_trace_that_is_none(damaged: Copy, trace: str) -> None:
    damaged.set("ble_pings", TraceId=trace)
    found = failed(verify(damaged.root))
    assert trace in found["ble_pings.values"]
    assert set(found) <= {"ble_pings.values", "ble_pings.traces", "traces.sequence"}


def test_a_number_that_nobody_gave(damaged: Copy) -> None:
    """An event of every kind gives up its number in the middle of its day."""

    def has_its_own(row: Row) -> bool:
        is_movement = "QtyDelta" in row
        return row["EventTS"].startswith("2024-02-27") and (
            row["Reason"] == "SHRINK" if is_movement else row.get("Status", "CREATED") in FIRST
        )

    for name in TRACED:
        traces = sorted({r["TraceId"] for r in damaged.rows(name, has_its_own)})
        middle = traces[len(traces) // 2]
        damaged.edit_all(name, is_(TraceId=middle), lambda r: r | {"TraceId": "TRC0000777777"})
    found = failed(verify(damaged.root))
    assert set(found) >= TRACES


def test_where_a_category_has_its_words_from_is_said() -> None:
    """Its own declaration, the profile or another table: else nothing would check them."""
    free = {"marketing.CreativeId", "store_inventory_txn.Source"}
    silent = {
        f"{t.name}.{c.name}"
        for t in FACTS
        for c in t.columns
        if c.kind is Kind.CATEGORY and not c.words and not c.references
    }
    assert silent == free | set(PROFILE_WORDS)
    assert all(c.kind is Kind.CATEGORY for t in EVERY for c in t.columns if c.words)


@pytest.mark.parametrize("table", ["dc_inventory_txn", "store_inventory_txn"])
def test_movements_declare_just_the_reasons_that_they_write(damaged: Copy, table: str) -> None:
    declared = tables.registry()[table].table.column("Reason").words
    written = {row["Reason"] for row in damaged.rows(table)}
    assert written <= set(declared)
    # Goods are damaged in DCs too, but too seldom for a history as small as this one.
    assert set(declared) - written <= {"DAMAGE"}


def test_a_word_that_nobody_knows(damaged: Copy) -> None:
    for name in (*WORDS, *PROFILE_WORDS):
        table, column = name.split(".")
        damaged.day = 4 if name in PROFILE_WORDS else 3
        damaged.set(table, lambda r, c=column: r[c] != "TOASTER", **{column: "TOASTER"})
    found = failed(verify(damaged.root))
    for name in WORDS:
        table, column = name.split(".")
        assert "TOASTER" in found[f"{table}.values"]
        assert column in found[f"{table}.values"]
    assert set(found) >= PROFILE
    assert all("TOASTER" in found[name] for name in PROFILE)


def test_a_time_outside_of_its_day(damaged: Copy) -> None:
    for table in FACTS:
        damaged.edit(table.name, change=lambda r: r | {"EventTS": later(r["EventTS"], days=1)})
    found = failed(verify(damaged.root))
    assert set(found) >= DAYS
    assert "TRC" in found["ble_pings.day"]


def unknown(column: Column) -> Callable[[Row], Row]:
    """A row whose value points to nothing."""

    def change(row: Row) -> Row:
        if column.kind is Kind.INT:
            return row | {column.name: "987654"}
        value = row[column.name]
        return row | {column.name: f"{value[:-3]}XYZ" if value else "XYZ"}

    return change


def test_a_reference_to_nothing(damaged: Copy) -> None:
    def plant(table: Table, column: Column, number: int) -> None:
        damaged.day = number % 8
        damaged.edit(
            table.name,
            lambda r: not any(v.endswith("XYZ") or v == "987654" for v in r.values()),
            unknown(column),
        )

    for table in EVERY:
        for number, column in enumerate(c for c in table.columns if c.references):
            plant(table, column, number)
    found = failed(verify(damaged.root, first=20))
    assert set(found) >= REFERENCES
    for name in REFERENCES:
        assert "987654" in found[name] or "XYZ" in found[name], found[name]


def test_a_return_of_a_receipt_from_the_history_that_is_not_there(damaged: Copy) -> None:
    receipt = damaged.set("store_returns", Line=1)["ReceiptId"]
    damaged.edit_all(
        "store_returns", lambda r: r["ReceiptId"] == receipt, lambda r: r | {"ReceiptId": "RCP"}
    )
    assert "'RCP'" in failed(verify(damaged.root))["store_returns.ReceiptId"]
