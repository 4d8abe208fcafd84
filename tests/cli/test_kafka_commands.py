"""`backfill` into Kafka and `kafka drop`, as people call them, on a real broker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from inspect import signature
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from typer.testing import CliRunner

from retail_datagen.cli import backfill_command, gaps_command, stream_command
from retail_datagen.cli.app import build_app
from retail_datagen.cli.targets import KafkaWishes
from retail_datagen.config.errors import UserError
from retail_datagen.sinks.options import KafkaOptions, MessageOptions
from services.kafka_broker import LIMITED, Address, kafka, kafka_prefix
from services.kafka_reader import Record, committed
from services.service import free_port

__all__ = ["kafka", "kafka_prefix"]
DAYS = ("--start", "2024-01-01", "--end", "2024-01-04")
TABLES = ("receipts", "receipt_lines", "store_inventory_txn")
SMALL = {
    "RETAIL_VOLUME__STORES": "3",
    "RETAIL_VOLUME__DCS": "1",
    "RETAIL_VOLUME__CUSTOMERS_PER_DAY": "200",
    "RETAIL_VOLUME__PRODUCTS": "150",
    "RETAIL_VOLUME__ONLINE_ORDERS_PER_DAY": "8",
}


def call(*arguments: str, answer: str = "", fails: bool = False) -> str:
    result = CliRunner().invoke(build_app(arguments[0]), arguments, input=answer)
    if isinstance(result.exception, UserError):
        raise result.exception
    assert (result.exit_code != 0) == fails, result.output
    return result.output


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own with a small retailer."""
    monkeypatch.chdir(tmp_path)
    for name, value in SMALL.items():
        monkeypatch.setenv(name, value)
    return tmp_path


def messages(kafka: Address, prefix: str) -> dict[str, list[Record]]:
    topics = {table: f"{prefix}retail-facts-{table.replace('_', '-')}" for table in TABLES}
    return {table: committed(kafka.servers, [topic]) for table, topic in topics.items()}


def backfill(kafka: Address, prefix: str) -> list[str]:
    to = ["--to", f"kafka://{kafka.servers}", "--topic-prefix", prefix]
    return ["backfill", "--all", *DAYS, "--tables", ",".join(TABLES), *to]


def test_what_is_sent_is_what_the_files_hold(at: Path, kafka: Address, kafka_prefix: str) -> None:
    told = json.loads(call(*backfill(kafka, kafka_prefix), "--json"))
    call("generate", *DAYS, "--to", "jsonl:facts.jsonl", "--quiet", "--config", config(at))
    facts: dict[str, list[dict[str, object]]] = {table: [] for table in TABLES}
    for line in (at / "facts.jsonl").open():
        row = json.loads(line, parse_float=str)
        if (name := row.pop("table")) in facts:
            facts[name].append(row)
    found = messages(kafka, kafka_prefix)
    assert told["total_records"] == sum(map(len, found.values()))
    for table, records in found.items():
        records.sort(key=lambda record: record.event_id)
        assert [record.json() for record in records] == facts[table]


def config(at: Path) -> str:
    """A file that says what `backfill` takes without one."""
    path = at / "general.json"
    paths = {"master": "data/stream/master", "facts": "data/stream/facts"}
    path.write_text(json.dumps({"profile": "general", "paths": paths}))
    return str(path)


