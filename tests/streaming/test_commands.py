"""`stream`, `backfill --then-live` and `gaps` as people call them."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import chdir, closing, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest
from played import Played

from midday import ZONE, day
from retail_datagen.cli.app import main
from retail_datagen.cli.live_line import LiveLine
from retail_datagen.streaming.metrics import Metrics
from retail_datagen.streaming.told import DayDone, Sent, Troubled
from services.kafka_broker import kafka
from services.postgres import postgres_server, postgres_url
from services.service import free_port
from stopping import ends_in_time

__all__ = ["kafka", "postgres_server", "postgres_url"]
COMMAND = [sys.executable, "-c", "from retail_datagen.cli.app import main; main()"]

_TABLES_OF_EVENTS = (
    "SELECT name FROM sqlite_master WHERE sql LIKE '%event_time_utc%' AND type = 'table'"
)


class Shop:
    """A folder with a configuration of the small retailer, where it is midday, and until 2035."""

    def __init__(self, folder: Path, played: Played) -> None:
        self.folder = folder
        paths = played.config.paths.model_copy(update={"facts": folder / "facts"})
        update = {"paths": paths, "timezone": ZONE}
        config = played.config.model_copy(update=update).model_dump(mode="json")
        # Master data of its own: the calendar of the other one may have ended.
        config["calendar"] = {"first": "2023-01-01", "last": "2035-12-31"}
        config["paths"]["master"] = str(played.config.paths.master.parent / "until-2035")
        (folder / "config.json").write_text(json.dumps(config))

    def start(self, command: str, *arguments: str) -> subprocess.Popen[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("KAFKA_", "CLICKHOUSE_"))}
        return subprocess.Popen(
            [*COMMAND, command, "-c", "config.json", *arguments],
            cwd=self.folder,
            env={**kept, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str, *arguments: str) -> tuple[int, str, str]:
        """In this process: exit code, output and errors."""
        out, err = io.StringIO(), io.StringIO()
        with (
            chdir(self.folder),
            redirect_stdout(out),
            redirect_stderr(err),
            pytest.raises(SystemExit) as left,
        ):
            main([command, "-c", "config.json", *arguments])
        return int(str(left.value.code)), out.getvalue(), err.getvalue()

    def rows(self, database: str, table: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.folder / database)) as connection:
            return connection.execute(f"SELECT * FROM {table} ORDER BY event_id").fetchall()


@pytest.fixture
def shop(tmp_path: Path, played: Played) -> Shop:
    return Shop(tmp_path, played)


def dated(text: str) -> str:
    """With days in place of their names: parameters of tests hold none, which midnight changes."""
    for back, name in ((-1, "TOMORROW"), (0, "TODAY"), (1, "YESTERDAY")):
        text = text.replace(name, day(back))
    return text


def wait_for_rows(shop: Shop, database: str, today: str) -> None:
    """Until something of today is in the database."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        time.sleep(0.1)
        try:
            if any(today in str(row) for row in shop.rows(database, "retail_inventory_updates")):
                return
        except sqlite3.OperationalError:
            continue
    pytest.fail("nothing of today came")


@pytest.mark.timed
@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_history_goes_on_into_the_present(shop: Shop, signum: signal.Signals) -> None:
    asked = ("--start", day(3), "--end", day(2), "--feed", "topics", "--to", "sqlite:retail.db")
    process = shop.start("backfill", *asked, "--then-live")
    wait_for_rows(shop, "retail.db", day(0))
    process.send_signal(signum)
    _, err = ends_in_time(process)
    assert process.returncode == 128 + signum
    assert "run the same command again to go on" in err
    # Yesterday, which lies between, is whole; what is there of today is the beginning of it.
    code, out, _ = shop.run("gaps", "--feed", "topics", "--to", "sqlite:retail.db")
    assert (code, out) == (0, f"sqlite:retail.db: no gap from {day(3)} to {day(1)}\n")
    whole = ("--start", day(3), "--end", day(0), "--feed", "topics", "--to", "sqlite:whole.db")
    assert shop.run("backfill", *whole)[0] == 0
    for table in ("retail_inventory_updates", "retail_sales_transactions"):
        live, expected = shop.rows("retail.db", table), shop.rows("whole.db", table)
        assert live == expected[: len(live)]


