"""What lies in a folder of facts: its tables, its busy days and its busy hours, read with Arrow and
DuckDB.

    python examples/look_around.py data/facts

Reads the files alone, CSV or Parquet, as any other tool would.
"""

import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.dataset as ds
from rich.console import Console
from rich.table import Table

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_WIDTH = 44


def partitions(facts: Path, table: str) -> list[Path]:
    """The files of a table, the first day first."""
    return sorted((facts / table).glob("dt=*/*.*"))


def dataset(files: list[Path]) -> ds.Dataset:
    """Files of one table as one, whatever their format."""
    return ds.dataset([str(file) for file in files], format=files[0].suffix[1:])


def ask(facts: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a query over `receipts`, of which only EventTS is read, answers."""
    receipts = dataset(partitions(facts, "receipts")).to_table(columns=["EventTS"])
    with duckdb.connect() as database:
        database.register("receipts", receipts)
        return database.execute(sql).fetchall()


def receipts_by_day(facts: Path) -> list[tuple[str, float]]:
    """(day such as `Mon 01`, receipts) for each day, in order."""
    sql = "SELECT EventTS::DATE AS day, count(*) FROM receipts GROUP BY day ORDER BY day"
    return [(f"{day:%a %d}", count) for day, count in ask(facts, sql)]


def receipts_by_hour(facts: Path) -> list[tuple[str, float]]:
    """(hour such as `09`, receipts on a mean day) for each hour from the first to the last."""
    counts = dict(ask(facts, "SELECT hour(EventTS), count(*) FROM receipts GROUP BY 1"))
    days = len(partitions(facts, "receipts"))
    hours = range(min(counts), max(counts) + 1)
    return [(f"{hour:02}", counts.get(hour, 0) / days) for hour in hours]


def overview(facts: Path, width: int) -> Table:
    """A row per table: files, rows, size, and what its first row looks like."""
    shown = Table("table", "files", "rows", "MB", "its first row", box=None, pad_edge=False)
    for column in shown.columns[1:4]:
        column.justify = "right"
    for folder in sorted(path for path in facts.iterdir() if path.is_dir()):
        files = partitions(facts, folder.name)
        if not files:
            continue
        rows = dataset(files).count_rows()
        size = sum(file.stat().st_size for file in files) / 1e6
        row = next((row for file in files for row in dataset([file]).head(1).to_pylist()), {})
        text = " ".join(str(value) for value in row.values() if value is not None)
        room = max(width - 48, 10)
        text = text if len(text) <= room else f"{text[: room - 1]}…"
        shown.add_row(folder.name, f"{len(files)}", f"{rows:,}", f"{size:.1f}", text)
    return shown


def bar(value: float, largest: float) -> str:
    """A bar of block characters, exact to an eighth of one."""
    eighths = round(8 * _WIDTH * value / largest)
    return _EIGHTHS[8] * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def plot(console: Console, title: str, values: list[tuple[str, float]]) -> None:
    """One bar a line."""
    console.print(f"\n{title}", style="bold")
    largest = max(value for _, value in values)
    for name, value in values:
        console.print(f"{name:>7} {bar(value, largest)} {value:,.0f}", highlight=False)


def main() -> None:
    if len(sys.argv) != 2 or not partitions(Path(sys.argv[1]), "receipts"):
        sys.exit("usage: python examples/look_around.py FOLDER, one that holds facts with receipts")
    facts, console = Path(sys.argv[1]), Console()
    console.print(overview(facts, console.width))
    plot(console, "Receipts a day", receipts_by_day(facts))
    plot(console, "Receipts by hour, on a mean day", receipts_by_hour(facts))
    console.print(f"\nThe files: {facts}/<table>/dt=YYYY-MM-DD/<table>_YYYYMMDD", highlight=False)
    console.print("What the columns mean: docs/reference/data-dictionary.md", highlight=False)


if __name__ == "__main__":
    main()
