"""Stock is what the movements add up to, on any evening, and never below zero."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from retail_datagen.config.errors import UserError
from retail_datagen.generators.inventory_simulator import InventoryFlowSimulator
from retail_datagen.retailer import Retailer


def summed(retailer: Retailer, table: str, place: str, end: str) -> dict[tuple[int, int], int]:
    """Units by place and product, by adding up the movements of the table."""
    moves = pa.concat_tables(retailer.days(table, retailer.history_start, end))
    groups = moves.group_by([place, "ProductID"]).aggregate([("QtyDelta", "sum")])
    return {
        (row[place], row["ProductID"]): row["QtyDelta_sum"]
        for row in groups.to_pylist()
        if row["QtyDelta_sum"]
    }


def held(stock: pa.Table, place: str) -> dict[tuple[int, int], int]:
    return {
        (row[place], row["ProductID"]): row["OnHand"] for row in stock.to_pylist() if row["OnHand"]
    }


def test_stock_of_every_evening_is_the_sum_of_movements(retailer: Retailer) -> None:
    flow = InventoryFlowSimulator(retailer=retailer)
    assert flow.today is None
    assert flow.run_until("2024-01-06") == flow.today == date(2024, 1, 6)
    for day in ("2024-01-06", "2024-01-01", "2024-01-04"):
        stock = flow.stock(day)
        assert held(stock, "StoreID") == summed(retailer, "store_inventory_txn", "StoreID", day)
        at_dcs = summed(retailer, "dc_inventory_txn", "DCID", day)
        assert held(flow.dc_stock(day), "DCID") == at_dcs
        assert pc.min(stock["OnHand"]).as_py() >= 0
        assert stock.num_rows == 3 * 300


def test_one_store_one_product(retailer: Retailer) -> None:
    flow = InventoryFlowSimulator(retailer=retailer)
    flow.step(days=3)
    everything = held(flow.stock(), "StoreID")
    assert set(flow.stock(store_id=2)["StoreID"].to_pylist()) == {2}
    assert flow.stock(product_id=1005)["StoreID"].to_pylist() == [1, 2, 3]
    assert flow.on_hand(2, 1005) == everything.get((2, 1005), 0)
    assert flow.dc_stock(dc_id=1, product_id=1005).num_rows == 1


def test_asking_ahead_walks_on_and_asking_back_does_not(retailer: Retailer) -> None:
    flow = InventoryFlowSimulator(retailer=retailer)
    assert flow.on_hand(1, 1001, "2024-01-02") >= 0
    assert flow.today == date(2024, 1, 2)
    assert flow.step() == date(2024, 1, 3)
    flow.stock("2024-01-01")
    assert flow.run_until("2024-01-02") == flow.today == date(2024, 1, 3)


def test_deliveries_are_what_trucks_brought(retailer: Retailer) -> None:
    flow = InventoryFlowSimulator(retailer=retailer)
    deliveries, trucks = flow.deliveries("2024-01-03"), flow.truck_moves("2024-01-03")
    assert deliveries.num_rows > 0
    assert pc.min(deliveries["QtyDelta"]).as_py() > 0
    on_the_road = set(trucks["TruckId"].to_pylist())
    assert set(deliveries["Source"].to_pylist()) == on_the_road


def test_what_is_ordered_one_night_comes_later(retailer: Retailer) -> None:
    flow = InventoryFlowSimulator(retailer=retailer)
    ordered = {
        (row["StoreID"], row["ProductID"])
        for day in ("2024-01-01", "2024-01-02")
        for row in flow.reorders(day).to_pylist()
    }
    brought = {
        (row["StoreID"], row["ProductID"]) for row in flow.deliveries("2024-01-03").to_pylist()
    }
    assert brought <= ordered
    assert flow.stockouts("2024-01-03").schema == retailer.tables()["stockouts"].arrow


def test_what_is_not_there_is_named(retailer: Retailer) -> None:
    flow = InventoryFlowSimulator(retailer=retailer)
    with pytest.raises(UserError, match="StoreID: 9 is not known; there are 3 from 1 to 3"):
        flow.on_hand(9, 1001, "2024-01-01")
    with pytest.raises(UserError, match="ProductID: 5 is not known; there are 300 from 1001"):
        flow.on_hand(1, 5, "2024-01-01")
    with pytest.raises(UserError, match="2023-12-31 is before the history"):
        flow.stock("2023-12-31")
    with pytest.raises(UserError, match="days: 0 is not allowed"):
        flow.step(0)
