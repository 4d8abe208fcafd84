"""Kafka amid trouble: brokers that are late, killed, full or unwilling, on real brokers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from events import DAY, SALES, kafka_sink, numbers, sales, sent
from retail_datagen.schema.stamps import stamp
from retail_datagen.sinks import SinkError
from retail_datagen.sinks.kafka import KafkaSink
from retail_datagen.sinks.kafka_checkpoint import checkpoint_topic
from retail_datagen.sinks.kafka_cluster import Cluster, NotAllowedError
from retail_datagen.sinks.kafka_emptied import Emptied
from retail_datagen.sinks.kafka_session import Session
from retail_datagen.sinks.kafka_settings import Settings
from retail_datagen.sinks.kafka_waiting import Troubles
from services.kafka_broker import LIMITED, LIMITED_SECRET, Address, Broker
from services.service import free_port, until

DAYS = range(DAY, DAY + 3)


@contextmanager
def meanwhile(do: Callable[[], object]) -> Iterator[None]:
    """Do something in another thread."""
    thread = threading.Thread(target=do)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_a_broker_that_comes_late_is_waited_for(
    fragile: Broker, kafka_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    fragile.stop()
    sink = kafka_sink(fragile.address.servers, kafka_prefix)

    def come_late() -> None:
        until(lambda: "waiting for the Kafka broker" in caplog.text)
        fragile.start()

    with caplog.at_level(logging.WARNING), meanwhile(come_late):
        sink.write_partition(SALES, DAY, sales(10))
        sink.commit()
    sink.close()
    assert f"waiting for the Kafka broker at {fragile.address.servers}" in caplog.text
    assert numbers(sent(fragile.address.servers, kafka_prefix)) == list(range(10))


def test_without_a_broker_it_ends_with_an_error(kafka_prefix: str) -> None:
    server = f"127.0.0.1:{free_port()}"
    sink = kafka_sink(server, kafka_prefix, wait_seconds=1.5)
    began = time.monotonic()
    with pytest.raises(SinkError, match=f"no Kafka broker at {server} has answered for 2 s"):
        sink.read_header()
    assert time.monotonic() - began < 30  # of the minute that is waited by default
    sink.close()


@pytest.mark.parametrize(
    "when",
    [
        pytest.param("before the rows", marks=pytest.mark.soak),
        "amid the rows",
        "before the commit",
    ],
)
def test_a_broker_that_is_killed_and_comes_back_holds_each_event_once(
    fragile: Broker, kafka_prefix: str, when: str
) -> None:
    sink = kafka_sink(fragile.address.servers, kafka_prefix)
    sink.write_partition(SALES, DAYS[0], sales(1000, day=DAYS[0]))
    sink.commit()

    def again() -> None:
        time.sleep(0.5)
        fragile.start()

    rows = sales(60_000, day=DAYS[1])
    if when == "before the rows":
        fragile.kill()
        with meanwhile(again):
            sink.write_partition(SALES, DAYS[1], rows)
            sink.commit()
    elif when == "amid the rows":
        sink.append(SALES, DAYS[1], 0, rows.slice(0, 30_000))
        fragile.kill()
        with meanwhile(again):
            sink.write_partition(SALES, DAYS[1], rows)
            sink.commit()
    else:
        sink.write_partition(SALES, DAYS[1], rows)
        fragile.kill()
        with meanwhile(again):
            sink.commit()
    sink.write_partition(SALES, DAYS[2], sales(1000, day=DAYS[2]))
    sink.commit()
    assert all(sink.progress()["sales", day].is_whole for day in DAYS)
    sink.close()
    check_once(fragile.address.servers, kafka_prefix, 62_000)


def write_all_days(sink: KafkaSink) -> None:
    for day in DAYS:
        sink.write_partition(SALES, day, sales(1000, day=day))
        sink.commit()
    sink.close()


def check_once(servers: str, prefix: str, events: int) -> None:
    records = sent(servers, prefix)
    assert len({record.event_id for record in records}) == len(records) == events


def test_a_broker_that_stays_away_ends_the_job_and_another_goes_on(
    fragile: Broker, kafka_prefix: str
) -> None:
    servers = fragile.address.servers
    sink = kafka_sink(servers, kafka_prefix, wait_seconds=5)
    sink.write_partition(SALES, DAYS[0], sales(1000, day=DAYS[0]))
    sink.commit()
    sink.write_partition(SALES, DAYS[1], sales(1000, day=DAYS[1]))
    fragile.kill()
    began = time.monotonic()
    with pytest.raises(SinkError, match="what is committed is kept, nothing is there twice"):
        sink.commit()
    sink.recover(["sales"])
    sink.close()
    assert time.monotonic() - began < 50  # of the minute that is waited by default
    fragile.start()
    again = kafka_sink(servers, kafka_prefix)
    again.recover(["sales"])
    assert ("sales", DAYS[0]) in again.progress()
    write_all_days(again)
    check_once(servers, kafka_prefix, 3000)


def test_a_commit_that_a_broker_forgets_is_taken_back_by_the_next_writer(
    fragile: Broker, kafka_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after it said that a transaction is committed, before it noted so in partitions, a
    broker that is alone does not make up for it; what comes next would commit both."""
    servers = fragile.address.servers
    monkeypatch.setattr(Session, "is_settled", lambda _: True)
    sink = kafka_sink(servers, kafka_prefix)
    sink.write_partition(SALES, DAYS[0], sales(1000, day=DAYS[0]))
    sink.commit()
    fragile.kill()
    sink.close()
    monkeypatch.undo()
    fragile.start()
    again = kafka_sink(servers, kafka_prefix)
    again.recover(["sales"])
    write_all_days(again)
    check_once(servers, kafka_prefix, 3000)


