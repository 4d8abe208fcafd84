"""A small shop's first hundred days, in memory, planned once for all tests of this folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from retail_datagen.config.models import Calendar, Paths, RetailConfig, Signups, Volume
from retail_datagen.core.calendar import to_day
from retail_datagen.ecom import history, lookups
from retail_datagen.ecom import tables as shop_tables
from retail_datagen.ecom.plan import ShopPlan
from retail_datagen.ecom.planner import ShopPlanner
from retail_datagen.engine.online import OnlineRetailer, OnlineSource

START = to_day(date(2023, 11, 1))
DAYS = 120


def shop_config(folder: Path) -> RetailConfig:
    return RetailConfig(
        seed=7,
        profile="ecommerce",
        volume=Volume(
            stores=2,
            dcs=1,
            customers_per_day=40,
            online_orders_per_day=150,
            customers=6_000,
            products=400,
        ),
        signups=Signups(first=date(2023, 1, 1), last=date(2024, 2, 15), guest_share=0.25),
        paths=Paths(dict=Path("no-such-folder"), master=folder / "master", facts=folder / "facts"),
        calendar=Calendar(first=date(2023, 1, 1), last=date(2025, 12, 31)),
    )


@dataclass(frozen=True, eq=False)
class Shop:
    """A planned shop: its tables whole, all days together, and how it was made."""

    retailer: OnlineRetailer
    plans: dict[int, ShopPlan]
    planner: ShopPlanner

    def day(self, table: str, day: int) -> pa.Table:
        return self.retailer.render(START, self.plans.__getitem__)(table, day)

    def table(self, name: str) -> pa.Table:
        """All days of a table, with the day in a column of its own."""
        render = self.retailer.render(START, self.plans.__getitem__)
        days = [render(name, day) for day in range(START, START + DAYS)]
        told = [
            d.append_column("day", pa.array([START + i] * len(d), pa.int32()))
            for i, d in enumerate(days)
        ]
        return pa.concat_tables(told, promote_options="permissive").unify_dictionaries()

    def sql(self, query: str) -> list[tuple[object, ...]]:
        """The query's rows; tables are those of the shop, its lookups, and two of the retailer."""
        with duckdb.connect() as connection:
            for name, rows in self.everything.items():
                connection.register(name, rows)
            return connection.execute(query).fetchall()

    @cached_property
    def everything(self) -> dict[str, pa.Table]:
        context = self.retailer.context(START, self.plans.__getitem__)
        last = START + DAYS - 1
        found = {name: plain(self.table(name)) for name in shop_tables.registry()}
        found["online_orders"] = plain(self.table("online_orders"))
        found["online_order_lines"] = plain(self.table("online_order_lines"))
        found["customers"] = plain(lookups.customers(context))
        found["product_catalog"] = plain(lookups.product_catalog(context))
        changes = self.planner.state.changes
        found["customers_history"] = plain(history.customers_history(context, changes, last))
        found["product_history"] = plain(history.product_history(context, last))
        return found


def plain(rows: pa.Table) -> pa.Table:
    """Money as the decimal that DuckDB knows."""
    fields = [
        pa.field(f.name, pa.decimal128(12, 2)) if pa.types.is_decimal(f.type) else f
        for f in rows.schema
    ]
    return rows.cast(pa.schema(fields))


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    retailer = OnlineSource(shop_config(tmp_path_factory.mktemp("shop"))).open()
    planner = retailer.planner(START, None)
    assert isinstance(planner, ShopPlanner)
    plans = {plan.day: plan for plan in (planner.step() for _ in range(DAYS))}
    return Shop(retailer, plans, planner)
