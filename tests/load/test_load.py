"""The loader: each message of a topic once in ClickHouse, whatever happens on the way."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from confluent_kafka import Producer
from hub import EVENT, Hub, event
from loading import ids_in, load_of, never, rows_in, some_tables, tables_of
from sent import PREFIX, Sent

from retail_datagen.config.errors import UserError
from retail_datagen.engine.lock import JobLock
from retail_datagen.engine.stop import JobStopped
from retail_datagen.events.topics.hub import TABLE as HUB
from retail_datagen.schema.stamps import stamp
from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.clickhouse_client import ClickHouse
from retail_datagen.streaming.load import Load, Loaded, run_load
from retail_datagen.wire.registry import SchemaValues
from retail_datagen.wire.registry_reading import SchemaReader
from services.kafka_broker import Address, Broker
from services.kills import killed_over_and_over
from stopping import allowed, ends_in_time

HEADERS = [
    ("event_id", b"hub-1"),
    ("schema_version", b"3"),
    ("event_time", b"2024-01-01T20:45:30.000Z"),
]


def test_facts_and_changes_are_loaded_as_they_are(sent: Sent, tmp_path: Path) -> None:
    clickhouse = ClickHouse.of(f"chdb:{tmp_path / 'x.chdb'}")
    tables = tables_of(sent.config, "facts", "cdc")
    load = load_of(sent.servers, PREFIX, clickhouse, tables, tmp_path, batch_rows=5000)
    done = run_load(load)
    assert done.refused == 0
    assert run_load(load).total == 0
    for table in tables.values():
        feed = "cdc" if table.changes else "facts"
        meant = Counter(sent.rows(feed, table.name))
        assert done.rows.get(table.name, 0) == meant.total()
        if meant:
            assert rows_in(clickhouse, table) == meant, table.name
    assert done.total > 10_000
    clickhouse.close()


@pytest.mark.parametrize(
    "deaths",
    [
        ("after:1:=receipt_lines", "after:3:=_retail_loaded"),
        pytest.param(
            ("before:3:=_retail_loaded", "before:1:DELETE", "after:1:DELETE"),
            marks=pytest.mark.soak,
        ),
    ],
)
def test_killed_at_any_step_each_row_is_there_once(
    sent: Sent, tmp_path: Path, deaths: tuple[str, ...]
) -> None:
    """`kill -9` between tables, around the positions, and around the deletion of what is beyond."""
    for how in deaths:
        assert _run(sent, tmp_path, how) == -9
    assert _run(sent, tmp_path, "never") == 0
    _all_there_once(sent, tmp_path)


@pytest.mark.soak
def test_killed_at_random_each_row_is_there_once(sent: Sent, tmp_path: Path) -> None:
    chance = random.Random(7)
    for _ in range(25):
        delay = chance.uniform(0.5, 6.0)
        process = _start(sent, tmp_path, "never")
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
    assert _run(sent, tmp_path, "never") == 0
    _all_there_once(sent, tmp_path)


@pytest.mark.soak
def test_a_million_events_survive_kills_of_loader_and_broker(
    config_file: Path, tmp_path: Path
) -> None:
    """24 rounds of `kill -9` at random moments, every third time the broker's instead."""
    events, chance = 1_000_000, random.Random(7)
    broker = Broker(tmp_path / "broker")
    broker.start()
    try:
        hub = Hub(broker.address.servers, "", tmp_path)
        value = event()
        for number in range(events):
            stamp = [("event_id", b"hub-%08d" % number), *HEADERS[1:]]
            while len(hub.producer) > 50_000:
                hub.producer.poll(0.1)
            hub.producer.produce(hub.topic, value, b"7", 0, headers=stamp)
        assert hub.producer.flush(120) == 0
        killed_over_and_over(
            lambda: _loader(hub, config_file, "--batch-rows", "10000"),
            *(24, broker, chance),
            before=(2.0, 6.0),
            after=(0.5, 2.0),
        )
        assert _loader(hub, config_file).wait(300) == 0
        found = hub.ask(
            "SELECT count(), uniqExact(event_id), min(event_id), max(event_id), "
            f"uniqExact(_offset) FROM {HUB.name}"
        )
        assert found == [(events, events, "hub-00000000", f"hub-{events - 1:08d}", events)]
    finally:
        hub.clickhouse.close()
        broker.kill()


