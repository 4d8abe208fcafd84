"""What tests of the lake job share: a small request, and what its target holds.

As a program, runs it in a process of its own: lake_runs.py FOLDER WORKERS CHUNK_DAYS PAUSE
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

sys.path.append(str(Path(__file__).parents[1] / "engine"))

from fake_retailer import START, FakePlan, FakeSource

from retail_datagen.engine.jobstore import JobStore
from retail_datagen.engine.source import Plan, Retailer
from retail_datagen.engine.stop import JobStopped
from retail_datagen.lake.dimensions import Dimension
from retail_datagen.lake.events import (
    ChunkPublished,
    LakeEvent,
    LakeListener,
    LakeSummary,
    PartitionPublished,
)
from retail_datagen.lake.hooks import Hook
from retail_datagen.lake.job import run_lake_job
from retail_datagen.lake.publish import Retries
from retail_datagen.lake.request import LakeRequest
from retail_datagen.lake.state import IdState
from retail_datagen.partitions.layout import MANIFEST, SUCCESS
from retail_datagen.partitions.manifest import Manifest
from retail_datagen.schema import Column, Kind, Table

DAYS = 20
CUSTOMERS = Table(
    "customers", "Who buys.", (Column("customer_id", Kind.INT, ""),), ("customer_id",)
)
LEVELS = Table("levels", "Who has come how far.", (Column("level", Kind.INT, ""),), ("level",))


def customers(retailer: Retailer) -> Iterator[Dimension]:
    def render(value: str | None) -> pa.Table:
        return pa.table({"customer_id": pa.array([len(value or "")], pa.int32())})

    yield Dimension(CUSTOMERS, "signup_date", ("2023-01-01", "2023-01-02", None), render)


def levels(retailer: Retailer, store: JobStore, start: int) -> Iterator[Dimension]:
    def render(value: str | None) -> pa.Table:
        return pa.table({"level": pa.array([1, 2, 3], pa.int32())})

    yield Dimension(LEVELS, "as_of", ("2024-01-20",), render, fixed=False)


def ids_after(plan: Plan) -> IdState:
    assert isinstance(plan, FakePlan)
    last = plan.first_row + plan.rows
    return IdState(last, 2 * last, 3 * last)


def request(folder: Path, last: int = DAYS - 1, **other: Any) -> LakeRequest:
    """20 days of two tables, and two dimension tables, into the folder `lake`."""
    base = LakeRequest(
        FakeSource(),
        str(folder / "lake"),
        START,
        START + last,
        folder / "artifacts",
        folder / "staging",
        chunk_days=7,
        workers=1,
        dimensions=customers,
        late=levels,
        ids_after=ids_after,
        retries=Retries(4, 0.01),
    )
    return replace(base, **other)


def run(asked: LakeRequest, *listeners: LakeListener) -> LakeSummary:
    """Run a job into the folder that it asks for."""
    return run_lake_job(asked, listeners)


def manifests(folder: Path) -> dict[str, Manifest]:
    """The manifests of a lake by partition."""
    lake = folder / "lake"
    return {
        str(path.parent.relative_to(lake)): Manifest.from_json(path.read_bytes())
        for path in sorted(lake.rglob(MANIFEST))
    }


def honest(folder: Path) -> dict[str, str]:
    """The digests of a lake by partition, once nothing in it is found to lie."""
    found = manifests(folder)
    for place, manifest in found.items():
        where = folder / "lake" / place
        assert manifest.partition.folder == place
        for file in manifest.files:
            content = (where / file.path).read_bytes()
            assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
        parts = {path.name for path in where.glob("part-*")}
        assert parts == {file.path for file in manifest.files}
    for path in (folder / "lake").rglob(SUCCESS):
        assert (path.parent / MANIFEST).exists()
    return {place: manifest.digest for place, manifest in found.items()}


def staged(folder: Path) -> list[Path]:
    """The files that are staged."""
    paths = [path for path in (folder / "staging").rglob("*") if path.is_file()]
    return [path for path in paths if path.parent.name != ".staging"]


def note_call(folder: Path) -> Hook:
    """A hook that writes down each call."""

    def call(table: str, partition: str, path: str, manifest: dict[str, Any]) -> None:
        with (folder / "calls.txt").open("a") as file:
            file.write(f"{table}/{partition} {manifest['total_rows']}\n")

    return Hook("tests:note", call)


def told(folder: Path) -> list[str]:
    """The partitions that `note_call` was called for, call by call."""
    path = folder / "calls.txt"
    return [line.split()[0] for line in path.read_text().splitlines()] if path.exists() else []


def show(event: LakeEvent) -> None:
    if isinstance(event, PartitionPublished | ChunkPublished):
        print(event, flush=True)


if __name__ == "__main__":
    place, workers, chunk, pause = sys.argv[1:]
    asked = request(
        Path(place),
        source=FakeSource(render_pause=float(pause), plan_pause=float(pause) / 4),
        workers=int(workers),
        chunk_days=int(chunk),
        hooks=(note_call(Path(place)),),
    )
    try:
        run(asked, show)
    except JobStopped as stop:
        print(f"stopped with {stop.finished} of {stop.partitions}", flush=True)
        sys.exit(stop.exit_code)
