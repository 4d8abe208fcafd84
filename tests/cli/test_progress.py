"""Progress: what is counted, what is shown, and how seldom."""

from __future__ import annotations

import io
import re
from datetime import date
from itertools import pairwise

import pytest
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


def test_a_line_says_what_is_left_days_tables_rows_and_pace() -> None:
    tally = Tally()
    tally.add(STARTED, 100.0)
    assert tally.line(100.0, 80) == "days 0/10 · tables 0/2"
    tally.add(DayPlanned(DAY + 2), 101.0)
    assert tally.line(101.0, 80) == "days 0/10 · tables 0/2 · planned to 2024-01-03"
    tally.add(PartitionKept(written().record), 101.0)
    tally.add(written(500, "returns"), 110.0)
    for day in (1, 2, 3):
        tally.add(written(500, day=DAY + day), 110.0)
    assert tally.line(110.0, 80) == ("ETA 0:38 · days 1/10 · tables 0/2 · 2,000 rows · 200 rows/s")
    assert tally.seconds_left(1100.0) == 3750
    assert tally.line(1100.0, 80).startswith("ETA 1:02:30 · ")
    assert tally.line(110.0, 50) == "ETA 0:38 · days 1/10 · tables 0/2 · 2,000 rows"
    assert tally.line(110.0, 5) == "ETA 0:38"


def test_days_and_tables_count_when_they_are_whole() -> None:
    tally = Tally()
    tally.add(STARTED, 0.0)
    for day in range(9):
        assert (tally.days_done, tally.tables_done) == (day, 0)
        tally.add(written(day=DAY + day), 1.0)
        tally.add(PartitionKept(written(table="returns", day=DAY + day).record), 1.0)
    tally.add(written(day=DAY + 9), 1.0)
    assert "days 9/10 · tables 1/2" in tally.line(1.0, 80)
    tally.add(written(table="returns", day=DAY + 9), 1.0)
    assert "days 10/10 · tables 2/2" in tally.line(1.0, 80)
    assert not tally.tables_of


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


def shown(width: int, started: JobStarted, rows: int) -> list[str]:
    """What the bar shows of a job, one update after the other."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system=None, width=width)
    last = started.last_day + 1
    events: list[Event] = [started, DayPlanned(DAY)]
    for day in range(DAY, last):
        events += [written(rows, name, day) for name in started.tables]
    events.append(FINISHED)
    with ProgressBar(console) as bar:
        for event in events:
            bar(event)
    return re.split(r"[\r\n]+", re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", out.getvalue()))


def test_the_bar_shows_and_vanishes() -> None:
    lines = shown(120, STARTED, 100)
    assert any(line.startswith("opening") for line in lines)
    assert any(line.startswith("planning") for line in lines)
    assert any("days 10/10 · tables 2/2 · 2,000 rows" in line for line in lines)


@pytest.mark.parametrize("width", [60, 80, 132])
def test_what_is_left_is_never_cut_off(width: int) -> None:
    tables = tuple(f"table_{number}" for number in range(14))
    year = JobStarted("data/facts", tables, DAY, DAY + 364, 365 * 14, 365, 2)
    lines = [line.rstrip() for line in shown(width, year, 20_000_000)]
    assert all(len(line) <= width and "…" not in line for line in lines)
    last = next(line for line in reversed(lines) if "generating" in line)
    assert "ETA 0:00 · days 365/365" in last
    assert "tables 14/14" in last
