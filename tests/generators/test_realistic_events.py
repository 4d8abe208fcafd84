"""The published generator of live events, and the scripts around it."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from midday import ZONE, day
from retail_datagen.config.errors import UserError
from retail_datagen.config.models import Calendar, Paths, RetailConfig, Volume
from retail_datagen.generators.realistic_event_generator import RealisticEventGenerator
from retail_datagen.sinks.memory import MemorySink
from stopping import ends_in_time

ROOT = Path(__file__).parents[2]
KINDS = {"sale", "inventory_update", "customer_event", "price_change", "restock_alert"}
TOPICS = {
    "retail_sales_transactions",
    "retail_inventory_updates",
    "retail_customer_events",
    "retail_price_changes",
    "retail_restock_alerts",
}


class SteppedClock:
    """Time goes on where somebody waits, and nowhere else."""

    def __init__(self) -> None:
        self._now = int(datetime(2024, 3, 13, 10, tzinfo=UTC).timestamp() * 1000)
        self.waits: list[int] = []

    def now(self) -> int:
        return self._now

    def wait_until(self, instant: int) -> None:
        self.waits.append(instant - self._now)
        self._now = max(self._now, instant)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> RetailConfig:
    folder = tmp_path_factory.mktemp("realistic")
    return RetailConfig(
        volume=Volume(
            stores=2,
            dcs=1,
            customers_per_day=80,
            online_orders_per_day=10,
            customers=300,
            products=120,
        ),
        paths=Paths(dict=Path("no-such-folder"), master=folder / "master", facts=folder / "facts"),
        calendar=Calendar(),
    )


def test_types_are_selected_as_weighted(config: RetailConfig) -> None:
    generator = RealisticEventGenerator(config, sinks=[MemorySink()])
    types = Counter(generator._select_event_type() for _ in range(1000))
    assert 0.45 <= types["sales"] / 1000 <= 0.55
    assert set(types) == set(generator.event_weights)
    assert (generator.min_delta, generator.max_delta) == (10, 60)
    generator.event_weights = {"customer": 1.0}
    assert {generator._select_event_type() for _ in range(50)} == {"customer"}


def test_single_events_are_sent_and_returned(config: RetailConfig) -> None:
    sink = MemorySink()
    with RealisticEventGenerator(config, sinks=[sink], clock=SteppedClock()) as generator:
        events = [generator.generate_single_event() for _ in range(60)]
    assert {event["event_type"] for event in events if event} == KINDS
    sent = [stamped.rows.to_pylist()[0] for stamped in sink.events]
    assert [row for row in sent if row in events]
    sales = [event for event in events if event and event["event_type"] == "sale"]
    assert len(sent) == len(events) + len(sales)
    assert {stamped.table.name for stamped in sink.events} == TOPICS


def test_a_simulation_takes_its_time_and_says_so(
    config: RetailConfig, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SteppedClock()
    generator = RealisticEventGenerator(config, sinks=[MemorySink()], clock=clock)
    with caplog.at_level(logging.DEBUG, "retail_datagen.stream"):
        generator.run_realistic_simulation(duration_minutes=5)
    waits = [wait / 1000 for wait in clock.waits]
    assert sum(clock.waits) == 300_000
    assert all(10 <= wait <= 60 for wait in waits[:-1])
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "Starting realistic simulation for 5 minutes"
    events = [line for line in lines if line.startswith("Event #")]
    assert re.fullmatch(r"Event #1: (sale|\w+_\w+) generated", events[0])
    assert lines[-1] == f"Realistic simulation completed. Total events: {len(events)}"
    assert len(events) == len(waits)
    assert sum(line.startswith("Waiting ") for line in lines) == len(events)


def test_waits_that_cannot_be_are_refused(config: RetailConfig) -> None:
    generator = RealisticEventGenerator(config, sinks=[MemorySink()])
    generator.min_delta, generator.max_delta = 60, 10
    with pytest.raises(UserError, match="min-delta: 60 is more than max-delta, 10"):
        generator.run_realistic_simulation(1)
    generator.min_delta, generator.event_weights = 1, {"weather": 1.0}
    with pytest.raises(UserError, match="event_weights: 'weather' is not known"):
        generator.run_realistic_simulation(1)
    with pytest.raises(UserError, match="duration: 0 is not allowed"):
        generator.run_realistic_simulation(0)


def script(*arguments: str, cwd: Path, **more: str) -> subprocess.Popen[str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RETAIL_", "KAFKA_", "CLICK"))}
    small = {
        "RETAIL_VOLUME__STORES": "2",
        "RETAIL_VOLUME__CUSTOMERS_PER_DAY": "60",
        "RETAIL_VOLUME__ONLINE_ORDERS_PER_DAY": "8",
        "RETAIL_VOLUME__PRODUCTS": "150",
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
    }
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**kept, **small, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_generator_script_has_its_flags_and_messages(tmp_path: Path) -> None:
    flags = ("--duration", "0.05", "--min-delta", "0.1", "--max-delta", "0.4", "--debug")
    run = script(str(ROOT / "scripts" / "kafka_event_generator.py"), *flags, cwd=tmp_path)
    out, said = run.communicate(timeout=600)
    assert run.returncode == 0, said
    assert "REALISTIC_GEN - INFO - Starting realistic simulation for 0.05 minutes" in said
    assert re.search(r"REALISTIC_GEN - INFO - Event #1: \w+ generated", said)
    assert "Realistic simulation completed. Total events: " in said
    waits = re.findall(r"REALISTIC_GEN - DEBUG - Waiting (\S+) seconds before next event", said)
    assert len(waits) == said.count("INFO - Event #")
    assert all(0.1 <= float(wait) <= 0.4 for wait in waits)
    events = [json.loads(line) for line in out.splitlines()]
    assert events
    assert {event["event_type"] for event in events} <= KINDS
    refused = script(
        str(ROOT / "scripts" / "kafka_event_generator.py"),
        "--min-delta",
        "60",
        "--max-delta",
        "10",
        cwd=tmp_path,
    )
    _, said = refused.communicate(timeout=600)
    assert refused.returncode == 2
    assert said.startswith("error: min-delta: 60 is more than max-delta, 10")


@pytest.mark.timed
def test_the_generator_script_stops_within_two_seconds(tmp_path: Path) -> None:
    flags = ("--continuous", "--min-delta", "0.05", "--max-delta", "0.1")
    run = script(str(ROOT / "scripts" / "kafka_event_generator.py"), *flags, cwd=tmp_path)
    assert run.stderr
    seen = ""
    while "Event #3" not in seen:
        seen = run.stderr.readline()
        assert seen
    run.send_signal(signal.SIGTERM)
    out, said = ends_in_time(run)
    assert run.returncode == 143
    assert "Simulation interrupted by user" in said
    assert "Waiting" not in said
    assert "run the same command again for more, as of then" in said
    assert all(json.loads(line) for line in out.splitlines())


def test_the_backfill_script_honours_its_constants(tmp_path: Path) -> None:
    text = (ROOT / "producer" / "backfill_historical.py").read_text()
    assert "MONTHS_TO_BACKFILL = 12 " in text
    assert "EVENTS_PER_HOUR = 5 " in text
    edited = edited_backfill(tmp_path, MONTHS_TO_BACKFILL=1)
    days = days_sent_by(edited, RETAIL_TIMEZONE=ZONE)
    assert days == [d for back in range(30, 0, -1) if is_open(d := day(back))]
    dated = tmp_path / "dated.py"
    dated.write_text(
        text.replace(
            "start_date: date | str | None = None", "start_date = datetime(2024, 1, 1)"
        ).replace("end_date: date | str | None = None", 'end_date = "2024-01-03"')
    )
    assert days_sent_by(dated) == ["2024-01-01", "2024-01-02", "2024-01-03"]
    until = tmp_path / "until.py"
    until.write_text(
        text.replace("MONTHS_TO_BACKFILL = 12", "MONTHS_TO_BACKFILL = 1").replace(
            "end_date: date | str | None = None", "end_date = datetime(2024, 1, 31)"
        )
    )
    found = days_sent_by(until)
    assert (found[0], found[-1], len(found)) == ("2024-01-02", "2024-01-31", 30)
    fewer = edited_backfill(
        tmp_path, start_date="2024-01-02", end_date="2024-01-31", EVENTS_PER_HOUR=2
    )
    assert 0.6 < len(events_sent_by(fewer)) / (30 * 24 * 2) < 1.6


def is_open(of_day: str) -> bool:
    """Whether shops open on a day, which they do not at Christmas: then nothing is sent."""
    return not of_day.endswith("-12-25")


def days_sent_by(backfill: Path, **more: str) -> list[str]:
    """The days of which the script sends events, in order."""
    return sorted({event["event_time"][:10] for event in events_sent_by(backfill, **more)})


def events_sent_by(backfill: Path, **more: str) -> list[dict[str, Any]]:
    """What the script sends; it runs in its folder."""
    run = script(str(backfill), "--to", "jsonl:-", cwd=backfill.parent, **more)
    out, said = run.communicate(timeout=600)
    assert run.returncode == 0, said
    return [json.loads(line) for line in out.splitlines()]


def edited_backfill(folder: Path, **constants: object) -> Path:
    """The script with other values of its constants."""
    text = (ROOT / "producer" / "backfill_historical.py").read_text()
    for name, value in constants.items():
        text, times = re.subn(rf"(?m)^{name}\b[^=]*=.*$", f"{name} = {value!r}", text)
        assert times == 1
    file = folder / "backfill_historical.py"
    file.write_text(text)
    return file


def test_the_backfill_script_ends_with_yesterday(tmp_path: Path) -> None:
    edited = edited_backfill(tmp_path, start_date=day(2))
    assert days_sent_by(edited, RETAIL_TIMEZONE=ZONE) == [d for d in (day(2), day(1)) if is_open(d)]


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"MONTHS_TO_BACKFILL": 0, "end_date": "2024-01-31"}, "MONTHS_TO_BACKFILL: 0 is not"),
        ({"MONTHS_TO_BACKFILL": -1, "end_date": "2024-01-31"}, "MONTHS_TO_BACKFILL: -1 is not"),
        ({"MONTHS_TO_BACKFILL": 0.5}, "MONTHS_TO_BACKFILL: 0.5 is not allowed; give a whole"),
        ({"start_date": "5 January"}, "start_date: '5 January' is not a day; write datetime("),
        ({"end_date": 20240131}, "end_date: 20240131 is not a day; write datetime("),
    ],
)
def test_the_backfill_script_names_the_constant_that_is_wrong(
    tmp_path: Path, constants: dict[str, object], message: str
) -> None:
    run = script(str(edited_backfill(tmp_path, **constants)), "--to", "jsonl:-", cwd=tmp_path)
    out, said = run.communicate(timeout=600)
    assert (run.returncode, out) == (2, "")
    assert said.startswith(f"error: {message}")
    assert len(said.splitlines()) == 1


def test_a_database_gets_the_master_data_beside_the_events(
    config: RetailConfig, tmp_path: Path
) -> None:
    file = tmp_path / "events.db"
    generator = RealisticEventGenerator(config, to=f"sqlite:{file}")
    for _ in range(3):
        generator.generate_single_event()
    generator.close()
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT count(*) FROM stores").fetchone()[0] > 0
        assert database.execute("SELECT count(*) FROM products").fetchone()[0] > 0
