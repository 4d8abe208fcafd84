"""The retailer with its web shop, as the engine runs it: the shop's tables beside the retailer's.

Plans hold the retailer's own plan, so that one history serves both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import pyarrow as pa

from retail_datagen import tables as retail_tables
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.ecom import tables as shop_tables
from retail_datagen.ecom.context import ShopContext
from retail_datagen.ecom.customers import ShopCustomers
from retail_datagen.ecom.people import People, read_people
from retail_datagen.ecom.plan import ShopPlan
from retail_datagen.ecom.planner import ShopPlanner
from retail_datagen.engine.retail import OpenRetailer, RetailSource
from retail_datagen.engine.source import (
    Identity,
    LoadPlan,
    Plan,
    Planner,
    Render,
    Rendered,
    Source,
)
from retail_datagen.plan.market import Market
from retail_datagen.world.model import World
from retail_datagen.world.product_texts import read_product_texts

_ROWS_PER_ORDER = 17
"""Of the shop's tables, roughly: carts and what lies in them are most."""


@dataclass(frozen=True, slots=True)
class OnlineSource:
    """A retailer whose shop's tables can be generated, to be opened as often as wanted.

    `master` is read, and filled first if it is empty, in place of the config's own folder.
    """

    config: RetailConfig
    master: Path | None = None

    @property
    def tables(self) -> Mapping[str, Rendered]:
        return _rendered()

    @property
    def calendar(self) -> range:
        return RetailSource(self.config).calendar

    @property
    def rows_per_day(self) -> int:
        return _rows_per_day(self.config)

    def open(self) -> OnlineRetailer:
        """Master data in memory. Raises UserError for what generation cannot use."""
        retail = RetailSource(self.config, self.master).open()
        folder = self.master or self.config.paths.master
        names = read_product_texts(folder, "ProductName", retail.world.products.product_id)
        return OnlineRetailer(retail, read_people(folder), names)


@dataclass(frozen=True, slots=True)
class _InMemory:
    """A retailer whose world and texts are read already: what a job sends to its workers."""

    config: RetailConfig
    profile: Profile
    world: World
    people: People
    product_names: pa.Array

    @property
    def tables(self) -> Mapping[str, Rendered]:
        return _rendered()

    @property
    def calendar(self) -> range:
        return RetailSource(self.config).calendar

    @property
    def rows_per_day(self) -> int:
        return _rows_per_day(self.config)

    def open(self) -> OnlineRetailer:
        retail = OpenRetailer(self.config, self.profile, self.world)
        return OnlineRetailer(retail, self.people, self.product_names)


class OnlineRetailer:
    """One retailer and its shop with the world in memory: an engine `Retailer`."""

    def __init__(self, retail: OpenRetailer, people: People, product_names: pa.Array) -> None:
        self._retail = retail
        self._people, self._product_names = people, product_names
        self.tables: Mapping[str, Rendered] = _rendered()
        self.calendar = retail.calendar
        self.rows_per_day = _rows_per_day(retail.config)

    @property
    def source(self) -> Source:
        retail = self._retail
        return _InMemory(
            retail.config, retail.profile, retail.world, self._people, self._product_names
        )

    @cached_property
    def identity(self) -> Identity:
        return self._retail.identity

    def planner(self, history_start: int, state: bytes | None) -> Planner:
        market = self._retail.market(history_start)
        who = self._customers(market)
        if state is None:
            return ShopPlanner(market, who)
        return ShopPlanner.restore(market, who, state)

    def read_plan(self, data: bytes) -> Plan:
        return ShopPlan.from_bytes(data)

    def render(self, history_start: int, load_plan: LoadPlan) -> Render:
        def load(day: int) -> ShopPlan:
            return cast(ShopPlan, load_plan(day))

        context = self.context(history_start, load)
        own = shop_tables.registry()

        def render(table: str, day: int) -> pa.Table:
            if table in own:
                return shop_tables.render(table, context, day)
            return retail_tables.render(table, context.retail, day)

        return render

    def context(self, history_start: int, load_plan: LoadPlan) -> ShopContext:
        """What the shop's tables, lookups and histories render from."""
        return ShopContext(
            self._retail.market(history_start),
            self._retail.config,
            self._people,
            self._product_names,
            lambda day: cast(ShopPlan, load_plan(day)),
        )

    def traffic(self, day: int) -> float:
        return self._retail.online_traffic(day)

    def _customers(self, market: Market) -> ShopCustomers:
        return ShopCustomers(market.world.customers, market.profile, self._retail.config)


def shop_table_names() -> tuple[str, ...]:
    """The tables of the shop alone, those that a lake has when none are named."""
    return tuple(shop_tables.registry())


def _rendered() -> dict[str, Rendered]:
    shop = {
        name: Rendered(made.table, made.lookback_days)
        for name, made in shop_tables.registry().items()
    }
    retail = {
        name: Rendered(fact.table, fact.lookback_days)
        for name, fact in retail_tables.registry().items()
    }
    return shop | retail


def _rows_per_day(config: RetailConfig) -> int:
    return config.volume.online_orders_per_day * _ROWS_PER_ORDER
