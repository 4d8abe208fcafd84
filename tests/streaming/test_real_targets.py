"""Live play into real targets, killed -9 at random: each event once, as of one long history."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from played import START, Played, at

from retail_datagen.core.calendar import to_date
from retail_datagen.events import topics_of
from retail_datagen.events.feeds import Feed
from retail_datagen.sinks import RememberingSink, open_sink
from retail_datagen.streaming.backfill import Backfill, run_backfill
from services.kafka_broker import Address, kafka, kafka_prefix
from services.kafka_reader import committed

__all__ = ["kafka", "kafka_prefix"]
SCRIPT = Path(__file__).parent / "play_process.py"
DAYS = 2
Rows = list[tuple[str, str]]
"""(event_id, all of the event) in any order."""


@dataclass(frozen=True)
class Place:
    """Somewhere to send to, a second time for the history sent at once, and how to read it."""

    url: str
    other: str
    read: Callable[[str], Rows]


@pytest.fixture(params=["sqlite", "chdb", "kafka"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        urls = [f"sqlite:///{tmp_path / name}.db" for name in ("live", "history")]
        yield Place(*urls, read_sqlite)
    elif request.param == "chdb":
        urls = [f"chdb:{tmp_path / name}" for name in ("live", "history")]
        yield Place(*urls, read_clickhouse)
    else:
        servers: Address = request.getfixturevalue("kafka")
        prefix = request.getfixturevalue("kafka_prefix")
        urls = [
            f"kafka://{servers.servers}?topic_prefix={prefix}{name}-&partitions=2"
            for name in ("live", "history")
        ]
        yield Place(*urls, read_kafka)


def read_sqlite(url: str) -> Rows:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database:
        rows: Rows = []
        for table in topics_of(Feed("topics")):
            cursor = database.execute(f'SELECT * FROM "{table}"')
            place = [column[0] for column in cursor.description].index("event_id")
            rows += [(str(row[place]), str(row)) for row in cursor]
        return rows


def read_clickhouse(url: str) -> Rows:
    from retail_datagen.sinks.clickhouse_client import ClickHouse

    with closing(ClickHouse.of(url)) as database:
        tables = database.rows("SELECT name FROM system.tables WHERE database = 'retail'")
        rows: Rows = []
        for (table,) in tables:
            if str(table).startswith("retail_") and "view" not in str(table):
                found = database.rows(f"SELECT event_id, * FROM retail.{table}")
                rows += [(str(row[0]), str(tuple(row))) for row in found]
        return rows


def read_kafka(url: str) -> Rows:
    servers, _, query = url.removeprefix("kafka://").partition("?")
    prefix = query.partition("topic_prefix=")[2].partition("&")[0]
    topics = [prefix + topic.table.topic for topic in topics_of(Feed("topics")).values()]
    return [(record.event_id, str(record.value)) for record in committed(servers, topics)]


def digest(rows: Rows) -> str:
    return hashlib.sha256(repr(sorted(rows)).encode()).hexdigest()


def config_file(played: Played, folder: Path) -> Path:
    path = folder / "config.json"
    text = played.config.model_copy(
        update={"paths": played.config.paths.model_copy(update={"facts": folder / "facts"})}
    ).model_dump_json()
    path.write_text(text)
    return path


def start(config: Path, url: str, until: int, pause: float = 0.004) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), str(config), "topics", url, str(until), str(pause)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=config.parent,
        start_new_session=True,
    )


def kill_at_random(process: subprocess.Popen[str], dice: random.Random) -> bool:
    """Kill it some moments after it began to send; whether it was still running."""
    assert process.stdout
    for _ in range(dice.randrange(1, 30)):
        if not process.stdout.readline():
            break
    try:
        process.wait(timeout=dice.uniform(0, 0.05))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    _, said = process.communicate()
    assert process.returncode == 0, said
    return False


def send_history(played: Played, url: str, folder: Path) -> None:
    feed = played.feed("topics")
    run_backfill(
        Backfill(feed.source, url, played.options("topics"), folder, START, START + DAYS - 1)
    )


def rounds(played: Played, place: Place, folder: Path, seed: int, most: int) -> int:
    """Kill and start until it once comes to its end; how often it was killed."""
    dice, config, kills = random.Random(seed), config_file(played, folder), 0
    while kill_at_random(start(config, place.url, at(DAYS)), dice):
        kills += 1
        if kills == most:
            process = start(config, place.url, at(DAYS), pause=0)
            _, said = process.communicate()
            assert process.returncode == 0, said
            break
    return kills


@pytest.mark.parametrize("place", ["sqlite", "kafka"], indirect=True)
def test_killed_at_random_each_event_is_there_once(
    played: Played, place: Place, tmp_path: Path
) -> None:
    send_history(played, place.other, tmp_path / "history-notes")
    assert rounds(played, place, tmp_path, 1, most=2) >= 1
    live, history = place.read(place.url), place.read(place.other)
    assert len({event_id for event_id, _ in live}) == len(live) > 1500
    assert digest(live) == digest(history)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 14))
def test_many_kills(played: Played, place: Place, tmp_path: Path, seed: int) -> None:
    send_history(played, place.other, tmp_path / "history-notes")
    assert rounds(played, place, tmp_path, seed, most=12) >= 3
    assert digest(place.read(place.url)) == digest(place.read(place.other))


@pytest.mark.parametrize("place", ["sqlite", "kafka"], indirect=True)
def test_a_history_that_breaks_off_is_played_on(
    played: Played, place: Place, tmp_path: Path
) -> None:
    """What a backfill sent and what is played after it are one; what lacks is known."""
    feed = played.feed("topics")
    options = played.options("topics")
    config = config_file(played, tmp_path)
    notes = tmp_path / "facts"
    run_backfill(Backfill(feed.source, place.url, options, notes, START, START))
    process = start(config, place.url, at(1, 13), pause=0)
    assert process.communicate()[1] == ""
    with closing(open_sink(place.url, options=options)) as sink:
        remembering: RememberingSink = sink  # type: ignore[assignment]
        progress = remembering.progress()
    days = {to_date(day).isoformat() for _, day in progress}
    assert days == {"2024-03-08", "2024-03-09"}
    assert all(p.is_whole == (day == START) for (_, day), p in progress.items())
    send_history(played, place.url, notes)
    send_history(played, place.other, tmp_path / "history-notes")
    assert digest(place.read(place.url)) == digest(place.read(place.other))


def test_a_stream_that_is_started_again_repeats_nothing_in_kafka(
    played: Played, kafka: Address, kafka_prefix: str, tmp_path: Path
) -> None:
    config = config_file(played, tmp_path)
    asked = ("--sim-start", "2024-03-08T12:00", "--rate", "400", "--duration", "0.02")
    for _ in range(2):
        stream(config, *asked, "--to", f"kafka://{kafka.servers}", "--topic-prefix", kafka_prefix)
    topics = [f"{kafka_prefix}retail-{name}" for name in ("inventory-updates", "restock-alerts")]
    told = [json.loads(record.value or b"") for record in committed(kafka.servers, topics)]
    ids = [row.get("update_id") or row["alert_id"] for row in told]
    assert len(ids) == len(set(ids)) > 200
    assert len({name.rpartition("-")[2] for name in ids}) == 2


def stream(config: Path, *arguments: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from retail_datagen.cli.app import main; main()",
            "stream",
            "-c",
            str(config),
            "--quiet",
            *arguments,
        ],
        env=environment,
        cwd=config.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_messages_broken_on_purpose_reach_kafka(
    played: Played, kafka: Address, kafka_prefix: str, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.jsonl"
    problems = ("malformed=0.1", "duplicates=0.1", "schema=600")
    stream(
        config_file(played, tmp_path),
        *("--speed", "max", "--sim-start", "2024-03-08", "--duration", "1440"),
        *("--to", f"kafka://{kafka.servers}", "--topic-prefix", kafka_prefix),
        *(word for problem in problems for word in ("--problem", problem)),
        *("--truth", str(truth)),
    )
    topics = [kafka_prefix + topic.table.topic for topic in topics_of(Feed("topics")).values()]
    records = committed(kafka.servers, topics)
    told = [json.loads(line) for line in truth.read_text().splitlines()]
    broken = {line["of_event"] for line in told if line["problem"] == "malformed"}
    twice = {line["of_event"] for line in told if line["problem"] == "duplicates"}
    assert len(broken) > 20
    ids = [record.event_id for record in records]
    assert {event_id for event_id in ids if ids.count(event_id) > 1} == twice

    def readable(value: bytes | None) -> bool:
        try:
            json.loads(value or b"")
        except ValueError:
            return False
        return True

    assert {record.event_id for record in records if not readable(record.value)} == broken
    versions = {record.headers["schema_version"] for record in records}
    assert versions == {b"1", b"2", b"3"}
