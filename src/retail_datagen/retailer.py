"""One retailer in memory, as columns: any day of any table, for notebooks and programs.

    >>> import retail_datagen as rd
    >>> retailer = rd.Retailer(history_start="2024-01-01")
    >>> retailer.render("receipts", "2024-01-03").num_columns
    9

Nothing is written. The rows are those that `retail-datagen generate` writes for the same
configuration, master data and history start.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from retail_datagen.config.errors import UserError
from retail_datagen.config.library import profile_file
from retail_datagen.config.models import RetailConfig
from retail_datagen.config.profile import Profile
from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.engine.job import choose_tables
from retail_datagen.engine.retail import OpenRetailer
from retail_datagen.engine.source import Plan
from retail_datagen.engine.target import Wanted, similar_start
from retail_datagen.schema import Table
from retail_datagen.world.master import is_empty
from retail_datagen.world.model import World
from retail_datagen.world.read import ensure_world

Date = date | str
"""A date, a datetime (its time is passed over) or a text such as 2024-01-17."""
Config = RetailConfig | str | Path | None
"""A configuration, the path of its file, or nothing for the defaults."""
_DOCUMENTED_START = date(2024, 1, 1)


class Retailer:
    """A retailer and its history, of which days are planned when they are first needed.

    The world is read from `paths.master`; where that is empty it is built, in memory only. Plans
    of all days from the start on are kept: kilobytes each for a small chain, up to a megabyte for a
    large one. Not for several threads at once.
    """

    def __init__(self, config: Config = None, history_start: Date | None = None) -> None:
        """A history that begins on `history_start`.

        Without one it is the history that `paths.facts` holds of this very retailer, else one
        that begins on 2024-01-01. Raises UserError for what cannot be used.
        """
        self.config = as_config(config)
        opened = _open(_key(self.config))
        self.profile, self.world, self._engine = opened.profile, opened.world, opened.engine
        if history_start is None:
            history_start = _start_on_file(self.config, opened.engine) or _DOCUMENTED_START
        self._start = _within(self._engine, as_date(history_start), "history_start")
        self._planner = self._engine.planner(self._start, None)
        self._plans: dict[int, bytes] = {}
        window = max(table.lookback_days for table in self._engine.tables.values()) + 1
        self._render = self._engine.render(
            self._start, lru_cache(maxsize=window + 1)(self._read_plan)
        )

    @property
    def history_start(self) -> date:
        """The first day; what places hold at its midnight is their opening stock."""
        return to_date(self._start)

    def tables(self) -> dict[str, Table]:
        """Every fact table by name, with its columns and what they mean."""
        return {name: rendered.table for name, rendered in self._engine.tables.items()}

    def render(self, table: str, day: Date) -> pa.Table:
        """One day of one table: its rows by time.

        Raises UserError for an unknown table and for a day before the history or outside of the
        calendar.
        """
        choose_tables([table], self._engine)
        number = _within(self._engine, as_date(day), "day")
        if number < self._start:
            raise UserError(
                f"day: {to_date(number)} is before the history, which begins on "
                f"{self.history_start}; choose a later day or an earlier history_start"
            )
        self._plan_until(number)
        return self._render(table, number)

    def days(self, table: str, start: Date, end: Date) -> Iterator[pa.Table]:
        """One table for each day from `start` to `end`, both included. Raises as `render` does."""
        first, last = as_date(start), as_date(end)
        if last < first:
            raise UserError(
                f"end: {last} is before the start, {first}; both are included, so the end may be "
                "the start or any later day"
            )
        return (self.render(table, to_date(day)) for day in range(to_day(first), to_day(last) + 1))

    def _plan_until(self, day: int) -> None:
        while self._planner.next_day <= day:
            plan = self._planner.step()
            self._plans[plan.day] = plan.to_bytes()

    def _read_plan(self, day: int) -> Plan:
        return self._engine.read_plan(self._plans[day])


def render(table: str, day: Date, config: Config = None, start: Date | None = None) -> pa.Table:
    """One day of one table of a retailer, which is kept for the next call.

    The history begins on `start`. Without one it is the history that `paths.facts` holds of this
    very retailer, else one that begins on the first of the day's month: give a `start` to see
    days of several months in one history. Raises UserError as `Retailer` does.
    """
    chosen, when = as_config(config), as_date(day)
    key = _key(chosen)
    _within(_open(key).engine, when, "day")
    first = as_date(start) if start is not None else _start_on_file(chosen, _open(key).engine)
    if first is None or (start is None and first > when):
        first = when.replace(day=1)
    return _kept(key, first).render(table, when)


def as_config(value: Config) -> RetailConfig:
    """The configuration itself, or that in the file with this path, or the defaults.

    Raises UserError for anything else.
    """
    if isinstance(value, RetailConfig):
        return value
    if value is None or isinstance(value, str | Path):
        return RetailConfig.resolve(value).config
    raise UserError(
        f"config: {value!r:.60} is not a configuration; allowed are a RetailConfig, such as "
        "RetailConfig(seed=7), and the path of a JSON, YAML or TOML file"
    )


def as_date(value: Date) -> date:
    """The date of a date, datetime or text. Raises UserError for anything else."""
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise UserError(
            f"{value!r} is not a date; allowed are dates and texts such as '2024-01-17'"
        ) from None


@dataclass(frozen=True, slots=True)
class _Key:
    """A configuration and the state of the files that it stands on."""

    config: str
    files: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class _Opened:
    profile: Profile
    world: World
    engine: OpenRetailer


@lru_cache(maxsize=1)
def _open(key: _Key) -> _Opened:
    """The world, read from the user's folder or else from one that is built and thrown away."""
    config = RetailConfig.model_validate_json(key.config)
    profile = config.load_profile()
    if not is_empty(config.paths.master):
        world = ensure_world(config, profile)
        return _Opened(profile, world, OpenRetailer(config, profile, world))
    with tempfile.TemporaryDirectory(prefix="retail-datagen-") as folder:
        paths = config.paths.model_copy(update={"master": Path(folder) / "master"})
        world = ensure_world(config.model_copy(update={"paths": paths}), profile)
    return _Opened(profile, world, OpenRetailer(config, profile, world))


@lru_cache(maxsize=1)
def _kept(key: _Key, start: date) -> Retailer:
    return Retailer(RetailConfig.model_validate_json(key.config), start)


def _key(config: RetailConfig) -> _Key:
    places = [config.paths.master, config.paths.dict, profile_file(config.profile)]
    files = [
        file for place in places for file in ([*place.glob("*")] if place.is_dir() else [place])
    ]
    found = sorted((str(file.absolute()), file.stat()) for file in files if file.is_file())
    states = tuple((name, state.st_size, state.st_mtime_ns) for name, state in found)
    return _Key(config.model_dump_json(), states)


def _start_on_file(config: RetailConfig, engine: OpenRetailer) -> date | None:
    """Where the history of this retailer under `paths.facts` begins, if there is one."""
    last = engine.calendar[-1]
    start = similar_start(config.paths.facts, engine, Wanted(last, last, None))
    return None if start is None else to_date(start)


def _within(engine: OpenRetailer, day: date, field: str) -> int:
    """The number of a day. Raises UserError outside of the calendar."""
    if to_day(day) not in engine.calendar:
        raise UserError(
            f"{field}: {day} is outside of the calendar; allowed is "
            f"{to_date(engine.calendar[0])} to {to_date(engine.calendar[-1])} (calendar.first and "
            "calendar.last in the config; calendar.csv and LaunchDate in products.csv)"
        )
    return to_day(day)
