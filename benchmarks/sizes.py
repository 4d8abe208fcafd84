"""The retailers that are measured, and the days."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

FIRST_DAY = date(2024, 8, 1)
"""August is an average month: its mean traffic is 0.995 of the year's. (January's is 0.69.)"""

PEAK_FIRST_DAY = date(2023, 11, 1)
"""A year from here has its busiest day, Black Friday, within its first thirty days."""


@dataclass(frozen=True, slots=True)
class Retailer:
    """A chain: its stores, DCs and mean receipts a day; DCs and orders in published proportion.

    The published config has 12 DCs for 250 stores and one online order for 8 receipts.
    """

    stores: int
    customers_per_day: int

    @property
    def dcs(self) -> int:
        return max(1, self.stores * 12 // 250)

    def __str__(self) -> str:
        return f"{self.stores:,} stores, {self.customers_per_day:,} receipts/day"

    def write_config(self, folder: Path) -> Path:
        """A config file in `folder`, with all its paths below it."""
        config = {
            "seed": 42,
            "volume": {
                "stores": self.stores,
                "dcs": self.dcs,
                "customers_per_day": self.customers_per_day,
                "online_orders_per_day": self.customers_per_day // 8,
            },
            "paths": {
                "dict": str(folder / "dictionaries"),
                "master": str(folder / "master"),
                "facts": str(folder / "facts"),
            },
        }
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "config.json"
        path.write_text(json.dumps(config, indent=2), encoding="utf-8")
        return path


@dataclass(frozen=True, slots=True)
class Range:
    """`days` days from `first` on."""

    first: date
    days: int

    @property
    def last(self) -> date:
        return self.first + timedelta(days=self.days - 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which sizes the benchmarks take. The quick one proves nothing but that they run."""

    small: Retailer = Retailer(10, 1_000)
    medium: Retailer = Retailer(100, 10_000)
    large: Retailer = Retailer(1_000, 100_000)
    days: int = 30
    year: int = 365
    tpch_scale: float = 1
    peer_runs: int = 2
    month_runs: int = 4
    two_months: int = 60
    two_months_runs: int = 3
    warm_up_mb: int = 10_000
    backlog_days: int = 2_200
    backlog_config: str | None = None
    """The shop as YAML; without it the backlog is one of the defaults, as is published."""
    backlog_orders: float | None = 3_000
    """Least orders a day; a few days in winter say nothing about years."""
    backlog_rows: float | None = 50_000
    simulated_items: int = 10_000
    simulated_seconds: int = 1_800
    store_items: int = 10_000
    store_days: int = 365
    store_warm_ups: int = 3
    store_requests: int = 60
    stream_days: int = 15
    stream_runs: int = 2
    """How often sending is measured, after a run that warms the broker up; 0: that run alone."""
    stream_rate: float | None = 80_000
    tagged_items: int = 100_000
    insert_runs: int = 4
    """The first of each way fills memory and caches and does not count."""

    @property
    def month(self) -> Range:
        return Range(FIRST_DAY, self.days)

    @property
    def long(self) -> Range:
        """Where starting a worker no longer counts for much."""
        return Range(FIRST_DAY, self.two_months)

    @property
    def stream(self) -> Range:
        return Range(FIRST_DAY, self.stream_days)

    def runs(self, days: Range) -> int:
        """How often a job over a range is measured."""
        return {self.month: self.month_runs, self.long: self.two_months_runs}.get(days, 1)


FULL = Plan()
QUICK = Plan(
    large=Retailer(300, 30_000),
    days=10,
    two_months=20,
    year=60,
    tpch_scale=0.2,
    peer_runs=1,
    warm_up_mb=2_000,
    backlog_days=60,
    backlog_orders=None,
    backlog_rows=None,
    simulated_seconds=600,
    store_days=60,
    store_requests=20,
    stream_days=3,
    stream_runs=1,
    tagged_items=20_000,
)
_FEW = Retailer(3, 100)
_FEW_ORDERS = """
lookup_config:
  customers: {num_customers: 500}
  product_catalog: {num_products: 100}
retailer:
  volume: {stores: 2, dcs: 1, customers_per_day: 40, online_orders_per_day: 40}
  signups: {first: 2019-12-15, last: 2020-01-10}
"""
TINY = Plan(
    _FEW,
    _FEW,
    _FEW,
    days=2,
    # The same range again, which is not measured again.
    two_months=2,
    year=2,
    tpch_scale=0.01,
    peer_runs=1,
    month_runs=1,
    two_months_runs=1,
    warm_up_mb=1,
    backlog_days=2,
    backlog_config=_FEW_ORDERS,
    backlog_orders=None,
    backlog_rows=None,
    simulated_items=500,
    simulated_seconds=10,
    store_items=500,
    store_days=1,
    store_warm_ups=0,
    store_requests=1,
    stream_days=1,
    stream_runs=0,
    stream_rate=None,
    tagged_items=100,
    insert_runs=2,
)
