"""What a lake holds, table by table, as data for whoever shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.lake.read import Contents, Held
from retail_datagen.partitions.layout import INGEST


@dataclass(frozen=True, slots=True)
class Gap:
    """Days that a table has no partition for, both included."""

    first: str
    last: str
    days: int


@dataclass(frozen=True, slots=True)
class TableListing:
    """A table's partitions: how many, from which value to which, and what is between missing.

    `unfinished` are folders without a manifest, `damaged` manifests that cannot be read.
    """

    table: str
    by: str
    partitions: int
    first: str
    last: str
    rows: int
    bytes: int
    gaps: tuple[Gap, ...]
    unfinished: int
    damaged: int


def list_tables(contents: Contents) -> tuple[TableListing, ...]:
    """One listing for each table of the lake, in the order of their names."""
    unfinished = Counter(held.partition.table for held in contents.unfinished)
    tables = contents.by_table()
    listed = [_listing(name, held, unfinished.pop(name, 0)) for name, held in tables.items()]
    listed += [
        TableListing(name, "", 0, "", "", 0, 0, (), count, 0) for name, count in unfinished.items()
    ]
    return tuple(sorted(listed, key=lambda listing: listing.table))


def _listing(table: str, held: Sequence[Held], unfinished: int) -> TableListing:
    manifests = [h.manifest for h in held if h.manifest]
    values = sorted(h.partition.value for h in held)
    by = held[0].partition.by
    return TableListing(
        table,
        by,
        len(held),
        values[0],
        values[-1],
        sum(manifest.total_rows for manifest in manifests),
        sum(manifest.total_bytes for manifest in manifests),
        gaps(values) if by == INGEST else (),
        unfinished,
        len(held) - len(manifests),
    )


def gaps(dates: Sequence[str]) -> tuple[Gap, ...]:
    """The runs of days that are missing between ISO dates, which ascend; other texts are none."""
    days = [to_day(day) for text in dates if (day := _date(text))]
    return tuple(
        Gap(to_date(day + 1).isoformat(), to_date(after - 1).isoformat(), after - day - 1)
        for day, after in pairwise(days)
        if after - day > 1
    )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
