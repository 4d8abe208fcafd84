"""Databases as targets: what they remember, and that each row is there once, whatever happens."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from database_targets import FIRST, MOVES, RECEIPTS, STORES, Target, moves, receipts, stores

from retail_datagen.schema import Column, Kind, Table
from retail_datagen.schema.stamps import stamp
from retail_datagen.sinks import SinkError, open_sink

DAY = 86_400
STEPS = ("begin", "insert:1", "insert:2", "insert:3", "before-commit", "commit")
"""Where a transaction can die. ClickHouse's inserts: intent, receipts, moves, progress."""


def expected_ids(days: dict[int, int], table: str) -> list[str]:
    names = []
    for day, rows in days.items():
        date = datetime.fromtimestamp(day * DAY, UTC)
        names += [f"{table}-{date:%Y%m%d}-{row:08d}" for row in range(rows)]
    return sorted(names)


def test_header_and_progress_are_found_by_the_next_process(target: Target) -> None:
    sink = target.open()
    assert sink.read_header() is None
    sink.write_header('{"a": "it\'s"}')
    sink.append(RECEIPTS, FIRST, 0, receipts(FIRST, 30))
    sink.append(RECEIPTS, FIRST, 40, receipts(FIRST, 10, first=40))
    sink.commit()
    whole = sink.write_partition(RECEIPTS, FIRST + 1, receipts(FIRST + 1, 5))
    sink.commit()
    sink.close()
    again = target.open()
    assert again.read_header() == '{"a": "it\'s"}'
    held = again.progress()
    assert held["receipts", FIRST].held == ((0, 30), (40, 50))
    assert held["receipts", FIRST].record is None
    assert held["receipts", FIRST + 1].record == whole
    assert target.open("other").read_header() is None
    assert not target.open("other").progress()


def test_a_day_is_completed_by_what_it_lacks(target: Target) -> None:
    sink = target.open()
    sink.append(RECEIPTS, FIRST, 10, receipts(FIRST, 20, first=10))
    sink.commit()
    record = sink.write_partition(RECEIPTS, FIRST, receipts(FIRST, 50))
    sink.commit()
    assert sink.check(record)
    assert sink.progress()["receipts", FIRST].held == ((0, 50),)
    whole = target.open("other").write_partition(RECEIPTS, FIRST, receipts(FIRST, 50))
    assert record == whole
    sink.close()
    assert target.ids("receipts") == expected_ids({FIRST: 50}, "receipts")
    sums = target.ask("SELECT count(*), sum(Total), count(PromoCode) FROM receipts")
    assert [round(float(x), 2) for x in sums[0]] == [50, sum(range(50)) + 50 * 0.05, 17]


def test_events_are_written_as_they_are_stamped(target: Target) -> None:
    sink = target.open(zone="America/New_York")
    stamped = stamp(RECEIPTS, FIRST, 0, receipts(FIRST, 10), "America/New_York")
    sink.send(stamped)
    assert not target.ids("receipts") if target.kind != "duckdb" else True
    sink.commit()
    sink.close()
    assert target.ids("receipts") == expected_ids({FIRST: 10}, "receipts")
    (told,) = target.ask("SELECT min(event_time_utc) FROM receipts")[0]
    assert str(told)[:19] == "2024-01-30 05:00:00"
    assert not target.open().progress()


@pytest.mark.parametrize("step", STEPS)
def test_a_commit_that_dies_anywhere_leaves_each_row_once(target: Target, step: str) -> None:
    if target.kind not in ("chdb", "clickhouse") and step in STEPS[1:4:2]:
        pytest.skip("one insert is like another inside of a transaction")
    target.killed(step)
    sink = target.open()
    sink.recover([RECEIPTS.name, MOVES.name])
    known = dict(sink.progress())
    assert len(known) in (0, 5)
    sink.close()
    if target.kind not in ("chdb", "clickhouse"):
        assert (len(target.ids("receipts")) > 0) == bool(known)
    before = {"receipts": len(target.ids("receipts")), "moves": len(target.ids("moves"))}
    assert before == ({"receipts": 1010, "moves": 1000} if known else {"receipts": 0, "moves": 0})
    sink = target.open()
    for day in (FIRST, FIRST + 1):
        sink.write_partition(RECEIPTS, day, receipts(day, 500))
        sink.write_partition(MOVES, day, moves(day, 500))
    sink.write_partition(RECEIPTS, FIRST + 2, receipts(FIRST + 2, 500))
    sink.commit()
    sink.close()
    days = {FIRST: 500, FIRST + 1: 500}
    assert target.ids("moves") == expected_ids(days, "moves")
    assert target.ids("receipts") == expected_ids(days | {FIRST + 2: 500}, "receipts")


