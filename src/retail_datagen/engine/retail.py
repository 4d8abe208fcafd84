"""The retailer that the engine runs: world, planner and tables behind the engine's protocols."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import pyarrow as pa

from retail_datagen import tables
from retail_datagen.config.errors import UserError
from retail_datagen.config.models import OUTSIDE_CONTENT, RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.core.version import program_version
from retail_datagen.engine.jobstore import read_header
from retail_datagen.engine.source import (
    Identity,
    LoadPlan,
    Plan,
    Planner,
    Render,
    Rendered,
    Source,
)
from retail_datagen.plan.dayplan import DayPlan
from retail_datagen.plan.market import Market
from retail_datagen.plan.planner import Planner as RetailPlanner
from retail_datagen.world.errors import MasterDataError
from retail_datagen.world.model import World
from retail_datagen.world.read import ensure_world

_SEEN = 13
"""Rows per receipt beside its lines: the receipt, pings, foot traffic, impressions."""


@dataclass(frozen=True, slots=True)
class RetailSource:
    """A configuration, to be opened as often as there are workers.

    `master` is read, and filled first if it is empty, in place of the config's own folder.
    """

    config: RetailConfig
    master: Path | None = None

    @property
    def tables(self) -> Mapping[str, Rendered]:
        return _rendered()

    @property
    def calendar(self) -> range:
        return _days(self.config)

    @property
    def rows_per_day(self) -> int:
        return _rows_per_day(self.config)

    def open(self) -> OpenRetailer:
        """Master data in memory. Raises UserError for what generation cannot use."""
        config = self.config
        if self.master:
            paths = config.paths.model_copy(update={"master": self.master})
            config = config.model_copy(update={"paths": paths})
        profile = config.load_profile()
        try:
            return OpenRetailer(config, profile, ensure_world(config, profile))
        except MasterDataError as error:
            raise _other_profile(error, config) or error from error


@dataclass(frozen=True, slots=True)
class _InMemory:
    """A retailer whose world is read already: what a job sends to its workers."""

    config: RetailConfig
    profile: Profile
    world: World

    @property
    def tables(self) -> Mapping[str, Rendered]:
        return _rendered()

    @property
    def calendar(self) -> range:
        return _days(self.config)

    @property
    def rows_per_day(self) -> int:
        return _rows_per_day(self.config)

    def open(self) -> OpenRetailer:
        return OpenRetailer(self.config, self.profile, self.world)


class OpenRetailer:
    """One retailer with its world in memory: an engine `Retailer`."""

    def __init__(self, config: RetailConfig, profile: Profile, world: World) -> None:
        self.config, self.profile, self.world = config, profile, world
        self._opened: Market | None = None
        self.tables: Mapping[str, Rendered] = _rendered()
        self.calendar = _covered(config, world)
        self.rows_per_day = _rows_per_day(config)

    @property
    def source(self) -> Source:
        return _InMemory(self.config, self.profile, self.world)

    @cached_property
    def identity(self) -> Identity:
        return Identity(
            program_version(),
            self.config.content_hash(self.profile),
            self.world.digest,
            _settings(self.config),
        )

    def planner(self, history_start: int, state: bytes | None) -> Planner:
        market = self.market(history_start)
        return RetailPlanner(market) if state is None else RetailPlanner.restore(market, state)

    def read_plan(self, data: bytes) -> Plan:
        return DayPlan.from_bytes(data)

    def render(self, history_start: int, load_plan: LoadPlan) -> Render:
        def load(day: int) -> DayPlan:
            return cast(DayPlan, load_plan(day))

        context = tables.Context(self.market(history_start), load)

        def render(table: str, day: int) -> pa.Table:
            return tables.render(table, context, day)

        return render

    def market(self, history_start: int) -> Market:
        """One market for planner and tables: what it draws for the one serves the other."""
        if self._opened is None or self._opened.history_start != history_start:
            self._opened = Market(self.world, self.profile, self.config, history_start)
        return self._opened

    def online_traffic(self, day: int) -> float:
        """How busy the web shop is on a day, relative to others: for estimates only."""
        calendar = self.world.calendar
        return float(calendar.online_ppm[calendar.row(day)]) / 1_000_000

    def traffic(self, day: int) -> float:
        calendar = self.world.calendar
        return float(calendar.traffic_ppm[calendar.row(day)]) / 1_000_000


def _other_profile(error: MasterDataError, config: RetailConfig) -> UserError | None:
    """What is wrong where the history on file has another profile than the one asked for."""
    facts = config.paths.facts
    header = None
    with suppress(UserError, OSError):
        header = read_header(facts / "_job")
    was = header.identity.settings.get("profile", config.profile) if header else config.profile
    if was == config.profile:
        return None
    return UserError(
        f"profile was {was}, now {config.profile}: the history in {facts} and the master data in "
        f"{config.paths.master} do not fit it ({error}). Go back to that profile, or choose other "
        "folders with paths.facts and paths.master"
    )


def _rendered() -> dict[str, Rendered]:
    facts = tables.registry()
    return {name: Rendered(fact.table, fact.lookback_days) for name, fact in facts.items()}


def _days(config: RetailConfig) -> range:
    return range(to_day(config.calendar.first), to_day(config.calendar.last) + 1)


def _rows_per_day(config: RetailConfig) -> int:
    """Lines, their movements and what the packaged profiles' sensors see of a shopper."""
    volume = config.volume
    return round(volume.customers_per_day * (2 * volume.items_per_ticket_mean + _SEEN))


def _covered(config: RetailConfig, world: World) -> range:
    """The days that master data covers: those with a calendar and something to sell."""
    asked, calendar = _days(config), world.calendar
    first, launch = calendar.first_day, int(world.products.launch_day.min())
    last = first + len(calendar.traffic_ppm) - 1
    days = range(max(asked[0], first, launch), min(asked[-1], last) + 1)
    if not days:
        raise UserError(
            f"no day can be generated: calendar.csv has {to_date(first)} to {to_date(last)}, the "
            f"first LaunchDate of products.csv is {to_date(launch)}; allowed: some day from "
            f"{to_date(asked[0])} to {to_date(asked[-1])} (calendar.first and calendar.last in the "
            "config)"
        )
    return days


def _settings(config: RetailConfig) -> dict[str, str]:
    """What shapes content and was written by the user, by dotted path."""
    found: dict[str, str] = {}

    def walk(prefix: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else str(key), inner)
        else:
            found[prefix] = str(value)

    walk("", config.model_dump(mode="json", exclude=set(OUTSIDE_CONTENT)))
    return found
