"""What `retail-datagen backlog` prints: what it would make, and what it made."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from retail_datagen.cli.console import console, figures
from retail_datagen.core.calendar import to_date
from retail_datagen.engine.estimate import Estimate, estimate_job
from retail_datagen.lake.backlog import Backlog, lake_request
from retail_datagen.lake.events import LakeSummary
from retail_datagen.lake.publish import cut


def print_plan(wanted: Backlog, as_json: bool, quiet: bool) -> None:
    """Chunks, partitions, and what they would come to; nothing is written."""
    estimate = _estimate(wanted)
    chunks = cut(wanted.first_day, wanted.last_day, wanted.chunk_days)
    if as_json:
        spans = [[_day(c.first_day), _day(c.last_day)] for c in chunks]
        print(json.dumps({"url": wanted.url, "chunks": spans, **asdict(estimate)}, indent=2))
        return
    if quiet:
        return
    shown = figures("table", "rows", "MB")
    for name, size in [*estimate.tables.items(), ("all", estimate.total)]:
        shown.add_row(name, f"~{size.rows:,}", f"~{size.bytes / 1e6:,.0f}")
    out = console()
    out.print(shown)
    last = chunks[-1]
    out.print(
        f"{len(chunks)} chunks of {wanted.chunk_days} days, the last of "
        f"{last.last_day - last.first_day + 1} ({_day(last.first_day)} to {_day(last.last_day)}); "
        f"{estimate.partitions:,} partitions by ingest_dt in {wanted.url}, in about "
        f"{max(estimate.seconds, 1):,.0f} s; nothing was written",
        soft_wrap=True,
    )


def print_summary(summary: LakeSummary, as_json: bool, quiet: bool) -> None:
    """Rows by table, and what the job came to."""
    if as_json:
        print(json.dumps(asdict(summary), indent=2))
        return
    if quiet:
        return
    shown = figures("table", "rows")
    for name, rows in summary.job.rows.items():
        shown.add_row(name, f"{rows:,}")
    out = console()
    out.print(shown)
    out.print(
        f"{summary.total_rows:,} rows in {summary.total_partitions:,} partitions, "
        f"{summary.total_bytes / 1e9:,.2f} GB, in {summary.url}: {summary.chunks} chunks, "
        f"{summary.published_partitions:,} partitions published in {summary.seconds:.1f} s",
        soft_wrap=True,
    )


def _estimate(wanted: Backlog) -> Estimate:
    """What all of it comes to; master data that is not there yet is built where it is removed."""
    with tempfile.TemporaryDirectory(prefix="retail-datagen-") as name:
        folder = Path(name)
        if not any(wanted.config.paths.master.glob("*.csv")):
            paths = wanted.config.paths.model_copy(update={"master": folder / "master"})
            config = wanted.config.model_copy(update={"paths": paths})
            wanted = replace(wanted, config=config)
        request = lake_request(wanted).engine_request(f"file:{folder / 'none'}?format=parquet")
        return estimate_job(replace(request, facts=folder))


def _day(day: int) -> str:
    return to_date(day).isoformat()