def test_a_stopped_backfill_into_a_file_does_not_say_that_it_goes_on(shop: Shop) -> None:
    asked = ("--start", "2024-01-01", "--end", "2024-12-31", "--all", "--to", "jsonl:events.jsonl")
    process = shop.start("backfill", *asked)
    events = shop.folder / "events.jsonl"
    deadline = time.monotonic() + 240
    while not (events.exists() and events.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "the target does not remember them: the same command begins anew" in err


def test_gaps_are_listed_and_filled(shop: Shop) -> None:
    to = ("--feed", "topics", "--to", "sqlite:retail.db")
    for first, last in (("2024-03-01", "2024-03-02"), ("2024-03-05", "2024-03-05")):
        assert shop.run("backfill", "--start", first, "--end", last, *to)[0] == 0
    until = ("--end", "2024-03-06")
    code, out, _ = shop.run("gaps", *to, *until)
    assert code == 1
    lines = out.splitlines()
    assert lines[0].startswith("2024-03-03 to 2024-03-04  retail_customer_events, retail_inv")
    assert lines[0].endswith(": missing")
    assert lines[1].startswith("2024-03-06  ")
    assert lines[2] == "sqlite:retail.db: 2 gaps from 2024-03-01 to 2024-03-06"
    code, out, _ = shop.run("gaps", *to, *until, "--json")
    assert [gap["first_day"] for gap in json.loads(out)["gaps"]] == ["2024-03-03", "2024-03-06"]
    assert shop.run("gaps", *to, *until, "--fill", "--quiet")[0] == 0
    assert shop.run("gaps", *to, *until)[0] == 0
    assert (
        shop.run(
            "backfill",
            "--start",
            "2024-03-01",
            "--end",
            "2024-03-06",
            "--feed",
            "topics",
            "--to",
            "sqlite:whole.db",
        )[0]
        == 0
    )
    for table in ("retail_sales_transactions", "retail_customer_events"):
        assert shop.rows("retail.db", table) == shop.rows("whole.db", table)


def test_a_played_history_goes_on_where_it_was(shop: Shop) -> None:
    to = ("--speed", "max", "--to", "sqlite:retail.db", "--sim-start", "2024-03-01")
    for _ in range(3):
        code, _, err = shop.run("stream", *to, "--duration", "720", "--json")
        assert code == 0, err
        assert json.loads(err)["events"] > 0
    code, out, _ = shop.run(
        "gaps", "--feed", "topics", "--to", "sqlite:retail.db", "--end", "2024-03-02"
    )
    assert code == 1
    assert "2024-03-02  retail_inventory_updates: in part; there are rows 0 to " in out
    whole = ("--start", "2024-03-01", "--end", "2024-03-02", "--feed", "topics")
    for database in ("retail.db", "whole.db"):
        assert shop.run("backfill", *whole, "--to", f"sqlite:{database}")[0] == 0
    for table in ("retail_sales_transactions", "retail_inventory_updates"):
        assert shop.rows("retail.db", table) == shop.rows("whole.db", table)


def test_a_history_that_is_played_again_into_a_file_is_not_there_twice(shop: Shop) -> None:
    asked = ("--sim-start", "2024-03-01", "--duration", "720", "--problem", "late=0.1")
    events, truth = shop.folder / "e.jsonl", shop.folder / "truth.jsonl"
    told = []
    for _ in range(2):
        to = ("--speed", "max", "--to", "jsonl:e.jsonl", "--truth", "truth.jsonl")
        assert shop.run("stream", *asked, *to)[0] == 0
        told.append((events.read_text(), truth.read_text()))
    assert told[0] == told[1]
    ids = [json.loads(line)["event_id"] for line in told[1][0].splitlines()]
    assert 0 < len(set(ids)) == len(ids)


@pytest.mark.parametrize("pace", [("--speed", "1"), ("--rate", "50")])
def test_live_events_are_added_to_a_file(shop: Shop, pace: tuple[str, ...]) -> None:
    (shop.folder / "e.jsonl").write_text("before\n")
    code, _, err = shop.run("stream", *pace, "--duration", "0.03", "--to", "jsonl:e.jsonl")
    assert code == 0, err
    assert (shop.folder / "e.jsonl").read_text().startswith("before\n")


def metrics_of(port: int) -> str:
    """What Prometheus would read; empty while nothing answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return str(answer.read().decode())
    except OSError:
        return ""


@pytest.mark.timed
def test_a_stream_counts_and_when_stopped_has_sent_what_it_counts(shop: Shop) -> None:
    port = free_port()
    asked = ("--rate", "200", "--metrics-port", str(port), "--to", "jsonl:events.jsonl", "--json")
    process = shop.start("stream", *asked)
    deadline = time.monotonic() + 240
    while "retail_datagen_commits_total 2" not in metrics_of(port):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.terminate()
    out, err = ends_in_time(process)
    assert (process.returncode, out) == (143, "")
    lines = (shop.folder / "events.jsonl").read_text().splitlines()
    assert json.loads(err)["events"] == len([json.loads(line) for line in lines]) >= 200


@pytest.mark.parametrize("feed", ["topics", "facts", "cdc"])
def test_a_stream_that_is_started_again_goes_on_in_the_same_database(shop: Shop, feed: str) -> None:
    hour = ("--sim-start", "2024-03-08T12:00", "--rate", "400", "--duration", "0.02")
    rows = []
    for _ in range(2):
        code, _, err = shop.run("stream", *hour, "--feed", feed, "--to", "sqlite:live.db")
        assert code == 0, err
        with closing(sqlite3.connect(shop.folder / "live.db")) as database:
            tables = [name for (name,) in database.execute(_TABLES_OF_EVENTS)]
            counts = [database.execute(f"SELECT count(*) FROM {name}") for name in tables]
            rows.append(sum(count for cursor in counts for (count,) in cursor))
    assert rows[1] > rows[0] >= 200


JOINED = """
SELECT count(*), count(store.StoreID), count(product.ProductID), count(customer.CustomerID)
FROM retail_sales_transactions sale
LEFT JOIN stores store ON store.StoreID = sale.store_id
LEFT JOIN products product ON product.SKU = sale.product_id
LEFT JOIN customers customer ON customer.CustomerID = sale.customer_id
"""


@pytest.mark.parametrize("pace", [("--rate", "200"), ("--speed", "max")])
def test_what_a_stream_sends_can_be_joined(shop: Shop, pace: tuple[str, str]) -> None:
    asked = (*pace, "--sim-start", "2024-03-08T12:00", "--duration", "0.02", "--quiet")
    if pace == ("--speed", "max"):
        asked = (*asked[:-2], "120", "--quiet")
    assert shop.run("stream", *asked, "--to", "sqlite:retail.db")[0] == 0
    with closing(sqlite3.connect(shop.folder / "retail.db")) as database:
        ((sales, *joined),) = database.execute(JOINED)
    assert sales > 10
    assert joined == [sales] * 3
    assert shop.run("stream", *asked, "--no-dimensions", "--to", "sqlite:bare.db")[0] == 0
    with closing(sqlite3.connect(shop.folder / "bare.db")) as database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
    assert "retail_sales_transactions" in tables
    assert "stores" not in tables


def test_what_a_stream_sends_to_postgresql_refers_to_what_is_there(
    shop: Shop, postgres_url: str
) -> None:
    """Keys are held by the database; started again, nothing collides."""
    import psycopg

    asked = ("--rate", "200", "--duration", "0.02", "--quiet", "--to", postgres_url)
    for _ in range(2):
        code, _, err = shop.run("stream", "--sim-start", "2024-03-08T12:00", *asked)
        assert code == 0, err
    with psycopg.connect(postgres_url) as connection:
        ((sales, *joined),) = connection.execute(JOINED).fetchall()
    assert sales > 20
    assert joined == [sales] * 3


@pytest.mark.timed
@pytest.mark.parametrize("command", ["stream", "backfill", "load"])
def test_a_clickhouse_that_is_away_is_waited_for_in_sight_and_left_at_once(
    shop: Shop, command: str, request: pytest.FixtureRequest
) -> None:
    asked = ["--to", f"clickhouse://127.0.0.1:{free_port()}/retail"]
    if command == "load":
        asked += ["--from", f"kafka://{request.getfixturevalue('kafka').servers}"]
    process = shop.start(command, *asked)
    assert process.stderr
    lines = []
    while "waiting for ClickHouse" not in (line := process.stderr.readline()):
        assert line, lines
        lines.append(line)
    process.terminate()
    _, err = ends_in_time(process)
    assert process.returncode == 143
    said = "".join([*lines, line, err])
    assert "Connection refused" in line
    for stray in ("urllib3", "clickhouse_connect", "Max retries", "Traceback"):
        assert stray not in said


def test_a_history_beyond_today_is_not_waited_for(shop: Shop) -> None:
    to = ("--feed", "topics", "--to", "sqlite:retail.db")
    assert shop.run("backfill", "--start", day(-5), "--end", day(-6), *to)[0] == 0
    code, _, err = shop.run("stream", "--speed", "1", *to)
    assert code == 2
    assert f"to: the history there goes until {day(-6)}, beyond today" in err


def test_metrics_tell_of_everything() -> None:
    with Metrics(0) as metrics:
        metrics(Sent({"receipts": 7}, 5_000, 3_000))
        metrics(DayDone(1))
        metrics(Troubled("late", 2))
        text = metrics_of(metrics.port)
    assert 'retail_datagen_events_total{table="receipts"} 7.0' in text
    assert "retail_datagen_lag_seconds 2.0" in text
    assert 'retail_datagen_problems_total{problem="late"} 2.0' in text
    assert "retail_datagen_commits_total 1.0" in text


def test_a_line_of_counters(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    moments = iter([0.0, 10.0])
    line = LiveLine(Console(), "UTC", lambda: next(moments))
    line(Sent({"receipts": 1200}, 1_709_287_201_500, 1_709_287_200_000))
    line._tally(Troubled("late", 3))
    assert line.line(10.0) == (
        "1,200 events · 120.0/s · until 2024-03-01 10:00:00 · lag 1.5 s · late 3"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--min-delta", "60", "--max-delta", "10"], "min-delta: 60 is more than max-delta, 10"),
        (["--min-delta", "-1"], "min-delta: -1 is not allowed"),
        (["--rate", "5", "--bursts"], "--rate and --bursts are different paces; give one"),
        (["--rate", "-5"], "rate: -5 is not allowed"),
        (["--speed", "fast"], "speed: 'fast' is not allowed; give 1 for real time"),
        (["--speed", "1", "--min-delta", "1"], "are different paces"),
        (["--duration", "5", "--continuous"], "leave one out"),
        (["--duration", "0"], "duration: 0 is not allowed; give minutes above 0"),
        (["--on-gap", "fill"], "on-gap: goes with --speed"),
        (["--speed", "1", "--on-gap", "jump"], "on-gap: 'jump' is not known; allowed are fill"),
        (["--speed", "1", "--scenario", "weekend"], "scenario: with --speed give --sim-start"),
        (["--feed", "news"], "feed: 'news' is not known; allowed are hub"),
        (["--truth", "truth.jsonl"], "truth: --truth tells of problems; give --problem"),
        (
            ["--problem", "late=0.1", "--to", "jsonl:x", "--truth", "./x"],
            "truth: './x' is where the events go, too; give the truth a file of its own",
        ),
        (["--problem", "late=0.1", "--truth", "jsonl:-"], "truth: 'jsonl:-' is where the events"),
        (["--problem", "late=0.1", "--to", "sqlite:x.db"], "this target takes no messages that"),
        (["--to", "file:x"], "to: file:x takes whole days, no streams"),
        (["--sim-start", "noon"], "sim-start: 'noon' is no local time"),
        (["--scenario", "xmas"], "scenario: 'xmas' is not known; allowed are peak-hours, weekend"),
        (["--scenario", "weekend", "--sim-start", "2024-03-01"], "leave --sim-start out"),
        (["--events-per-hour", "7", "--feed", "hub"], "events-per-hour: events go at the pace"),
        (["--events-per-hour", "7", "--speed", "1"], "only the feed 'hub' is thinned"),
        (["--to", "jsonl:x", "--to", "jsonl:x"], "to: 'jsonl:x' is given twice; name each"),
        (
            ["--to", "clickhouse://host", "--to", "clickhouse://u:pw@host:8123/retail"],
            "to: 'clickhouse://u:***@host:8123/retail' is given twice, as 'clickhouse://host' too",
        ),
        (["--problem", "schema=0.000001"], "give schema= and minutes from 0.0001 to 1,000,000"),
        (["--problem", "gaps=1e-12"], "give gaps= and a share from 0.000000001 to 1, and"),
        (["--problem", "malformed=0.1,30"], "give malformed= and a share"),
        (["--format", "avro", "--to", "jsonl:x"], "format: --format is about Kafka"),
        (["--topic-prefix", "x-", "--to", "sqlite:x.db"], "topic-prefix: --topic-prefix is about"),
        (
            ["--registry", "mock://x", "--to", "kafka://127.0.0.1:1"],
            "registry: --registry is for messages with a schema, and these are plain JSON",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    shop: Shop, arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "CLICKHOUSE_HOST"):
        monkeypatch.delenv(name, raising=False)
    code, _, err = shop.run("stream", *arguments)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--all", "--events-per-hour", "7"], "events-per-hour: --all sends every fact"),
        (["--feed", "topics", "--events-per-hour", "7"], "only the feed 'hub' is thinned"),
        (["--to", "jsonl:./events.jsonl"], "to: 'jsonl:events.jsonl' is given twice, as 'jsonl:./"),
        (["--metrics-port", "9100"], "metrics-port: metrics are of what is live; give --then-live"),
        (["--format", "avro"], "format: --format is about Kafka, and no target is a Kafka cluster"),
        (["--start", "TOMORROW"], "start: TOMORROW is after yesterday, with which history ends"),
        (["--start", "TODAY", "--then-live"], "start: with --then-live history ends before today"),
    ],
)
def test_what_a_backfill_would_not_heed_is_refused(
    shop: Shop, arguments: list[str], message: str
) -> None:
    asked = [dated(word) for word in arguments]
    code, out, err = shop.run("backfill", *asked, "--to", "jsonl:events.jsonl")
    assert (code, out) == (2, "")
    assert dated(message) in err
    assert not (shop.folder / "events.jsonl").exists()


def test_a_registry_of_the_environment_is_for_whoever_needs_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCHEMA_REGISTRY_URL", "http://registry:8081")
    asked = ("--start", "2024-03-01", "--end", "2024-03-01", "--to", "jsonl:events.jsonl")
    assert shop.run("backfill", *asked)[0] == 0


def test_history_that_goes_on_live_needs_no_end(shop: Shop) -> None:
    to = ("--feed", "topics", "--to", "sqlite:retail.db")
    process = shop.start("backfill", "--start", day(2), "--then-live", *to)
    wait_for_rows(shop, "retail.db", day(0))
    process.terminate()
    process.communicate(timeout=120)
    found = json.loads(shop.run("gaps", *to, "--json")[1])
    assert (found["first_day"], found["last_day"], found["gaps"]) == (day(2), day(1), [])


@pytest.mark.parametrize(
    ("pace", "said"),
    [
        (("--min-delta", "0.1", "--max-delta", "0.2"), "run the same command again for more, as"),
        (("--rate", "50"), "run the same command again for more, as of then"),
        (("--speed", "60"), "run the same command again to go on"),
        (("--speed", "60", "--to", "jsonl:e.jsonl"), "remember them: the same command begins anew"),
        (
            ("--speed", "60", "--to", "jsonl:e.jsonl", "--to", "sqlite:retail.db"),
            "run the same command again to go on; for targets that remember nothing, such as jsonl",
        ),
    ],
)
def test_a_stream_that_is_stopped_says_what_the_same_command_does(
    shop: Shop, pace: tuple[str, ...], said: str
) -> None:
    played = ["--sim-start", "2024-03-08T12:00"]
    if "--to" not in pace:
        played += ["--to", "sqlite:retail.db"]
    port = free_port()
    process = shop.start("stream", *pace, *played, "--metrics-port", str(port))
    deadline = time.monotonic() + 240
    while not re.search("retail_datagen_commits_total [1-9]", metrics_of(port)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert said in err.splitlines()[-1]


def test_gaps_know_how_a_history_was_thinned(shop: Shop) -> None:
    days = ("--start", "2024-03-01", "--end", "2024-03-02")
    sent = shop.run("backfill", *days, "--events-per-hour", "20", "--to", "sqlite:retail.db")
    assert sent[0] == 0
    asked = ("--end", "2024-03-02", "--to", "sqlite:retail.db")
    for given, rate in (("--events-per-hour=7", "7"), ("--quiet", "5")):
        code, out, err = shop.run("gaps", *asked, given)
        assert (code, out) == (2, "")
        assert f"was made with 20 an hour, not {rate}; give --events-per-hour 20" in err
    assert shop.run("gaps", *asked, "--events-per-hour", "20")[0] == 0


@pytest.mark.parametrize("module", ["retail_datagen", "retail_datagen.cli.app"])
def test_the_package_runs_as_the_command(shop: Shop, module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, "--version"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        cwd=shop.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("retail-datagen ")


def test_history_that_is_to_go_on_ends_before_today(shop: Shop) -> None:
    asked = ("--start", day(1), "--end", day(-1), "--then-live", "--to", "jsonl:-")
    code, out, err = shop.run("backfill", *asked)
    assert (code, out) == (2, "")
    assert f"end: with --then-live history ends before today; give {day(1)}" in err


def test_gaps_are_asked_of_targets_that_remember(shop: Shop) -> None:
    code, _, err = shop.run("gaps", "--to", "jsonl:events.jsonl")
    assert code == 2
    assert "does not remember what it holds" in err
    code, _, err = shop.run("gaps", "--to", "sqlite:empty.db")
    assert code == 2
    assert "holds no history of the feed 'hub'" in err


@pytest.mark.parametrize("target", ["sqlite:no.db", "duckdb:no.duckdb", "chdb:no.chdb"])
def test_a_target_that_is_not_there_is_not_made_by_being_asked_for_gaps(
    shop: Shop, target: str
) -> None:
    before = set(shop.folder.rglob("*"))
    code, _, err = shop.run("gaps", "--to", target)
    assert code == 2
    assert f"{target} holds no history of the feed 'hub'" in err
    assert set(shop.folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (("--start", "2024-03-02", "--end", "2024-03-01"), "end: 2024-03-01 is before the start, "),
        (("--end", "2023-05-01"), "end: 2023-05-01 is before the history, which begins on 2024-03"),
        (("--start", "2023-05-01"), "start: 2023-05-01 is before the history, which begins on 20"),
        (("--start", "TODAY"), "start: TODAY is after YESTERDAY, the last day that is looked at"),
        (("--end", "2036-01-01"), "end: 2036-01-01 is outside of the calendar; allowed is 2023-01"),
    ],
)
def test_gaps_of_days_that_a_history_has_not_are_refused(
    shop: Shop, asked: tuple[str, ...], message: str
) -> None:
    to = ("--to", "sqlite:retail.db")
    assert shop.run("backfill", "--start", "2024-03-01", "--end", "2024-03-02", *to)[0] == 0
    code, out, err = shop.run("gaps", *to, *map(dated, asked))
    assert (code, out) == (2, "")
    assert dated(message) in err


def test_a_history_that_begins_today_has_no_day_to_look_at(shop: Shop) -> None:
    to = ("--to", "sqlite:retail.db")
    assert shop.run("backfill", "--start", day(0), "--end", day(0), *to)[0] == 0
    told = f"nothing to look at before today; the history begins on {day(0)}"
    assert shop.run("gaps", *to)[:2] == (0, f"sqlite:retail.db: {told}\n")
    found = json.loads(shop.run("gaps", *to, "--json")[1])
    assert (found["first_day"], found["last_day"], found["gaps"]) == (None, None, [])
