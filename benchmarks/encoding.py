"""The encode floor: CPU of the whole job, set against CPU of writing alone."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import floor as parts
from benchmarks.lab import Lab
from benchmarks.result import Check, Section


@dataclass(frozen=True, slots=True)
class _Format:
    """A file format: how we write it, how pyarrow does, and what the job may cost beside that."""

    name: str
    title: str
    ours: str
    default: str
    bound: float
    aim: float
    note: str


_PARQUET = _Format(
    "parquet",
    "Parquet: the whole job and writing alone",
    parts.PARQUET,
    parts.PARQUET_DEFAULT,
    2.0,
    1.5,
    "pyarrow's defaults are `pq.write_table(table, path)`.",
)
_CSV = _Format(
    "csv",
    "CSV: the whole job and writing alone",
    parts.CSV,
    parts.CSV_DEFAULT,
    1.6,
    1.3,
    "pyarrow's defaults are `csv.write_csv(table, path)`, with categories and money cast to what "
    "it can write beforehand, which is not counted.",
)


def parquet(lab: Lab) -> Section:
    return _section(lab, _PARQUET)


def csv(lab: Lab) -> Section:
    return _section(lab, _CSV)


def _section(lab: Lab, kind: _Format) -> Section:
    retailer, days = lab.plan.large, lab.plan.month
    job = lab.job(retailer, days, kind.name, 1)
    floor, on_a_par = lab.floor(retailer, days, kind.ours), lab.floor(retailer, days, parts.ALL)
    least = floor.seconds(kind.ours)
    ours, default = on_a_par.seconds(kind.ours), on_a_par.seconds(kind.default)
    small, large = on_a_par.bytes(kind.ours), on_a_par.bytes(kind.default)
    rows = [
        (
            name,
            f"{table.rows:,}",
            _per_row(table.render_seconds, table.rows, 1e9),
            _per_row(table.seconds[kind.ours], table.rows, 1e9),
            _per_row(other.seconds[kind.ours], table.rows, 1e9),
            _per_row(other.seconds[kind.default], table.rows, 1e9),
            _per_row(other.bytes[kind.ours], table.rows),
            _per_row(other.bytes[kind.default], table.rows),
        )
        for (name, table), other in zip(floor.tables.items(), on_a_par.tables.values(), strict=True)
    ]
    total = floor.rows()
    rows.append(
        (
            "all",
            f"{total:,}",
            _per_row(floor.render_seconds(), total, 1e9),
            _per_row(least, total, 1e9),
            _per_row(ours, total, 1e9),
            _per_row(default, total, 1e9),
            _per_row(small, total),
            _per_row(large, total),
        )
    )
    about = (
        f"{retailer}, {days.days} days from {days.first}, all tables. The job is "
        f"`retail-datagen generate --format {kind.name} --workers 1` as a process of its own, from "
        "the start of Python to its end, with planning, checksums and journal: "
        f"{job.usage.cpu_seconds:.1f} CPU-s. Writing alone is the same tables, already in memory, "
        f"written with the job's settings to files that stay: {least:.1f} CPU-s. Settings are "
        f"compared on files that are removed at once. {kind.note} Beside writing: opening "
        f"the retailer {floor.open_seconds:.1f}, planning {floor.plan_seconds:.1f}, rendering "
        f"{floor.render_seconds():.1f} CPU-s."
    )
    columns = ("table", "rows", "render ns/row", "write ns/row", "our settings", "by default")
    return Section(
        kind.name,
        kind.title,
        about,
        (*columns, "bytes/row", "by default"),
        rows,
        [
            Check(
                "CPU of the job ÷ CPU of writing alone",
                job.usage.cpu_seconds / least,
                kind.bound,
                aim=kind.aim,
            ),
            Check("our writing ÷ pyarrow's defaults, CPU", ours / default, 1.0),
            Check("our files ÷ pyarrow's defaults, bytes", small / large, 1.0),
        ],
    )


def _per_row(amount: float, rows: int, scale: float = 1.0) -> str:
    return f"{amount * scale / rows:.1f}" if rows else "-"
