"""Where measurements are made: each once, however many benchmarks look at it."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.floor import Floor
from benchmarks.harness import Usage, program, run
from benchmarks.sizes import FIRST_DAY, Plan, Range, Retailer


@dataclass(frozen=True, slots=True)
class Output:
    """What a process tree used and what it left: rows, and bytes of files."""

    usage: Usage
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Lake:
    """What making a lake and checking it used, and what it holds; `facts` are rows of days."""

    made: Usage
    checked: Usage
    rows: int
    facts: int
    orders: int
    partitions: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Simulated:
    """What simulating a store used, and what happened in it."""

    usage: Usage
    sold: int
    restocked: int
    detections: int


class Lab:
    """Measures commands in `folder`; `tell` is told what is being measured."""

    def __init__(self, plan: Plan, folder: Path, tell: Callable[[str], None]) -> None:
        self.plan = plan
        self.folder = folder
        self.tell = tell
        # Measured once each: a benchmark asks again for what another has asked for.
        self._jobs = cache(self._make_jobs)
        self.floor = cache(self._floor)
        self.peer = cache(self._peer)
        self._config = cache(self._make_config)
        self.warm_up = cache(self._warm_up)

    def job(self, retailer: Retailer, days: Range, format: str, workers: int) -> Output:
        """`retail-datagen generate` of all tables into an empty folder, master data at hand.

        Some are measured several times; this is the run with the least CPU. Its peak is that of the
        first, which alone is watched.
        """
        made = self._jobs(retailer, days, format, workers)
        return min(made, key=lambda output: output.usage.cpu_seconds)

    def quickest_job(self, retailer: Retailer, days: Range, format: str, workers: int) -> Output:
        """As `job`: the run with the least wall time."""
        made = self._jobs(retailer, days, format, workers)
        return min(made, key=lambda output: output.usage.wall_seconds)

    def lake(self, first: date, last: date) -> Lake:
        """`retail-datagen backlog` into an empty folder, and `lake verify`.

        With its defaults, where the plan has no configuration of a shop. Raises BenchmarkError
        where the lake is not clean.
        """
        self.warm_up()
        self.tell(f"backlog, {first} to {last}")
        folder = self.folder / "lake"
        folder.mkdir()
        command = [program("retail-datagen")]
        asked = ["--start", first.isoformat(), "--end", last.isoformat()]
        if self.plan.backlog_config is not None:
            shop = folder / "shop.yaml"
            shop.write_text(self.plan.backlog_config, encoding="utf-8")
            asked += ["--config", str(shop)]
        made = run([*command, "backlog", *asked], folder)
        self.tell("lake verify")
        checked = run([*command, "lake", "verify", "output/raw"], folder)
        tables = json.loads((folder / "output/raw/_CATALOG.json").read_bytes())["tables"]
        shutil.rmtree(folder)
        partitions = [p for table in tables for p in table["partitions"]]
        rows = {table["name"]: sum(p["rows"] for p in table["partitions"]) for table in tables}
        facts = [t["name"] for t in tables if t["partitioned_by"] == "ingest_dt"]
        return Lake(
            made,
            checked,
            sum(rows.values()),
            sum(rows[name] for name in facts),
            rows["orders"],
            len(partitions),
            sum(p["bytes"] for p in partitions),
        )

    def simulation(self, items: int, seconds: int) -> Simulated:
        """`retail-datagen simulate --unpaced` of a full store; nothing but that is measured."""
        self.tell(f"simulation, {items:,} items, {seconds:,} s")
        folder = self.folder / "store"
        folder.mkdir()
        command = program("retail-datagen")
        url = f"sqlite:///{folder / 'store.db'}"
        run(
            [command, "inventory", "generate", "--items", str(items), "--database-url", url], folder
        )
        asked = ["--mode", "stress", "--analytics", "--duration", str(seconds), "--unpaced"]
        status = folder / "status.json"
        script = f'exec "$0" simulate "$@" --json > {shlex.quote(str(status))}'
        usage = run(["sh", "-c", script, command, *asked, "--database-url", url], folder)
        tally = json.loads(status.read_text(encoding="utf-8"))["tally"]
        shutil.rmtree(folder)
        return Simulated(usage, tally["sold"], tally["restocked"], tally["detections"])

    def backfill(self, retailer: Retailer, days: Range, target: str, prefix: str) -> Usage:
        """`retailer`'s facts as events, by `retail-datagen backfill --all`, master data at hand.

        `prefix` is that of the topics.
        """
        config = self._config(retailer)
        self.warm_up()
        self.tell(f"{retailer}: {days.days} days to {target}")
        command = [program("retail-datagen"), "backfill", "--all", "--config", str(config)]
        command += ["--start", days.first.isoformat(), "--end", days.last.isoformat()]
        command += ["--to", target, "--topic-prefix", prefix, "--quiet"]
        return run(command, self.folder, watched=False)

    def _make_jobs(
        self, retailer: Retailer, days: Range, format: str, workers: int
    ) -> list[Output]:
        config = self._config(retailer)
        self.warm_up()
        self.tell(f"{retailer}: {days.days} days as {format}, {workers} workers")
        first = self._job_once(config, days, format, workers, watched=True)
        again = range(1, self.plan.runs(days))
        others = [self._job_once(config, days, format, workers, watched=False) for _ in again]
        watched = first.usage
        return [first] + [
            replace(o, usage=replace(o.usage, peak_bytes=watched.peak_bytes, memory=watched.memory))
            for o in others
        ]

    def _job_once(
        self, config: Path, days: Range, format: str, workers: int, *, watched: bool
    ) -> Output:
        target = self.folder / "facts"
        command = [program("retail-datagen"), "generate", "--config", str(config)]
        command += ["--start", days.first.isoformat(), "--end", days.last.isoformat()]
        command += ["--format", format, "--workers", str(workers), "--to", str(target)]
        usage = run(command, self.folder, watched=watched)
        files = [p for p in target.rglob(f"*.{format}") if p.is_file()]
        rows = sum(pq.read_metadata(p).num_rows for p in files) if format == "parquet" else 0
        size = sum(p.stat().st_size for p in files)
        shutil.rmtree(target)
        return Output(usage, rows, size)

    def _floor(self, retailer: Retailer, days: Range, way: str) -> Floor:
        """What planning, rendering and writing each cost, in a process of their own.

        `way` is one of `floor.WAYS`, or `floor.ALL` to compare them.
        """
        config = self._config(retailer)
        self.warm_up()
        self.tell(f"{retailer}: {days.days} days, part by part: {way}")
        answer = self.folder / "floor.json"
        arguments = [str(config), days.first.isoformat(), str(days.days), way, str(answer)]
        # The repository's root, where the package of benchmarks lies.
        root = Path(__file__).parent.parent
        run([sys.executable, "-m", "benchmarks.floor", *arguments], root)
        return Floor.from_json(answer.read_text(encoding="utf-8"))

    def inserts(self, retailer: Retailer) -> str:
        """What `benchmarks.inserts` says of one day, in a process of its own."""
        config = self._config(retailer)
        self.warm_up()
        self.tell(f"{retailer}: one day into ClickHouse")
        folder = self.folder / "inserts"
        folder.mkdir()
        answer = self.folder / "inserts.json"
        runs = str(self.plan.insert_runs)
        arguments = [str(config), FIRST_DAY.isoformat(), runs, str(folder), str(answer)]
        root = Path(__file__).parent.parent
        run([sys.executable, "-m", "benchmarks.inserts", *arguments], root)
        shutil.rmtree(folder)
        return answer.read_text(encoding="utf-8")

    def _warm_up(self) -> None:
        """Fill memory with a file and remove it.

        Memory that a virtual machine has never touched costs it three times as much to write to
        first, which would be counted against whatever is measured first.
        """
        self.tell("memory is touched once")
        path = self.folder / "touched"
        block = os.urandom(1 << 20)
        with open(path, "wb", buffering=0) as file:
            for _ in range(self.plan.warm_up_mb):
                file.write(block)
        path.unlink()

    def _peer(self, format: str) -> Output:
        """`tpchgen-cli` with its own defaults; of several runs the one with the least CPU."""
        self.tell(f"tpchgen-cli {format} -s {self.plan.tpch_scale:g}")
        runs = [self._peer_once(format) for _ in range(self.plan.peer_runs)]
        return min(runs, key=lambda output: output.usage.cpu_seconds)

    def _peer_once(self, format: str) -> Output:
        target = self.folder / "tpch"
        scale = f"{self.plan.tpch_scale:g}"
        command = [program("tpchgen-cli"), format, "-s", scale, "--output-dir", str(target)]
        usage = run([*command, "--no-progress"], self.folder)
        files = list(target.rglob(f"*.{format}"))
        rows = sum(pq.read_metadata(p).num_rows for p in files) if format == "parquet" else 0
        size = sum(p.stat().st_size for p in files)
        shutil.rmtree(target)
        return Output(usage, rows, size)

    def _make_config(self, retailer: Retailer) -> Path:
        """A config with its master data made."""
        folder = self.folder / f"retailer-{retailer.stores}-{retailer.customers_per_day}"
        config = retailer.write_config(folder)
        self.tell(f"{retailer}: master data")
        run([program("retail-datagen"), "master", "--config", str(config)], self.folder)
        return config
