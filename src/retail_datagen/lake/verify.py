"""Checks a lake on what lies there alone: manifests, files, and keys and sums day by day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import numpy as np

from retail_datagen.core.ahead import ahead
from retail_datagen.core.calendar import I64, to_day
from retail_datagen.lake.checks import Index, Members, check_day
from retail_datagen.lake.columns import MISSING, Columns
from retail_datagen.lake.findings import REPAIRABLE, Findings, LakeReport, outcomes
from retail_datagen.lake.load import Loaded, load
from retail_datagen.lake.read import Contents, Held, Reader, no_lake, read_lake
from retail_datagen.lake.rules import SIGNUP, rulebook
from retail_datagen.lake.window import Past
from retail_datagen.objects.base import ObjectStore
from retail_datagen.partitions.layout import DEFAULT_VALUE, INGEST, Partition
from retail_datagen.schema.table import Table

_LOCAL_THREADS = 2
_REMOTE_THREADS = 12


@dataclass(frozen=True, slots=True)
class Expected:
    """What ought to be in a lake. Days since 1970-01-01, both included.

    `facts` are the tables that have every day, `dimensions` the partitions of the others.
    `mess` names switches of a mess (duplicates, late_arrivals …) that break rules on purpose.
    """

    first_day: int | None = None
    last_day: int | None = None
    facts: tuple[str, ...] = ()
    dimensions: tuple[Partition, ...] = ()
    mess: frozenset[str] = frozenset()

    def has(self, partition: Partition) -> bool:
        """Whether a partition is one of the lake's own.

        Of a table of dimensions whose partitions are not known yet, any may be.
        """
        if partition.table in self.facts:
            day = _day(partition)
            return (
                day is not None
                and (self.first_day is None or day >= self.first_day)
                and (self.last_day is None or day <= self.last_day)
            )
        known = [own for own in self.dimensions if own.table == partition.table]
        return partition in known or (not known and partition.by != INGEST)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a check is: partitions of all that there are."""

    doing: str
    done: int
    total: int


Listener = Callable[[Progress], None]


def verify_lake(
    store: ObjectStore,
    tables: Mapping[str, Table],
    expected: Expected | None = None,
    deep: bool = True,
    listeners: Iterable[Listener] = (),
) -> LakeReport:
    """Check all that is in a lake; without `deep`, only what manifests and the listing tell.

    `tables` are declarations by name. Raises UserError where there is no lake at all, so that
    nothing is not called clean, and StoreError where the store cannot be read.
    """
    listeners = tuple(listeners)
    _tell(listeners, Progress("listing", 0, 0))
    contents = read_lake(store)
    if expected is None and contents.is_empty:
        raise no_lake(store.url)
    expected = expected or Expected()
    findings = check_listing(contents, expected)
    if deep:
        with Reader(store) as reader:
            findings.merge(_Deep(contents, tables, reader, listeners).run())
    excused = outcomes(findings, deep, expected.mess)
    skipped = {outcome.check.name for outcome in excused if outcome.skipped}
    manifests = [held.manifest for held in contents.partitions if held.manifest]
    return LakeReport(
        store.url,
        deep,
        len(contents.partitions),
        sum(manifest.total_rows for manifest in manifests),
        sum(manifest.total_bytes for manifest in manifests),
        excused,
        tuple(v for v in findings.violations if v.check not in skipped),
        tuple(sorted(set(contents.by_table()) - set(tables))),
    )


def damaged_partitions(
    report: LakeReport, contents: Contents, expected: Expected
) -> tuple[Partition, ...]:
    """The partitions that are to be made again: those that a report finds damaged, and missing."""
    folders = {v.partition for v in report.violations if v.check in REPAIRABLE}
    found = {partition for folder in folders if (partition := Partition.parse(folder))}
    return tuple(sorted(found | set(missing_partitions(contents, expected))))


def missing_partitions(contents: Contents, expected: Expected) -> tuple[Partition, ...]:
    """The partitions that ought to be there and are not.

    Without first and last day, those between the first and the last that any table has.
    """
    there = {held.partition for held in contents.partitions}
    tables = {p.table for p in there if p.by == INGEST} | set(expected.facts)
    days = [day for p in there if p.by == INGEST and (day := _day(p)) is not None]
    first = min(days, default=0) if expected.first_day is None else expected.first_day
    last = max(days, default=-1) if expected.last_day is None else expected.last_day
    wanted = [Partition.of_day(t, day) for t in sorted(tables) for day in range(first, last + 1)]
    wanted += sorted(expected.dimensions)
    return tuple(partition for partition in wanted if partition not in there)


def check_listing(contents: Contents, expected: Expected) -> Findings:
    """What manifests and the listing tell, without reading a data file."""
    findings = Findings()
    hashes = Counter(h.manifest.stamp.config_hash for h in contents.partitions if h.manifest)
    usual = hashes.most_common(1)[0][0] if hashes else ""
    for held in contents.partitions:
        _check_held(held, usual, findings)
    for held in contents.unfinished:
        names = sorted(held.files)
        findings.look("strays", held.partition.folder, 1, int(bool(names)), ", ".join(names[:3]))
    missing = missing_partitions(contents, expected)
    for table, count in Counter(partition.table for partition in missing).items():
        example = next(p.folder for p in missing if p.table == table)
        findings.look("expected", table, 0, count, example)
    findings.look("expected", "", len(contents.partitions) + len(missing))
    return findings


