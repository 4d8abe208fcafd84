"""CPU time of a job's parts, one by one: planning, rendering, and writing what is in memory.

A program of its own, so that nothing else is in its memory: it plans and renders a range of days
with the job's own code and writes each table from memory. Either in one way, and the files stay, as
the job's do: memory that was never written to is several times slower than that of a file just
removed. Or in all ways, ours and pyarrow's, each file removed at once, so that they are on a par.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from retail_datagen.config.models import RetailConfig
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.planning import PlanWalk
from retail_datagen.engine.retail import RetailSource
from retail_datagen.schema.csv import write_csv
from retail_datagen.schema.parquet import write_parquet
from retail_datagen.schema.table import Table

PARQUET, PARQUET_DEFAULT = "parquet", "parquet by default"
CSV, CSV_PYARROW, CSV_DEFAULT = "csv", "csv by pyarrow", "csv by default"
WAYS = (PARQUET, PARQUET_DEFAULT, CSV, CSV_PYARROW, CSV_DEFAULT)
ALL = "all"
_OUR_CSV = pacsv.WriteOptions(batch_size=16_384, quoting_style="none", quoting_header="none")


@dataclass
class TableFigures:
    """Sums over the days: rows, CPU seconds to render, and CPU seconds and bytes to write."""

    rows: int = 0
    render_seconds: float = 0.0
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(WAYS, 0.0))
    bytes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WAYS, 0))


@dataclass
class Floor:
    """What the parts of a job cost, in CPU seconds, over a range of days."""

    open_seconds: float
    plan_seconds: float
    plan_bytes: int
    tables: dict[str, TableFigures]

    def rows(self) -> int:
        return sum(t.rows for t in self.tables.values())

    def seconds(self, way: str) -> float:
        return sum(t.seconds[way] for t in self.tables.values())

    def bytes(self, way: str) -> int:
        return sum(t.bytes[way] for t in self.tables.values())

    def render_seconds(self) -> float:
        return sum(t.render_seconds for t in self.tables.values())

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Floor:
        raw = json.loads(text)
        tables = {name: TableFigures(**figures) for name, figures in raw.pop("tables").items()}
        return cls(**raw, tables=tables)


def measure(config: Path, first: date, days: int, way: str) -> Floor:
    """Measure each part over `days` days from `first` on, writing in one of `WAYS`, or `ALL`.

    The order of all ways alternates by day.
    """
    began = time.process_time()
    retailer = RetailSource(RetailConfig.from_file(config)).open()
    floor = Floor(time.process_time() - began, 0.0, 0, {})
    start = to_day(first)
    wanted = range(start, start + days)
    with tempfile.TemporaryDirectory(prefix="retail-datagen-") as name:
        folder = Path(name)
        store = JobStore(folder / "job")
        began = time.process_time()
        walk = PlanWalk(store, retailer, start, wanted)
        render = retailer.render(start, lambda day: retailer.read_plan(store.plans.read(day)))
        for day in wanted:
            if day != start:
                began = time.process_time()
            walk.step()
            floor.plan_seconds += time.process_time() - began
            for table, rendered in retailer.tables.items():
                figures = floor.tables.setdefault(table, TableFigures())
                began = time.process_time()
                data = render(table, day)
                figures.render_seconds += time.process_time() - began
                figures.rows += data.num_rows
                if way == ALL:
                    _compare(figures, rendered.table, data, folder, reverse=day % 2 == 1)
                else:
                    _write(figures, way, rendered.table, data, folder / f"{table} {day}")
        floor.plan_bytes = sum(p.stat().st_size for p in (folder / "job").rglob("*.bin"))
    return floor


def _compare(
    figures: TableFigures, table: Table, data: pa.Table, folder: Path, *, reverse: bool
) -> None:
    """Write in all ways, each over the file of the one before."""
    for way in reversed(WAYS) if reverse else WAYS:
        path = folder / "written"
        _write(figures, way, table, data, path)
        path.unlink()


def _write(figures: TableFigures, way: str, table: Table, data: pa.Table, path: Path) -> None:
    plain = _without_categories(data) if way in (CSV_PYARROW, CSV_DEFAULT) else data
    began = time.process_time()
    match way:
        case "parquet":
            write_parquet(table, data, path)
        case "csv":
            write_csv(table, data, path)
        case "parquet by default":
            pq.write_table(data, path)
        case "csv by pyarrow":
            pacsv.write_csv(plain, path, _OUR_CSV)
        case _:
            pacsv.write_csv(plain, path)
    figures.seconds[way] += time.process_time() - began
    figures.bytes[way] += path.stat().st_size


def _without_categories(data: pa.Table) -> pa.Table:
    """`data` as pyarrow's CSV writer takes it: it knows neither dictionaries nor decimal64."""
    columns = []
    for column in data.columns:
        if pa.types.is_dictionary(column.type):
            column = column.cast(pa.string())
        elif pa.types.is_decimal64(column.type):
            column = column.cast(pa.decimal128(column.type.precision, column.type.scale))
        columns.append(column)
    return pa.table(columns, names=data.column_names)


if __name__ == "__main__":
    config, first, days, way, answer = sys.argv[1:]
    measured = measure(Path(config), date.fromisoformat(first), int(days), way)
    Path(answer).write_text(measured.to_json(), encoding="utf-8")
