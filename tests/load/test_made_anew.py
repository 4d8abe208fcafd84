"""Topics that were made anew, or hold another history now: what was loaded before is replaced."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from hub import Hub, event
from loading import ids_in, load_of, never
from sent import START

from retail_datagen.config.models import RetailConfig
from retail_datagen.engine.stop import JobStopped
from retail_datagen.events.topics.hub import TABLE as HUB
from retail_datagen.sinks.base import SinkError
from retail_datagen.sinks.clickhouse_client import ClickHouse
from retail_datagen.sinks.kafka_drop import Removal
from retail_datagen.sinks.options import KafkaOptions, StreamOptions
from retail_datagen.streaming import load as loading_loop
from retail_datagen.streaming.backfill import Backfill, run_backfill
from retail_datagen.streaming.feed import Chosen, loadable
from retail_datagen.streaming.load import Loaded, run_load
from services.kafka_broker import Address


class History:
    """The facts of some days in topics of their own, and a ClickHouse that they are loaded into."""

    def __init__(self, kafka: Address, prefix: str, file: Path, folder: Path) -> None:
        self.servers, self.prefix, self.file, self.folder = kafka.servers, prefix, file, folder
        self.config = RetailConfig.from_file(file)
        self.clickhouse = ClickHouse.of(f"chdb:{folder / 'x.chdb'}")
        self.options = KafkaOptions(partitions=2, topic_prefix=prefix)
        self.tables = loadable(self.config, "facts")

    def backfill(self, first: int, days: int, overwrite: bool = False) -> dict[str, int]:
        """Send them; how many rows each table has."""
        options = StreamOptions(feed="facts", kafka=self.options)
        source = Chosen(self.config, "facts").source
        job = Backfill(
            source,
            f"kafka://{self.servers}",
            options,
            self.folder / "facts",
            first,
            first + days - 1,
            overwrite=overwrite,
        )
        run_backfill(job)
        retailer = source.open()
        planner = retailer.planner(first, None)
        made = [planner.step() for _ in range(days)]
        plans = {plan.day: plan for plan in made}
        render = retailer.render(first, plans.__getitem__)
        return {
            name: sum(render(name, day).num_rows for day in range(first, first + days))
            for name in ("receipts", "receipt_lines")
        }

    def drop(self) -> None:
        removal = Removal(self.servers, self.options)
        removal.remove(removal.find())

    def load(self) -> Loaded:
        return run_load(
            load_of(self.servers, self.prefix, self.clickhouse, self.tables, self.folder)
        )

    def killed_load(self, how: str) -> int:
        """In a process of its own; how that ended."""
        script = Path(__file__).parent / "killed_load.py"
        told = [str(self.file), self.servers, self.prefix, str(self.folder), how]
        return subprocess.run([sys.executable, str(script), *told], check=False).returncode

    def ids(self, name: str) -> Counter[str]:
        (table,) = (t for t in self.tables.values() if t.name == name)
        return ids_in(self.clickhouse, table)


@pytest.fixture
def history(
    kafka: Address, kafka_prefix: str, config_file: Path, tmp_path: Path
) -> Iterator[History]:
    made = History(kafka, kafka_prefix, config_file, tmp_path)
    yield made
    made.clickhouse.close()


def _holds(history: History, meant: dict[str, int]) -> None:
    """The tables have as many rows as were made, each once."""
    for name, count in meant.items():
        there = history.ids(name)
        assert (len(there), there.total()) == (count, count), name


def test_after_a_drop_and_a_longer_history_only_that_is_there(
    history: History, caplog: pytest.LogCaptureFixture
) -> None:
    before = history.backfill(START + 2, 1)
    history.load()
    _holds(history, before)
    history.drop()
    after = history.backfill(START, 3)
    with caplog.at_level(logging.WARNING):
        history.load()
    _holds(history, after)
    told = [m for m in caplog.messages if "made anew" in m]
    assert any(f"its {before['receipts']} rows of before are replaced" in m for m in told)
    assert all(m.startswith(f"topic {history.prefix}") for m in told)
    assert history.load().total == 0


def test_after_an_overwrite_only_the_new_history_is_there(
    history: History, caplog: pytest.LogCaptureFixture
) -> None:
    history.backfill(START + 1, 1)
    history.load()
    after = history.backfill(START, 2, overwrite=True)
    with caplog.at_level(logging.WARNING):
        history.load()
    _holds(history, after)
    assert "made anew" in caplog.text
    assert "deleted" not in caplog.text


def test_topics_of_others_that_an_overwrite_empties_are_loaded_anew(
    history: History, caplog: pytest.LogCaptureFixture
) -> None:
    """They keep their identifier; that they were emptied is in the checkpoint."""
    topics = [history.prefix + topic for topic in history.tables]
    admin = AdminClient({"bootstrap.servers": history.servers})
    for future in admin.create_topics([NewTopic(topic, 2, 1) for topic in topics]).values():
        future.result(60)
    before = history.backfill(START, 2)
    history.load()
    _holds(history, before)
    for days in (2, 1):
        after = history.backfill(START, days, overwrite=True)
        with caplog.at_level(logging.WARNING):
            history.load()
        _holds(history, after)
        assert "made anew" in caplog.text
        assert "deleted" not in caplog.text
        caplog.clear()
        assert history.load().total == 0
    history.drop()
    assert history.load().total == 0
    _holds(history, after)
    assert "made anew" not in caplog.text


@pytest.mark.parametrize(
    "deaths",
    [
        ("before:1:DELETE", "after:1:DELETE", "after:1:=receipts"),
        pytest.param(
            (
                "after:2:DELETE",
                "after:1:DELETE",
                "before:2:=_retail_loaded",
                "after:3:=_retail_loaded",
            ),
            marks=pytest.mark.soak,
        ),
    ],
)
def test_killed_while_rows_are_replaced_each_new_one_is_there_once(
    history: History, deaths: tuple[str, ...]
) -> None:
    """`kill -9` around the deletion of positions, then of rows, and while loading anew."""
    history.backfill(START + 1, 1)
    history.load()
    history.clickhouse.close()
    after = history.backfill(START, 2, overwrite=True)
    for how in (*deaths, "never"):
        assert history.killed_load(how) == (0 if how == "never" else -9), how
    _holds(history, after)


def test_a_longer_topic_made_anew_replaces_what_was_loaded_and_refused(hub: Hub) -> None:
    hub.send(event(quantity=1), b"no event", event(quantity=1))
    run_load(hub.load())
    hub.make_anew()
    hub.send(*(event(quantity=2) for _ in range(5)))
    assert run_load(hub.load()).total == 5
    assert _quantities(hub) == [2] * 5
    assert hub.ask("SELECT count() FROM _retail_refused") == [(0,)]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("about", ["DELETE", "_retail_loaded` DELETE", HUB.name])
def test_stopped_while_rows_are_replaced_they_are_replaced_the_next_time(
    hub: Hub, when: str, about: str
) -> None:
    """Around the deletion of positions, the one of rows, and the first insert."""
    hub.send(*(event(quantity=1) for _ in range(3)))
    run_load(hub.load())
    hub.make_anew()
    hub.send(*(event(quantity=2) for _ in range(5)))

    def fail(number: int, what: str) -> bool:
        is_it = about in what and ("_retail_loaded" not in what or "_retail_loaded" in about)
        if is_it:
            raise SinkError("it is over") from TypeError("for good")
        return False

    setattr(hub.clickhouse, when, fail)
    with pytest.raises(SinkError, match="it is over"):
        run_load(hub.load(batch_rows=2))
    setattr(hub.clickhouse, when, never)
    run_load(hub.load(batch_rows=2))
    assert _quantities(hub) == [2] * 5


def test_a_continuous_load_notices_while_it_runs(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading_loop, "_LOOK_SECONDS", 0.5)
    hub.send(*(event(quantity=1) for _ in range(3)))

    def renew() -> None:
        hub.make_anew()
        hub.send(*(event(quantity=2) for _ in range(5)))

    thread = threading.Thread(target=renew)

    def told(loaded: Loaded) -> None:
        if loaded.total == 3:
            thread.start()
        elif _quantities(hub) == [2] * 5:
            raise JobStopped(signal.SIGTERM)

    with pytest.raises(JobStopped):
        run_load(hub.load(continuous=True), told)
    thread.join()
    assert hub.offsets() == list(range(5))


def test_what_was_loaded_before_generations_were_noted_is_of_todays(hub: Hub) -> None:
    """Positions of an earlier version have none: they hold, and later ones are compared."""
    hub.send(event(quantity=1), event(quantity=1))
    run_load(hub.load())
    hub.clickhouse.run("ALTER TABLE _retail_loaded DROP COLUMN generation")
    assert run_load(hub.load()).total == 0
    hub.make_anew()
    hub.send(*(event(quantity=2) for _ in range(3)))
    run_load(hub.load())
    assert _quantities(hub) == [2] * 3


def test_what_retention_deleted_stays_loaded(hub: Hub, caplog: pytest.LogCaptureFixture) -> None:
    from confluent_kafka import TopicPartition

    hub.send(*(event(quantity=1) for _ in range(3)))
    run_load(hub.load())
    hub.send(event(quantity=2), event(quantity=3))
    admin = AdminClient({"bootstrap.servers": hub.servers})
    for future in admin.delete_records([TopicPartition(hub.topic, 0, 4)]).values():
        future.result(120)
    with caplog.at_level(logging.WARNING):
        run_load(hub.load())
    assert _quantities(hub) == [1, 1, 1, 3]
    assert "the broker deleted 1 messages before they were loaded" in caplog.text


def test_a_cluster_that_tells_no_generations_is_loaded_as_before(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is taken for anew; only a topic that is shorter than what was loaded is noticed."""
    monkeypatch.setattr(
        "retail_datagen.sinks.kafka_reading.generations", lambda admin, topics, seconds: {}
    )
    hub.send(event(), event())
    run_load(hub.load())
    assert run_load(hub.load()).total == 0
    hub.make_anew()
    hub.send(event())
    with pytest.raises(SinkError, match="made anew"):
        run_load(hub.load())


def _quantities(hub: Hub) -> list[object]:
    return [n for (n,) in hub.ask(f"SELECT quantity FROM {HUB.name} ORDER BY _offset")]
