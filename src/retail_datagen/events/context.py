"""What topics render from: the day's facts, each rendered once, and the stock of its dawn."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import pyarrow as pa

from retail_datagen import tables
from retail_datagen.behaviour.online import DC, SLOWEST_DAYS
from retail_datagen.core.arrays import I64
from retail_datagen.core.calendar import DAY_SECONDS
from retail_datagen.core.ids import texts
from retail_datagen.ecom.customers import ShopCustomers
from retail_datagen.events.plan import EventPlan
from retail_datagen.plan.market import Market
from retail_datagen.tables.context import Context
from retail_datagen.tables.context import Day as RetailDay

LoadPlan = Callable[[int], EventPlan]


class EventContext:
    """One retailer's history as events, ready to render: any topic of any planned day.

    `skus` is that of each product, in the world's order; `customers` are the web shop's;
    `events_per_hour` is how many the hub sends.
    """

    def __init__(
        self,
        market: Market,
        skus: pa.Array,
        customers: ShopCustomers,
        events_per_hour: float | None,
        load_plan: LoadPlan,
    ) -> None:
        self.market, self.world = market, market.world
        self.events_per_hour = events_per_hour
        self.skus, self.customers = skus, customers
        self.categories = texts(market.world.categories)
        self.retail = Context(market, lambda day: load_plan(day).retail)
        self._load_plan = load_plan
        self._today: EventDay | None = None

    def day(self, day: int) -> EventDay:
        """The view of a day that its topics share; the last one asked for is kept."""
        if self._today is None or self._today.number != day:
            self._today = None
            self._today = EventDay(self, day, self._load_plan(day))
        return self._today


class EventDay:
    """One day: its facts, rendered when first asked for."""

    def __init__(self, context: EventContext, number: int, plan: EventPlan) -> None:
        self.context, self.number, self.plan = context, number, plan
        self.market, self.world = context.market, context.world
        self._facts: dict[str, pa.Table] = {}

    def fact(self, name: str) -> pa.Table:
        """A fact table of this day, as files have it."""
        if name not in self._facts:
            self._facts[name] = tables.render(name, self.context.retail, self.number)
        return self._facts[name]

    @property
    def retail(self) -> RetailDay:
        """What the day's fact tables share."""
        return self.context.retail.day(self.number)

    @cached_property
    def on_hand_at_dawn(self) -> I64:
        """Units on the stores' shelves when the day begins: [stores * products].

        What is promised to online orders lies there until it is picked. On a history's first day
        nothing does: its opening stock is among the movements.
        """
        if self.retail.is_first:
            return np.zeros(len(self.plan.dawn), dtype=np.int64)
        held = self.plan.dawn.astype(np.int64)
        products = len(self.world.products.product_id)
        for placed in self.retail.order_days(SLOWEST_DAYS):
            orders, lines = placed.orders, placed.lines
            picked = orders.picked.astype(np.int64) - (self.number - placed.day) * DAY_SECONDS
            waits = (picked >= 0) & (orders.mode != DC) & (placed.day < self.number)
            row = np.flatnonzero(waits[lines.order] & placed.kept)
            cell = orders.node[lines.order[row]].astype(np.int64) * products + lines.product[row]
            np.add.at(held, cell, lines.quantity[row].astype(np.int64))
        return held
