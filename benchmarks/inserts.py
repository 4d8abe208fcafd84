"""How fast rows get into ClickHouse, against inserting the same Arrow tables from memory.

A program of its own, as the embedded ClickHouse is one for a process. It renders one day, then
inserts it in turn by the sink, which stamps rows, hashes them and keeps what they make of its
progress, and barely: the same columns, stamped beforehand, table by table.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from benchmarks.lab import Lab
from benchmarks.result import Check, Section
from retail_datagen.config.models import RetailConfig
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.planning import PlanWalk
from retail_datagen.engine.retail import RetailSource
from retail_datagen.schema.sql import create_merge_tree
from retail_datagen.schema.stamps import stamp
from retail_datagen.schema.table import Table
from retail_datagen.sinks.clickhouse import ClickHouseSink
from retail_datagen.sinks.clickhouse_client import ClickHouse, plain_columns
from retail_datagen.sinks.staging import stored_rows

_LEAST, _BARE = 0.7, "bare"


@dataclass
class Inserts:
    """One day's rows, and seconds to insert them: the least of several runs, wall and processor."""

    rows: int
    sink_wall: float
    sink_cpu: float
    bare_wall: float
    bare_cpu: float


def inserts(lab: Lab) -> Section:
    answer = lab.inserts(lab.plan.large)
    figures = Inserts(**json.loads(answer))
    ways = {
        "bare: the same columns from memory": (figures.bare_wall, figures.bare_cpu),
        "the sink": (figures.sink_wall, figures.sink_cpu),
    }
    return Section(
        "inserts",
        "Into ClickHouse",
        f"{lab.plan.large}, all tables of one day into the embedded ClickHouse, {figures.rows:,} "
        "rows. The sink also stamps rows with their identifiers and instants, hashes them, and "
        "writes what makes each be there once; the bare loop is given them stamped.",
        ("way", "rows/s", "wall s", "CPU-s"),
        [
            (way, f"{figures.rows / wall:,.0f}", f"{wall:.2f}", f"{cpu:.2f}")
            for way, (wall, cpu) in ways.items()
        ],
        [
            Check(
                "the sink's rows/s ÷ the bare loop's",
                figures.bare_wall / figures.sink_wall,
                _LEAST,
                at_least=True,
            )
        ],
    )


def measure(config: Path, first: date, runs: int, folder: Path) -> Inserts:
    """Insert the tables of a day in both ways, in turn, into a database below `folder`.

    Of `runs` runs the first fills memory and caches and does not count.
    """
    day = to_day(first)
    retailer = RetailSource(RetailConfig.from_file(config)).open()
    store = JobStore(folder / "job")
    PlanWalk(store, retailer, day, range(day, day + 1)).step()
    render = retailer.render(day, lambda day: retailer.read_plan(store.plans.read(day)))
    tables = [(rendered.table, render(name, day)) for name, rendered in retailer.tables.items()]
    clickhouse = ClickHouse.of(f"chdb:{folder / 'retail.chdb'}")
    sink = ClickHouseSink(clickhouse, "facts", "UTC")
    sink.recover(())
    bare = _prepared(clickhouse, tables, day)
    seconds: dict[str, list[tuple[float, float]]] = {"sink": [], _BARE: []}
    for run in range(runs):
        seconds[_BARE].append(_timed(lambda: _insert_barely(clickhouse, bare)))
        seconds["sink"].append(_timed(lambda: _insert(sink, tables, day + run)))  # noqa: B023
    clickhouse.close()
    counted = {way: found[1:] for way, found in seconds.items()}
    return Inserts(
        sum(data.num_rows for _, data in tables),
        *(min(found[part] for found in counted[way]) for way in ("sink", _BARE) for part in (0, 1)),
    )


def _prepared(
    clickhouse: ClickHouse, tables: list[tuple[Table, pa.Table]], day: int
) -> list[tuple[str, pa.Table]]:
    """Tables of their own for the bare loop, and their rows as the engine takes them fastest."""
    clickhouse.run(f"CREATE DATABASE {_BARE}")
    ready = []
    for table, data in tables:
        clickhouse.run(create_merge_tree(table, True, _BARE))
        ready.append((table.name, plain_columns(stored_rows(stamp(table, day, 0, data, "UTC")))))
    return ready


def _insert_barely(clickhouse: ClickHouse, tables: list[tuple[str, pa.Table]]) -> None:
    for name, rows in tables:
        clickhouse.insert(name, rows, database=_BARE)


def _insert(sink: ClickHouseSink, tables: list[tuple[Table, pa.Table]], day: int) -> None:
    for table, data in tables:
        sink.write_partition(table, day, data)
    sink.commit()


def _timed(work: object) -> tuple[float, float]:
    """(wall, processor) seconds of a call."""
    assert callable(work)
    wall, processor = time.monotonic(), time.process_time()
    work()
    return time.monotonic() - wall, time.process_time() - processor


if __name__ == "__main__":
    config, first, runs, folder, answer = sys.argv[1:]
    measured = measure(Path(config), date.fromisoformat(first), int(runs), Path(folder))
    Path(answer).write_text(json.dumps(asdict(measured)), encoding="utf-8")
