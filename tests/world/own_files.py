"""Master data of one's own: read and written as a person would, then generated from and checked."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

from retail_datagen.config.models import RetailConfig
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.retail import RetailSource
from retail_datagen.quality.check import Report, Status
from retail_datagen.quality.verify import verify

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[Row], without: tuple[str, ...] = ()) -> None:
    """Write rows with the columns of the first one, but for those that are left out."""
    header = [name for name in rows[0] if name not in without]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, header, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def own_stores(folder: Path, count: int, without: tuple[str, ...] = ()) -> None:
    """So many stores with identifiers of their own, spread around those that are there."""
    there, rows = read(folder / "stores.csv"), []
    for number in range(count):
        row = dict(there[number % len(there)])
        north = float(row["Latitude"]) + 0.03 * (number // len(there))
        row.update(StoreID=str(9000 - 17 * number), Latitude=f"{north:.4f}")
        rows.append(row)
    write(folder / "stores.csv", rows, without)


def own_products(folder: Path, categories: set[str], without: tuple[str, ...] = ()) -> None:
    """The products of some categories, with identifiers of their own, the last ones first."""
    rows = [row for row in read(folder / "products.csv") if row["Category"] in categories]
    for number, row in enumerate(rows):
        row["ProductID"] = str(7_000_000 + 3 * number)
    write(folder / "products.csv", rows[::-1], without)


def own_dcs(folder: Path, count: int) -> None:
    """So many distribution centres, one north of the other."""
    there, rows = read(folder / "distribution_centers.csv"), []
    for number in range(count):
        row = dict(there[number % len(there)])
        row.update(DCID=str(800 - 11 * number), Latitude=f"{30 + 2 * number}.5")
        rows.append(row)
    write(folder / "distribution_centers.csv", rows)


def generate(config: RetailConfig, first: date, days: int) -> Report:
    """Generate a new history under `paths.facts` and verify it."""
    start, facts = to_day(first), config.paths.facts
    source = RetailSource(config)
    request = JobRequest(source, str(facts), facts, start, start + days - 1, workers=1)
    run_job(request)
    return verify(facts, config.paths.master)


def violations(report: Report) -> dict[str, object]:
    """What checks found, by their names."""
    failed = report.with_status(Status.FAILED)
    return {result.check.name: (result.note, result.first) for result in failed}
