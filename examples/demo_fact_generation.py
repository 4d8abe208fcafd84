"""A demonstration: five stores, a week, and what their day looks like.

    python examples/demo_fact_generation.py

Writes CSV files under ./data; a second run keeps what is there.
"""

from collections import Counter
from datetime import date

import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

import retail_datagen as rd
from retail_datagen.config.models import Volume

START, END = date(2024, 1, 1), date(2024, 1, 7)


def main() -> None:
    console = Console()
    config = rd.RetailConfig(volume=Volume(stores=5, customers_per_day=500))
    summary = rd.FactDataGenerator(config).generate_historical_data(START, END)

    console.print(f"{config.paths.facts}, {START} to {END}", style="bold")
    written = Table()
    written.add_column("table")
    written.add_column("records", justify="right")
    for name, records in sorted(summary.records.items(), key=lambda pair: -pair[1]):
        written.add_row(name, f"{records:,}")
    written.add_row("together", f"{summary.total_records:,}", style="bold")
    console.print(written)
    console.print(
        f"{summary.bytes / 1e6:.1f} MB in {summary.generation_time_seconds:.1f} s; "
        f"files written: {summary.partitions_written}, kept: {summary.partitions_kept}"
    )

    # The same history in memory: nothing is read from the files.
    receipts = rd.render("receipts", "2024-01-06", config, START)
    columns = ["EventTS", "StoreID", "Subtotal", "Tax", "Total", "TenderType"]
    console.print("Receipts of Saturday, 2024-01-06", style="bold")
    first = Table(*columns)
    for row in receipts.select(columns).slice(0, 5).to_pylist():
        first.add_row(*map(str, row.values()))
    console.print(first)

    hours = Counter(pc.hour(receipts["EventTS"]).to_pylist())
    console.print("Receipts by hour", style="bold")
    for hour in range(min(hours), max(hours) + 1):
        bar = "█" * round(40 * hours[hour] / max(hours.values()))
        console.print(f"{hour:02}:00 {bar} {hours[hour]}", highlight=False)


if __name__ == "__main__":
    main()
