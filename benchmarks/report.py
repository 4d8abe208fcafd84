"""Shows what was measured: on the terminal, as Markdown, as JSON."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.result import Check, Section

_PACKAGES = ("retail-datagen", "numpy", "pyarrow", "tpchgen-cli")


def show(console: Console, section: Section) -> None:
    """One section as tables; a missed bound is red."""
    console.print(f"\n[bold]{section.title}[/bold]")
    console.print(section.about, style="dim", markup=False, highlight=False)
    table = Table(*section.columns, box=None, header_style="bold", pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in section.rows:
        table.add_row(*row)
    console.print(table)
    for check in section.checks:
        colour = "green" if check.ok else "red"
        word = check.verdict if check.ok else "MISSED"
        line = f"{word:6} {check.label}: {check.shown()}, {check.wanted()}"
        console.print(line, style=colour, markup=False, highlight=False)


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    found = {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {_major_minor(platform.release())}",
        "Python": platform.python_version(),
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def to_json(sections: Sequence[Section]) -> str:
    """Everything measured, for programs."""
    found = [
        {**asdict(s), "checks": [{**asdict(c), "ok": c.ok} for c in s.checks]} for s in sections
    ]
    return json.dumps({"machine": machine(), "sections": found}, indent=2) + "\n"


def to_markdown(sections: Sequence[Section], quick: bool) -> str:
    """The page docs/benchmarks.md."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `python -m benchmarks --write-docs`; `make bench` measures the same and",
        "prints it. Everything is a ratio of what was measured in one run, or stands beside its",
        "bound; CPU time is that of whole process trees, memory the peak of the sum over all",
        "processes, sampled 20 times a second.",
        "",
    ]
    if quick:
        lines += ["**These figures are of a quick run on small sizes: they prove little.**", ""]
    lines += _table(("measured on", ""), list(machine().items()))
    checks = [(s.title, check) for s in sections for check in s.checks]
    if checks:
        lines += ["## At a glance", ""]
        lines += _table(
            ("benchmark", "figure", "measured", "bound", ""),
            [(title, *_cells(check)) for title, check in checks],
        )
    for section in sections:
        lines += [f"## {section.title}", "", section.about, ""]
        lines += _table(section.columns, section.rows)
    return "\n".join(lines).rstrip() + "\n"


def _cells(check: Check) -> tuple[str, ...]:
    verdict = check.verdict if check.ok else f"**{check.verdict}**"
    return check.label, check.shown(), check.wanted(), verdict


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    rule = ["---", *("---:" for _ in columns[1:])]
    lines = (" | ".join(cells) for cells in (columns, rule, *rows))
    return [*(f"| {line} |" for line in lines), ""]


def _major_minor(release: str) -> str:
    """A kernel's version without what its build is called: that says whose machine it is."""
    found = re.match(r"\d+(\.\d+)?", release)
    return found[0] if found else "of unknown version"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
