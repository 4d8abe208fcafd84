"""The Kafka sink on a real broker: what is remembered, in which order it lies, who may write."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from events import DAY, SALES, STORES, kafka_sink, numbers, sales, sent
from retail_datagen.schema.stamps import stamp
from retail_datagen.sinks import SinkError, kafka_cluster, open_sink
from retail_datagen.sinks.kafka_checkpoint import checkpoint_topic
from retail_datagen.sinks.kafka_cluster import Cluster, Topic
from retail_datagen.sinks.kafka_drop import Removal
from retail_datagen.sinks.kafka_emptied import Emptied
from retail_datagen.sinks.kafka_reading import TopicReader
from retail_datagen.sinks.kafka_session import Look
from retail_datagen.sinks.kafka_settings import Settings
from retail_datagen.sinks.kafka_waiting import Troubles
from retail_datagen.sinks.options import KafkaOptions
from services.kafka_broker import Address


def test_messages_have_keys_headers_and_their_order_per_key(
    kafka: Address, kafka_prefix: str
) -> None:
    sink = kafka_sink(kafka.servers, kafka_prefix)
    for day in (DAY, DAY + 1):
        sink.write_partition(SALES, day, sales(20_000, day=day))
        sink.commit()
    sink.close()
    records = sent(kafka.servers, kafka_prefix)
    assert len({record.event_id for record in records}) == len(records) == 40_000
    assert {record.partition for record in records} > {0}
    by_key = defaultdict(list)
    for record in records:
        row = record.json()
        assert record.key == str(row["StoreID"]).encode()
        assert record.headers["schema_version"] == b"1"
        moment = row["EventTS"].replace(" ", "T") + ".000Z"
        assert record.headers["event_time"].decode() == moment
        by_key[record.key].append((record.partition, row["EventTS"][:10], int(row["Number"])))
    assert len(by_key) == STORES
    for places in by_key.values():
        assert len({partition for partition, _, _ in places}) == 1
        assert places == sorted(places)


def test_keys_lie_where_the_java_client_would_put_them(kafka: Address, kafka_prefix: str) -> None:
    from kafka.partitioner.default import murmur2

    sink = kafka_sink(kafka.servers, kafka_prefix, partitions=5)
    sink.write_partition(SALES, DAY, sales(100))
    sink.commit()
    sink.close()
    for record in sent(kafka.servers, kafka_prefix):
        assert record.partition == (murmur2(record.key) & 0x7FFFFFFF) % 5


def test_what_is_there_is_remembered_in_the_cluster(kafka: Address, kafka_prefix: str) -> None:
    sink = kafka_sink(kafka.servers, kafka_prefix)
    assert sink.read_header() is None
    assert sink.progress() == {}
    sink.write_header("made from seed 42")
    sink.append(SALES, DAY, 10, sales(5, first=10))
    sink.append(SALES, DAY, 0, sales(4))
    sink.commit()
    sink.append(SALES, DAY, 4, sales(6, first=4))
    assert sink.progress()["sales", DAY].held == ((0, 4), (10, 15))
    sink.close()

    again = kafka_sink(kafka.servers, kafka_prefix)
    assert again.read_header() == "made from seed 42"
    assert again.progress()["sales", DAY].held == ((0, 4), (10, 15))
    assert again.progress()["sales", DAY].record is None
    record = again.write_partition(SALES, DAY, sales(20))
    again.commit()
    assert again.check(record)
    again.close()
    assert numbers(sent(kafka.servers, kafka_prefix)) == list(range(20))

    other = kafka_sink(kafka.servers, f"{kafka_prefix}other-")
    assert other.write_partition(SALES, DAY, sales(20)).sha256 == record.sha256
    other.close()


@settings(
    deadline=None,
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(cuts=st.sets(st.integers(1, 9_999), max_size=4), data=st.data())
def test_however_a_day_was_begun_it_ends_with_each_row_once(
    kafka: Address, kafka_prefix: str, cuts: set[int], data: st.DataObject
) -> None:
    """Parts of the day that were sent live, in any order, then all of it."""
    feed_prefix = f"{kafka_prefix}{uuid4().hex[:8]}-"  # topics are never those of another example
    edges = [0, *sorted(cuts), 10_000]
    parts = data.draw(st.permutations(list(pairwise(edges))))
    begun = parts[: data.draw(st.integers(0, len(parts)))]
    sink = kafka_sink(kafka.servers, feed_prefix, partitions=2)
    for first, end in begun:
        sink.append(SALES, DAY, first, sales(end - first, first))
        if data.draw(st.booleans()):
            sink.commit()
    sink.write_partition(SALES, DAY, sales(10_000))
    sink.commit()
    sink.close()
    assert numbers(sent(kafka.servers, feed_prefix)) == list(range(10_000))


def test_a_day_that_differs_is_refused(kafka: Address, kafka_prefix: str) -> None:
    sink = kafka_sink(kafka.servers, kafka_prefix)
    sink.write_partition(SALES, DAY, sales(3))
    sink.commit()
    sink.write_partition(SALES, DAY, sales(3))
    sink.commit()
    with pytest.raises(SinkError, match="holds another sales of that day"):
        sink.write_partition(SALES, DAY, sales(3, first=7))
    sink.close()
    assert numbers(sent(kafka.servers, kafka_prefix)) == [0, 1, 2]


def test_events_are_sent_without_being_remembered(kafka: Address, kafka_prefix: str) -> None:
    sink = kafka_sink(kafka.servers, kafka_prefix)
    sink.send(stamp(SALES, DAY, 0, sales(3), "UTC"))
    assert sent(kafka.servers, kafka_prefix) == []
    sink.commit()
    assert sink.progress() == {}
    sink.close()
    assert numbers(sent(kafka.servers, kafka_prefix)) == [0, 1, 2]


def test_feeds_do_not_hinder_each_other(kafka: Address, kafka_prefix: str) -> None:
    """One is amid a transaction while the other writes, ends and goes on."""
    from retail_datagen.sinks.options import StreamOptions

    options = KafkaOptions(topic_prefix=kafka_prefix)
    one, two = (
        open_sink(f"kafka://{kafka.servers}", options=StreamOptions(feed=feed, kafka=options))
        for feed in ("one", "two")
    )
    other = replace(SALES, name="others", topic="others")
    one.write_partition(SALES, DAY, sales(3))
    for _ in range(2):
        two.write_partition(other, DAY, sales(3, table=other))
        two.commit()
        two.close()
    one.commit()
    one.close()
    assert numbers(sent(kafka.servers, kafka_prefix)) == [0, 1, 2]
    two.close()


def test_who_begins_shuts_out_who_wrote_before(kafka: Address, kafka_prefix: str) -> None:
    old = kafka_sink(kafka.servers, kafka_prefix)
    old.write_partition(SALES, DAY, sales(3))
    new = kafka_sink(kafka.servers, kafka_prefix)
    new.recover(())
    assert new.progress() == {}
    with pytest.raises(SinkError, match="another job began to write the same events"):
        old.commit()
    new.write_partition(SALES, DAY, sales(3))
    new.commit()
    old.close()
    new.close()
    assert numbers(sent(kafka.servers, kafka_prefix)) == [0, 1, 2]


def test_who_only_looks_disturbs_nobody(kafka: Address, kafka_prefix: str) -> None:
    writer = kafka_sink(kafka.servers, kafka_prefix)
    writer.write_partition(SALES, DAY, sales(3))
    writer.commit()
    writer.write_partition(SALES, DAY + 1, sales(3))
    onlooker = kafka_sink(kafka.servers, kafka_prefix)
    assert [day for _, day in onlooker.progress()] == [DAY]
    assert onlooker.read_header() is None
    writer.commit()
    writer.close()
    # Once it writes itself, it knows what was written since it looked.
    onlooker.write_partition(SALES, DAY + 1, sales(3))
    onlooker.commit()
    assert len(onlooker.progress()) == 2
    onlooker.close()
    assert len(sent(kafka.servers, kafka_prefix)) == 6


def test_a_killed_writer_leaves_nothing_of_what_it_had_not_committed(
    kafka: Address, kafka_prefix: str, tmp_path: Path
) -> None:
    script = tmp_path / "writer.py"
    script.write_text(
        "import sys, time\n"
        "from events import *\n"
        "sink = kafka_sink(sys.argv[1], sys.argv[2])\n"
        "sink.write_partition(SALES, DAY, sales(1000))\n"
        "sink.commit()\n"
        "sink.write_partition(SALES, DAY + 1, sales(1000, day=DAY + 1))\n"
        "sink._connected().transactions._producer.flush(60)\n"
        "print('sent', flush=True)\n"
        "time.sleep(600)\n"
    )
    writer = subprocess.Popen(
        [sys.executable, str(script), kafka.servers, kafka_prefix],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        text=True,
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "sent\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    began = time.monotonic()
    sink = kafka_sink(kafka.servers, kafka_prefix)
    assert [key for key, p in sink.progress().items() if p.is_whole] == [("sales", DAY)]
    for day in (DAY, DAY + 1):
        sink.write_partition(SALES, day, sales(1000, day=day))
        sink.commit()
    sink.close()
    # Else it would wait until the killed one's transaction is over, a quarter of an hour.
    assert time.monotonic() - began < 120
    records = sent(kafka.servers, kafka_prefix)
    assert len({record.event_id for record in records}) == len(records) == 2000


def test_topics_are_made_as_asked(kafka: Address, kafka_prefix: str) -> None:
    sink = open_sink(
        f"kafka://{kafka.servers}?topic_prefix={kafka_prefix}&partitions=3&replication=1"
        "&retention_ms=3600000"
    )
    sink.write_partition(SALES, DAY, sales(3))
    sink.commit()
    sink.close()
    told = described(kafka, f"{kafka_prefix}retail-facts-sales")
    assert (told["partitions"], told["retention.ms"]) == (3, "3600000")
    kept = described(kafka, f"{kafka_prefix}retail-datagen-checkpoints-facts")
    assert (kept["partitions"], kept["cleanup.policy"]) == (1, "compact")


def described(kafka: Address, topic: str) -> dict[str, object]:
    from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

    admin = AdminClient({"bootstrap.servers": kafka.servers})
    resource = ConfigResource(ResourceType.TOPIC, topic)
    config = admin.describe_configs([resource])[resource].result(60)
    partitions = len(admin.list_topics(topic, timeout=60).topics[topic].partitions)
    return {"partitions": partitions, **{name: entry.value for name, entry in config.items()}}


def test_drop_takes_what_was_made_and_leaves_what_was_there(
    kafka: Address, kafka_prefix: str
) -> None:
    from confluent_kafka.admin import AdminClient, NewTopic

    theirs = replace(SALES, name="theirs", topic="theirs")
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    admin.create_topics([NewTopic(f"{kafka_prefix}theirs", 1, 1)])[f"{kafka_prefix}theirs"].result()
    sink = kafka_sink(kafka.servers, kafka_prefix)
    for table in (SALES, theirs):
        sink.write_partition(table, DAY, sales(3, table=table))
    sink.commit()
    sink.close()
    removal = Removal(f"//{kafka.servers}", KafkaOptions(topic_prefix=kafka_prefix))
    made = removal.find()
    assert made.topics == (f"{kafka_prefix}retail-facts-sales",)
    assert made.checkpoints == (f"{kafka_prefix}retail-datagen-checkpoints-facts",)
    assert made.of_others == (f"{kafka_prefix}theirs",)
    removal.remove(made)
    left = removal.find()
    assert left.topics == left.checkpoints == ()
    assert numbers(sent(kafka.servers, kafka_prefix, theirs)) == [0, 1, 2]


def test_a_topic_that_another_made_while_we_wrote_is_not_ours_to_drop(
    cluster: Cluster, kafka: Address, kafka_prefix: str
) -> None:
    """A stream makes a topic at its first event, hours after it looked which are there."""
    sink = kafka_sink(kafka.servers, kafka_prefix)
    sink.write_header("a history")
    ours = replace(SALES, name="ours", topic="ours")
    assert cluster.make(Topic(f"{kafka_prefix}{SALES.topic}", 1))
    for table in (SALES, ours):
        sink.write_partition(table, DAY, sales(3, table=table))
    sink.commit()
    sink.close()
    removal = Removal(f"//{kafka.servers}", KafkaOptions(topic_prefix=kafka_prefix))
    assert removal.find().topics == (f"{kafka_prefix}ours",)
    removal.remove(removal.find())
    assert numbers(sent(kafka.servers, kafka_prefix)) == [0, 1, 2]


def test_a_topic_that_is_made_while_we_look_is_not_taken_for_lost(
    kafka: Address, kafka_prefix: str
) -> None:
    sink = kafka_sink(kafka.servers, kafka_prefix)
    sink.write_header("a history")
    topic = checkpoint_topic(kafka_prefix, "facts", None)
    look = Look(Settings(kafka.servers), topic)
    sink.write_partition(SALES, DAY, sales(3))
    sink.commit()
    sink.close()
    assert look.days().keys() == {("sales", DAY)}


def test_a_topic_that_is_gone_is_told(kafka: Address, kafka_prefix: str) -> None:
    from confluent_kafka.admin import AdminClient

    sink = kafka_sink(kafka.servers, kafka_prefix)
    sink.write_header("a history")
    sink.write_partition(SALES, DAY, sales(3))
    sink.commit()
    sink.close()
    name = f"{kafka_prefix}retail-facts-sales"
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    admin.delete_topics([name])[name].result()
    deadline = time.monotonic() + 120
    while name in admin.list_topics(timeout=60).topics and time.monotonic() < deadline:
        time.sleep(0.1)
    with pytest.raises(SinkError, match=r"retail-facts-sales is gone, though .* --overwrite"):
        sink.progress()
    sink.clear(["sales"])
    assert sink.progress() == {}
    assert sink.read_header() is None
    sink.write_partition(SALES, DAY, sales(3))
    sink.commit()
    sink.close()
    assert numbers(sent(kafka.servers, kafka_prefix)) == [0, 1, 2]


@pytest.fixture
def cluster(kafka: Address) -> Cluster:
    return Cluster(Settings(kafka.servers), Troubles(kafka.servers))


def test_topics_that_are_removed_are_gone_at_once(cluster: Cluster, kafka_prefix: str) -> None:
    """However much the broker has to put away: until then it would take messages, and lose them."""
    names = [f"{kafka_prefix}{number}" for number in range(12)]
    for name in names:
        cluster.make(Topic(name, 20))
    for part in (names[:-1], names[-1:]):
        cluster.remove(part)
    assert cluster.topics().keys().isdisjoint(names)
    cluster.remove(names)


def test_topics_of_a_cluster_that_tells_no_generations_are_gone_at_once(
    cluster: Cluster, kafka_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka before 2.8 and others: what is listed is looked at."""
    monkeypatch.setattr(kafka_cluster, "generations", lambda admin, topics, seconds: {})
    name = f"{kafka_prefix}one"
    cluster.make(Topic(name, 1))
    listings, topics = [{name: 1}] * 3, cluster.topics
    monkeypatch.setattr(cluster, "topics", lambda: listings.pop() if listings else topics())
    cluster.remove([name])
    assert name not in cluster.topics()
    assert not listings


