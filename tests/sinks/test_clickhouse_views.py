"""Dashboards' views: each event counts once, and the numbers are those got by hand."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from retail_datagen.cli import clickhouse_commands
from retail_datagen.core.calendar import to_day
from retail_datagen.events.topics.hub import TABLE as HUB
from retail_datagen.sinks import StreamOptions, open_sink
from retail_datagen.sinks.clickhouse_admin import init
from retail_datagen.sinks.clickhouse_client import ClickHouse

FIRST, DAYS = date(2023, 1, 17), 460
CATEGORIES = ("Grocery", "Electronics", "Toys")


@dataclass(frozen=True)
class Event:
    """A hub event as a person would write it down."""

    time: datetime
    store: int
    product: int
    category: str
    kind: str
    units: int
    price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.units * self.price


@dataclass(frozen=True)
class Loaded:
    """Events that lie in a ClickHouse, and the way to ask it."""

    events: list[Event]
    clickhouse: ClickHouse

    def view(self, name: str, columns: str, order: str) -> list[tuple[Any, ...]]:
        rows = self.clickhouse.rows(f"SELECT {columns} FROM retail.{name} ORDER BY {order}")
        return [tuple(row) for row in rows]

    def sold(self, kind: str = "SALE") -> list[Event]:
        return [event for event in self.events if event.kind == kind]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    url = f"chdb:{tmp_path_factory.mktemp('views') / 'retail.chdb'}"
    clickhouse = ClickHouse.of(url)
    init(clickhouse, clickhouse_commands.plan(), HUB, None)
    sink: Any = open_sink(url, options=StreamOptions(feed="hub"))
    random = np.random.default_rng(5)
    events = []
    for number in range(DAYS):
        day = FIRST + timedelta(days=number)
        todays = sorted(_events(random, day), key=lambda event: event.time)
        events += todays
        sink.write_partition(HUB, to_day(day), _rows(todays))
    sink.commit()
    yield Loaded(events, clickhouse)
    sink.close()
    clickhouse.close()


def _events(random: np.random.Generator, day: date) -> Iterator[Event]:
    for _ in range(int(random.integers(5, 25))):
        seconds = int(random.integers(0, 86_400))
        product = int(random.integers(1, 12))
        yield Event(
            datetime(day.year, day.month, day.day) + timedelta(seconds=seconds),
            int(random.integers(1, 4)),
            product,
            CATEGORIES[product % 3],
            str(random.choice(["SALE", "SALE", "SALE", "RETURN", "RESTOCK"])),
            int(random.integers(1, 5)),
            Decimal(int(random.integers(1, 90_000))) / 100,
        )


def _rows(events: list[Event]) -> pa.Table:
    prices = pa.array([event.price for event in events], pa.decimal128(12, 2))
    return pa.table(
        {
            "event_time": pa.array([event.time for event in events], pa.timestamp("s")),
            "store_id": pa.array([event.store for event in events], pa.int32()),
            "product_id": pa.array([event.product for event in events], pa.int32()),
            "category": pa.array([event.category for event in events]).dictionary_encode(),
            "transaction_type": pa.array([event.kind for event in events]).dictionary_encode(),
            "quantity": pa.array([event.units for event in events], pa.int32()),
            "unit_price": prices.cast(pa.decimal64(12, 2)),
        }
    ).cast(HUB.arrow)


SUMS = "sales, units, revenue, returned_units, refunds, net_revenue"


def _sums(events: list[Event]) -> tuple[Any, ...]:
    sold = [event for event in events if event.kind == "SALE"]
    back = [event for event in events if event.kind == "RETURN"]
    revenue = sum((event.amount for event in sold), Decimal())
    refunds = sum((event.amount for event in back), Decimal())
    units, returned = sum(e.units for e in sold), sum(e.units for e in back)
    return len(sold), units, revenue, returned, refunds, revenue - refunds


def _grouped(events: list[Event], by: Any) -> list[tuple[Any, ...]]:
    groups = defaultdict(list)
    for event in events:
        if event.kind != "RESTOCK":
            groups[by(event)].append(event)
    return [(key, *_sums(groups[key])) for key in sorted(groups)]


def _hour(event: Event) -> datetime:
    return event.time.replace(minute=0, second=0)


def _month(event: Event) -> date:
    return event.time.date().replace(day=1)


def _quarter(event: Event) -> date:
    return date(event.time.year, (event.time.month - 1) // 3 * 3 + 1, 1)


@pytest.mark.parametrize(
    ("view", "column", "by"),
    [
        ("sales_by_category", "category", lambda event: event.category),
        ("sales_by_store", "store_id", lambda event: event.store),
        ("hourly_sales", "hour", _hour),
        ("monthly_sales", "month", _month),
        ("quarterly_sales", "quarter", _quarter),
        ("product_performance", "product_id", lambda event: event.product),
    ],
)
def test_sums_are_those_of_the_events(loaded: Loaded, view: str, column: str, by: Any) -> None:
    found = loaded.view(view, f"{column}, {SUMS}", column)
    assert found == _grouped(loaded.events, by)
    assert sum(row[1] for row in found) == len(loaded.sold())


def _years_on(day: date, years: int) -> date:
    leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year + years, day=28 if leap_day else day.day)


def test_years_are_compared_on_the_same_days(loaded: Loaded) -> None:
    last = FIRST + timedelta(days=DAYS - 1)
    assert last > date(2024, 2, 29)
    now, comparable, before = (defaultdict(Decimal) for _ in range(3))
    for event in loaded.sold():
        day = event.time.date()
        now[_month(event)] += event.amount
        if _years_on(day, -1) >= FIRST:
            comparable[_month(event)] += event.amount
        later = _years_on(day, 1)
        if later <= last:
            before[later.replace(day=1)] += event.amount
    expected = []
    for month in sorted(now):
        growth = None
        if before[month]:
            growth = pytest.approx(100 * (float(comparable[month]) / float(before[month]) - 1))
        expected.append((month, now[month], comparable[month], before[month], growth))
    columns = "month, revenue, comparable_revenue, revenue_year_before, growth_percent"
    assert loaded.view("year_over_year", columns, "month") == expected
    grown = [row for row in expected if row[4] is not None]
    assert len(grown) == 4
    assert len(expected) == 16


def test_rates_ranks_and_peaks(loaded: Loaded) -> None:
    rates = {}
    for event in loaded.events:
        if event.kind != "RESTOCK":
            sold, back = rates.get((_month(event), event.category), (0, 0))
            sale = event.kind == "SALE"
            rates[_month(event), event.category] = (
                sold + event.units * sale,
                back + event.units * (not sale),
            )
    expected = [(*key, *rates[key], rates[key][1] / rates[key][0]) for key in sorted(rates)]
    columns = "month, category, units, returned_units, return_rate"
    assert loaded.view("return_rate", columns, "month, category") == expected

    revenue = Counter[int]()
    for event in loaded.sold():
        revenue[event.product] += event.amount
    ranked = [product for product, _ in revenue.most_common()]
    found = loaded.view("product_performance", "revenue_rank, product_id", "revenue_rank")
    assert found == list(enumerate(ranked, 1))

    hours = Counter((e.time.isoweekday(), e.time.hour) for e in loaded.sold())
    dates = {(e.time.isoweekday(), e.time.date()) for e in loaded.sold()}
    days = Counter(weekday for weekday, _ in dates)
    expected_hours = [(*key, hours[key], hours[key] / days[key[0]]) for key in sorted(hours)]
    columns = "day_of_week, hour, sales, sales_per_day"
    assert loaded.view("peak_hours", columns, "day_of_week, hour") == expected_hours


def test_names_come_from_master_data_and_multiply_nothing(loaded: Loaded) -> None:
    before = loaded.view("sales_by_store", SUMS, "store_id")
    named = loaded.view("sales_by_store", "store_id, store", "store_id")
    assert [store for store, _ in named] == [1, 2, 3]
    assert {name for _, name in named} == {""}
    assert before == loaded.view("sales_by_store", SUMS, "store_id")
