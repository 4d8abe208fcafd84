"""One day of trade against stock: the flows, what they lost, and what became receipts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.behaviour.handling import Handling
from retail_datagen.behaviour.journeys import Visits
from retail_datagen.behaviour.online import DC, OrderLines, Orders
from retail_datagen.behaviour.returns import Arrivals
from retail_datagen.core.arrays import I32, I64
from retail_datagen.core.calendar import DAY_SECONDS
from retail_datagen.core.order import stable_order
from retail_datagen.core.rng import Stream
from retail_datagen.plan.dayplan import Lost, ReturnsDue, Shipments, Supplies
from retail_datagen.plan.market import StoreDemand
from retail_datagen.plan.replenish import SupplierOrders
from retail_datagen.plan.settle import Flow, Loss, Turn
from retail_datagen.plan.state import Promised


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


def deliveries(due: SupplierOrders, stream: Stream, products: int) -> Supplies:
    """What suppliers bring of the orders that are due, in the hours before noon."""
    second = 6 * 3600 + stream.below(len(due.cell), 6 * 3600)
    order = stable_order(second)
    cell = due.cell[order]
    return Supplies(
        (cell // products).astype(np.int16),
        (cell % products).astype(np.uint16),
        due.units[order],
        second[order].astype(np.int32),
    )


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


def tomorrow(flow: Flow) -> Flow:
    """A flow of the next day, in seconds since today's midnight."""
    return Flow(flow.turn, flow.cell, flow.units, flow.second + np.int32(DAY_SECONDS))


def lost_lines(loss: Loss, flow: Flow, inflow: Flow) -> Lost:
    """What a flow lost, with the second at which goods came again."""
    restocked = next_inflow(inflow, flow.cell[loss.row], flow.second[loss.row])
    return Lost(loss.row.astype(np.int32), loss.on_hand, restocked)


def lost_order_lines(stores: OnlineFlow, lost: Lost, dcs: OnlineFlow, lost_at_dc: Loss) -> Lost:
    """Order lines lost in stores (rows of their flow) and at DCs as rows of the day's lines."""
    at_dc = dcs.row[lost_at_dc.row]
    row = np.concatenate([stores.row[lost.row], at_dc])
    order = np.argsort(row)
    unknown = np.full(len(at_dc), -1, dtype=np.int32)
    return Lost(
        row[order].astype(np.int32),
        np.concatenate([lost.on_hand, lost_at_dc.on_hand])[order],
        np.concatenate([lost.restocked, unknown])[order],
    )


def dropped(loss: Loss) -> Lost:
    """What was lost where nobody asks when goods came again."""
    unknown = np.full(len(loss.row), -1, dtype=np.int32)
    return Lost(loss.row.astype(np.int32), loss.on_hand, unknown)
