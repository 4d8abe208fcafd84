"""How commands that run jobs end: what they say of what was done, and when they were stopped."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import typer

from retail_datagen.cli.console import console, figures
from retail_datagen.core.calendar import to_date
from retail_datagen.engine.events import JobSummary
from retail_datagen.engine.stop import JobStopped, stop_on_signals
from retail_datagen.sinks.jsonl import STDOUT


@contextmanager
def told_when_stopped(quiet: bool) -> Iterator[None]:
    """Say how to go on after Ctrl-C or SIGTERM, and leave with 130 or 143."""
    try:
        with stop_on_signals():
            yield
    except JobStopped as stop:
        if not quiet:
            typer.echo(f"stopped: {_how_far(stop)}", err=True)
        raise typer.Exit(stop.exit_code) from None


def _how_far(stop: JobStopped) -> str:
    """What is there, and what the same command would do."""
    if not stop.partitions:
        return "nothing was written yet; run the same command again to go on"
    whole = f"{stop.finished:,} of {partitions_in_words(stop.partitions)} are whole"
    if not stop.goes_on:
        return f"{whole}; the target does not remember them: the same command begins anew"
    return f"{whole} and kept; run the same command again to go on"


def print_summary(summary: JobSummary, target: str, quiet: bool, as_json: bool) -> None:
    """Rows of each table and the whole, as a table or as JSON."""
    # Rows that go to the standard output must not get mixed with words.
    out = sys.stderr if target == STDOUT else sys.stdout
    if as_json:
        days = {
            "first_day": to_date(summary.first_day).isoformat(),
            "last_day": to_date(summary.last_day).isoformat(),
            "history_start": to_date(summary.history_start).isoformat(),
        }
        print(json.dumps({**asdict(summary), **days}, indent=2), file=out)
        return
    if quiet:
        return
    table = figures("table", "rows")
    for name, rows in summary.rows.items():
        table.add_row(name, f"{rows:,}")
    shown = console(out)
    shown.print(table)
    kept = f", {summary.partitions_kept:,} kept" if summary.partitions_kept else ""
    written = partitions_in_words(summary.partitions_written)
    shown.print(
        f"{summary.total_records:,} records in {target}: {written} "
        f"written{kept}, {size_in_words(summary.bytes)}; {summary.generation_time_seconds:.1f} s, "
        f"{summary.records_per_second:,.0f} records/s",
        soft_wrap=True,
    )


def partitions_in_words(number: int) -> str:
    return counted(number, "partition")


def counted(number: int, thing: str) -> str:
    """`1 partition`, `1,234 partitions`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def size_in_words(size: float) -> str:
    """`1.4 GB`."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
