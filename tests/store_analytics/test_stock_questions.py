"""Stock, where it stands, what it will be, and what is odd about it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, Float, literal, select

from retail_datagen.store.analytics.anomalies import anomalies, deviance
from retail_datagen.store.analytics.forecast import forecast
from retail_datagen.store.analytics.heatmap import stock_heatmap
from retail_datagen.store.analytics.overview import overview
from retail_datagen.store.analytics.stock import State, stock, stock_history
from retail_datagen.store.analytics.window import floored
from retail_datagen.store.database import open_database
from retail_datagen.store.ledger import Ledger
from retail_datagen.store.listing import list_items
from store_analytics.conftest import EACH, NOW, PRODUCTS, Past, length, sku
from stores import items, products


def test_stock_tells_when_it_is_gone(connection: Connection, past: Past) -> None:
    told = stock(connection, 30, 100)
    assert {one.sku: one.on_hand for one in told} == {
        sku(p): left for p, left in enumerate(past.left)
    }
    units = Counter(sale.product for sale in past.within(30))
    for one in told:
        sold = units[int(one.sku[-2:])]
        if sold:
            assert one.days_left == pytest.approx(one.on_hand * length(30) / sold, abs=0.06)
            assert one.depletes_at is not None
            gone = NOW + timedelta(days=one.on_hand * length(30) / sold)
            assert abs(one.depletes_at - gone) < timedelta(seconds=2)
        else:
            assert one.days_left is None
    left = [one.days_left for one in told if one.on_hand and one.days_left is not None]
    assert left == sorted(left)


def test_states_part_the_products(connection: Connection, past: Past) -> None:
    parts = [
        {one.sku for one in stock(connection, 30, 100, state=state)} for state in get_args(State)
    ]
    assert sum(map(len, parts)) == PRODUCTS
    assert set.union(*parts) == {sku(p) for p in range(PRODUCTS)}
    for state, part in zip(get_args(State), parts, strict=True):
        assert all(one.state == state for one in stock(connection, 30, 100) if one.sku in part)


def test_pages_of_stock_are_its_whole(connection: Connection) -> None:
    whole = stock(connection, 30, 100)
    assert [one for first in (0, 5, 10) for one in stock(connection, 30, 5, first)] == whole


def test_history_is_the_ledger(connection: Connection, past: Past) -> None:
    told = stock_history(connection, sku(3), 365, 1000)
    assert told is not None
    assert told.changes[-1].on_hand == told.stock.on_hand == past.left[3]
    assert [c.on_hand for c in told.changes[:EACH]] == list(range(1, EACH + 1))
    kinds = Counter(change.kind for change in told.changes)
    assert kinds["sale"] == sum(sale.product == 3 for sale in past.sales)
    assert kinds["loss"] == len(past.lost)
    few = stock_history(connection, sku(3), 365, 4)
    assert few is not None
    assert few.changes == told.changes[-4:]
    assert stock_history(connection, "nothing", 365, 4) is None


@pytest.mark.parametrize("measure", ["stock", "sales", "losses"])
def test_the_heatmap_has_every_item_where_it_stands(connection: Connection, measure: str) -> None:
    told = stock_heatmap(connection, measure, 100.0, 365)  # type: ignore[arg-type]
    wanted = {"stock": (None,), "sales": ("sold",), "losses": ("stolen", "lost", "moved")}[measure]
    held = [one for one in list_items(connection, 10_000) if one.reason in wanted]
    cells = Counter((one.x_position // 100 * 100, one.y_position // 100 * 100) for one in held)  # type: ignore[operator]
    assert {(cell.x, cell.y): cell.items for cell in told.cells} == dict(cells)
    zones = Counter(one.zone_id for one in held)
    assert {zone.zone_id: zone.items for zone in told.zones if zone.items} == {
        zone: n for zone, n in zones.items() if zone
    }
    assert told.unplaced == 0


def test_the_heatmap_of_a_category(connection: Connection) -> None:
    told = stock_heatmap(connection, category="Footwear")
    present = list_items(connection, 10_000, status="present")
    mine = [one for one in present if int(one.sku[-2:]) % 3 == 0]
    assert sum(cell.items for cell in told.cells) == len(mine)


@pytest.mark.parametrize("value", [-250.0, -100.0, -0.5, 0.0, 0.5, 99.0, 100.0, 1e6])
def test_floors_go_downwards(connection: Connection, value: float) -> None:
    told = connection.scalar(select(floored(connection, literal(value, Float()) / 100.0)))
    assert told == value // 100


def test_the_forecast_continues_what_was(connection: Connection, past: Past) -> None:
    told = forecast(connection, sku(0), 14, 60)
    assert told is not None
    today = NOW.replace(hour=0, minute=0)
    sold = [sale.at for sale in past.sales if sale.product == 0]
    assert sum(day.units for day in told.history) == sum(
        today - timedelta(days=60) <= at < today for at in sold
    )
    assert [day.date for day in told.days] == [today + timedelta(days=n) for n in range(14)]
    assert all(day.lower <= day.units <= day.upper for day in told.days)
    mean = sum(day.units for day in told.history) / 60
    assert told.units_per_day == pytest.approx(mean, rel=0.5)
    assert told.horizon_units == pytest.approx(sum(day.units for day in told.days), abs=0.01)
    assert told.suggested_order >= told.horizon_units + 30 - told.on_hand - 1


def test_what_never_sold_is_not_expected_to(connection: Connection) -> None:
    told = forecast(connection, sku(11), 7)
    assert told is not None
    assert told.horizon_units == 0
    assert told.runs_out_at is None
    assert forecast(connection, "nothing") is None


def test_what_runs_out_is_told(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'few.db'}")
    ledger = Ledger(engine)
    begun = datetime(2031, 1, 1, 8)
    ledger.add_products(products(1), begun)
    ledger.add_items(items([0] * 43), begun)
    for day in range(40):
        ledger.sell([day + 1], begun + timedelta(days=day + 1))
    with engine.connect() as connection:
        told = forecast(connection, "T-0001", 14, 40)
    engine.dispose()
    assert told is not None
    assert told.units_per_day == pytest.approx(1, abs=0.03)
    assert told.on_hand == 3
    assert told.runs_out_at is not None
    assert told.runs_out_at - begun == pytest.approx(timedelta(days=43), abs=timedelta(days=1))


def odd_store(path: Path) -> Connection:
    """Sixty days of six sales; on one of them thirty. Nearly all losses are one product's, and
    one product has been gone for ten days."""
    ledger = Ledger(open_database(f"sqlite:///{path / 'odd.db'}"))
    begun = datetime(2031, 1, 1, 8)
    ledger.add_products(products(8), begun)
    ledger.add_items(items([n % 8 for n in range(640)]), begun)
    shelf = {p: [1 + n for n in range(640) if n % 8 == p] for p in range(8)}
    for day in range(60):
        at = begun + timedelta(days=day + 1)
        times = 5 if day == 41 else 1
        wanted = [p for p in range(6) for _ in range(times) if shelf[p]]
        ledger.sell([shelf[p].pop() for p in wanted], at)
        if day % 6 == 0:
            ledger.lose([shelf[7].pop()], at + timedelta(hours=1), "stolen")
    assert ledger.lose(shelf[5], begun + timedelta(days=61), "moved").items.size
    return ledger.engine.connect()


def test_anomalies_are_found(tmp_path: Path) -> None:
    with odd_store(tmp_path) as connection:
        found = anomalies(connection, 60, 100, until=datetime(2031, 3, 13))
        strict = anomalies(connection, 60, 100, 8.0, until=datetime(2031, 3, 13))
        losses = anomalies(connection, 60, 100, kind="losses", until=datetime(2031, 3, 13))
    subjects = {(one.kind, one.subject) for one in found}
    assert ("sales_day", "2031-02-12") in subjects
    assert ("losses", "T-0008") in subjects
    assert ("empty_shelf", "T-0006") in subjects
    assert [one.subject for one in losses] == ["T-0008"]
    assert len(strict) < len(found)
    days = [one.subject for one in found if one.kind == "sales_day" and one.score > 0]
    assert days == ["2031-02-12"]
    scores = [abs(one.score) for one in found]
    assert scores == sorted(scores, reverse=True)


def test_nothing_is_odd_about_nothing(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'none.db'}")
    with engine.connect() as connection:
        assert anomalies(connection, 90, 100) == []
        assert overview(connection, 30).items.total == 0
        assert stock(connection, 30, 10) == []
    engine.dispose()


@given(st.integers(0, 10_000), st.floats(0.01, 10_000))
def test_deviance_is_zero_only_where_it_is_as_expected(observed: int, expected: float) -> None:
    far = deviance(observed, expected)
    assert np.isfinite(far)
    assert far == 0 or (far > 0) == (observed > expected)
    assert abs(deviance(observed, expected)) <= abs(deviance(observed * 2, expected)) or (
        observed < expected
    )
