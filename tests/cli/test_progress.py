"""Progress: what is counted, what is shown, and how seldom."""

from __future__ import annotations

import io
from datetime import date
from itertools import pairwise

from rich.console import Console

from retail_datagen.cli.progress import ProgressBar, Tally, Throttled
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.events import (
    DayPlanned,
    Event,
    JobFinished,
    JobStarted,
    JobSummary,
    PartitionKept,
    PartitionWritten,
)
from retail_datagen.sinks import PartitionRecord

DAY = to_day(date(2024, 1, 1))
STARTED = JobStarted("data/facts", ("receipts", "returns"), DAY, DAY + 9, 20, 10, 2)
FINISHED = JobFinished(JobSummary("x", DAY, DAY, DAY, 0, 0, 1.0, {}, 0, 0, 0, 0, 1))


def written(rows: int = 100, table: str = "receipts", day: int = DAY) -> PartitionWritten:
    return PartitionWritten(PartitionRecord(table, day, "", rows, 1, ""))


def test_a_line_says_tables_rows_pace_and_what_is_left() -> None:
    tally = Tally()
    tally.add(STARTED, 100.0)
    assert tally.line(100.0) == "tables 0/2 · partitions 0/20"
    tally.add(DayPlanned(DAY + 2), 101.0)
    assert tally.line(101.0) == "tables 0/2 · partitions 0/20 · planned to 2024-01-03"
    tally.add(PartitionKept(written().record), 101.0)
    for _ in range(4):
        tally.add(written(500), 110.0)
    assert tally.line(110.0) == (
        "tables 0/2 · partitions 5/20 · 2,000 rows · 200 rows/s · ETA 0:38"
    )
    assert tally.seconds_left(1100.0) == 3750
    assert tally.line(1100.0).endswith("ETA 1:02:30")


def test_a_table_counts_when_all_its_days_are_done() -> None:
    tally = Tally()
    tally.add(STARTED, 0.0)
    for day in range(9):
        tally.add(written(day=DAY + day), 1.0)
        tally.add(PartitionKept(written(table="returns", day=DAY + day).record), 1.0)
    assert tally.tables_done == 0
    tally.add(written(day=DAY + 9), 1.0)
    assert tally.line(1.0).startswith("tables 1/2 · partitions 19/20")
    tally.add(written(table="returns", day=DAY + 9), 1.0)
    assert tally.line(1.0).startswith("tables 2/2 · partitions 20/20")


def test_updates_are_throttled_but_the_last_one_comes() -> None:
    now = 0.0
    shown: list[tuple[float, int]] = []
    listen = Throttled(lambda tally, at: shown.append((at, tally.done)), clock=lambda: now)
    listen(STARTED)
    for _ in range(1000):
        now += 0.001
        listen(written())
    listen(FINISHED)
    times = [at for at, _ in shown]
    assert 10 <= len(shown) <= 12
    assert all(later - earlier > 0.0999 for earlier, later in pairwise(times[:-1]))
    assert shown[-1] == (now, 1000)


def test_the_bar_shows_and_vanishes() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=100)
    events: list[Event] = [STARTED, DayPlanned(DAY)]
    for day in range(DAY, DAY + 10):
        events += [written(day=day), written(table="returns", day=day)]
    events.append(FINISHED)
    with ProgressBar(console) as bar:
        for event in events:
            bar(event)
    assert "opening" in out.getvalue()
    assert "planning" in out.getvalue()
    assert "tables 2/2 · partitions 20/20 · 2,000 rows" in out.getvalue()
