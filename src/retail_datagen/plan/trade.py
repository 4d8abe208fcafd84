"""One day of trade against stock: the flows, what they lost, and what became receipts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retail_datagen.behaviour.handling import Handling
from retail_datagen.behaviour.journeys import Visits
from retail_datagen.behaviour.online import DC, OrderLines, Orders
from retail_datagen.behaviour.returns import Arrivals
from retail_datagen.core.calendar import DAY_SECONDS
from retail_datagen.plan.dayplan import ReturnsDue, Shipments, Supplies
from retail_datagen.plan.market import StoreDemand
from retail_datagen.plan.settle import Flow, Turn
from retail_datagen.plan.state import Promised

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class OnlineFlow:
    """Online lines of one kind of node, and their rows among the day's order lines."""

    flow: Flow
    row: I64


def sale_flow(demand: StoreDemand, products: int) -> Flow:
    """Every wanted line of the day's shoppers, in the order in which they come."""
    visits: Visits = demand.visits
    visit = demand.lines.visit
    cell = visits.store.take(visit).astype(np.int64) * products + demand.lines.product
    return Flow(Turn.SALE, cell, demand.lines.quantity.astype(np.int32), visits.second.take(visit))


def online_flow(orders: Orders, lines: OrderLines, products: int, *, at_dc: bool) -> OnlineFlow:
    """The order lines that DCs (or stores) are asked for, reserved when they are ordered."""
    row = np.flatnonzero((orders.mode[lines.order] == DC) == at_dc)
    order = lines.order[row]
    cell = orders.node[order].astype(np.int64) * products + lines.product[row]
    units = lines.quantity[row].astype(np.int32)
    return OnlineFlow(Flow(Turn.ONLINE, cell, units, orders.second[order]), row)


def promise(day: int, orders: Orders, lines: OrderLines, online: OnlineFlow, lost: I64) -> Promised:
    """What stores keep for orders of `day` beyond its evening; `lost` are rows of the flow."""
    order = lines.order[np.delete(online.row, lost)]
    units = np.delete(online.flow.units, lost)
    picked_on = day + orders.picked[order] // DAY_SECONDS
    later = np.flatnonzero(picked_on > day)
    key = (picked_on[later].astype(np.int64) << 32) | orders.node[order[later]]
    day_and_store, place = np.unique(key, return_inverse=True)
    together = np.zeros(len(day_and_store), dtype=np.int32)
    np.add.at(together, place, units[later])
    return Promised(
        (day_and_store >> 32).astype(np.int32),
        (day_and_store & 0xFFFFFFFF).astype(np.int32),
        together,
    )


def handling_flow(handling: Handling, rows: I64, turn: Turn, products: int) -> Flow:
    """Corrections at `rows` as a flow in or out."""
    cell = handling.place[rows].astype(np.int64) * products + handling.product[rows]
    return Flow(turn, cell, handling.units[rows], handling.second[rows])


def shipment_flow(shipments: Shipments, products: int) -> Flow:
    """Goods booked in when their truck is emptied."""
    of_line = shipments.of_line()
    cell = shipments.store[of_line].astype(np.int64) * products + shipments.product
    return Flow(Turn.INFLOW, cell, shipments.units, shipments.completed[of_line])


def return_flow(returns: ReturnsDue, arrivals: Arrivals, products: int) -> Flow:
    """Returned goods that go back to the shelf; damaged ones come in and leave at once."""
    rows = np.flatnonzero(~arrivals.damaged)
    cell = returns.store[rows].astype(np.int64) * products + returns.product[rows]
    units = returns.units[rows].astype(np.int32)
    return Flow(Turn.INFLOW, cell, units, arrivals.second[rows])


def supply_flow(supplies: Supplies, products: int) -> Flow:
    cell = supplies.dc.astype(np.int64) * products + supplies.product
    return Flow(Turn.INFLOW, cell, supplies.units, supplies.second)


def joined(flows: list[Flow]) -> Flow:
    """Inflows of several kinds as one."""
    return Flow(
        flows[0].turn,
        np.concatenate([f.cell for f in flows]),
        np.concatenate([f.units for f in flows]),
        np.concatenate([f.second for f in flows]),
    )


def next_inflow(inflow: Flow, cell: I64, second: I32) -> I32:
    """Second of the first inflow after `second` into each of the cells, or -1."""
    if not len(cell):
        return second[:0]
    wanted = np.isin(inflow.cell, cell, kind="table")
    key = np.sort((inflow.cell[wanted] << 20) | inflow.second[wanted])
    found = np.searchsorted(key, (cell << 20) | second.astype(np.int64), side="right")
    key = np.append(key, -1)
    same = (key[found] >> 20) == cell
    return np.where(same, key[found] & 0xFFFFF, -1).astype(np.int32)
