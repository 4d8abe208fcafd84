"""A small history, checked row by row: books closed, keys whole, nothing below zero, ever.

The rules read the rendered tables with NumPy, and share no code with what made them. The same
rules hold of a plentiful retailer and of a starved one, half of whose shelves are empty.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from rules import RULES

from histories import History, config_of, history, rewrite, values
from retail_datagen.core.calendar import to_day
from retail_datagen.tables import registry
from retail_datagen.world.build import build_world_files

CHRISTMAS = to_day(date(2024, 12, 25))
STARVED: dict[str, object] = {
    "supply.store_cover_days": 0.3,
    "supply.store_safety_days": 0.0,
    "supply.presentation_units": 1,
    "supply.dc_cover_days": 1.0,
    "supply.dc_safety_days": 0.0,
    "supply.shrink_share": 0.2,
    "supply.damage_share": 0.2,
    "supply.count_adjustment_share": 0.2,
}


@pytest.fixture(scope="module", params=["plentiful", "starved"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> History:
    """25 days around a Christmas that is closed, Black Friday not among them."""
    starved = request.param == "starved"
    master = tmp_path_factory.mktemp("books") / "master"
    config = config_of(master, overrides=STARVED if starved else None)
    if starved:
        build_world_files(config, config.load_profile(), master)
        rewrite(master / "distribution_centers.csv", "Throughput", lambda _: 500)
    return history(config, date(2024, 12, 6), 25)


@pytest.fixture(scope="module")
def starved(told: History) -> bool:
    return bool(told.config.overrides)


def test_a_starved_retailer_runs_out(told: History, starved: bool) -> None:
    """The second retailer is what it is meant to be, or these tests would test little."""
    lost, sold = told.whole("stockouts").num_rows, told.whole("receipt_lines").num_rows
    empty = sum(
        len(told.context().day(day).demand.visits) - plan.counts.receipts
        for day, plan in told.plans.items()
    )
    if starved:
        assert lost > 0.2 * sold
        assert empty > 50
    else:
        assert 0 < lost < 0.02 * (lost + sold)


def test_there_is_something_to_look_at(told: History) -> None:
    """Every table has rows, there are products yet to come, and many columns refer to others."""
    for name in registry():
        assert told.whole(name).num_rows > 25, name
    assert told.whole("store_returns").num_rows > 100
    assert (told.world.products.launch_day > told.start).any()
    columns = [c for fact in registry().values() for c in fact.table.columns]
    assert sum(bool(column.references) for column in columns) > 20


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule(told: History, rule: Callable[[History], None]) -> None:
    rule(told)


def test_christmas_is_closed_but_the_web_shop_is_not(told: History) -> None:
    for table in ("receipts", "receipt_lines", "foot_traffic", "ble_pings", "store_returns"):
        assert told.day(table, CHRISTMAS).num_rows == 0, table
    status = values(told.day("online_orders", CHRISTMAS).column("Status"))
    assert (status == "CREATED").any()
    at_store = values(told.day("online_orders", CHRISTMAS).column("NodeType")) == "STORE"
    assert not ((status == "PICKED") & at_store).any()
    movements = set(values(told.day("store_inventory_txn", CHRISTMAS).column("Reason")))
    assert movements <= {"INBOUND_SHIPMENT"}


def test_customers_who_ring_or_buy_are_at_one_place_at_a_time(told: History) -> None:
    """Where there are enough of them; a few customers of many visits cannot but hurry."""
    customer, moment = told.columns("receipts", "CustomerID", "EventTS")
    order = np.lexsort((moment, customer))
    same = np.diff(customer[order]) == 0
    soon = np.diff(moment[order]) < 1800
    assert (same & soon).sum() <= 0.002 * len(customer)