def test_a_backfill_that_is_killed_again_and_again_sends_each_event_once(
    at: Path, kafka: Address, kafka_prefix: str
) -> None:
    command = [sys.executable, "-c", "from retail_datagen.cli.app import main; main()"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    kills = 0
    while kills < 8:
        job = subprocess.Popen(
            [*command, *backfill(kafka, kafka_prefix), "--quiet"],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        # Killed a little later than the time before; at first, while it still begins.
        try:
            _, told = job.communicate(timeout=0.4 + 0.3 * kills)
        except subprocess.TimeoutExpired:
            job.send_signal(signal.SIGKILL)
            _, told = job.communicate()
        if job.returncode == 0:
            break
        assert job.returncode == -signal.SIGKILL, told
        kills += 1
    call(*backfill(kafka, kafka_prefix), "--quiet")
    ids = [r.event_id for records in messages(kafka, kafka_prefix).values() for r in records]
    assert kills
    assert len(ids) == len(set(ids))
    summary = json.loads(call(*backfill(kafka, kafka_prefix), "--json"))
    assert summary["records_written"] == 0
    assert summary["total_records"] == len(ids)


def test_another_history_is_refused_in_words_of_kafka(
    at: Path, kafka: Address, kafka_prefix: str
) -> None:
    asked = ["backfill", "--start", "2024-03-01", "--end", "2024-03-01"]
    asked += ["--to", f"kafka://{kafka.servers}", "--topic-prefix", kafka_prefix]
    call(*asked)
    with pytest.raises(UserError) as error:
        call(*asked, "--events-per-hour", "7")
    where = f"the feed 'hub' at kafka://{kafka.servers} with the topic prefix {kafka_prefix!r}"
    assert f"{where} holds another history: events_per_hour was 5.0, now 7.0" in str(error.value)
    assert "Choose another --topic-prefix, go back to" in str(error.value)
    assert "folder" not in str(error.value)


def test_drop_asks_first(at: Path, kafka: Address, kafka_prefix: str) -> None:
    call(*backfill(kafka, kafka_prefix), "--quiet")
    where = ["--to", f"kafka://{kafka.servers}", "--topic-prefix", kafka_prefix]
    told = call("kafka", "drop", *where, answer="n\n", fails=True)
    assert f"  {kafka_prefix}retail-facts-receipts\n" in told
    assert "nothing was removed" in told
    assert messages(kafka, kafka_prefix)["receipts"]
    assert "removed 3 topics and 1 checkpoints" in call("kafka", "drop", *where, answer="y\n")
    assert "nothing of ours" in call("kafka", "drop", *where, "--yes")
    # Begun anew, all of it is sent again.
    call(*backfill(kafka, kafka_prefix), "--quiet")
    assert messages(kafka, kafka_prefix)["receipts"]


def test_drop_names_topics_of_others_that_stay(at: Path, kafka: Address, kafka_prefix: str) -> None:
    theirs = f"{kafka_prefix}retail-facts-receipts"
    admin = AdminClient({"bootstrap.servers": kafka.servers})
    admin.create_topics([NewTopic(theirs, 1, 1)])[theirs].result()
    call(*backfill(kafka, kafka_prefix), "--quiet")
    where = ["--to", f"kafka://{kafka.servers}", "--topic-prefix", kafka_prefix]
    told = call("kafka", "drop", *where, "--yes")
    assert f"the next backfill sends it all again into:\n  {theirs}\n" in told
    assert "removed 2 topics and 1 checkpoints" in told
    assert messages(kafka, kafka_prefix)["receipts"]


def test_something_else_is_no_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    with pytest.raises(UserError, match="is no Kafka cluster; write kafka://HOST:9092"):
        call("kafka", "drop", "--to", "postgresql://host/retail")
    with pytest.raises(UserError, match="no broker is named"):
        call("kafka", "drop")


def test_a_drop_without_a_broker_does_not_speak_of_what_was_sent() -> None:
    asked = ("--to", f"kafka://127.0.0.1:{free_port()}", "--broker-timeout", "1")
    with pytest.raises(UserError, match="no Kafka broker at ") as error:
        call("kafka", "drop", *asked)
    assert "nothing was removed: start the broker" in str(error.value)
    assert "committed" not in str(error.value)


def test_secrets_of_a_properties_file_are_not_shown(
    at: Path, kafka: Address, kafka_prefix: str
) -> None:
    """As Azure's portal and others hand them out, for the Java client."""
    if not kafka.sasl:
        pytest.skip("the broker that RETAIL_TEST_KAFKA names is not ours: it has no such users")
    (at / "client.properties").write_text(
        "# of our cluster\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"
        "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="{LIMITED}" password="not-the-secret";\n'
    )
    job = subprocess.run(
        [
            *[sys.executable, "-c", "from retail_datagen.cli.app import main; main()", "--debug"],
            *backfill(Address(kafka.sasl), kafka_prefix),
            *["--kafka-properties", "client.properties"],
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert job.returncode != 0
    assert "refuses the credentials" in job.stderr
    assert "not-the-secret" not in job.stdout + job.stderr
    kept = [path for path in at.rglob("*") if path.is_file() and path.suffix != ".properties"]
    assert kept
    assert not [path for path in kept if b"not-the-secret" in path.read_bytes()]


@pytest.mark.parametrize(
    "command", [backfill_command.backfill, stream_command.stream, gaps_command.gaps]
)
def test_what_is_said_of_kafka_goes_where_it_belongs(
    command: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The defaults are those of the sinks, and options of one type do not change places."""
    offered = {name: told.default for name, told in signature(command).parameters.items()}
    kafka, message = KafkaOptions(), MessageOptions()
    names = ("partitions", "replication", "topic_prefix")
    assert {name: offered[name] for name in names} == {n: getattr(kafka, n) for n in names}
    assert offered["broker_timeout"] == kafka.wait_seconds
    names = ("format", "envelope", "registry")
    assert {name: offered[name] for name in names} == {n: getattr(message, n) for n in names}

    class Heard(Exception):
        """The wishes came."""

    def hear(wishes: KafkaWishes, *_: object) -> None:
        raise Heard(wishes)

    monkeypatch.setattr(KafkaWishes, "options", hear)
    given = {"partitions": 2, "replication": 3, "retention": "4d", "topic_prefix": "five."}
    given |= {"format": "avro", "envelope": "six", "registry": "seven", "broker_timeout": 8.0}
    with pytest.raises(Heard) as heard:
        command(to=["kafka://127.0.0.1:1"], quiet=True, **given)
    (wishes,) = heard.value.args
    assert {name: getattr(wishes, name) for name in given} == given
