"""The demand side of one retailer: everything that is drawn for a day, before stock answers.

Plan and tables call the same `in_stores` and `online_orders` of `Market`, so an exception that the
plan records is an index into what a table draws again. Who only browses (`browsers`) needs no plan:
tables alone draw them.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from retail_datagen.behaviour.assortment import Assortment, Shelves
from retail_datagen.behaviour.baskets import Baskets, Lines
from retail_datagen.behaviour.handling import StockHandling
from retail_datagen.behaviour.hours import Hours, OpeningHours
from retail_datagen.behaviour.journeys import Converts, Footfall, Visits
from retail_datagen.behaviour.marketing import Impressions, Marketing
from retail_datagen.behaviour.missions import Habits
from retail_datagen.behaviour.online import SLOWEST_DAYS, OnlineShop, OrderLines, Orders
from retail_datagen.behaviour.pricing import PriceList, Pricing
from retail_datagen.behaviour.returns import ReturnHabits
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import F64, I16, I32
from retail_datagen.core.calendar import month_of
from retail_datagen.core.rng import Stream
from retail_datagen.plan.tills import Tills, ring_up
from retail_datagen.world.model import World

_KEPT_DAYS = SLOWEST_DAYS + 4
"""A day's order tables draw its orders and those of so many days before; planning is ahead."""
_HALF = 10**12 // 2
_NOISE = 100
"""Parts per million of a day's traffic per step of the sum of four random bytes: SD 1.5 %."""


@dataclass(frozen=True, slots=True)
class DayTables:
    """What is known of a day before anybody shops."""

    day: int
    prices: PriceList
    shelves: Shelves
    hours: OpeningHours
    visits: int
    orders: int
    impressions: int


@dataclass(frozen=True, slots=True)
class StoreDemand:
    """What a day's shoppers want in the stores."""

    visits: Visits
    lines: Lines


