"""`python -m benchmarks`: measure, print, and end with 1 if a bound is missed."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks import (
    analytics,
    backlog,
    document,
    encoding,
    inserts,
    inventory,
    kafka,
    peer,
    planning,
    report,
    scaling,
    simulation,
)
from benchmarks.harness import BenchmarkError
from benchmarks.lab import Lab
from benchmarks.result import Section
from benchmarks.sizes import FULL, QUICK, TINY

BENCHMARKS: dict[str, Callable[[Lab], Section]] = {
    "parquet": encoding.parquet,
    "csv": encoding.csv,
    "peer": peer.peer,
    "planning": planning.planning,
    "workers": scaling.workers,
    "month": scaling.month,
    "memory": scaling.memory,
    "document": document.document,
    "backlog": backlog.backlog,
    "simulation": simulation.simulation,
    "inventory": inventory.inventory,
    "analytics": analytics.analytics,
    "inserts": inserts.inserts,
    "kafka": kafka.kafka,
}
DOCS = Path(__file__).parent.parent / "docs" / "benchmarks.md"
_QUIET_LOAD = 0.5


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0, 1 for a missed bound, 2 for what could not be measured."""
    options = _parser().parse_args(arguments)
    console, progress = Console(), Console(stderr=True)
    if os.getloadavg()[0] > _QUIET_LOAD:
        progress.print("this machine is busy: wall times, and CPU times a little, say too much")
    plan = TINY if options.tiny else QUICK if options.quick else FULL
    sections = []
    with tempfile.TemporaryDirectory(prefix="retail-benchmarks-") as folder:

        def tell(text: str) -> None:
            progress.print(f"… {text}", style="dim", highlight=False)

        lab = Lab(plan, Path(folder), tell)
        try:
            for name in options.only or BENCHMARKS:
                sections.append(BENCHMARKS[name](lab))
                report.show(console, sections[-1])
        except BenchmarkError as error:
            progress.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
            return 2
    if options.json:
        options.json.write_text(report.to_json(sections), encoding="utf-8")
    if options.write_docs:
        DOCS.write_text(report.to_markdown(sections, plan is not FULL), encoding="utf-8")
    missed = [check for section in sections for check in section.checks if not check.ok]
    console.print(f"\n{len(missed)} bounds missed" if missed else "\nall bounds met")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="smaller sizes, under two minutes")
    size.add_argument("--tiny", action="store_true", help="seconds; tests that all of it runs")
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        choices=list(BENCHMARKS),
        help=f"one of {', '.join(BENCHMARKS)}; may be given several times",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
    parser.add_argument("--write-docs", action="store_true", help=f"write docs/{DOCS.name}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