def test_a_commit_that_a_broker_forgets_is_sent_again_by_whoever_still_has_it(
    fragile: Broker, kafka_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    servers = fragile.address.servers
    waits, killed = Session.is_settled, []

    def is_settled(session: Session) -> bool:
        if not killed:
            killed.append(fragile.kill())
            fragile.start()
        return waits(session)

    sink = kafka_sink(servers, kafka_prefix)
    sink.write_header("made from seed 42")
    monkeypatch.setattr(Session, "is_settled", is_settled)
    monkeypatch.setattr("retail_datagen.sinks.kafka_session._SETTLES_SECONDS", 1.0)
    sink.append(SALES, DAYS[0], 0, sales(700, day=DAYS[0]))
    sink.send(stamp(SALES, DAYS[2], 0, sales(50, day=DAYS[2]), "UTC"))
    sink.commit()
    assert killed
    sink.write_partition(SALES, DAYS[0], sales(1000, day=DAYS[0]))
    sink.commit()
    assert sink.progress()["sales", DAYS[0]].record is not None
    sink.close()
    check_once(servers, kafka_prefix, 1050)


def test_a_full_disk_ends_the_job_and_with_room_it_goes_on(
    tmp_path: Path, kafka_prefix: str
) -> None:
    """The broker may write no more than some megabytes to a file, as if its quota were used up."""
    broker = Broker(tmp_path / "kafka")
    broker.start(limits=f"ulimit -f {16 * 1024 * 1024 // _ULIMIT_BYTES}")
    try:
        servers = broker.address.servers
        sink = kafka_sink(servers, kafka_prefix, wait_seconds=8, partitions=1, config=PLAIN)
        written = []

        def fill() -> None:
            for day in range(DAY, DAY + 60):
                sink.write_partition(SALES, day, sales(20_000, day=day))
                sink.commit()
                written.append(day)

        with pytest.raises(SinkError, match="what is committed is kept"):
            fill()
        sink.recover(["sales"])
        sink.close()
        assert 0 < len(written) < 60
        broker.kill()
        broker.start()
        again = kafka_sink(servers, kafka_prefix, partitions=1)
        assert {day for _, day in again.progress()} >= set(written)
        for day in range(DAY, DAY + len(written) + 2):
            again.write_partition(SALES, day, sales(20_000, day=day))
            again.commit()
        again.close()
        records = sent(servers, kafka_prefix)
        assert len({record.event_id for record in records}) == len(records)
        assert len(records) == 20_000 * (len(written) + 2)
    finally:
        broker.kill()


PLAIN = {"compression.type": "none"}
_ULIMIT_BYTES = 512
"""What `sh` counts file sizes in."""


def login(password: str) -> dict[str, str]:
    return {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": LIMITED,
        "sasl.password": password,
    }


def sasl_of(kafka: Address) -> str:
    if not kafka.sasl:
        pytest.skip("the broker that RETAIL_TEST_KAFKA names is not ours: it has no such users")
    return kafka.sasl


def test_a_wrong_password_is_told_at_once_and_not_shown(kafka: Address, kafka_prefix: str) -> None:
    sink = kafka_sink(sasl_of(kafka), kafka_prefix, config=login("a-wrong-secret"))
    began = time.monotonic()
    with pytest.raises(SinkError, match="refuses the credentials") as error:
        sink.read_header()
    assert time.monotonic() - began < 30  # of the minute that a broker is waited for
    assert "a-wrong-secret" not in str(error.value)
    sink.close()


def test_a_missing_permission_is_named(kafka: Address, kafka_prefix: str) -> None:
    """Granted one after the other, until everything is; each lack is named, nothing is sent."""
    servers = sasl_of(kafka)
    lacks = [
        (r"topic \S*checkpoints-facts is not there, and may not be made", "TOPIC", "checkpoints"),
        ("be granted Write and Describe on the transactional id", "TRANSACTIONAL_ID", ""),
        (r"topic \S*retail-facts-sales is not there, and may not be made", "TOPIC", "sales"),
    ]
    for message, kind, what in lacks:
        sink = kafka_sink(servers, kafka_prefix, config=login(LIMITED_SECRET))
        with pytest.raises(SinkError, match=message) as error:
            sink.write_partition(SALES, DAY, sales(10))
        assert LIMITED_SECRET not in str(error.value)
        sink.close()
        grant(kafka, kafka_prefix, kind, what)
    sink = kafka_sink(servers, kafka_prefix, config=login(LIMITED_SECRET))
    sink.write_partition(SALES, DAY, sales(10))
    sink.commit()
    sink.close()
    assert numbers(sent(kafka.servers, kafka_prefix)) == list(range(10))


def test_who_may_not_read_a_checkpoint_reads_the_rest(kafka: Address, kafka_prefix: str) -> None:
    sink = kafka_sink(kafka.servers, kafka_prefix)
    sink.write_header("a history")
    sink.close()
    checkpoint = checkpoint_topic(kafka_prefix, "facts", None).name
    settings = Settings(sasl_of(kafka), login(LIMITED_SECRET))
    cluster = Cluster(settings, Troubles(settings.servers))
    grant(kafka, kafka_prefix, "TOPIC", "checkpoints", "DESCRIBE")
    with pytest.raises(NotAllowedError, match=f"does not let us read topic {checkpoint}"):
        cluster.latest(checkpoint)
    topic = f"{kafka_prefix}{SALES.topic}"
    assert Emptied(cluster).among([topic], {checkpoint: 1, topic: 1}) == {}


def grant(kafka: Address, prefix: str, kind: str, what: str, operation: str = "ALL") -> None:
    """Allow something, or everything, on topics or transactional ids of a prefix."""
    from confluent_kafka.admin import (
        AclBinding,
        AclBindingFilter,
        AclOperation,
        AclPermissionType,
        AdminClient,
        ResourcePatternType,
        ResourceType,
    )

    name = {
        "checkpoints": f"{prefix}retail-datagen-checkpoints-",
        "sales": f"{prefix}retail-facts-sales",
        "": f"retail-datagen-{prefix}",
    }[what]
    binding = AclBinding(
        getattr(ResourceType, kind),
        name,
        ResourcePatternType.PREFIXED,
        f"User:{LIMITED}",
        "*",
        getattr(AclOperation, operation),
        AclPermissionType.ALLOW,
    )
    filtered = AclBindingFilter(
        getattr(ResourceType, kind),
        name,
        ResourcePatternType.PREFIXED,
        None,
        None,
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    admin.create_acls([binding])[binding].result()
    # Brokers hear of it later than who asked for it.
    until(lambda: binding in admin.describe_acls(filtered).result())


def test_a_message_that_is_too_large_names_its_topic(kafka: Address, kafka_prefix: str) -> None:
    sink = kafka_sink(kafka.servers, kafka_prefix, config={"message.max.bytes": "1000"})
    sink.write_partition(SALES, DAY, sales(1))
    sink.commit()
    from dataclasses import replace

    from retail_datagen.schema import Column, Kind
    from retail_datagen.schema.arrays import batch

    note = Column("Note", Kind.TEXT, "Long.")
    table = replace(SALES, name="notes", topic="notes", columns=(*SALES.columns, note))
    import pyarrow as pa

    columns = {name: sales(1)[name].combine_chunks() for name in SALES.header}
    rows = batch(table, {**columns, "Note": pa.array(["x" * 2000])})
    with pytest.raises(SinkError, match=f"topic {kafka_prefix}notes: .*raise message.max.bytes"):
        sink.write_partition(table, DAY, rows)
    sink.recover(["sales"])
    sink.write_partition(SALES, DAY + 1, sales(1, day=DAY + 1))
    sink.commit()
    sink.close()
    assert len(sent(kafka.servers, kafka_prefix)) == 2
