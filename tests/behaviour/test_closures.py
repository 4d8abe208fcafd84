"""Online orders while stores are closed: picked and handed over when they open, or sent by a DC."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories import Array, config_of
from retail_datagen.behaviour.online import DC, PICKUP, SLOWEST_DAYS
from retail_datagen.config.models import RetailConfig, Volume
from retail_datagen.core.calendar import DAY_SECONDS, to_day
from retail_datagen.engine.job import JobRequest, run_job
from retail_datagen.engine.retail import RetailSource
from retail_datagen.plan.market import Market
from retail_datagen.quality.check import Status
from retail_datagen.quality.verify import verify
from retail_datagen.world.model import World
from retail_datagen.world.read import ensure_world

START = to_day(date(2023, 6, 1))
HORIZON = 60
Retailer = tuple[RetailConfig, World]


@pytest.fixture(scope="module")
def retailer(tmp_path_factory: pytest.TempPathFactory) -> Retailer:
    volume = Volume(
        stores=6, dcs=2, customers_per_day=100, online_orders_per_day=400, customers=1000,
        products=150,
    )  # fmt: skip
    config = config_of(tmp_path_factory.mktemp("closures") / "master", volume=volume)
    return config, ensure_world(config, config.load_profile())


def market_of(retailer: Retailer, open_days: list[bool]) -> Market:
    """Stores open on just these days from START on, again and again."""
    config, world = retailer
    calendar = world.calendar
    days = np.arange(len(calendar.traffic_ppm)) + calendar.first_day - START
    is_open = np.array(open_days)[days % len(open_days)]
    traffic = np.where(is_open, 1_000_000, 0)
    closed = replace(world, calendar=replace(calendar, traffic_ppm=traffic))
    return Market(closed, config.load_profile(), config, START)


patterns = st.lists(st.tuples(st.integers(1, 3), st.integers(0, 14)), min_size=1, max_size=5).map(
    lambda runs: [flag for on, off in runs for flag in [True] * on + [False] * off]
)


@settings(max_examples=40, deadline=None)
@given(open_days=patterns, day=st.integers(START, START + HORIZON))
def test_stores_act_while_open_and_every_order_comes_in_time(
    retailer: Retailer, open_days: list[bool], day: int
) -> None:
    market = market_of(retailer, open_days)
    orders, _ = market.online_orders(day)
    assert (orders.picked > orders.second).all()
    assert (orders.delivered > orders.picked).all()
    assert (orders.delivered < (SLOWEST_DAYS + 1) * DAY_SECONDS).all()
    assert ((orders.shipped < 0) == (orders.mode == PICKUP)).all()
    sizes = np.where(orders.mode == DC, len(market.world.dcs.dc_id), len(market.world.stores.dc))
    assert (orders.node < sizes).all()
    in_store = orders.mode != DC
    assert_open(market, day, orders.picked[in_store], orders.node[in_store])
    handed = orders.mode == PICKUP
    assert_open(market, day, orders.delivered[handed], orders.node[handed])


def assert_open(market: Market, day: int, seconds: Array, store: Array) -> None:
    for later in np.unique(seconds // DAY_SECONDS).tolist():
        hours = market.hours.on(day + later)
        assert hours.is_open
        rows = seconds // DAY_SECONDS == later
        second = seconds[rows] - later * DAY_SECONDS
        assert (second >= hours.opens[store[rows]]).all()
        assert (second < hours.closes[store[rows]]).all()


def test_stores_serve_what_they_can(retailer: Retailer) -> None:
    """A closed day or two changes no mode; a month does, for all but the last days before."""
    always, _ = market_of(retailer, [True]).online_orders(START)
    rested, _ = market_of(retailer, [True, False, False]).online_orders(START)
    assert (always.mode == rested.mode).all()
    closed, _ = market_of(retailer, [True] + [False] * 30).online_orders(START + 2)
    assert (closed.mode == DC).all()


WEEKDAYS = {
    "Sundays": [0, 0, 0, 0, 0, 0, 1],
    "Wednesdays and Saturdays": [0, 0, 1, 0, 0, 1, 0],
}


@pytest.mark.parametrize(
    "overrides",
    [
        {"temporal.weekdays": WEEKDAYS["Sundays"]},
        pytest.param(
            {"temporal.weekdays": WEEKDAYS["Wednesdays and Saturdays"]}, marks=pytest.mark.soak
        ),
        {"temporal.months": [1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]},
        {"temporal.months": [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]},
    ],
    ids=[*WEEKDAYS, "no February", "February"],
)
def test_a_history_with_long_closures_is_without_violation(
    overrides: dict[str, object], tmp_path: Path
) -> None:
    volume = Volume(
        stores=4, dcs=2, customers_per_day=60, online_orders_per_day=60, customers=1000,
        products=120,
    )  # fmt: skip
    config = config_of(tmp_path / "master", volume=volume, overrides=overrides)
    facts = tmp_path / "facts"
    first = to_day(date(2024, 1, 24))
    run_job(JobRequest(RetailSource(config), str(facts), facts, first, first + 41, workers=1))
    failed = verify(facts, tmp_path / "master").with_status(Status.FAILED)
    assert [(result.check.name, result.first) for result in failed] == []