def test_a_broker_that_lags_does_not_make_a_checkpoint_look_empty(
    cluster: Cluster, kafka: Address, kafka_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it would be sent again."""
    sink = kafka_sink(kafka.servers, kafka_prefix)
    sink.write_header("a history")
    sink.close()
    name = checkpoint_topic(kafka_prefix, "facts", None).name
    listings, consumer = [{}], Settings(kafka.servers).consumer
    topics = cluster.topics
    monkeypatch.setattr(cluster, "topics", lambda: listings.pop() if listings else topics())
    monkeypatch.setattr(Settings, "consumer", lambda self, more: Slow(consumer(more)))
    assert cluster.latest(name)
    assert not listings


class Slow:
    """A consumer that is given nothing when it first asks."""

    def __init__(self, consumer: Any) -> None:
        self._consumer, self._asked = consumer, False

    def consume(self, most: int, timeout: float) -> list[Any]:
        asked, self._asked = self._asked, True
        found: list[Any] = self._consumer.consume(most, timeout=timeout) if asked else []
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._consumer, name)


def test_a_topic_that_is_taken_away_while_it_is_asked_for_is_told(
    cluster: Cluster, kafka_prefix: str
) -> None:
    with pytest.raises(SinkError, match=r"topic .*never was taken away; run the same command"):
        cluster.open_among([(f"{kafka_prefix}never", 0)])


def test_a_reader_leaves_out_what_is_taken_away_before_it_begins(
    cluster: Cluster, kafka: Address, kafka_prefix: str
) -> None:
    there, gone = f"{kafka_prefix}there", f"{kafka_prefix}gone"
    cluster.make(Topic(there, 1))
    reader = TopicReader(Settings(kafka.servers))
    try:
        assert reader.follow({(there, 0): 0, (gone, 0): 0}) == {(there, 0)}
    finally:
        reader.close()


def test_a_compacted_topic_is_cleared_too(kafka: Address, kafka_prefix: str) -> None:
    from confluent_kafka.admin import AdminClient, NewTopic

    name = f"{kafka_prefix}retail-facts-sales"
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    new = NewTopic(name, 2, 1, config={"cleanup.policy": "compact"})
    admin.create_topics([new])[name].result()
    sink = kafka_sink(kafka.servers, kafka_prefix)
    sink.write_partition(SALES, DAY, sales(3))
    sink.commit()
    sink.clear(["sales"])
    sink.write_partition(SALES, DAY, sales(5))
    sink.commit()
    sink.close()
    assert numbers(sent(kafka.servers, kafka_prefix)) == [0, 1, 2, 3, 4]


def test_without_transactions_all_arrives_and_is_remembered(
    kafka: Address, kafka_prefix: str
) -> None:
    url = f"kafka://{kafka.servers}?topic_prefix={kafka_prefix}&transactions=off"
    sink = open_sink(url)
    assert not sink.capabilities.transactional
    record = sink.write_partition(SALES, DAY, sales(1000))
    sink.commit()
    sink.close()
    assert open_sink(url).check(record)
    assert numbers(sent(kafka.servers, kafka_prefix)) == list(range(1000))


def test_records_of_the_checkpoint_are_json(kafka: Address, kafka_prefix: str) -> None:
    """Other programs may read them."""
    from services.kafka_reader import committed

    sink = kafka_sink(kafka.servers, kafka_prefix)
    sink.write_partition(SALES, DAY, sales(3))
    sink.commit()
    sink.close()
    name = f"{kafka_prefix}retail-datagen-checkpoints-facts"
    told = {record.key: record.value for record in committed(kafka.servers, [name])}
    topic = f"topic|{kafka_prefix}retail-facts-sales".encode()
    assert set(told) == {topic, b"sales|2024-01-17", b"commit"}
    assert all(json.loads(value or b"") is not None for value in told.values())
    progress = json.loads(told[b"sales|2024-01-17"] or b"")
    assert progress["topic"] == f"{kafka_prefix}retail-facts-sales"
    assert progress["record"]["rows"] == 3


def test_checkpoints_are_read_again_once_messages_were_deleted(
    cluster: Cluster, kafka: Address, kafka_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic, name = f"{kafka_prefix}theirs", checkpoint_topic(kafka_prefix, "facts", None).name
    for new in (topic, name):
        cluster.make(Topic(new, 1))
    read: list[str] = []
    monkeypatch.setattr(cluster, "latest", lambda name: read.append(name) or {})
    told = Emptied(cluster)
    for _ in range(3):
        assert told.among([topic], {topic: 1, name: 1}) == {}
    assert read == [name]
    producer = Settings(kafka.servers).producer({})
    producer.produce(topic, b"theirs")
    assert producer.flush(60) == 0
    assert cluster.empty(topic)
    told.among([topic], {topic: 1, name: 1})
    assert read == [name, name]