def test_a_commit_that_fails_leaves_nothing_and_may_be_tried_again(target: Target) -> None:
    sink: Any = target.open()
    sink.write_partition(RECEIPTS, FIRST, receipts(FIRST, 20))
    owner = sink.clickhouse if hasattr(sink, "clickhouse") else sink._database
    insert, calls = owner.insert, []

    def fails(*args: Any) -> None:
        insert(*args)
        calls.append(args)
        # Of ClickHouse the first insert is the intent.
        if len(calls) == (2 if hasattr(sink, "clickhouse") else 1):
            raise SinkError("the line went dead")

    owner.insert = fails
    with pytest.raises(SinkError, match="went dead"):
        sink.commit()
    owner.insert = insert
    assert not sink.progress()
    sink.commit()
    sink.write_partition(RECEIPTS, FIRST, receipts(FIRST, 20))
    sink.commit()
    sink.close()
    assert target.ids("receipts") == expected_ids({FIRST: 20}, "receipts")


def test_another_writer_is_noticed(target: Target) -> None:
    one, other = target.open(), target.open()
    assert not one.progress()
    assert not other.progress()
    for sink in (one, other):
        sink.write_partition(RECEIPTS, FIRST, receipts(FIRST, 20))
    one.commit()
    with pytest.raises(SinkError, match="another job has written"):
        other.commit()
    one.close()
    other.close()
    assert target.ids("receipts") == expected_ids({FIRST: 20}, "receipts")


def test_a_table_with_other_columns_is_left_alone(target: Target) -> None:
    other = Table("receipts", "", (*MOVES.columns[:2], Column("Oops", Kind.INT, "")), ())
    sink = target.open("first")
    rows = receipts(FIRST, 3)
    sink.write_partition(
        other,
        FIRST,
        rows.select(["TraceId", "EventTS", "StoreID"])
        .rename_columns(["TraceId", "EventTS", "Oops"])
        .cast(other.arrow),
    )
    sink.commit()
    sink.write_partition(RECEIPTS, FIRST + 1, receipts(FIRST + 1, 3))
    # Another sink has not seen the table.
    sink.close()
    sink = target.open("second")
    sink.write_partition(RECEIPTS, FIRST + 1, receipts(FIRST + 1, 3))
    with pytest.raises(
        SinkError, match=r"(?is)table receipts has other columns: it lacks StoreID, "
    ):
        sink.commit()
    sink.close()
    assert len(target.ids("receipts")) == 3


def test_master_data_are_replaced_as_a_whole(target: Target) -> None:
    sink: Any = target.open()
    sink.write_dimension(STORES, stores(3))
    sink.write_dimension(STORES, stores(3))
    sink.write_partition(RECEIPTS, FIRST, receipts(FIRST, 4))
    sink.commit()
    sink.write_dimension(STORES, stores(2))
    sink.close()
    query = "SELECT StoreID, StoreName, Opened, Cold, Latitude FROM stores ORDER BY StoreID"
    found = [[str(value) for value in row] for row in target.ask(query)]
    flags = ["0", "1"] if target.kind == "sqlite" else ["False", "True"]
    assert found == [
        ["1", "Store, 0", "1972-09-27", flags[0], "0.1"],
        ["2", "Store, 1", "None", flags[1], "1.1"],
    ]


def test_two_feeds_share_a_database(target: Target) -> None:
    alone = Table("moves", "", (Column("TraceId", Kind.TEXT, ""), *MOVES.columns[1:]), ())
    facts, other = target.open("facts"), target.open("moves")
    facts.write_header("facts")
    other.write_header("moves")
    facts.write_partition(RECEIPTS, FIRST, receipts(FIRST, 4))
    other.write_partition(alone, FIRST, moves(FIRST, 4))
    facts.commit()
    other.commit()
    facts.clear(["receipts"])
    assert facts.read_header() is None
    assert other.read_header() == "moves"
    assert not facts.progress()
    assert len(other.progress()) == 1
    facts.close()
    other.close()
    assert not target.ids("receipts")
    assert len(target.ids("moves")) == 4


@pytest.mark.parametrize("scheme", ["sqlite", "duckdb"])
@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("here.db", "here.db"),
        ("///here.db", "here.db"),
        ("///sub/here.db", "sub/here.db"),
        ("{folder}/there.db", "there.db"),
        ("///{folder}/there.db", "there.db"),
    ],
)
def test_a_file_is_where_sqlalchemy_would_look_for_it(
    scheme: str, written: str, meant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(scheme if scheme == "duckdb" else "sqlite3")
    monkeypatch.chdir(tmp_path)
    sink = open_sink(f"{scheme}:{written.format(folder=tmp_path)}")
    sink.write_partition(MOVES, FIRST, moves(FIRST, 3))
    sink.commit()
    sink.close()
    assert (tmp_path / meant).stat().st_size
