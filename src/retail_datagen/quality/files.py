"""The files of a history as they lie: partitions, journal, master data, and what is none."""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from retail_datagen import tables
from retail_datagen.config.errors import UserError
from retail_datagen.core.files import damage, sha256_of
from retail_datagen.schema import Column, Kind, Table
from retail_datagen.world.master import MASTER_TABLES, digest, file_of

FORMATS = ("csv", "parquet")
_DAY = re.compile(r"dt=(\d{4}-\d\d-\d\d)")


@dataclass(frozen=True, slots=True)
class Partition:
    """One day of one table. `name` is the path seen from the facts folder."""

    table: str
    day: date
    format: str
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Flaw:
    """A file that is wrong as a whole, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the journal: a partition as it was when it was finished."""

    name: str
    table: str
    day: date
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Origin:
    """What `_job/job.json` says. `settings` are the configuration's by dotted path."""

    history_start: date
    master: str
    settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class History:
    """What is on file. `journal` and `origin` are None where no job keeps any.

    `strangers` are files that are no partitions, `damaged` those of the job that cannot be read.
    """

    facts: Path
    master: Path | None
    partitions: tuple[Partition, ...]
    strangers: tuple[Flaw, ...]
    damaged: tuple[Flaw, ...]
    journal: tuple[Entry, ...] | None
    origin: Origin | None


def find_history(folder: Path, master: Path | None = None) -> History:
    """The history in `folder`, which holds the tables or a folder `facts` with them.

    Raises UserError when there is none, or when `master` has no master data.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder; name the one that holds the fact tables")
    names = set(tables.registry())
    places = (folder, folder / "facts")
    facts = next((p for p in places if any((p / name).is_dir() for name in names)), None)
    if facts is None:
        raise UserError(
            f"no facts in {folder}: it has none of the folders {', '.join(sorted(names))}; "
            "name the folder that holds them, or make a history with `retail-datagen generate`"
        )
    partitions, strangers = _walk(facts)
    if not partitions:
        raise UserError(f"no facts in {facts}: its tables have no day yet")
    damaged: list[Flaw] = []
    origin = None
    try:
        origin = _read_origin(facts / "_job" / "job.json")
    except (ValueError, KeyError, TypeError) as error:
        damaged.append(Flaw("_job/job.json", f"cannot be read: {damage(error)}"))
    return History(
        facts,
        _find_master(folder, facts, master),
        tuple(partitions),
        tuple(strangers),
        tuple(damaged),
        _read_journal(facts / "_job" / "partitions.jsonl"),
        origin,
    )


def _find_master(folder: Path, facts: Path, master: Path | None) -> Path | None:
    if master is not None:
        if not _has_master(master):
            raise UserError(f"--master: no master data in {master}; it has no stores.csv")
        return master
    places = (facts.resolve().parent / "master", folder / "master")
    return next((place for place in places if _has_master(place)), None)


def _has_master(folder: Path) -> bool:
    return any(file_of(folder, table).is_file() for table in MASTER_TABLES)


def _walk(facts: Path) -> tuple[list[Partition], list[Flaw]]:
    """Partitions, and files that are none; hidden ones and the job's own are passed over."""
    names = tables.registry()
    found: list[Partition] = []
    strangers: list[Flaw] = []
    for entry in _visible(facts):
        if entry.name.startswith("_job") or entry.name in ("master", "dictionaries"):
            continue
        if entry.name not in names:
            strangers.append(Flaw(entry.name, "is no fact table"))
            continue
        for day in _visible(Path(entry.path)):
            inside, others = _walk_day(facts, entry.name, Path(day.path))
            found += inside
            strangers += others
    return found, strangers


def _walk_day(facts: Path, table: str, folder: Path) -> tuple[list[Partition], list[Flaw]]:
    match = _DAY.fullmatch(folder.name)
    day = None
    with suppress(ValueError):
        day = date.fromisoformat(match[1]) if match else None
    if day is None or not folder.is_dir():
        return [], [Flaw(_name(facts, folder), "is no folder of a day, dt=YYYY-MM-DD")]
    found: list[Partition] = []
    strangers: list[Flaw] = []
    stem = f"{table}_{day:%Y%m%d}"
    for entry in _visible(folder):
        path = Path(entry.path)
        name = _name(facts, path)
        form = path.suffix[1:]
        if path.stem != stem or form not in FORMATS or not path.is_file():
            strangers.append(Flaw(name, f"is not {stem}.csv or {stem}.parquet"))
        elif found:
            strangers.append(Flaw(name, f"stands beside {found[0].path.name}"))
        else:
            found.append(Partition(table, day, form, name, path))
    return found, strangers


