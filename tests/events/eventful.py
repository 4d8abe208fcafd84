"""A small retailer's days as events and as facts, planned once for all tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from retail_datagen.config.models import Calendar, Paths, RetailConfig, Volume
from retail_datagen.core.calendar import to_day
from retail_datagen.engine.eventful import EventSource
from retail_datagen.engine.retail import RetailSource
from retail_datagen.engine.source import Plan, Retailer
from retail_datagen.events import Feed

START = to_day(date(2024, 1, 1))


def config_of(folder: Path, profile: str = "supercenter") -> RetailConfig:
    return RetailConfig(
        seed=11,
        profile=profile,
        volume=Volume(
            stores=4,
            dcs=1,
            customers_per_day=150,
            online_orders_per_day=30,
            customers=900,
            products=300,
        ),
        paths=Paths(dict=Path("no-such-folder"), master=folder / "master", facts=folder / "facts"),
        calendar=Calendar(first=date(2023, 1, 1), last=date(2026, 12, 31)),
    )


@dataclass(frozen=True, eq=False)
class Told:
    """Planned days of a retailer: any of its tables, facts or topics."""

    retailer: Retailer
    plans: dict[int, Plan]
    days: int

    def day(self, table: str, day: int) -> pa.Table:
        return self.retailer.render(START, self.plans.__getitem__)(table, day)

    def whole(self, table: str) -> pa.Table:
        """All days of a table, plain types, with the row of each day's row as `row`."""
        render = self.retailer.render(START, self.plans.__getitem__)
        parts = [_plain(render(table, START + i)) for i in range(self.days)]
        return pa.concat_tables(
            part.append_column("row", pa.array(range(len(part)), pa.int64())).append_column(
                "day", pa.array([START + i] * len(part), pa.int32())
            )
            for i, part in enumerate(parts)
        )


def told(retailer: Retailer, days: int) -> Told:
    planner = retailer.planner(START, None)
    plans = {plan.day: plan for plan in (planner.step() for _ in range(days))}
    return Told(retailer, plans, days)


def feed_of(config: RetailConfig, feed: Feed, days: int) -> Told:
    return told(EventSource(config, feed).open(), days)


def facts_of(config: RetailConfig, days: int) -> Told:
    return told(RetailSource(config).open(), days)


def sql(query: str, **tables: pa.Table) -> list[tuple[object, ...]]:
    """The query's rows over these tables."""
    with duckdb.connect() as connection:
        for name, rows in tables.items():
            connection.register(name, rows)
        return connection.execute(query).fetchall()


def _plain(rows: pa.Table) -> pa.Table:
    def plain(kind: pa.DataType) -> pa.DataType:
        if pa.types.is_dictionary(kind):
            return pa.string()
        return pa.decimal128(12, 2) if pa.types.is_decimal(kind) else kind

    return rows.cast(pa.schema([pa.field(f.name, plain(f.type)) for f in rows.schema]))
