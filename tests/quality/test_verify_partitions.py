"""Days that are missing, doubled, cut off, emptied or swapped, in either form of files.

The job's journal knows of each; but a check must tell of it without a journal too.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from retail_datagen.quality.check import Status
from retail_datagen.quality.verify import verify

Files = list[Path]


@dataclass(frozen=True)
class Loss:
    """Something done to the files of a table, and the checks that then fail.

    `maybe` are those of rows that the files no longer agree on.
    """

    plant: Callable[[Files], None]
    breaks: tuple[str, ...]
    maybe: tuple[str, ...] = ()


def missing(files: Files) -> None:
    files[3].unlink()


def one_more(files: Files) -> None:
    """The last day once more, as the day after it."""
    day = files[-1].parent.name[3:]
    year, month, number = (int(part) for part in day.split("-"))
    after = f"{year}-{month:02d}-{number + 1:02d}"
    folder = files[-1].parent.parent / f"dt={after}"
    folder.mkdir()
    name = files[-1].name.replace(day.replace("-", ""), after.replace("-", ""))
    shutil.copy(files[-1], folder / name)


def cut_off(files: Files) -> None:
    """As a full disk leaves it: the last 20 bytes are not there."""
    files[3].write_bytes(files[3].read_bytes()[:-20])


def nothing_left(files: Files) -> None:
    files[3].write_bytes(b"")


def no_rows(files: Files) -> None:
    """A file that is in order, and holds nobody."""
    if files[3].suffix == ".csv":
        files[3].write_text(files[3].read_text().splitlines(keepends=True)[0])
    else:
        pq.write_table(pq.read_table(files[3], partitioning=None).slice(0, 0), files[3])


def last_row_gone(files: Files) -> None:
    """Cut off exactly behind a row."""
    if files[3].suffix == ".csv":
        files[3].write_text("".join(files[3].read_text().splitlines(keepends=True)[:-1]))
    else:
        rows = pq.read_table(files[3], partitioning=None)
        pq.write_table(rows.slice(0, len(rows) - 1), files[3])


def swapped(files: Files) -> None:
    one, other = files[3].read_bytes(), files[4].read_bytes()
    files[3].write_bytes(other)
    files[4].write_bytes(one)


JOURNAL = {"files.journal"}
LOSSES = {
    "missing": Loss(missing, ("files.complete",)),
    "one_more": Loss(
        one_more,
        ("files.complete", "{}.day", "{}.key", "{}.traces"),
        maybe=("{}.sequence", "traces.sequence"),
    ),
    "cut_off": Loss(cut_off, ("files.readable",)),
    "nothing_left": Loss(nothing_left, ("files.readable",)),
    "no_rows": Loss(no_rows, ("traces.sequence",)),
    "last_row_gone": Loss(last_row_gone, ("traces.sequence",)),
    "swapped": Loss(swapped, ("{}.day", "{}.traces"), maybe=("{}.sequence",)),
}


@pytest.fixture(params=["csv", "parquet"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    history: Path = request.getfixturevalue(f"{request.param}_history")
    return Path(shutil.copytree(history, tmp_path / "copy"))


@pytest.mark.parametrize("name", LOSSES)
def test_a_day_of_a_table_is_damaged(root: Path, name: str) -> None:
    loss = LOSSES[name]
    table = "marketing"
    loss.plant(sorted((root / "facts" / table).glob("dt=*/*")))
    wanted = {check.format(table) for check in loss.breaks}
    allowed = wanted | {check.format(table) for check in loss.maybe}
    found = {r.check.name for r in verify(root).with_status(Status.FAILED)}
    assert wanted | JOURNAL <= found <= allowed | JOURNAL


@pytest.mark.parametrize("seed", range(4))
def test_part_of_a_history_raises_no_false_alarm(
    seed: int, parquet_history: Path, tmp_path: Path
) -> None:
    """Some days of some tables, as a user may have kept them: nothing but their gaps is wrong."""
    chance = random.Random(seed)
    (tmp_path / "master").symlink_to(parquet_history / "master")
    for table in sorted((parquet_history / "facts").iterdir()):
        days = sorted(table.glob("dt=*")) if chance.random() < 0.8 else []
        for day in chance.sample(days, chance.randint(0, len(days))):
            place = tmp_path / "facts" / table.name
            place.mkdir(parents=True, exist_ok=True)
            (place / day.name).symlink_to(day)
    report = verify(tmp_path)
    failed = {r.check.name: r.first.values for r in report.with_status(Status.FAILED)}
    assert failed.keys() <= {"files.complete"}
