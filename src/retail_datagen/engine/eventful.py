"""The retailer's history as events, as the engine runs it: topics in place of fact tables.

Plans hold the retailer's own plan, so that one history serves tables and events.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import cast

import pyarrow as pa

from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.ecom.customers import ShopCustomers
from retail_datagen.ecom.planner import ShopPlanner, split_state
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
from retail_datagen.events import EventContext, EventPlan, EventPlanner, Feed, topics_of
from retail_datagen.plan.market import Market
from retail_datagen.plan.planner import Planner as RetailPlanner
from retail_datagen.world.model import World
from retail_datagen.world.product_texts import read_product_texts


@dataclass(frozen=True, slots=True)
class EventSource:
    """A retailer whose events can be generated, to be opened as often as wanted.

    `master` is read, and filled first if it is empty, in place of the config's own folder.
    """

    config: RetailConfig
    feed: Feed
    master: Path | None = None

    @property
    def tables(self) -> Mapping[str, Rendered]:
        return _rendered(self.feed)

    @property
    def calendar(self) -> range:
        return RetailSource(self.config).calendar

    @property
    def rows_per_day(self) -> int:
        return RetailSource(self.config).rows_per_day

    def open(self) -> EventRetailer:
        """Master data in memory. Raises UserError for what generation cannot use."""
        retail = RetailSource(self.config, self.master).open()
        folder = self.master or self.config.paths.master
        skus = read_product_texts(folder, "SKU", retail.world.products.product_id)
        return EventRetailer(retail, self.feed, skus)


@dataclass(frozen=True, slots=True)
class _InMemory:
    """A retailer whose world is read already: what a job sends to its workers."""

    config: RetailConfig
    profile: Profile
    world: World
    feed: Feed
    skus: pa.Array

    @property
    def tables(self) -> Mapping[str, Rendered]:
        return _rendered(self.feed)

    @property
    def calendar(self) -> range:
        return RetailSource(self.config).calendar

    @property
    def rows_per_day(self) -> int:
        return RetailSource(self.config).rows_per_day

    def open(self) -> EventRetailer:
        retail = OpenRetailer(self.config, self.profile, self.world)
        return EventRetailer(retail, self.feed, self.skus)


class EventRetailer:
    """One retailer's events with the world in memory: an engine `Retailer`."""

    def __init__(self, retail: OpenRetailer, feed: Feed, skus: pa.Array) -> None:
        self._retail, self._feed, self._skus = retail, feed, skus
        self._topics = topics_of(feed)
        self.tables: Mapping[str, Rendered] = _rendered(feed)
        self.calendar = retail.calendar
        self.rows_per_day = retail.rows_per_day

    @property
    def source(self) -> Source:
        retail = self._retail
        return _InMemory(retail.config, retail.profile, retail.world, self._feed, self._skus)

    @cached_property
    def identity(self) -> Identity:
        """The retailer's, and what shapes the feed."""
        retail, settings = self._retail.identity, self._feed.settings
        if not settings:
            return retail
        told = "\n".join([retail.config, *(f"{k}={v}" for k, v in sorted(settings.items()))])
        config = hashlib.sha256(told.encode()).hexdigest()
        return replace(retail, config=config, settings={**retail.settings, **settings})

    def planner(self, history_start: int, state: bytes | None) -> Planner:
        market = self._retail.market(history_start)
        with_stock = any(topic.needs_stock for topic in self._topics.values())
        if any(topic.needs_tiers for topic in self._topics.values()):
            shop_state = None
            if state is not None:
                state, shop_state = split_state(state)
            retail = _planner(market, state)
            shop = ShopPlanner(market, self._customers(market), retail, shop_state)
            return EventPlanner(retail, with_stock, shop)
        return EventPlanner(_planner(market, state), with_stock)

    def read_plan(self, data: bytes) -> Plan:
        return EventPlan.from_bytes(data)

    def render(self, history_start: int, load_plan: LoadPlan) -> Render:
        def load(day: int) -> EventPlan:
            return cast(EventPlan, load_plan(day))

        market = self._retail.market(history_start)
        context = EventContext(
            market, self._skus, self._customers(market), self._feed.events_per_hour, load
        )

        def render(table: str, day: int) -> pa.Table:
            return self._topics[table].render(context.day(day))

        return render

    def traffic(self, day: int) -> float:
        return self._retail.traffic(day)

    def _customers(self, market: Market) -> ShopCustomers:
        return ShopCustomers(market.world.customers, market.profile, self._retail.config)


def _planner(market: Market, state: bytes | None) -> RetailPlanner:
    return RetailPlanner(market) if state is None else RetailPlanner.restore(market, state)


def _rendered(feed: Feed) -> dict[str, Rendered]:
    topics = topics_of(feed)
    return {name: Rendered(topic.table, topic.lookback_days) for name, topic in topics.items()}
