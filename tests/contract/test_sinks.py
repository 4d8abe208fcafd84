"""Every sink keeps the same contract; each adds a way to open it and to read a partition back."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from inspect import signature
from pathlib import Path

import contract_databases as databases
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retail_datagen.core.calendar import to_day
from retail_datagen.engine.target import job_folder
from retail_datagen.schema import Column, Encoding, Kind, Table
from retail_datagen.sinks import (
    PartitionRecord,
    Sink,
    SinkError,
    Unit,
    encoded_bytes,
    open_sink,
)
from retail_datagen.sinks.file import FileSink
from retail_datagen.sinks.memory import MemorySink
from services.kafka_reader import committed

DAY = to_day(date(2024, 1, 1))
TABLE = Table(
    "receipts",
    "A table with a column of each kind.",
    (
        Column("TraceId", Kind.TEXT, "", encoding=Encoding.DELTA_TEXT),
        Column("EventTS", Kind.TIMESTAMP, ""),
        Column("StoreID", Kind.INT, ""),
        Column("Units", Kind.LONG, ""),
        Column("Total", Kind.MONEY, ""),
        Column("Refund", Kind.MONEY, "", null=True, encoding=Encoding.DICTIONARY),
        Column("TenderType", Kind.CATEGORY, ""),
        Column("PromoCode", Kind.CATEGORY, "", null=True),
        Column("DeliveredTS", Kind.TIMESTAMP, "", null=True),
    ),
    ("TraceId",),
)
Rows = list[dict[str, str]]


def batch(rows: int = 3, day: int = DAY, table: Table = TABLE) -> pa.Table:
    start, earlier = day * 86_400, (day - DAY) * 1_000_000
    seconds = [start + 8 * 3600 + 30 * 60 + 45 + i for i in range(rows)]
    arrays = {
        "TraceId": pa.array([f"TRC{earlier + i:010d}" for i in range(1, rows + 1)], pa.string()),
        "EventTS": pa.array(seconds, pa.int64()).cast(pa.timestamp("s")),
        "StoreID": pa.array([15] * rows, pa.int32()),
        "Units": pa.array(range(rows), pa.int64()),
        "Total": pa.array([Decimal("28.06") + i * 100 for i in range(rows)], pa.decimal64(12, 2)),
        "Refund": pa.array(
            [None if i % 2 else Decimal("-0.05") for i in range(rows)], pa.decimal64(12, 2)
        ),
        "TenderType": _categories(["CREDIT_CARD"] * rows),
        "PromoCode": _categories([None if i % 2 else "SAVE10" for i in range(rows)]),
        "DeliveredTS": pa.array(
            [None if i % 2 else start + 90_000 for i in range(rows)], pa.int64()
        ).cast(pa.timestamp("s")),
    }
    return pa.table(arrays)


def _categories(texts: list[str | None]) -> pa.Array:
    return pa.array(texts, pa.string()).dictionary_encode()


EXPECTED: Rows = [
    {
        "TraceId": f"TRC{i + 1:010d}",
        "EventTS": f"2024-01-01 08:30:{45 + i}",
        "StoreID": "15",
        "Units": str(i),
        "Total": f"{i}28.06".lstrip("0"),
        "Refund": "" if i % 2 else "-0.05",
        "TenderType": "CREDIT_CARD",
        "PromoCode": "" if i % 2 else "SAVE10",
        "DeliveredTS": "" if i % 2 else "2024-01-02 01:00:00",
    }
    for i in range(3)
]


@dataclass
class Backend:
    """A way to open a sink, again and again, and to read what a partition holds.

    `elsewhere` opens one for another target.
    """

    open: Callable[[], Sink]
    elsewhere: Callable[[], Sink]
    read: Callable[[Sink, str, int], Rows | None]


def _texts(data: pa.Table) -> Rows:
    columns = {n: data[n].cast(pa.string()).to_pylist() for n in data.column_names}
    return [{n: columns[n][i] or "" for n in columns} for i in range(data.num_rows)]


def _csv(tmp: Path) -> Backend:
    def read(sink: Sink, table: str, day: int) -> Rows | None:
        assert isinstance(sink, FileSink)
        path = tmp / "out" / sink.path_of(table, day)
        return list(csv.DictReader(io.StringIO(path.read_text()))) if path.exists() else None

    return Backend(
        lambda: open_sink(f"file:{tmp / 'out'}?format=csv"),
        lambda: open_sink(f"file:{tmp / 'other'}?format=csv"),
        read,
    )


def _parquet(tmp: Path) -> Backend:
    def read(sink: Sink, table: str, day: int) -> Rows | None:
        assert isinstance(sink, FileSink)
        path = tmp / "out" / sink.path_of(table, day)
        if not path.exists():
            return None
        data = pq.ParquetFile(path).read()
        for i, name in enumerate(data.column_names):
            if pa.types.is_timestamp(data[name].type):
                data = data.set_column(i, name, data[name].cast(pa.timestamp("s")))
        return _texts(data)

    return Backend(
        lambda: open_sink(str(tmp / "out"), "parquet"),
        lambda: open_sink(str(tmp / "other"), "parquet"),
        read,
    )


def _memory(tmp: Path) -> Backend:
    def read(sink: Sink, table: str, day: int) -> Rows | None:
        assert isinstance(sink, MemorySink)
        data = sink.partitions.get((table, day))
        return None if data is None else _texts(data)

    return Backend(lambda: open_sink("memory:"), lambda: open_sink("memory:"), read)


def _jsonl(tmp: Path) -> Backend:
    def read(sink: Sink, table: str, day: int) -> Rows | None:
        rows = [json.loads(line, parse_float=str) for line in (tmp / "o.jsonl").open()]
        mine = [r for r in rows if r["table"] == table]
        texts = [
            {k: "" if v is None else str(v) for k, v in row.items() if k != "table"} for row in mine
        ]
        return [r for r in texts if to_day(date.fromisoformat(r["EventTS"][:10])) == day] or None

    return Backend(
        lambda: open_sink(f"jsonl:{tmp / 'o.jsonl'}"),
        lambda: open_sink(f"jsonl:{tmp / 'other.jsonl'}"),
        read,
    )


def _kafka(tmp: Path, request: pytest.FixtureRequest) -> Backend:
    servers = request.getfixturevalue("kafka").servers
    prefix = request.getfixturevalue("kafka_prefix")

    def read(sink: Sink, table: str, day: int) -> Rows | None:
        rows = [record.json() for record in committed(servers, [f"{prefix}retail-facts-{table}"])]
        rows.sort(key=lambda row: str(row["TraceId"]))
        texts = [{k: "" if v is None else str(v) for k, v in row.items()} for row in rows]
        return [r for r in texts if to_day(date.fromisoformat(r["EventTS"][:10])) == day] or None

    return Backend(
        lambda: open_sink(f"kafka://{servers}?topic_prefix={prefix}"),
        lambda: open_sink(f"kafka://{servers}?topic_prefix={prefix}other-"),
        read,
    )


def _sqlite(tmp: Path) -> Backend:
    path = tmp / "x.db"
    reader = databases.rows_of_sqlite(path, TABLE.header)
    return _opened(f"sqlite:///{path}", f"sqlite:///{tmp / 'other.db'}", reader)


def _duckdb(tmp: Path) -> Backend:
    path = tmp / "x.duckdb"
    reader = databases.rows_of_duckdb(path, TABLE.header)
    return _opened(f"duckdb:{path}", f"duckdb:{tmp / 'other.duckdb'}", reader)


def _chdb(tmp: Path) -> Backend:
    reader = databases.rows_of_clickhouse(TABLE.header)
    return _opened(f"chdb:{tmp / 'x.chdb'}", f"chdb:{tmp / 'other.chdb'}", reader)


def _postgresql(tmp: Path, request: pytest.FixtureRequest) -> Backend:
    url = request.getfixturevalue("postgres_url")
    reader = databases.rows_of_postgresql(url, TABLE.header)
    return _opened(url, "postgresql://127.0.0.1:1/other", reader)


def _opened(url: str, other: str, read: Callable[[Sink, str, int], Rows | None]) -> Backend:
    return Backend(lambda: open_sink(url), lambda: open_sink(other), read)


@pytest.fixture(
    params=[_csv, _parquet, _memory, _jsonl, _kafka, _sqlite, _duckdb, _chdb, _postgresql],
    ids=lambda make: make.__name__[1:],
)
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """Sinks that a test leaves open are closed after it."""
    make: Callable[..., Backend] = request.param
    more = [request] if "request" in signature(make).parameters else []
    made, opened = make(tmp_path, *more), list[Sink]()

    def noted(open: Callable[[], Sink]) -> Callable[[], Sink]:
        def call() -> Sink:
            opened.append(open())
            return opened[-1]

        return call

    yield replace(made, open=noted(made.open), elsewhere=noted(made.elsewhere))
    for sink in opened:
        sink.close()


def test_what_is_written_is_read_back(backend: Backend) -> None:
    sink = backend.open()
    record = sink.write_partition(TABLE, DAY, batch())
    sink.commit()
    assert (record.table, record.day, record.rows) == ("receipts", DAY, 3)
    assert record.bytes > 0
    assert len(record.sha256) == 64
    assert backend.read(sink, "receipts", DAY) == EXPECTED
    sink.close()
    sink.close()


def test_a_partition_is_checked_by_its_content(backend: Backend) -> None:
    sink = backend.open()
    record = sink.write_partition(TABLE, DAY, batch())
    sink.commit()
    other = open_sink("memory:").write_partition(TABLE, DAY, batch(2))
    assert sink.check(record)
    assert not sink.check(other)


def test_the_same_content_has_the_same_record(backend: Backend) -> None:
    sink = backend.open()
    first = sink.write_partition(TABLE, DAY, batch())
    assert sink.write_partition(TABLE, DAY, batch()) == first
    assert sink.write_partition(TABLE, DAY, batch(2)).sha256 != first.sha256


def test_an_idempotent_sink_replaces(backend: Backend) -> None:
    sink = backend.open()
    if not sink.capabilities.idempotent:
        pytest.skip("does not promise it")
    for between in (True, False):
        sink.write_partition(TABLE, DAY, batch(2))
        if between:
            sink.commit()
        sink.write_partition(TABLE, DAY, batch(3))
        sink.commit()
        assert backend.read(sink, "receipts", DAY) == EXPECTED


def test_nothing_appears_before_it_is_committed(backend: Backend) -> None:
    sink = backend.open()
    if sink.capabilities.atomic_unit is not Unit.PARTITION:
        pytest.skip("does not promise it")
    record = sink.write_partition(TABLE, DAY, batch())
    assert not sink.check(record)
    assert not sink.holds([TABLE.name])
    assert backend.read(sink, "receipts", DAY) is None
    sink.close()
    sink.commit()
    assert not sink.check(record)
    sink.write_partition(TABLE, DAY, batch())
    sink.recover([TABLE.name])
    sink.commit()
    assert not sink.holds([TABLE.name])


def test_a_transactional_sink_lets_all_appear_together(backend: Backend) -> None:
    sink = backend.open()
    if not sink.capabilities.transactional:
        pytest.skip("does not promise it")
    other = Table("returns", TABLE.doc, TABLE.columns, TABLE.key)
    parts = [(TABLE, DAY), (other, DAY), (TABLE, DAY + 1)]

    def write() -> list[PartitionRecord]:
        return [sink.write_partition(table, day, batch(3, day)) for table, day in parts]

    records = write()
    with pytest.raises(ValueError, match="returns has columns"):
        sink.write_partition(other, DAY + 1, batch().drop_columns(["Total"]))
    assert [sink.check(record) for record in records] == [False] * 3
    sink.recover([TABLE.name])
    sink.commit()
    assert [sink.check(record) for record in records] == [False] * 3
    write()
    sink.commit()
    assert [sink.check(record) for record in records] == [True] * 3
    assert [len(backend.read(sink, table.name, day) or []) for table, day in parts] == [3] * 3


def test_what_is_remembered_of_two_targets_lies_in_two_places(
    backend: Backend, tmp_path: Path
) -> None:
    one, other = backend.open(), backend.elsewhere()
    places = [job_folder(sink, tmp_path / "facts") for sink in (one, other)]
    assert (None in places) == (not one.capabilities.durable)
    assert places[0] != places[1] or places == [None, None]
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,60}", one.name)


@pytest.mark.parametrize("rows", [0, 3, 70_000])
def test_the_size_of_a_partition_is_known_beforehand(backend: Backend, rows: int) -> None:
    sink = backend.open()
    expected = encoded_bytes(sink.format, TABLE, batch(rows))
    assert expected == sink.write_partition(TABLE, DAY, batch(rows)).bytes


def test_a_durable_sink_finds_it_again(backend: Backend) -> None:
    sink = backend.open()
    if not sink.capabilities.durable:
        pytest.skip("does not promise it")
    record = sink.write_partition(TABLE, DAY, batch())
    sink.commit()
    sink.close()
    again = backend.open()
    again.recover([TABLE.name])
    assert again.check(record)
    assert backend.read(again, "receipts", DAY) == EXPECTED


def test_a_failed_partition_leaves_what_was_there(backend: Backend) -> None:
    sink = backend.open()
    if sink.capabilities.atomic_unit is not Unit.PARTITION:
        pytest.skip("does not promise it")
    record = sink.write_partition(TABLE, DAY, batch())
    sink.commit()
    wrong = batch().drop_columns(["Total"])
    with pytest.raises(ValueError, match="receipts has columns"):
        sink.write_partition(TABLE, DAY, wrong)
    nulls = batch().set_column(2, "StoreID", pa.nulls(3, pa.int32()))
    with pytest.raises(ValueError, match=r"receipts\.StoreID holds 3 nulls"):
        sink.write_partition(TABLE, DAY, nulls)
    assert sink.check(record)


def test_an_empty_partition_is_a_partition(backend: Backend) -> None:
    sink = backend.open()
    record = sink.write_partition(TABLE, DAY, batch(0))
    sink.commit()
    assert record.rows == 0
    assert sink.check(record)


def test_clear_removes_only_what_it_is_told(backend: Backend) -> None:
    sink = backend.open()
    other = Table("returns", TABLE.doc, TABLE.columns, TABLE.key)
    gone = sink.write_partition(TABLE, DAY, batch())
    kept = sink.write_partition(other, DAY, batch())
    sink.commit()
    assert sink.holds(["receipts"])
    sink.clear(["receipts"])
    assert not sink.holds(["receipts"])
    assert sink.holds(["receipts", "returns"])
    assert not sink.check(gone)
    assert sink.check(kept)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("kafkaa://host", "no sink is called 'kafkaa' (in 'kafkaa://host'); allowed are file:"),
        ("file:./x?format=xml", "format: 'xml' is not known; allowed are csv and parquet"),
        ("file:./x?fromat=csv", "option 'fromat' is not known to 'file:./x?fromat=csv'; allowed"),
        ("memory:?a=1", "option 'a' is not known to 'memory:?a=1', which has none"),
        ("file:", "'file:' names no folder"),
        ("jsonl:", "'jsonl:' names no target"),
    ],
)
def test_a_wrong_url_says_what_is_allowed(url: str, message: str) -> None:
    with pytest.raises(SinkError) as error:
        open_sink(url)
    assert message in str(error.value)


def test_two_formats_at_once_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="asks for csv, but the format asked for beside it is par"):
        open_sink(f"file:{tmp_path}?format=csv", "parquet")
    with pytest.raises(SinkError, match="leave the format 'csv' out"):
        open_sink("jsonl:-", "csv")


def test_plain_paths_may_hold_anything(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "50% off?"))
    record = sink.write_partition(TABLE, DAY, batch())
    sink.commit()
    assert (tmp_path / "50% off?" / record.path).is_file()
    drive = open_sink("C:data")
    assert drive.root == Path("C:data")
