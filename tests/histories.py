"""Small retailers whose days are planned and rendered in memory, for tests of what comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from retail_datagen.config.models import Calendar, Paths, RetailConfig, Volume
from retail_datagen.config.profile import Profile
from retail_datagen.core.calendar import to_day
from retail_datagen.plan.dayplan import DayPlan
from retail_datagen.plan.market import Market
from retail_datagen.plan.planner import Planner
from retail_datagen.schema.parquet import write_parquet
from retail_datagen.tables import Context, registry, render
from retail_datagen.world.model import World
from retail_datagen.world.read import ensure_world

Array = NDArray[Any]
DAY_SECONDS = 86_400
SMALL = Volume(
    stores=6, dcs=2, customers_per_day=250, online_orders_per_day=40, customers=1500, products=400
)


def config_of(
    master: Path,
    *,
    volume: Volume = SMALL,
    seed: int = 42,
    profile: str = "supercenter",
    overrides: dict[str, object] | None = None,
) -> RetailConfig:
    """A configuration whose calendar is short, so that its world is built fast."""
    return RetailConfig(
        seed=seed,
        profile=profile,
        volume=volume,
        paths=Paths(dict=Path("no-such-folder"), master=master),
        calendar=Calendar(first=date(2023, 1, 1), last=date(2025, 12, 31)),
        overrides=overrides or {},
    )


@dataclass
class History:
    """A planned history: any day of any table of it renders when it is asked for."""

    config: RetailConfig
    profile: Profile
    world: World
    start: int
    planner: Planner
    plans: dict[int, DayPlan]
    _rendered: dict[tuple[str, int], pa.Table] = field(default_factory=dict)
    _columns: dict[tuple[str, str], Array] = field(default_factory=dict)
    _context: Context | None = None

    def context(self) -> Context:
        """A new view of the history that has rendered nothing yet."""
        return Context(self.market(), self.plans.__getitem__)

    def market(self) -> Market:
        """A new market that has drawn nothing yet."""
        return Market(self.world, self.profile, self.config, self.start)

    @property
    def days(self) -> list[int]:
        return list(self.plans)

    def day(self, table: str, day: int) -> pa.Table:
        """One day of one table."""
        if (table, day) not in self._rendered:
            self._context = self._context or self.context()
            for name in registry():
                self._rendered[name, day] = render(name, self._context, day)
        return self._rendered[table, day]

    def whole(self, table: str) -> pa.Table:
        """All days of a table, with categories as text so that days can follow each other."""
        return pa.concat_tables(plain(self.day(table, day)) for day in self.days)

    def columns(self, table: str, *names: str) -> list[Array]:
        """Columns of all days of a table: money as cents, times as seconds, the rest as it is."""
        for name in names:
            if (table, name) not in self._columns:
                self._columns[table, name] = values(self.whole(table).column(name))
        return [self._columns[table, name] for name in names]


def rewrite(file: Path, column: str, change: Callable[[str], object]) -> None:
    """Another value in each row of a master file's column, as a user might edit it."""
    header, *rows = [line.split(",") for line in file.read_text().splitlines()]
    place = header.index(column)
    for row in rows:
        row[place] = str(change(row[place]))
    file.write_text("".join(",".join(row) + "\n" for row in [header, *rows]))


def history(config: RetailConfig, start: date, days: int) -> History:
    """The first `days` of a retailer's history; its world is read, and built where it is not."""
    profile = config.load_profile()
    world = ensure_world(config, profile)
    planner = Planner(Market(world, profile, config, to_day(start)))
    plans = [planner.step() for _ in range(days)]
    return History(
        config, profile, world, to_day(start), planner, {plan.day: plan for plan in plans}
    )


def plain(table: pa.Table) -> pa.Table:
    """The table with its dictionaries written out."""
    columns = [
        column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.table(columns, names=table.column_names)


def values(column: pa.ChunkedArray) -> Array:
    """A column as NumPy: money as int64 cents, times as int64 seconds (null: -1), text as text."""
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    if pa.types.is_decimal64(whole.type):
        assert whole.null_count == 0
        data = np.frombuffer(whole.buffers()[1], dtype=np.int64)
        return data[whole.offset : whole.offset + len(whole)]
    if pa.types.is_timestamp(whole.type):
        return whole.view(pa.int64()).fill_null(-1).to_numpy()
    if pa.types.is_string(whole.type) or pa.types.is_dictionary(whole.type):
        return np.asarray(whole.to_pylist(), dtype=object)
    return whole.to_numpy()


def rows_of(ids: Array, wanted: Array) -> Array:
    """The row of each wanted identifier among `ids`. Fails when one is not there."""
    order = np.argsort(ids)
    found = np.searchsorted(ids, wanted, sorter=order)
    assert (found < len(ids)).all(), f"unknown identifiers: {wanted[found >= len(ids)][:5]}"
    rows = order[found]
    assert (ids[rows] == wanted).all(), f"unknown identifiers: {wanted[ids[rows] != wanted][:5]}"
    return rows


def text_set(column: Sequence[str] | pa.ChunkedArray) -> set[str]:
    """The distinct texts of a column."""
    return set(column.unique().to_pylist()) if hasattr(column, "unique") else set(column)


def digest(table: str, data: pa.Table) -> str:
    """sha256 of the Parquet file that a table becomes: its bytes, not only its values."""
    file = BytesIO()
    write_parquet(registry()[table].table, data, file)
    return sha256(file.getvalue()).hexdigest()
