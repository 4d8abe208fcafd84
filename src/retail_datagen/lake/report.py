"""A lake's report for people (a table of checks, and what breaks them) and for programs (JSON)."""

from __future__ import annotations

import json
from dataclasses import asdict

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from retail_datagen.lake.findings import LakeReport, Outcome

_SHOWN = 5


def as_json(report: LakeReport) -> str:
    """The report as one JSON object."""
    return json.dumps(
        {
            "url": report.url,
            "deep": report.deep,
            "partitions": report.partitions,
            "rows": report.rows,
            "bytes": report.bytes,
            "passed": report.passed,
            "violations": report.count,
            "unknown_tables": list(report.unknown),
            "checks": [_plain(report, outcome) for outcome in report.outcomes],
        },
        indent=2,
    )


def _plain(report: LakeReport, outcome: Outcome) -> dict[str, object]:
    found: dict[str, object] = {
        "name": outcome.check.name,
        "meaning": outcome.check.meaning,
        "status": _status(outcome),
        "checked": outcome.checked,
        "violations": 0 if outcome.skipped else outcome.violations,
    }
    if outcome.note:
        found["note"] = outcome.note
    if violations := report.of(outcome.check.name):
        found["found"] = [asdict(violation) for violation in violations]
    return found


def print_report(report: LakeReport, console: Console, *, only_problems: bool = False) -> None:
    """Print the table of checks, then where each failed one is broken, then one line of all.

    With `only_problems`, only the failed checks and the last line are printed.
    """
    if not only_problems:
        console.print(_checks(report))
        if report.unknown:
            names = ", ".join(report.unknown)
            console.print(Text(f"\nOnly files were checked of: {names}", style="yellow"))
    for outcome in report.outcomes:
        if report.of(outcome.check.name):
            console.print(_failure(report, outcome))
    console.print(Text(summary(report), style="bold green" if report.passed else "bold red"))


def summary(report: LakeReport) -> str:
    """The last line: what was checked, and what came out."""
    skipped = sum(outcome.skipped for outcome in report.outcomes)
    done = len(report.outcomes) - skipped
    size = f"{report.partitions:,} partitions, {report.rows:,} rows, {_size(report.bytes)}"
    left = f", {skipped} skipped" if skipped else ""
    if report.passed:
        return f"{report.url}: {size}, {done} checks passed{left}, no violation"
    failed = sum(bool(report.of(outcome.check.name)) for outcome in report.outcomes)
    found = f"{report.count:,} violation" + ("s" if report.count != 1 else "")
    return f"{report.url}: {size}, {failed} of {done} checks failed{left}, {found}"


def _status(outcome: Outcome) -> str:
    if outcome.skipped:
        return "skipped"
    return "failed" if outcome.violations else "ok"


_STYLES = {"ok": "green", "failed": "bold red", "skipped": "yellow"}


def _checks(report: LakeReport) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("check", no_wrap=True)
    table.add_column("meaning", overflow="fold", ratio=1)
    table.add_column("checked", justify="right", no_wrap=True)
    table.add_column("violations", justify="right", no_wrap=True)
    table.add_column("status", overflow="fold")
    for outcome in report.outcomes:
        status = _status(outcome)
        table.add_row(
            Text(outcome.check.name),
            Text(outcome.check.meaning, style="dim"),
            "" if outcome.skipped else f"{outcome.checked:,}",
            "" if outcome.skipped else f"{outcome.violations:,}",
            Text(f"{status}: {outcome.note}" if outcome.note else status, style=_STYLES[status]),
        )
    return table


def _failure(report: LakeReport, outcome: Outcome) -> RenderableType:
    found = report.of(outcome.check.name)
    rows = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("partition", "violations", "for example"):
        rows.add_column(name, overflow="fold")
    for violation in found[:_SHOWN]:
        rows.add_row(
            Text(violation.partition), Text(f"{violation.count:,}"), Text(violation.example)
        )
    parts: list[RenderableType] = [
        Text(f"\n{outcome.check.name}: {outcome.check.meaning}", style="bold"),
        Padding(rows, (0, 0, 0, 2)),
    ]
    if len(found) > _SHOWN:
        parts.append(Text(f"  and {len(found) - _SHOWN:,} more partitions"))
    return Group(*parts)


def _size(count: int) -> str:
    return f"{count / 1e9:,.2f} GB" if count >= 1e9 else f"{count / 1e6:,.1f} MB"
