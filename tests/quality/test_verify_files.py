"""Whole histories pass in either form; parts are checked as far as they go; files are watched."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from copies import Copy

from retail_datagen.config.errors import UserError
from retail_datagen.quality import database
from retail_datagen.quality.catalog import checks
from retail_datagen.quality.check import Report, Result, Status
from retail_datagen.quality.database import Database
from retail_datagen.quality.files import find_history
from retail_datagen.quality.verify import Progress, verify

JOURNAL = {"files.journal"}


def failed(report: Report) -> dict[str, Result]:
    return {r.check.name: r for r in report.with_status(Status.FAILED)}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_the_job_writes_is_clean(form: str, request: pytest.FixtureRequest) -> None:
    root: Path = request.getfixturevalue(f"{form}_history")
    report = verify(root / "facts")
    assert failed(report) == {}
    # An override names words (returns.share does not), so that all checks find what they need.
    assert report.with_status(Status.SKIPPED) == ()
    assert report.rows > 20_000
    by_name = {r.check.name: r for r in report.results}
    assert by_name["store_returns.key"].checked > 100
    empty = {r.check.name for r in report.results if not r.checked}
    assert empty <= {"files.parse"}


def test_both_forms_are_the_same_history(csv_history: Path, parquet_history: Path) -> None:
    checked = [
        [(r.check.name, r.checked) for r in verify(root).results]
        for root in (csv_history, parquet_history)
    ]
    assert checked[0] == checked[1]


def test_progress_names_every_check(csv_history: Path) -> None:
    seen: list[Progress] = []
    verify(csv_history, listener=seen.append)
    assert seen[0].doing == "reading the files"
    assert [p.doing for p in seen[1:-1]] == [check.name for check in checks()]
    assert seen[-1].done == seen[-1].total == len(checks())


def test_a_flipped_byte_of_csv(copy: Copy) -> None:
    """A letter of a name that no rule knows: only the digest tells."""
    file = copy.files("ble_pings")[2]
    content = bytearray(file.read_bytes())
    place = content.rindex(b"-6") + 1
    content[place] = ord("7")
    file.write_bytes(content)
    found = failed(verify(copy.root))
    assert set(found) == JOURNAL
    assert found["files.journal"].first.values[0][1] == "has another sha256"
    assert file.name in str(found["files.journal"].first.values)


def test_a_flipped_byte_of_parquet(parquet_history: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(parquet_history, root)
    file = sorted(root.glob("facts/receipts/*/*.parquet"))[4]
    content = bytearray(file.read_bytes())
    content[200] ^= 0xFF
    file.write_bytes(content)
    found = failed(verify(root))
    assert file.name in str(found["files.journal"].first.values)


def test_half_a_parquet_file(parquet_history: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(parquet_history, root)
    file = sorted(root.glob("facts/marketing/*/*.parquet"))[4]
    file.write_bytes(file.read_bytes()[:500])
    found = failed(verify(root))
    assert set(found) == {"files.readable", "files.journal"}
    assert "cannot be read" in str(found["files.readable"].first.values)


def test_another_type_in_parquet(parquet_history: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(parquet_history, root)
    file = sorted(root.glob("facts/reorders/*/*.parquet"))[0]
    rows = pq.read_table(file)
    place = rows.column_names.index("OnHand")
    pq.write_table(rows.set_column(place, "OnHand", rows["OnHand"].cast("string")), file)
    found = failed(verify(root))
    assert "column OnHand is string, not integer" in str(found["files.readable"].first.values)


def test_half_a_second_in_parquet(parquet_history: Path, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(parquet_history, root)
    file = sorted(root.glob("facts/stockouts/*/*.parquet"))[0]
    rows = pq.read_table(file, partitioning=None)
    place = rows.column_names.index("EventTS")
    times = rows["EventTS"].cast(pa.timestamp("ms"))
    late = pc.add(times.cast(pa.int64()), 500).cast(pa.timestamp("ms"))
    pq.write_table(rows.set_column(place, "EventTS", late), file)
    found = failed(verify(root))
    assert "EventTS is no whole second" in str(found["stockouts.values"].first.values)


def test_a_missing_file_a_missing_line_and_a_new_file(copy: Copy) -> None:
    gone = copy.files("stockouts")[3]
    gone.unlink()
    journal = copy.facts / "_job" / "partitions.jsonl"
    lines = journal.read_text().splitlines(keepends=True)
    unknown = json.loads(lines.pop(5))["path"]
    journal.write_text("".join(lines) + '{"table": "receipts", "da')
    found = failed(verify(copy.root))
    assert set(found) == {"files.complete", "files.journal"}
    problems = {row[0]: row[1] for row in found["files.journal"].first.values}
    assert problems == {
        f"stockouts/{gone.parent.name}/{gone.name}": "is missing",
        unknown: "is not in the journal",
    }


def test_without_journal_and_header_the_rest_is_checked(copy: Copy) -> None:
    shutil.rmtree(copy.facts / "_job")
    report = verify(copy.root)
    assert failed(report) == {}
    skipped = {r.check.name: r.note for r in report.with_status(Status.SKIPPED)}
    assert skipped["files.journal"] == "needs _job/partitions.jsonl"
    assert skipped["files.master"] == "needs _job/job.json"
    # The first day of the history is that of INITIAL_STOCK.
    assert set(skipped) - {"files.journal", "files.master"} == {
        check.name for check in checks() if check.name.endswith(".words")
    }


def test_without_master_data(copy: Copy) -> None:
    shutil.rmtree(copy.root / "master")
    report = verify(copy.facts)
    assert failed(report) == {}
    skipped = {r.check.name: r for r in report.with_status(Status.SKIPPED)}
    assert skipped["receipts.StoreID"].note == "needs master data (--master)"
    assert skipped["receipt_lines.price"].note == "needs master data (--master)"
    assert skipped["receipts.StoreID"].checked == 0
    assert "receipts.subtotal" not in skipped


def test_master_data_elsewhere(copy: Copy, tmp_path: Path) -> None:
    (copy.root / "master").rename(tmp_path / "elsewhere")
    report = verify(copy.facts, tmp_path / "elsewhere")
    assert failed(report) == {}
    assert report.with_status(Status.SKIPPED) == ()


def test_some_tables_only(copy: Copy) -> None:
    for table in copy.facts.iterdir():
        if table.name not in ("receipts", "receipt_lines", "_job"):
            shutil.rmtree(table)
    copy.forget_journal()
    report = verify(copy.root)
    assert failed(report) == {}
    skipped = {r.check.name: r.note for r in report.with_status(Status.SKIPPED)}
    assert skipped["store_inventory_txn.sales"] == "needs store_inventory_txn"
    assert skipped["receipt_lines.price"] == "needs price_changes"
    assert "receipts.subtotal" not in skipped
    copy.edit("receipts", change=lambda r: r | {"Subtotal": "0.00", "Total": r["Tax"]})
    assert set(failed(verify(copy.root))) == {"receipts.subtotal"}


def test_some_days_of_some_tables(copy: Copy) -> None:
    """Days that only one of two tables has are not compared."""
    for table, keep in (("receipts", (4, 5, 6)), ("receipt_lines", (5, 6, 7))):
        for number, file in enumerate(copy.files(table)):
            if number not in keep:
                shutil.rmtree(file.parent)
    copy.forget_journal()
    report = verify(copy.root)
    assert set(failed(report)) == {"files.complete"}
    by_name = {r.check.name: r for r in report.results}
    assert by_name["receipts.subtotal"].status is Status.PASSED
    days = [len(file.read_text().splitlines()) - 1 for file in copy.files("receipts")]
    assert by_name["receipts.subtotal"].checked == sum(days[1:])
    assert by_name["receipt_lines.ReceiptId"].status is Status.PASSED
    # Damage on a day that both have is found.
    copy.edit(
        "receipt_lines",
        lambda r: r["EventTS"].startswith("2024-03-01"),
        lambda r: r | {"ExtPrice": "0.01"},
    )
    assert "receipts.subtotal" in failed(verify(copy.root))


def test_a_later_part_of_a_history(copy: Copy) -> None:
    """The end of a history on its own: what came before is not missed."""
    for table in copy.facts.iterdir():
        for number, day in enumerate(sorted(table.glob("dt=*"))):
            if number < 5:
                shutil.rmtree(day)
    copy.forget_journal()
    report = verify(copy.root)
    assert failed(report) == {}
    skipped = {r.check.name: r.note for r in report.with_status(Status.SKIPPED)}
    assert skipped["store_inventory_txn.stock"] == (
        "needs every day of store_inventory_txn since 2024-02-24"
    )
    assert "online_orders.order" not in skipped
    assert "store_returns.sale" not in skipped


def test_where_facts_are_looked_for(copy: Copy, tmp_path: Path) -> None:
    assert verify(copy.root).folder == str(copy.facts)
    assert verify(copy.facts).folder == str(copy.facts)
    with pytest.raises(UserError, match="no-such-folder is not a folder"):
        verify(tmp_path / "no-such-folder")
    with pytest.raises(UserError, match=r"no facts in .*: it has none of the folders ble_pings"):
        verify(tmp_path)
    (tmp_path / "empty" / "receipts").mkdir(parents=True)
    with pytest.raises(UserError, match="its tables have no day yet"):
        verify(tmp_path / "empty")
    with pytest.raises(UserError, match="--master: no master data in"):
        verify(copy.facts, tmp_path / "empty")


def test_a_damaged_job_file_is_a_violation_and_the_rest_is_checked(copy: Copy) -> None:
    (copy.facts / "_job" / "job.json").write_text("{")
    report = verify(copy.root)
    found = failed(report)
    assert set(found) == {"files.readable"}
    assert "_job/job.json" in str(found["files.readable"].first.values)
    skipped = {r.check.name for r in report.with_status(Status.SKIPPED)}
    # The first day of the history is that of INITIAL_STOCK.
    assert "store_inventory_txn.stock" not in skipped


def test_master_data_of_another_type(copy: Copy) -> None:
    copy.set("stores", Capacity="much")
    report = verify(copy.root)
    found = failed(report)
    assert set(found) == {"files.readable", "files.master"}
    assert "master/stores.csv" in str(found["files.readable"].first.values)
    assert "much" in str(found["files.readable"].first.values)
    skipped = {r.check.name: r.note for r in report.with_status(Status.SKIPPED)}
    assert skipped["receipts.StoreID"] == "needs stores"


@pytest.mark.parametrize("gone", ["stores", "geographies", "calendar"])
def test_one_file_of_master_data_is_missing(copy: Copy, gone: str) -> None:
    (copy.root / "master" / f"{gone}.csv").unlink()
    found = failed(verify(copy.root))
    assert set(found) == {"files.master_complete", "files.master"}
    assert f"master/{gone}.csv" in str(found["files.master_complete"].first.values)


def test_emptied_master_data(copy: Copy) -> None:
    (copy.root / "master" / "products.csv").write_text("")
    assert set(failed(verify(copy.root))) == {"files.readable", "files.master"}


def test_a_history_that_cannot_be_loaded_leaves_no_database_open(
    csv_history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open one holds its file, and the threads and memory of DuckDB."""
    opened: list[duckdb.DuckDBPyConnection] = []
    connect = duckdb.connect

    def remembered(*args: object, **options: object) -> duckdb.DuckDBPyConnection:
        opened.append(connect(*args, **options))
        return opened[-1]

    monkeypatch.setattr(duckdb, "connect", remembered)
    history = replace(find_history(csv_history, None), master=tmp_path / "gone")
    monkeypatch.setattr(database, "file_of", lambda folder, table: 1 / 0)
    with pytest.raises(ZeroDivisionError), Database.of(history, tmp_path):
        pass
    with pytest.raises(duckdb.ConnectionException):
        opened[0].execute("SELECT 1")