def _loader(hub: Hub, config_file: Path, *more: str) -> subprocess.Popen[str]:
    """The command, in a process of its own."""
    command = [
        *(sys.executable, "-c", "from retail_datagen.cli.app import main; main()", "load"),
        *("--config", str(config_file), "--from", f"kafka://{hub.servers}", "--feed", "hub"),
        *("--to", f"chdb:{hub.folder / 'x.chdb'}", f"--topic-prefix={hub.prefix}", *more),
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_insert_that_failed_may_have_arrived(hub: Hub, when: str) -> None:
    """Each call fails once, before or after it did its work: nothing lost, nothing twice."""
    hub.send(*(event(quantity=n) for n in range(50)), b"no JSON")
    failed: set[str] = set()

    def once(number: int, what: str) -> bool:
        name = what.split()[0] if " " in what else what
        if number < 8 or name in failed:
            return False
        failed.add(name)
        return True

    setattr(hub.clickhouse, when, once)
    done = run_load(hub.load(batch_rows=20))
    assert {HUB.name, "_retail_loaded", "_retail_refused"} <= failed
    assert hub.offsets() == list(range(50))
    assert hub.ask("SELECT _offset FROM _retail_refused") == [(50,)]
    assert (done.total, done.refused) == (50, 1)


def test_what_clickhouse_refuses_for_good_ends_the_load(hub: Hub) -> None:
    hub.send(event())

    def refuse(number: int, what: str) -> bool:
        if what == HUB.name:
            raise SinkError("user or password is wrong") from RuntimeError("Code: 516. DB::Exc")
        return False

    hub.clickhouse.before = refuse
    began = time.monotonic()
    with pytest.raises(UserError, match="password"):
        run_load(hub.load())
    assert time.monotonic() - began < 25  # it would be tried again for thirty
    hub.clickhouse.before = never
    assert run_load(hub.load()).total == 1


def test_stamps_come_from_headers_and_where_there_are_none_from_the_place(hub: Hub) -> None:
    hub.send(event(), headers=HEADERS)
    hub.send(event())
    hub.send(event(), headers=[("event_time", b"yesterday"), ("schema_version", b"x")])
    assert run_load(hub.load()).total == 3
    found = hub.ask(
        f"SELECT event_id, schema_version, toString(event_time_utc), _topic, _partition, "
        f"toString(unit_price) FROM {HUB.name} ORDER BY _offset"
    )
    local = "2024-01-01 15:45:30.000"
    assert found == [
        ("hub-1", 3, "2024-01-01 20:45:30.000", hub.topic, 0, "12.99"),
        (f"{hub.topic}-0-1", 1, local, hub.topic, 0, "12.99"),
        (f"{hub.topic}-0-2", 1, local, hub.topic, 0, "12.99"),
    ]


def test_what_is_no_event_is_put_aside_and_tombstones_are_passed_over(hub: Hub) -> None:
    hub.send(event(), b'{"half', None, b"\xff\xfe", event(quantity=5), event(store_id=None), b"")
    done = run_load(hub.load())
    assert (done.total, done.refused) == (2, 4)
    refused = hub.ask("SELECT _offset, value FROM _retail_refused ORDER BY _offset")
    assert [offset for offset, _ in refused] == [1, 3, 5, 6]
    assert refused[1][1] == "\\xff\\xfe"
    assert hub.offsets() == [0, 4]
    assert run_load(hub.load()).total == 0


def test_enveloped_events_are_read_by_what_their_header_says(hub: Hub) -> None:
    data = json.dumps({"specversion": "1.0", "id": "x", "data": EVENT}).encode()
    kind = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
    hub.send(event())
    hub.send(data, headers=kind)
    assert run_load(hub.load()).total == 2
    assert hub.ask(f"SELECT DISTINCT quantity, category FROM {HUB.name}") == [(2, "Electronics")]


@pytest.mark.parametrize("format", ["avro", "protobuf"])
def test_messages_with_a_schema_are_read_by_their_registry(hub: Hub, format: str) -> None:
    row = {**EVENT, "event_time": datetime(2024, 1, 1, 15, 45, 30), "unit_price": Decimal("12.99")}
    rows = pa.Table.from_pylist([row] * 3, schema=HUB.arrow)
    made = SchemaValues(format, {"url": "mock://registry"})
    values = made(hub.topic, stamp(HUB, 19_723, 0, rows, "UTC"))
    hub.send(*values, event())
    without = run_load(hub.load())
    assert (without.total, without.refused) == (1, 3)
    ((reason,),) = hub.ask("SELECT DISTINCT reason FROM _retail_refused")
    assert "schema registry, and none was named (--registry)" in str(reason)
    hub.send(*values)
    done = run_load(hub.load(by_registry=SchemaReader(made.client)))
    assert (done.total, done.refused) == (3, 0)
    columns = ", ".join(HUB.header)
    ((told, count),) = hub.ask(f"SELECT tuple({columns}), count() FROM {HUB.name} GROUP BY 1")
    assert count == 4
    assert told[1:6] == (7, 1001, "Electronics", "SALE", 2)


def test_without_topics_there_is_nothing_to_wait_for(kafka: Address, tmp_path: Path) -> None:
    clickhouse = ClickHouse.of(f"chdb:{tmp_path / 'x.chdb'}")
    names = {f"{HUB.topic}-{number}": HUB for number in range(9)}
    load = load_of(kafka.servers, "nobody-", clickhouse, names, tmp_path)
    with pytest.raises(UserError) as error:
        run_load(load)
    first = f"nobody-{HUB.topic}-0, nobody-{HUB.topic}-1, nobody-{HUB.topic}-2 and 6 more"
    assert f"none of the topics is at {kafka.servers}: {first}; see --feed" in str(error.value)


def test_a_second_loader_is_refused(hub: Hub) -> None:
    hub.send(event())
    run_load(hub.load())
    (folder,) = hub.folder.glob("_load-*")
    lock = JobLock(folder)
    with pytest.raises(UserError, match="another job"):
        run_load(hub.load())
    lock.release()


def test_who_is_taken_over_stops(hub: Hub) -> None:
    """Two loaders on different machines: the later one goes on alone."""
    hub.send(*(event() for _ in range(10)))
    taken = False

    def take_over(number: int, what: str) -> bool:
        nonlocal taken
        if what == "_retail_loaded" and number > 6 and not taken:
            taken = True
            hub.clickhouse.rows("SELECT 1")
            hub.clickhouse.run(
                "INSERT INTO _retail_loaded SELECT '', 0, 99, max(cluster), 'somebody else', '' "
                "FROM _retail_loaded"
            )
        return False

    hub.clickhouse.after = take_over
    with pytest.raises(SinkError, match="another loader"):
        run_load(hub.load(batch_rows=4))
    assert hub.offsets() == [0, 1, 2, 3]


@pytest.mark.timed
def test_events_are_there_within_seconds_of_being_sent(hub: Hub) -> None:
    """p95 from produced to queryable; a message a fifth of a second, by default settings."""
    sent_at: list[float] = []
    late: list[float] = []

    def send() -> None:
        for _ in range(30):
            hub.send(event())
            sent_at.append(time.monotonic())
            time.sleep(0.2)

    def told(loaded: Loaded) -> None:
        now = time.monotonic()
        late.extend(now - at for at in sent_at[len(late) : loaded.total])
        if loaded.total >= 30:
            raise JobStopped(signal.SIGTERM)

    hub.send(event())
    run_load(hub.load())
    hub.clickhouse.run(f"TRUNCATE TABLE {HUB.name}")
    thread = threading.Thread(target=send)
    thread.start()
    with pytest.raises(JobStopped):
        run_load(hub.load(continuous=True), told)
    thread.join()
    assert sorted(late)[int(len(late) * 0.95)] <= allowed(5.0)


@pytest.mark.timed
def test_sigterm_ends_it_within_two_seconds(hub: Hub, config_file: Path) -> None:
    hub.send(event())
    process = _loader(hub, config_file, "--continuous")
    assert process.stderr
    assert "1 rows" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, errors = ends_in_time(process)
    assert process.returncode == 143, errors
    assert errors.startswith("stopped: 1 rows")
    assert hub.offsets() == [0]


def test_a_broker_that_goes_and_comes_back_loses_nothing(tmp_path: Path) -> None:
    broker = Broker(tmp_path / "broker")
    broker.start()
    hub = Hub(broker.address.servers, "", tmp_path)
    hub.send(*(event() for _ in range(5)))
    seen: list[int] = []

    def restart() -> None:
        broker.kill()
        time.sleep(1)
        broker.start()
        hub.producer = Producer({"bootstrap.servers": hub.servers})
        hub.send(*(event() for _ in range(5)))

    thread = threading.Thread(target=restart)

    def told(loaded: Loaded) -> None:
        seen.append(loaded.total)
        if len(seen) == 1:
            thread.start()
        if loaded.total >= 10:
            raise JobStopped(signal.SIGTERM)

    try:
        with pytest.raises(JobStopped):
            run_load(hub.load(continuous=True), told)
        thread.join()
        assert hub.offsets() == list(range(10))
    finally:
        hub.clickhouse.close()
        broker.kill()


def test_a_broker_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    clickhouse = ClickHouse.of(f"chdb:{tmp_path / 'x.chdb'}")
    load = load_of("127.0.0.1:1", "", clickhouse, {HUB.topic: HUB}, tmp_path)
    settings = load.kafka.__class__("127.0.0.1:1", {}, 2.0)
    with pytest.raises(UserError, match="no Kafka broker"):
        run_load(Load(settings, clickhouse, load.topics, tmp_path))


def _start(sent: Sent, folder: Path, how: str) -> subprocess.Popen[bytes]:
    script = Path(__file__).parent / "killed_load.py"
    command = [sys.executable, str(script), str(sent.file), sent.servers, PREFIX, str(folder), how]
    return subprocess.Popen(command, env={**os.environ})


def _run(sent: Sent, folder: Path, how: str) -> int:
    return _start(sent, folder, how).wait(600)


def _all_there_once(sent: Sent, folder: Path) -> None:
    clickhouse = ClickHouse.of(f"chdb:{folder / 'x.chdb'}")
    for table in some_tables(sent.config).values():
        feed = "cdc" if table.changes else "facts"
        meant = Counter(str(row[-1]) for row in sent.rows(feed, table.name))
        if meant:
            assert ids_in(clickhouse, table) == meant, table.name
    clickhouse.close()