def _visible(folder: Path) -> list[os.DirEntry[str]]:
    if not folder.is_dir():
        return []
    entries = (e for e in os.scandir(folder) if not e.name.startswith("."))
    return sorted(entries, key=lambda e: e.name)


def _name(facts: Path, path: Path) -> str:
    return path.relative_to(facts).as_posix()


def _read_journal(path: Path) -> tuple[Entry, ...] | None:
    """The last line of each partition; None without a journal. Torn lines are left out."""
    if not path.is_file():
        return None
    found: dict[str, Entry] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        with suppress(ValueError, KeyError, TypeError):
            raw = json.loads(line)
            day = date.fromisoformat(raw["day"])
            entry = Entry(raw["path"], raw["table"], day, raw["rows"], raw["bytes"], raw["sha256"])
            found[entry.name] = entry
    return tuple(found.values())


def _read_origin(path: Path) -> Origin | None:
    """Raises ValueError, KeyError or TypeError when the file is there and damaged."""
    if not path.is_file():
        return None
    raw = json.loads(path.read_text(encoding="utf-8"))
    start = date.fromisoformat(raw["history_start"])
    return Origin(start, str(raw["master"]), dict(raw.get("settings", {})))


def master_digest(folder: Path) -> str:
    """The digest of master data as job.json records it; empty when files are missing."""
    try:
        return digest(folder)
    except OSError:
        return ""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a file is now; `rows` is None where only reading it all would tell."""

    bytes: int
    sha256: str
    rows: int | None


def stamp(partitions: tuple[Partition, ...]) -> list[Stamp]:
    """Size, digest and, for Parquet, rows of each partition, in their order."""
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return list(pool.map(_stamp, partitions))


def _stamp(partition: Partition) -> Stamp:
    rows = None
    if partition.format == "parquet":
        with suppress(pa.ArrowException, OSError):
            rows = pq.read_metadata(partition.path).num_rows
    return Stamp(partition.path.stat().st_size, sha256_of(partition.path), rows)


def flaw_of(partition: Partition) -> str:
    """Why the file cannot be read as its table is declared; empty when it can."""
    table = tables.registry()[partition.table].table
    try:
        return (
            _csv_flaw(partition, table)
            if partition.format == "csv"
            else _parquet_flaw(partition, table)
        )
    except (OSError, ValueError, pa.ArrowException) as error:
        return f"cannot be read: {str(error).splitlines()[0]}"


def _csv_flaw(partition: Partition, table: Table) -> str:
    with partition.path.open("rb") as file:
        first = file.readline(100_000).rstrip(b"\r\n")
        if not first:
            return "is empty"
        file.seek(-1, os.SEEK_END)
        end = file.read(1)
    if first != ",".join(table.header).encode():
        return f"has the header {first[:200].decode(errors='replace')!r}"
    return "" if end == b"\n" else "is cut off: its last line has no end"


def _parquet_flaw(partition: Partition, table: Table) -> str:
    schema = pq.read_schema(partition.path)
    if tuple(schema.names) != table.header:
        return f"has the columns {','.join(schema.names)}"
    for column in table.columns:
        kind = schema.field(column.name).type
        if not _holds(column, kind):
            return f"column {column.name} is {kind}, not {column.kind.value}"
    return ""


def _holds(column: Column, kind: pa.DataType) -> bool:
    """Whether an Arrow type, as Parquet gives it back, is what the column declares."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if column.kind in (Kind.TEXT, Kind.CATEGORY):
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
    if column.kind is Kind.TIMESTAMP:
        return bool(pa.types.is_timestamp(kind) and kind.tz is None)
    if column.kind is Kind.MONEY:
        return bool(pa.types.is_decimal(kind) and kind.scale == 2)
    return bool(kind == column.arrow_type)
