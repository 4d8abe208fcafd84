"""What lies in topics before it is loaded, and the rows that it was made of."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from retail_datagen.config.models import RetailConfig
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.source import Plan, Retailer
from retail_datagen.schema.stamps import event_ids

START, DAYS = to_day(date(2024, 1, 30)), 3
PREFIX = f"loaded-{os.getpid()}-"
"""Workers of a test run share a broker, and each has topics of its own."""


@dataclass(frozen=True)
class Sent:
    """What lies in topics with PREFIX: the facts and the changes of days around a month's end."""

    servers: str
    config: RetailConfig
    file: Path
    retailers: dict[str, Retailer]
    plans: dict[str, dict[int, Plan]]

    def rows(self, feed: str, table: str) -> list[tuple[object, ...]]:
        """The rows of a table with their identifiers."""
        render = self.retailers[feed].render(START, self.plans[feed].__getitem__)
        found: list[tuple[object, ...]] = []
        for day in range(START, START + DAYS):
            rows = render(table, day)
            columns = [rows[name].to_pylist() for name in rows.column_names]
            if "event_id" not in rows.column_names:
                columns.append(event_ids(table, day, 0, rows.num_rows).to_pylist())
            found += zip(*columns, strict=True)
        return found
