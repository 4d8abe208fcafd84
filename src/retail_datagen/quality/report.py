"""A report for people (a table of checks, and rows that break them) and for programs (JSON)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from retail_datagen.quality.check import Report, Result, Rows, Status

_STYLES = {Status.PASSED: "green", Status.FAILED: "bold red", Status.SKIPPED: "yellow"}


def as_json(report: Report) -> str:
    """The report as one JSON object; values that JSON has no form for are texts."""
    return json.dumps(
        {
            "folder": report.folder,
            "rows": report.rows,
            "passed": report.passed,
            "violations": report.violations,
            "checks": [_plain(result) for result in report.results],
        },
        indent=2,
        default=str,
    )


def _plain(result: Result) -> dict[str, object]:
    found: dict[str, object] = {
        "name": result.check.name,
        "meaning": result.check.meaning,
        "status": result.status.value,
        "checked": result.checked,
        "violations": result.violations,
    }
    if result.note:
        found["note"] = result.note
    if result.lacks:
        found["needs"] = list(result.lacks)
    if result.first.values:
        found["first"] = [
            dict(zip(result.first.columns, row, strict=True)) for row in result.first.values
        ]
    return found


def print_report(report: Report, console: Console, *, only_problems: bool = False) -> None:
    """Print the table of checks, then each failed check with its first offending rows.

    With `only_problems`, only the failed checks and the last line are printed.
    """
    if not only_problems:
        console.print(_checks(report))
        console.print(_wants(report))
    for result in report.with_status(Status.FAILED):
        console.print(_failure(result))
    console.print(Text(summary(report), style="bold green" if report.passed else "bold red"))


def _wants(report: Report) -> Text:
    """What would let skipped checks look, that which most of them need first."""
    wanted = Counter(name for r in report.with_status(Status.SKIPPED) for name in r.lacks)
    if not wanted:
        return Text()
    names = ", ".join(f"{name} ({count})" for name, count in wanted.most_common())
    return Text(f"\nSkipped checks need what is not on file: {names}", style="yellow")


def summary(report: Report) -> str:
    """The last line: what was checked, and what came out."""
    failed, skipped = (len(report.with_status(s)) for s in (Status.FAILED, Status.SKIPPED))
    done = len(report.results) - skipped
    left = f", {skipped} skipped" if skipped else ""
    if report.passed:
        return f"{report.folder}: {report.rows:,} rows, {done} checks passed{left}, no violation"
    return (
        f"{report.folder}: {report.rows:,} rows, {failed} of {done} checks failed{left}, "
        f"{_violations(report.violations)}"
    )


def _checks(report: Report) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("check", no_wrap=True)
    table.add_column("meaning", overflow="fold", ratio=1)
    table.add_column("checked", justify="right", no_wrap=True)
    table.add_column("violations", justify="right", no_wrap=True)
    table.add_column("status", overflow="fold")
    for result in report.results:
        skipped = result.status is Status.SKIPPED
        table.add_row(
            Text(result.check.name),
            Text(result.check.meaning, style="dim"),
            "" if skipped else f"{result.checked:,}",
            "" if skipped else f"{result.violations:,}",
            Text(_status(result), style=_STYLES[result.status]),
        )
    return table


def _status(result: Result) -> str:
    return f"{result.status.value}: {result.note}" if result.note else result.status.value


def _failure(result: Result) -> RenderableType:
    head = Text(f"\n{result.check.name}: {result.check.meaning}", style="bold")
    parts: list[RenderableType] = [head]
    if result.note:
        parts.append(Text(f"  {result.note}", style="red"))
    if result.first.values:
        shown = len(result.first.values)
        more = f", the first {shown}" if shown < result.violations else ""
        count = Text(f"  {_violations(result.violations)}{more}:")
        parts += [count, Padding(_rows(result.first), (0, 0, 0, 2))]
    return Group(*parts)


def _violations(count: int) -> str:
    return f"{count:,} violation" + ("s" if count != 1 else "")


def _rows(rows: Rows) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in rows.columns:
        table.add_column(name, overflow="fold")
    for row in rows.values:
        table.add_row(*_texts(row))
    return table


def _texts(row: tuple[object, ...]) -> Iterator[Text]:
    for value in row:
        yield Text("-", style="dim") if value is None else Text(str(value))
