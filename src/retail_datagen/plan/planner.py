"""Walks the days in order and writes a plan for each: the only place that keeps state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from retail_datagen.behaviour.handling import Handling
from retail_datagen.behaviour.journeys import Converts
from retail_datagen.behaviour.online import OrderLines, Orders
from retail_datagen.behaviour.returns import Arrivals
from retail_datagen.core.arrays import I32
from retail_datagen.core.rng import Stream
from retail_datagen.plan.dayplan import Counts, DayPlan, Reorders, ReturnsDue, Supplies
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
    deliveries,
    dropped,
    handling_flow,
    joined,
    lost_lines,
    lost_order_lines,
    online_flow,
    promise,
    return_flow,
    sale_flow,
    shipment_flow,
    supply_flow,
    tomorrow,
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
class _Held:
    """Units that places hold, and that they have ordered: [places * products].

    The day changes them in place: from what its morning begins with to what its evening leaves.
    """

    in_stores: I32
    in_dcs: I32
    to_stores: I32
    to_dcs: I32

    @classmethod
    def at_dawn(cls, state: State) -> Self:
        """Copies: the state itself stays as it is."""
        return cls(
            state.store_stock.copy(),
            state.dc_stock.copy(),
            state.store_on_order.copy(),
            state.dc_on_order.copy(),
        )


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


@dataclass(frozen=True, slots=True)
class _DcTrade:
    """A day of the DCs after settlement."""

    online: OnlineFlow
    lost_online: Loss
    lost_handling: Loss


@dataclass(frozen=True, slots=True)
class _Evening:
    """What is decided when the stores have closed: who orders what, and what leaves at night."""

    reorders: Reorders
    promised: Promised
    dispatch: Dispatch
    ordered: SupplierOrders


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
        held = _Held.at_dawn(state)
        self._arrive(state, draws, held)
        stores = self._trade_in_stores(draws, state, held.in_stores)
        dcs = self._trade_in_dcs(draws, held.in_dcs)
        tills = self.market.tills(draws.demand, stores.lost_sales.row.astype(np.int32))
        due, sold = self._will_return(day, draws.demand, tills)
        impressions, announced = self._advertise(day, state.announced)
        evening = self._review(state, draws, stores, held)
        counts = self._count(draws, tills, state, stores, dcs, evening.reorders, impressions)
        plan = self._plan(state, draws, counts, stores, dcs, evening)
        self.state = State(
            day=day + 1,
            next_trace=state.next_trace + counts.total,
            next_order=state.next_order + counts.orders,
            store_stock=held.in_stores,
            dc_stock=held.in_dcs,
            store_on_order=held.to_stores,
            dc_on_order=held.to_dcs,
            book=evening.dispatch.waiting,
            suppliers=state.suppliers.where(state.suppliers.day > day).and_then(evening.ordered),
            shipments=evening.dispatch.shipments,
            returns=awaited.and_then(due, sold),
            announced=announced,
            promised=evening.promised,
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
            supplies=deliveries(
                state.suppliers.where(state.suppliers.day == day),
                Stream(market.seed, "supplies", day),
                self._products,
            ),
        )
        return draws, awaited

    def _arrive(self, state: State, draws: _Draws, held: _Held) -> None:
        """What trucks and suppliers bring today is no longer on order."""
        shipped = shipment_flow(state.shipments, self._products)
        np.subtract.at(held.to_stores, shipped.cell, shipped.units)
        supplied = supply_flow(draws.supplies, self._products)
        np.subtract.at(held.to_dcs, supplied.cell, supplied.units)

    def _trade_in_stores(self, draws: _Draws, state: State, stock: I32) -> _StoreTrade:
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

    def _trade_in_dcs(self, draws: _Draws, stock: I32) -> _DcTrade:
        handling = draws.dc_handling
        supply = supply_flow(draws.supplies, self._products)
        found = handling_flow(handling, handling.inflow(), Turn.INFLOW, self._products)
        gone = handling.outflow()
        shrunk = handling_flow(handling, gone, Turn.SHRINK, self._products)
        online = online_flow(draws.orders, draws.order_lines, self._products, at_dc=True)
        lost_handling, lost_online = settle(stock, joined([supply, found]), [shrunk, online.flow])
        return _DcTrade(online, lost_online, Loss(gone[lost_handling.row], lost_handling.on_hand))

    def _will_return(self, day: int, demand: StoreDemand, tills: Tills) -> tuple[I32, ReturnsDue]:
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
        """The day's impressions, and who is announced for later days."""
        shown = self.market.impressions(day)
        response = self.market.marketing.respond(day, shown)
        due = (day + response.delay.astype(np.int64)).astype(np.int32)
        later = announced.where(announced.due > day)
        return len(shown), later.and_then(Announced(due, response.customer, response.promotion))

    def _review(self, state: State, draws: _Draws, trade: _StoreTrade, held: _Held) -> _Evening:
        """Stores order from their DC, trucks are loaded for tomorrow, DCs order from suppliers."""
        day = state.day
        reorders = self._reorder(day, trade, held)
        cell = reorders.store.astype(np.int64) * self._products + reorders.product
        np.add.at(held.to_stores, cell, reorders.units)
        book = state.book.and_then(
            OrderBook(cell, reorders.units, reorders.priority, np.zeros(len(cell), np.uint8))
        )
        promised = state.promised.after(day).and_then(
            promise(day, draws.orders, draws.order_lines, trade.online, trade.lost_online.row)
        )
        dispatch = self._dispatch(day + 1, book, held.in_stores, promised, held.in_dcs)
        ordered = review_dcs(self.market, self._forecast, day, held.in_dcs, held.to_dcs)
        np.add.at(held.to_dcs, ordered.cell, ordered.units)
        return _Evening(reorders, promised, dispatch, ordered)

    def _reorder(self, day: int, trade: _StoreTrade, held: _Held) -> Reorders:
        touched = np.concatenate([trade.sales.cell, trade.online.flow.cell, trade.handling.cell])
        return review_stores(
            self.market,
            self._forecast,
            day,
            held.in_stores,
            held.to_stores,
            touched,
            self._dispatcher.most_units,
        )

    def _dispatch(
        self,
        day: int,
        book: OrderBook,
        store_stock: I32,
        promised: Promised,
        dc_stock: I32,
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

    def _plan(
        self,
        state: State,
        draws: _Draws,
        counts: Counts,
        stores: _StoreTrade,
        dcs: _DcTrade,
        evening: _Evening,
    ) -> DayPlan:
        """What rendering the day cannot know by itself."""
        tonight = tomorrow(shipment_flow(evening.dispatch.shipments, self._products))
        inflow = joined([stores.inflow, tonight])
        lost_in_stores = lost_lines(stores.lost_online, stores.online.flow, inflow)
        return DayPlan(
            day=state.day,
            first_trace=state.next_trace,
            first_order=state.next_order,
            counts=counts,
            converts=draws.converts,
            lost_lines=lost_lines(stores.lost_sales, stores.sales, inflow),
            lost_order_lines=lost_order_lines(
                stores.online, lost_in_stores, dcs.online, dcs.lost_online
            ),
            lost_handling=dropped(stores.lost_handling),
            lost_dc_handling=dropped(dcs.lost_handling),
            shipments=state.shipments,
            supplies=draws.supplies,
            returns=draws.returns,
            reorders=evening.reorders,
        )

    def _count(
        self,
        draws: _Draws,
        tills: Tills,
        state: State,
        trade: _StoreTrade,
        dcs: _DcTrade,
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
            dc_handling=dc_opening + len(draws.dc_handling) - len(dcs.lost_handling.row),
            store_handling=opening + len(draws.handling) - len(trade.lost_handling.row),
            returns=len(draws.returns.store),
            foot_traffic=self.market.foot_rows(visits),
            ble_pings=self.market.pings(visits),
            impressions=impressions,
            stockouts=len(trade.lost_sales.row) + len(trade.lost_online.row),
            reorders=len(reorders.store),
            price_changes=len(self.market.pricing.changes(state.day)),
        )
