"""Copies of a history in CSV whose rows can be changed, dropped and doubled."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Row = dict[str, str]
Test = Callable[[Row], bool]
Change = Callable[[Row], Row]


def any_row(row: Row) -> bool:
    return True


@dataclass
class Copy:
    """A copy under `root`. Rows are looked for from the day number `day` of the history on."""

    root: Path
    day: int = 0

    @classmethod
    def of(cls, history: Path, root: Path) -> Copy:
        shutil.copytree(history, root)
        return cls(root)

    @property
    def facts(self) -> Path:
        return self.root / "facts"

    def files(self, table: str) -> list[Path]:
        """The files of a table, those from `day` on first; a master table has one."""
        master = self.root / "master" / f"{table}.csv"
        if master.is_file():
            return [master]
        found = sorted((self.facts / table).glob("dt=*/*.csv"))
        return found[self.day :] + found[: self.day]

    def rows(self, table: str, where: Test = any_row) -> list[Row]:
        """The rows of a table that pass the test."""
        return [row for file in self.files(table) for row in read(file) if where(row)]

    def edit(self, table: str, where: Test = any_row, change: Change = dict) -> Row:
        """Change the first row that passes the test; the row as it was."""
        return self._apply(table, where, lambda row: [change(row)])

    def set(self, table: str, where: Test = any_row, **values: object) -> Row:
        """Put values into the first row that passes the test; the row as it was."""
        return self.edit(table, where, lambda row: row | {k: str(v) for k, v in values.items()})

    def drop(self, table: str, where: Test = any_row) -> Row:
        """Remove the first row that passes the test."""
        return self._apply(table, where, lambda row: [])

    def double(self, table: str, where: Test = any_row, **values: object) -> Row:
        """Write the first row that passes the test twice, with other values the second time."""
        again = {k: str(v) for k, v in values.items()}
        return self._apply(table, where, lambda row: [row, row | again])

    def edit_all(self, table: str, where: Test, change: Change) -> int:
        """Change every row that passes the test; how many did."""
        count = 0
        for file in self.files(table):
            rows = read(file)
            hits = [where(row) for row in rows]
            count += sum(hits)
            if any(hits):
                write(file, [change(r) if hit else r for r, hit in zip(rows, hits, strict=True)])
        assert count, f"no such row in {table}"
        return count

    def forget_journal(self) -> None:
        """Changed files need not be what the job wrote."""
        (self.facts / "_job" / "partitions.jsonl").unlink()

    def _apply(self, table: str, where: Test, change: Callable[[Row], list[Row]]) -> Row:
        for file in self.files(table):
            rows = read(file)
            for place, row in enumerate(rows):
                if where(row):
                    write(file, rows[:place] + change(row) + rows[place + 1 :])
                    return row
        raise AssertionError(f"no such row in {table}")


def read(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def write(file: Path, rows: list[Row]) -> None:
    with file.open(encoding="utf-8", newline="") as old:
        header = next(csv.reader(old))
    with file.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