def _check_held(held: Held, config_hash: str, findings: Findings) -> None:
    folder, manifest = held.partition.folder, held.manifest
    if manifest is None:
        findings.look("manifest", folder, 1, 1, held.problem)
        return
    other = manifest.partition != held.partition
    findings.look("manifest", folder, 1, int(other), f"is that of {manifest.partition.folder}")
    lacks = [file.path for file in manifest.files if file.path not in held.files]
    wrong = [
        f"{file.path} has {held.files[file.path]:,} bytes, not {file.bytes:,}"
        for file in manifest.files
        if file.path not in lacks and held.files[file.path] != file.bytes
    ]
    bad = [f"no {name}" for name in lacks] + wrong
    findings.look("files", folder, len(manifest.files), len(bad), ", ".join(bad[:1]))
    named = {file.path for file in manifest.files}
    strays = sorted(n for n in held.files if n not in named and not n.startswith(("_", ".")))
    findings.look("strays", folder, 1, len(strays), ", ".join(strays[:3]))
    findings.look("success", folder, 1, int(not held.success), "no _SUCCESS")
    found = manifest.stamp.config_hash
    findings.look("history", folder, 1, int(found != config_hash), f"config_hash {found}")


class _Deep:
    """Reads a lake: first the tables of no day, then the days in order, a few ahead."""

    def __init__(
        self,
        contents: Contents,
        tables: Mapping[str, Table],
        reader: Reader,
        listeners: tuple[Listener, ...],
    ) -> None:
        self._tables = tables
        self._reader = reader
        self._listeners = listeners
        self._total, self._done = len(contents.partitions), 0
        self._days: dict[int, list[Held]] = {}
        self._dimensions: list[Held] = []
        for held in contents.partitions:
            day = _day(held.partition)
            if day is None:
                self._dimensions.append(held)
            else:
                self._days.setdefault(day, []).append(held)
        there = set(contents.by_table())
        dimensions = {held.partition.table for held in self._dimensions}
        self._rules = rulebook({n: t for n, t in tables.items() if n in there}, dimensions)
        self._findings = Findings()

    def run(self) -> Findings:
        members = self._read_dimensions()
        past = Past(self._rules)
        days = sorted(self._days)
        before = None

        def check(day: int) -> tuple[int, dict[str, Columns], Findings]:
            return self._check_day(day, members)

        with ThreadPoolExecutor(self._threads) as pool:
            for day, tables, findings in ahead(pool, check, days, 2 * self._threads):
                if before is not None:
                    # Days that are not there at all break sequences, too.
                    for absent in range(before + 1, day):
                        past.add(absent, {})
                self._findings.merge(findings)
                self._findings.merge(past.add(day, tables))
                before = day
                self._step("days", len(self._days[day]))
        return self._findings

    @property
    def _threads(self) -> int:
        return _LOCAL_THREADS if self._reader.is_local else _REMOTE_THREADS

    def _load(self, held: Held) -> Loaded:
        name = held.partition.table
        return load(self._reader, held, self._tables.get(name), self._rules.needs(name))

    def _check_day(
        self, day: int, members: Mapping[str, Members]
    ) -> tuple[int, dict[str, Columns], Findings]:
        findings = Findings()
        tables: dict[str, Columns] = {}
        for held in self._days[day]:
            loaded = self._load(held)
            findings.merge(loaded.findings)
            if loaded.columns is not None and self._rules.has(held.partition.table):
                tables[held.partition.table] = loaded.columns
        findings.merge(check_day(self._rules, members, day, tables))
        return day, tables, findings

    def _read_dimensions(self) -> dict[str, Members]:
        """The keys of the tables of no day; without those that could not be read whole."""
        found: dict[str, list[Loaded]] = {}
        with ThreadPoolExecutor(self._threads) as pool:
            for loaded in ahead(pool, self._load, self._dimensions, 4 * self._threads):
                self._findings.merge(loaded.findings)
                found.setdefault(loaded.partition.table, []).append(loaded)
                self._step("dimensions", 1)
        known = {table: self._members(table, parts) for table, parts in found.items()}
        return {table: members for table, members in known.items() if members}

    def _members(self, table: str, parts: list[Loaded]) -> Members | None:
        declared = self._tables.get(table)
        if declared is None or len(declared.key) != 1 or not self._rules.has(table):
            return None
        key = declared.key[0]
        if any(part.columns is None or key not in part.columns for part in parts):
            return None
        keys = np.concatenate([part.columns[key] for part in parts if part.columns])
        index = Index.of(keys)
        twice = len(keys) - len(index.keys)
        self._findings.look("unique", table, len(keys), twice, f"of {key}" if twice else "")
        since = None
        if table == SIGNUP[0]:
            since = np.concatenate([_since(part, key) for part in parts])
        return Members(index, since)

    def _step(self, doing: str, partitions: int) -> None:
        self._done += partitions
        _tell(self._listeners, Progress(doing, self._done, self._total))


def _since(part: Loaded, key: str) -> I64:
    """Since when the rows of a partition are known, from their column or from its name."""
    assert part.columns is not None
    if SIGNUP[1] in part.columns:
        return part.columns[SIGNUP[1]]
    partition, rows = part.partition, len(part.columns[key])
    if partition.by != SIGNUP[1] or partition.value == DEFAULT_VALUE:
        return np.full(rows, MISSING, dtype=np.int64)
    return np.full(rows, to_day(date.fromisoformat(partition.value)) * 86_400, dtype=np.int64)


def _day(partition: Partition) -> int | None:
    """The day of a partition of facts; None for any other."""
    if partition.by != INGEST:
        return None
    try:
        return to_day(date.fromisoformat(partition.value))
    except ValueError:
        return None


def _tell(listeners: tuple[Listener, ...], progress: Progress) -> None:
    for listener in listeners:
        listener(progress)
