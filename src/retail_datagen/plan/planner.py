"""Walks the days in order and writes a plan for each: the only place that keeps state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from retail_datagen.behaviour.handling import Handling
from retail_datagen.behaviour.journeys import Converts
from retail_datagen.behaviour.online import OrderLines, Orders
from retail_datagen.behaviour.returns import Arrivals
from retail_datagen.core.calendar import DAY_SECONDS
from retail_datagen.core.order import stable_order
from retail_datagen.core.rng import Stream
from retail_datagen.plan.dayplan import Counts, DayPlan, Lost, Reorders, ReturnsDue, Supplies
from retail_datagen.plan.dispatch import Dispatch, Dispatcher
from retail_datagen.plan.forecast import Forecast
from retail_datagen.plan.initial import opening_stock
from retail_datagen.plan.market import Market, StoreDemand
from retail_datagen.plan.replenish import OrderBook, SupplierOrders, review_dcs, review_stores
from retail_datagen.plan.settle import Flow, Loss, Turn, settle
from retail_datagen.plan.state import (
    Announced,
    AwaitedReturns,
    Promised,
    State,
    no_returns,
    no_shipments,
    nobody_announced,
    nothing_promised,
)
from retail_datagen.plan.tills import Tills
from retail_datagen.plan.trade import (
    OnlineFlow,
    handling_flow,
    joined,
    next_inflow,
    online_flow,
    promise,
    return_flow,
    sale_flow,
    shipment_flow,
    supply_flow,
)


@dataclass(frozen=True, slots=True)
class _Draws:
    """All that happens of itself on a day, before stock answers."""

    converts: Converts
    demand: StoreDemand
    orders: Orders
    order_lines: OrderLines
    handling: Handling
    dc_handling: Handling
    returns: ReturnsDue
    arrivals: Arrivals
    supplies: Supplies


@dataclass(frozen=True, slots=True)
class _StoreTrade:
    """A day of the stores after settlement."""

    inflow: Flow
    sales: Flow
    online: OnlineFlow
    handling: Flow
    lost_sales: Loss
    lost_online: Loss
    lost_handling: Loss


class Planner:
    """Plans one day after the other. `state` is what the next day begins with."""

    def __init__(self, market: Market, state: State | None = None) -> None:
        self.market = market
        self._world = market.world
        self._forecast = Forecast(market)
        self._dispatcher = Dispatcher(market.world, market.seed)
        self._products = len(market.world.products.product_id)
        self.state = state or self._open()

    @classmethod
    def restore(cls, market: Market, saved: bytes) -> Self:
        """The planner that `save` left. Raises ValueError when the bytes are damaged."""
        return cls(market, State.from_bytes(saved))

    def save(self) -> bytes:
        return self.state.to_bytes()

    @property
    def next_day(self) -> int:
        return self.state.day

    def step(self) -> DayPlan:
        """Plans the next day and moves the state to its evening."""
        state, day = self.state, self.state.day
        draws, awaited = self._draw(state)
        announced = state.announced.where(state.announced.due > day)
        store_stock, dc_stock = state.store_stock.copy(), state.dc_stock.copy()
        store_on_order, dc_on_order = state.store_on_order.copy(), state.dc_on_order.copy()
        trade = self._trade_in_stores(draws, state, store_stock)
        np.subtract.at(
            store_on_order,
            shipment_flow(state.shipments, self._products).cell,
            state.shipments.units,
        )
        supply = supply_flow(draws.supplies, self._products)
        np.subtract.at(dc_on_order, supply.cell, supply.units)
        dc_online, lost_at_dc, lost_dc_handling = self._trade_in_dcs(draws, supply, dc_stock)
        tills = self.market.tills(draws.demand, trade.lost_sales.row.astype(np.int32))
        due, sold = self._will_return(day, draws.demand, tills)
        impressions, announced = self._advertise(day, announced)
        reorders = self._reorder(day, trade, store_stock, store_on_order)
        cell = reorders.store.astype(np.int64) * self._products + reorders.product
        np.add.at(store_on_order, cell, reorders.units)
        book = state.book.and_then(
            OrderBook(cell, reorders.units, reorders.priority, np.zeros(len(cell), np.uint8))
        )
        promised = state.promised.after(day).and_then(
            promise(day, draws.orders, draws.order_lines, trade.online, trade.lost_online.row)
        )
        dispatch = self._dispatch(day + 1, book, store_stock, promised, dc_stock)
        ordered = review_dcs(self.market, self._forecast, day, dc_stock, dc_on_order)
        np.add.at(dc_on_order, ordered.cell, ordered.units)
        inflow = joined(
            [trade.inflow, _tomorrow(shipment_flow(dispatch.shipments, self._products))]
        )
        lost_order_lines = self._lost_online(trade, inflow, dc_online, lost_at_dc)
        plan = DayPlan(
            day=day,
            first_trace=state.next_trace,
            first_order=state.next_order,
            counts=self._count(draws, tills, state, trade, lost_dc_handling, reorders, impressions),
            converts=draws.converts,
            lost_lines=_lost(trade.lost_sales, trade.sales, inflow),
            lost_order_lines=lost_order_lines,
            lost_handling=_dropped(trade.lost_handling),
            lost_dc_handling=_dropped(lost_dc_handling),
            shipments=state.shipments,
            supplies=draws.supplies,
            returns=draws.returns,
            reorders=reorders,
        )
        self.state = State(
            day=day + 1,
            next_trace=state.next_trace + plan.counts.total,
            next_order=state.next_order + plan.counts.orders,
            store_stock=store_stock,
            dc_stock=dc_stock,
            store_on_order=store_on_order,
            dc_on_order=dc_on_order,
            book=dispatch.waiting,
            suppliers=state.suppliers.where(state.suppliers.day > day).and_then(ordered),
            shipments=dispatch.shipments,
            returns=awaited.and_then(due, sold),
            announced=announced,
            promised=promised,
        )
        return plan

    def _open(self) -> State:
        opening = opening_stock(self.market, self._forecast)
        return State(
            day=self.market.history_start,
            next_trace=1,
            next_order=1,
            store_stock=opening.stores,
            dc_stock=opening.dcs,
            store_on_order=np.zeros_like(opening.stores),
            dc_on_order=np.zeros_like(opening.dcs),
            book=OrderBook.empty(),
            suppliers=SupplierOrders.empty(),
            shipments=no_shipments(),
            returns=no_returns(),
            announced=nobody_announced(),
            promised=nothing_promised(),
        )

    def _draw(self, state: State) -> tuple[_Draws, AwaitedReturns]:
        day, market = state.day, self.market
        today = state.announced.where(state.announced.due == day)
        converts = market.converts_on(day, today.customer, today.promotion)
        returns, awaited = state.returns.split(day)
        orders, order_lines = market.online_orders(day)
        traffic = market.traffic_ppm(day)
        draws = _Draws(
            converts=converts,
            demand=market.in_stores(day, converts),
            orders=orders,
            order_lines=order_lines,
            handling=market.handling.in_stores(day, traffic),
            dc_handling=market.handling.in_dcs(day, traffic),
            returns=returns,
            arrivals=market.returns.arrive(day, returns.store),
            supplies=self._supplies(state),
        )
        return draws, awaited

    def _supplies(self, state: State) -> Supplies:
        """Supplier deliveries of the day, in the hours before noon."""
        due = state.suppliers.where(state.suppliers.day == state.day)
        count = len(due.cell)
        second = 6 * 3600 + Stream(self.market.seed, "supplies", state.day).below(count, 6 * 3600)
        order = stable_order(second)
        cell = due.cell[order]
        return Supplies(
            (cell // self._products).astype(np.int16),
            (cell % self._products).astype(np.uint16),
            due.units[order],
            second[order].astype(np.int32),
        )

    def _trade_in_stores(
        self, draws: _Draws, state: State, stock: NDArray[np.int32]
    ) -> _StoreTrade:
        found = draws.handling.inflow()
        inflow = joined(
            [
                shipment_flow(state.shipments, self._products),
                return_flow(draws.returns, draws.arrivals, self._products),
                handling_flow(draws.handling, found, Turn.INFLOW, self._products),
            ]
        )
        gone = draws.handling.outflow()
        handling = handling_flow(draws.handling, gone, Turn.SHRINK, self._products)
        sales = sale_flow(draws.demand, self._products)
        online = online_flow(draws.orders, draws.order_lines, self._products, at_dc=False)
        lost_handling, lost_sales, lost_online = settle(
            stock, inflow, [handling, sales, online.flow]
        )
        lost_handling = Loss(gone[lost_handling.row], lost_handling.on_hand)
        return _StoreTrade(inflow, sales, online, handling, lost_sales, lost_online, lost_handling)

    def _trade_in_dcs(
        self, draws: _Draws, supply: Flow, stock: NDArray[np.int32]
    ) -> tuple[OnlineFlow, Loss, Loss]:
        handling = draws.dc_handling
        found = handling_flow(handling, handling.inflow(), Turn.INFLOW, self._products)
        gone = handling.outflow()
        shrunk = handling_flow(handling, gone, Turn.SHRINK, self._products)
        online = online_flow(draws.orders, draws.order_lines, self._products, at_dc=True)
        lost_handling, lost_online = settle(stock, joined([supply, found]), [shrunk, online.flow])
        return online, lost_online, Loss(gone[lost_handling.row], lost_handling.on_hand)

    def _will_return(
        self, day: int, demand: StoreDemand, tills: Tills
    ) -> tuple[NDArray[np.int32], ReturnsDue]:
        """(day due, record) of the sold lines that come back."""
        product = demand.lines.product[tills.line]
        rows, due = self.market.returns.choose(day, product)
        receipt = tills.receipt[rows]
        visit = tills.visit[receipt]
        visits = demand.visits
        prices = self.market.tables(day).prices.price
        return due, ReturnsDue(
            sold_day=np.full(len(rows), day, dtype=np.int32),
            sold_second=visits.second[visit],
            store=visits.store[visit],
            number=tills.number[receipt],
            line=tills.position[rows],
            customer=visits.customer[visit],
            product=product[rows],
            units=demand.lines.quantity[tills.line[rows]],
            price=prices[product[rows]].astype(np.int32),
        )

    def _advertise(self, day: int, announced: Announced) -> tuple[int, Announced]:
        shown = self.market.impressions(day)
        response = self.market.marketing.respond(day, shown)
        due = (day + response.delay.astype(np.int64)).astype(np.int32)
        return len(shown), announced.and_then(Announced(due, response.customer, response.promotion))

    def _reorder(
        self,
        day: int,
        trade: _StoreTrade,
        stock: NDArray[np.int32],
        on_order: NDArray[np.int32],
    ) -> Reorders:
        touched = np.concatenate([trade.sales.cell, trade.online.flow.cell, trade.handling.cell])
        return review_stores(
            self.market, self._forecast, day, stock, on_order, touched, self._dispatcher.most_units
        )

    def _dispatch(
        self,
        day: int,
        book: OrderBook,
        store_stock: NDArray[np.int32],
        promised: Promised,
        dc_stock: NDArray[np.int32],
    ) -> Dispatch:
        held = store_stock.reshape(-1, self._products).sum(axis=1, dtype=np.int64)
        held += promised.by_store(len(held))
        room = np.maximum(self._world.stores.capacity - held, 0)
        dispatch = self._dispatcher.dispatch(day, book, dc_stock, room)
        store = dispatch.taken.cell // self._products
        cell = (
            self._world.stores.dc[store].astype(np.int64) * self._products
            + dispatch.taken.cell
            - store * self._products
        )
        np.subtract.at(dc_stock, cell, dispatch.taken.units)
        return dispatch

    def _lost_online(
        self, trade: _StoreTrade, inflow: Flow, dc_online: OnlineFlow, lost_at_dc: Loss
    ) -> Lost:
        """Lost order lines of stores and DCs as rows of the day's order lines."""
        in_stores = _lost(trade.lost_online, trade.online.flow, inflow)
        at_dc = dc_online.row[lost_at_dc.row]
        row = np.concatenate([trade.online.row[in_stores.row], at_dc])
        order = np.argsort(row)
        unknown = np.full(len(at_dc), -1, dtype=np.int32)
        return Lost(
            row[order].astype(np.int32),
            np.concatenate([in_stores.on_hand, lost_at_dc.on_hand])[order],
            np.concatenate([in_stores.restocked, unknown])[order],
        )

    def _count(
        self,
        draws: _Draws,
        tills: Tills,
        state: State,
        trade: _StoreTrade,
        lost_dc_handling: Loss,
        reorders: Reorders,
        impressions: int,
    ) -> Counts:
        visits = len(draws.demand.visits)
        first = state.day == self.market.history_start
        opening = int(np.count_nonzero(state.store_stock)) if first else 0
        dc_opening = int(np.count_nonzero(state.dc_stock)) if first else 0
        return Counts(
            receipts=len(tills.visit),
            orders=len(draws.orders),
            shipments=len(state.shipments),
            supplies=len(draws.supplies.dc),
            dc_handling=dc_opening + len(draws.dc_handling) - len(lost_dc_handling.row),
            store_handling=opening + len(draws.handling) - len(trade.lost_handling.row),
            returns=len(draws.returns.store),
            foot_traffic=self.market.foot_rows(visits),
            ble_pings=self.market.pings(visits),
            impressions=impressions,
            stockouts=len(trade.lost_sales.row) + len(trade.lost_online.row),
            reorders=len(reorders.store),
            price_changes=len(self.market.pricing.changes(state.day)),
        )


def _tomorrow(flow: Flow) -> Flow:
    return Flow(flow.turn, flow.cell, flow.units, flow.second + np.int32(DAY_SECONDS))


def _lost(loss: Loss, flow: Flow, inflow: Flow) -> Lost:
    restocked = next_inflow(inflow, flow.cell[loss.row], flow.second[loss.row])
    return Lost(loss.row.astype(np.int32), loss.on_hand, restocked)


def _dropped(loss: Loss) -> Lost:
    unknown = np.full(len(loss.row), -1, dtype=np.int32)
    return Lost(loss.row.astype(np.int32), loss.on_hand, unknown)
