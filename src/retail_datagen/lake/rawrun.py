"""A range of days as CSV, a file a table, in a folder of its own: what `export-raw` takes.

raw_run_20240101T120000Z/orders.csv … and _RUN.json, which says what it is of
raw_history/                          plans: each run goes on with the identifiers of the last
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import pyarrow as pa

from retail_datagen.config.errors import UserError
from retail_datagen.core.calendar import day_of, to_date
from retail_datagen.core.files import atomic_file, damage, write_atomic
from retail_datagen.engine.events import Event, PartitionKept, PartitionWritten
from retail_datagen.engine.job import run_job
from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.request import open_retailer
from retail_datagen.engine.source import Retailer
from retail_datagen.lake.backlog import Backlog, lake_request
from retail_datagen.lake.catalog import config_hash
from retail_datagen.lake.declared import known_tables
from retail_datagen.lake.dimensions import Dimension
from retail_datagen.lake.ledger import PlannedIds
from retail_datagen.lake.local import OpenedSource
from retail_datagen.lake.state import write_id_state
from retail_datagen.schema.csv import write_csv
from retail_datagen.sinks import PartitionRecord

ABOUT = "_RUN.json"
HISTORY = "raw_history"


@dataclass(frozen=True, slots=True)
class About:
    """What a run is of. Days count from 1970-01-01, both included."""

    generator_version: str
    config_hash: str
    messiness_level: str
    first_day: int
    last_day: int

    def to_json(self) -> bytes:
        days = {name: to_date(getattr(self, name)).isoformat() for name in _DAYS}
        return (json.dumps({**asdict(self), **days}, indent=2) + "\n").encode()

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """None for a run of another's. Raises UserError for a damaged one."""
        path = folder / ABOUT
        try:
            raw = json.loads(path.read_bytes())
            first, last = (day_of(name, str(raw[name])) for name in _DAYS)
            names = ("generator_version", "config_hash", "messiness_level")
            version, config, level = (str(raw[name]) for name in names)
            return cls(version, config, level, first, last)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, UserError) as error:
            raise UserError(f"{path} is damaged ({damage(error)}); make the run again") from error


_DAYS = ("first_day", "last_day")


def write_run(backlog: Backlog, with_lookups: bool) -> tuple[Path, dict[str, int]]:
    """Write the days of a backlog as a run under its artifacts: its folder, and rows by table.

    The history begins with the first day of the first run there; days between two runs are
    planned, so that identifiers have no gap. `with_lookups`, customers and products are written,
    too. Raises UserError, JobStopped, and OSError where a run cannot be put together.
    """
    request = lake_request(backlog)
    history = backlog.artifacts / HISTORY
    asked = replace(request.engine_request(str(history)), format="csv", overwrite=backlog.overwrite)
    retailer = open_retailer(asked)
    records: list[PartitionRecord] = []

    def listen(event: Event) -> None:
        if isinstance(event, PartitionWritten | PartitionKept):
            records.append(event.record)

    made = run_job(replace(asked, source=OpenedSource(asked.source, retailer)), [listen])
    about = About(
        retailer.identity.version,
        config_hash(retailer.identity),
        backlog.mess.level,
        backlog.first_day,
        backlog.last_day,
    )
    folder = _new_folder(backlog.artifacts)
    waiting = folder.with_name(f".{folder.name}.tmp")
    try:
        rows = _write_facts(waiting, history, records)
        if with_lookups:
            rows |= _write_lookups(
                waiting, replace(backlog, first_day=made.history_start), retailer
            )
        write_atomic(waiting / ABOUT, about.to_json())
        waiting.rename(folder)
    except BaseException:
        shutil.rmtree(waiting, ignore_errors=True)
        raise
    for record in records:
        shutil.rmtree((history / record.path).parent, ignore_errors=True)
    if backlog.id_state_file and request.ids_after:
        store = JobStore(history / "_job")
        ids = PlannedIds(store, retailer, made.history_start, request.ids_after)
        write_id_state(backlog.id_state_file, ids.found(backlog.last_day))
    return folder, rows


def _new_folder(artifacts: Path) -> Path:
    """`raw_run_` and the time, in UTC; names are a second apart."""
    while (folder := artifacts / f"raw_run_{datetime.now(UTC):%Y%m%dT%H%M%SZ}").exists():
        time.sleep(0.1)
    return folder


def _write_facts(folder: Path, history: Path, records: Iterable[PartitionRecord]) -> dict[str, int]:
    """Each table's days, one after the other, below one header."""
    tables: dict[str, list[PartitionRecord]] = {}
    for record in sorted(records, key=lambda r: (r.table, r.day)):
        tables.setdefault(record.table, []).append(record)
    for name, days in tables.items():
        with atomic_file(folder / f"{name}.csv") as file:
            for number, record in enumerate(days):
                with (history / record.path).open("rb") as day:
                    if number:
                        day.readline()
                    shutil.copyfileobj(day, file)
    return {name: sum(record.rows for record in days) for name, days in tables.items()}


def _write_lookups(folder: Path, backlog: Backlog, retailer: Retailer) -> dict[str, int]:
    dimensions = lake_request(backlog).dimensions
    rows = {}
    for dimension in dimensions(retailer) if dimensions else ():
        data = _whole(dimension)
        name = dimension.table.name
        with atomic_file(folder / f"{name}.csv") as file:
            write_csv(known_tables()[name], data, file)
        rows[name] = data.num_rows
    return rows


def _whole(dimension: Dimension) -> pa.Table:
    """A dimension table by its key, with the column that it is cut by in its place, as text."""
    table = known_tables()[dimension.table.name]
    parts = []
    for value in dimension.values:
        rows = dimension.render(value)
        parts.append(rows.append_column(dimension.by, pa.array([value] * len(rows), pa.string())))
    whole = pa.concat_tables(parts).unify_dictionaries().select(table.header)
    return whole.sort_by(table.key[0])
