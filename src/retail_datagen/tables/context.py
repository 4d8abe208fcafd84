"""What tables render from: the world, the day plans, and what the tables of a day share.

Everything is computed when first asked for, so a table alone draws only what it needs.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retail_datagen.behaviour.journeys import Visits
from retail_datagen.behaviour.online import SLOWEST_DAYS
from retail_datagen.behaviour.pricing import PriceList
from retail_datagen.behaviour.returns import Arrivals
from retail_datagen.core.arrays import I64
from retail_datagen.core.calendar import DAY_SECONDS
from retail_datagen.plan.dayplan import Counts, DayPlan, first_traces
from retail_datagen.plan.forecast import Forecast
from retail_datagen.plan.initial import OpeningStock, opening_stock
from retail_datagen.plan.market import Market, StoreDemand
from retail_datagen.plan.tills import Tills
from retail_datagen.tables.fulfilment import OrderDay, order_day
from retail_datagen.tables.money import Money, price_receipts
from retail_datagen.tables.names import ReceiptDigits, receipt_rows

_KEPT_ORDER_DAYS = SLOWEST_DAYS + 4
"""The days that a day's order tables look at, and some more for days that come in another order."""
LoadPlan = Callable[[int], DayPlan]


class Context:
    """One retailer's history, ready to render: any table of any planned day, in any order.

    `load_plan` gives the plan of a day (days since 1970-01-01).
    """

    def __init__(self, market: Market, load_plan: LoadPlan) -> None:
        self.market = market
        self.world, self.profile = market.world, market.profile
        self.history_start = market.history_start
        self._load_plan = load_plan
        self._today: Day | None = None
        self._order_days: OrderedDict[int, OrderDay] = OrderedDict()

    def day(self, day: int) -> Day:
        """The view of a day that its tables share; the last one asked for is kept."""
        if self._today is None or self._today.number != day:
            self._today = None
            self._today = Day(self, day, self._load_plan(day))
        return self._today

    def order_day(self, day: int) -> OrderDay:
        """The online orders placed on a day, with what became of them."""
        if day not in self._order_days:
            plan = self._today.plan if self._today and self._today.number == day else None
            self._order_days[day] = order_day(self.market, plan or self._load_plan(day))
            if len(self._order_days) > _KEPT_ORDER_DAYS:
                self._order_days.popitem(last=False)
        return self._order_days[day]

    @cached_property
    def receipt_digits(self) -> ReceiptDigits:
        """Wide enough for the busiest store on the busiest day."""
        stores = self.world.stores
        busiest = int(stores.traffic.max()) * self.market.volume.customers_per_day
        busiest = busiest // int(stores.traffic.sum()) + 1
        peak = busiest * int(self.world.calendar.traffic_ppm.max()) * 2 // 1_000_000
        return ReceiptDigits(
            store=max(3, len(str(int(stores.store_id.max())))), number=max(4, len(str(peak)))
        )


class Day:
    """One day of the retailer: its plan and what is drawn for it."""

    def __init__(self, context: Context, number: int, plan: DayPlan) -> None:
        self.context, self.number, self.plan = context, number, plan
        self.world, self.market = context.world, context.market
        self.midnight = number * DAY_SECONDS

    @property
    def is_first(self) -> bool:
        return self.number == self.context.history_start

    @cached_property
    def traces(self) -> Counts:
        """First trace number of each kind of event."""
        return first_traces(self.plan)

    @property
    def prices(self) -> PriceList:
        return self.market.tables(self.number).prices

    @cached_property
    def demand(self) -> StoreDemand:
        return self.market.in_stores(self.number, self.plan.converts)

    @cached_property
    def tills(self) -> Tills:
        return self.market.tills(self.demand, self.plan.lost_lines.row)

    @cached_property
    def money(self) -> Money:
        """What the day's receipts and lines come to."""
        return price_receipts(self.world, self.prices, self.demand, self.tills)

    @cached_property
    def receipt_ids(self) -> NDArray[Any]:
        """ReceiptId of each of the day's receipts, as rows for `text_column`."""
        visit = self.tills.visit
        return receipt_rows(
            self.context.receipt_digits,
            np.full(len(visit), self.number),
            self.demand.visits.second[visit],
            self.world.stores.store_id[self.demand.visits.store[visit]],
            self.tills.number,
        )

    @cached_property
    def browsers(self) -> Visits:
        return self.market.browsers(self.number, self.demand.visits)

    @cached_property
    def opening(self) -> OpeningStock:
        """What every place held when the history began."""
        return opening_stock(self.market, Forecast(self.market))

    @cached_property
    def returns_in(self) -> Arrivals:
        return self.market.returns.arrive(self.number, self.plan.returns.store)

    @cached_property
    def return_rank(self) -> I64:
        """Place of each of the plan's returns among the day's, by time."""
        order = np.argsort(self.returns_in.second, kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return rank

    def order_days(self, lookback: int) -> list[OrderDay]:
        """The order days whose orders may move today, the oldest first."""
        first = max(self.number - lookback, self.context.history_start)
        return [self.context.order_day(day) for day in range(first, self.number + 1)]

    def timestamps(self, seconds: NDArray[np.generic]) -> I64:
        """Seconds of this day as seconds since 1970."""
        return seconds.astype(np.int64) + self.midnight