class Market:
    """Draws any day's demand, in any order, from world, profile, volumes and seed."""

    def __init__(
        self, world: World, profile: Profile, config: RetailConfig, history_start: int
    ) -> None:
        self.world, self.profile, self.seed = world, profile, config.seed
        self.volume = config.volume
        self.history_start = history_start
        self.habits = Habits(world, profile, config.volume.items_per_ticket_mean)
        self.hours = Hours(world, profile)
        self.pricing = Pricing(world, profile, history_start)
        self.assortment = Assortment(world, profile, self.habits.mission_share)
        self.footfall = Footfall(world, self.habits, config.seed)
        self.baskets = Baskets(world, profile, self.habits, config.seed)
        self.marketing = Marketing(world, profile, self.hours.online, config.seed)
        self.online = OnlineShop(world, profile, self.hours, self.habits.mission_share, config.seed)
        self.returns = ReturnHabits(world, profile, self.hours, self._year_of_shares(), config.seed)
        self.handling = StockHandling(world, profile, self.units_per_day, config.seed)
        self._tables: OrderedDict[int, DayTables] = OrderedDict()
        self._drawn: tuple[int, Converts, StoreDemand] | None = None
        self._rung: tuple[StoreDemand, I32, Tills] | None = None
        self._shown: tuple[int, Impressions] | None = None

    @property
    def units_per_day(self) -> float:
        """Units that a mean day sells in stores."""
        lines = self.volume.items_per_ticket_mean * self.volume.customers_per_day
        return lines * self.habits.quantity_mean

    def tables(self, day: int) -> DayTables:
        """Prices, shelves, hours and volumes of a day; the last few days are kept."""
        if day in self._tables:
            self._tables.move_to_end(day)
            return self._tables[day]
        prices = self.pricing.on(day)
        made = DayTables(
            day,
            prices,
            self.assortment.shelves(day, prices),
            self.hours.on(day),
            *self._volumes(day),
        )
        self._tables[day] = made
        if len(self._tables) > _KEPT_DAYS:
            self._tables.popitem(last=False)
        return made

    def in_stores(self, day: int, converts: Converts) -> StoreDemand:
        """The day's visits, those of `converts` among them, and the lines they want.

        The last day drawn is kept, so that rendering right after planning draws nothing twice.
        """
        if self._drawn and self._drawn[0] == day and _same(self._drawn[1], converts):
            return self._drawn[2]
        self._drawn = None
        tables = self.tables(day)
        buyers = max(tables.visits - len(converts.customer), 0) if tables.hours.is_open else 0
        visits = self.footfall.draw(day, buyers, tables.hours, converts)
        lines = self.baskets.draw(day, visits, tables.shelves, tables.prices)
        demand = StoreDemand(visits, lines)
        self._drawn = (day, converts, demand)
        return demand

    def tills(self, demand: StoreDemand, lost: I32) -> Tills:
        """The receipts of `demand` without its `lost` lines; those of the last day are kept."""
        if self._rung and self._rung[0] is demand and np.array_equal(self._rung[1], lost):
            return self._rung[2]
        self._rung = None
        tills = ring_up(demand.visits, demand.lines, lost)
        self._rung = (demand, lost, tills)
        return tills

    def impressions(self, day: int) -> Impressions:
        """The day's impressions; the last day drawn is kept, for rendering right after planning."""
        if self._shown is None or self._shown[0] != day:
            self._shown = None
            self._shown = (day, self.marketing.draw(day, self.tables(day).impressions))
        return self._shown[1]

    def online_orders(self, day: int) -> tuple[Orders, OrderLines]:
        """The day's online orders and their lines."""
        tables = self.tables(day)
        return self.online.draw(day, tables.orders, tables.shelves)

    def browsers(self, day: int, visits: Visits) -> Visits:
        """Shoppers of the day who leave without a purchase."""
        tables = self.tables(day)
        count = round(len(visits) * self.profile.traffic.browsers_per_receipt)
        return self.footfall.browsers(day, visits, count, tables.hours)

    def converts_on(self, day: int, customer: I32, promotion: I16) -> Converts:
        """Those of the announced who can come: the store is open, their offer still in force."""
        tables = self.tables(day)
        offered = np.zeros(len(self.world.promotions.code) + 1, dtype=np.bool_)
        offered[tables.prices.promotion] = True
        offered[-1] = False
        able = offered[promotion] if tables.hours.is_open else np.zeros(len(promotion), np.bool_)
        customer, promotion = customer[able], promotion[able]
        _, first = np.unique(customer, return_index=True)
        first.sort()
        return Converts(customer[first], promotion[first])

    def traffic_ppm(self, day: int) -> int:
        """Traffic of a day in parts per million of the average day."""
        return int(self.world.calendar.traffic_ppm[self.world.calendar.row(day)])

    def foot_rows(self, visits: int) -> int:
        """Rows of foot traffic that sensors record for so many buyers."""
        return round(visits * self.profile.traffic.foot_rows_per_receipt)

    def pings(self, visits: int) -> int:
        """Beacon pings that phones answer for so many buyers."""
        return round(visits * self.profile.traffic.pings_per_receipt)

    def _year_of_shares(self) -> F64:
        """Mean share of basket lines per category over the first year, weighted by traffic."""
        months = np.array(self.profile.temporal.months)
        days = [self.history_start + 15 + 30 * month for month in range(12)]
        shares = [self.assortment.category_shares(d, self.pricing.on(d)) for d in days]
        weights = months[[month_of(d) for d in days]]
        if not weights.any():  # The only months with customers lie between these days.
            weights = np.ones(len(days))
        weighted = np.array(shares) * weights[:, None]
        total: F64 = weighted.cumsum(axis=0)[-1]
        total /= total.cumsum()[-1]
        return total

    def _volumes(self, day: int) -> tuple[int, int, int]:
        """Visits, online orders and impressions of a day."""
        calendar = self.world.calendar
        row = calendar.row(day)
        traffic, online = self.traffic_ppm(day), int(calendar.online_ppm[row])
        noise = Stream(self.seed, "volumes", day).u8(8).astype(np.int64)
        here = 1_000_000 + (int(noise[:4].sum()) - 510) * _NOISE
        there = 1_000_000 + (int(noise[4:].sum()) - 510) * _NOISE
        visits = (self.volume.customers_per_day * traffic * here + _HALF) // 10**12
        orders = (self.volume.online_orders_per_day * online * there + _HALF) // 10**12
        wanted = self.profile.marketing.impressions_per_receipt * self.volume.customers_per_day
        running = len(self.world.campaigns.running(day)) > 0
        impressions = round(wanted) * online // 10**6 if running else 0
        return visits, orders, impressions


def _same(one: Converts, other: Converts) -> bool:
    return np.array_equal(one.customer, other.customer) and np.array_equal(
        one.promotion, other.promotion
    )
