"""Backfills a store: its items are bought and restocked through past days, up to today's stock.

All of it is one transaction: a past is there whole, or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Engine, func, select

from retail_datagen.config.errors import UserError
from retail_datagen.config.library import profile_file, read_profile
from retail_datagen.core.arrays import I64
from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.core.rng import mix
from retail_datagen.store.catalogue import PROFILE, read_catalogue
from retail_datagen.store.database import models as m
from retail_datagen.store.database.engine import shown_url, writing
from retail_datagen.store.lease import refuse_beside_simulation
from retail_datagen.store.lives import lives_of
from retail_datagen.store.past import Shelf, draw_past
from retail_datagen.store.rewrite import write_past
from retail_datagen.store.runs import Progress, Replaced, Summary, note_run, replaced_of
from retail_datagen.store.snapshots import write_snapshots
from retail_datagen.store.standing import Standing, opening_from, standing
from retail_datagen.store.takeback import take_back

MOST_DAYS = 3650
_EARLIEST = date(1970, 1, 1)
_GENERATE = "retail-datagen inventory generate --items 3000"
_movements = m.stock_movements.c


@dataclass(frozen=True, slots=True)
class Density:
    """How much happens on a day: purchases (single items) and snapshots."""

    purchases: int
    snapshots: int


DENSITIES = {
    "sparse": Density(20, 4),
    "normal": Density(50, 8),
    "dense": Density(100, 24),
    "extreme": Density(200, 24),
}
"""Published."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """What is asked for. The last day is yesterday, seen from `today`."""

    days: int = 30
    density: str = "normal"
    seed: int = 42
    replace: bool = False
    today: date | None = None

    def checked(self) -> Density:
        """Raises UserError for what cannot be."""
        if not 1 <= self.days <= MOST_DAYS:
            raise UserError(f"days: {self.days} is not possible; allowed are 1 to {MOST_DAYS}")
        if self.density not in DENSITIES:
            listed = ", ".join(DENSITIES)
            raise UserError(f"density: {self.density!r} is not known; allowed are {listed}")
        if self.today and self.today < _EARLIEST + timedelta(days=self.days):
            raise UserError(f"until: the past would begin before {_EARLIEST}; choose a later day")
        if self.today and self.today > date.today():
            raise UserError(
                f"until: {self.today} is not over; a past ends today, {date.today()}, at latest"
            )
        return DENSITIES[self.density]

    @property
    def snapshots(self) -> int:
        """Snapshots a day."""
        return self.checked().snapshots


def replaced_by(engine: Engine, wanted: Backfill) -> Replaced:
    """The earlier backfills that these days overlap, which `replace` takes back whole."""
    first, end = _span(wanted)
    with engine.connect() as connection:
        return replaced_of(_overlapping(connection, first, end))


def backfill(engine: Engine, wanted: Backfill, progress: Progress | None = None) -> Summary:
    """Write the days. Raises UserError when they are there already, or nothing is to be sold."""
    density = wanted.checked()
    if wanted.replace:
        refuse_beside_simulation(engine)
    tell = progress or (lambda _doing, _done, _total: None)
    first, end = _span(wanted)
    with writing(engine) as connection:
        replaced = _make_room(connection, first, end, wanted.replace)
        items = _standing(connection, first, end)
        shelf, ids = _shelf(connection, items, wanted.seed)
        params = {**asdict(wanted), "today": end.date().isoformat()}
        run = note_run(connection, m.BACKFILL_RUN, params, first, end)
        past = draw_past(
            shelf,
            read_profile(profile_file(PROFILE)),
            to_day(first.date()),
            wanted.days,
            density.purchases,
            wanted.seed,
            lambda done, total: tell("days", done, total),
        )
        lives = lives_of(past, shelf, items, ids, _prices(connection), run)
        written = write_past(connection, lives, m.BACKFILL, run)
        taken = write_snapshots(connection, run, first, wanted.days, density.snapshots, tell)
    return Summary(
        first.date().isoformat(),
        to_date(to_day(end.date()) - 1).isoformat(),
        written.purchases,
        written.arrivals,
        taken,
        replaced,
        past.missed,
    )


def _span(wanted: Backfill) -> tuple[datetime, datetime]:
    """The first midnight of the days, and that after the last."""
    today = wanted.today or date.today()
    first = today - timedelta(days=wanted.days)
    return datetime.combine(first, time()), datetime.combine(today, time())


def _overlapping(connection: Connection, first: datetime, end: datetime) -> Sequence[Any]:
    runs = m.runs.c
    return connection.execute(
        select(runs.id, runs.first_at, runs.last_at)
        .where(runs.kind == m.BACKFILL_RUN, runs.first_at < end, runs.last_at > first)
        .order_by(runs.first_at)
    ).all()


def _make_room(connection: Connection, first: datetime, end: datetime, replace: bool) -> Replaced:
    """Refuse days that are there, or take back what backfilled them."""
    there = _overlapping(connection, first, end)
    replaced = replaced_of(there)
    if there and not replace:
        raise UserError(
            f"days: {replaced.first_day} to {replaced.last_day} are there from an earlier "
            "backfill; give --replace to replace them"
        )
    take_back(connection, [run.id for run in there])
    _refuse_live(connection, first, end)
    return replaced


def _refuse_live(connection: Connection, first: datetime, end: datetime) -> None:
    """Raises UserError for days in which something happened that no backfill wrote."""
    backfilled = select(m.runs.c.id).where(m.runs.c.kind == m.BACKFILL_RUN)
    live = connection.scalar(
        select(func.min(_movements.occurred_at)).where(
            _movements.occurred_at >= first,
            _movements.occurred_at < end,
            _movements.kind != m.INITIAL,
            _movements.run_id.is_(None) | _movements.run_id.not_in(backfilled),
        )
    )
    snapshots = m.stock_snapshots.c.taken_at
    snapshot = connection.scalar(
        select(func.min(snapshots)).where(snapshots >= first, snapshots < end)
    )
    known = min((moment for moment in (live, snapshot) if moment), default=None)
    if known:
        raise UserError(
            f"days: something happened live in this store on {known:%Y-%m-%d}, and a backfill "
            "does not overwrite that; `retail-datagen store reset` empties the store"
        )


def _standing(connection: Connection, first: datetime, end: datetime) -> Standing:
    """The items that were there. Raises UserError for a store without any."""
    where = shown_url(connection.engine)
    generate = f"{_GENERATE} --database-url {where}"
    if not connection.scalar(select(func.count()).select_from(m.products)):
        raise UserError(f"No products found in database ({where}); run `{generate}` first")
    opening_from(connection, first)
    found = standing(connection, first, end)
    if len(found):
        return found
    if not connection.scalar(select(func.count()).select_from(m.inventory_items)):
        raise UserError(f"No inventory items found in database ({where}); run `{generate}` first")
    raise UserError(
        f"no item of this store stood there from {first:%Y-%m-%d} to the end of "
        f"{end - timedelta(days=1):%Y-%m-%d}: all came, were seen or left within; choose other "
        f"days, or empty the store with `retail-datagen store reset --database-url {where}`, then "
        f"run `{generate}`"
    )


def _shelf(connection: Connection, items: Standing, seed: int) -> tuple[Shelf, I64]:
    """(what can be sold, the products' ids)."""
    columns = (m.products.c.id, m.products.c.sku, m.products.c.category)
    products = connection.execute(select(*columns).order_by(m.products.c.id)).all()
    ids = np.array([row.id for row in products], dtype=np.int64)
    stock = np.bincount(np.searchsorted(ids, items.product), minlength=len(ids))
    catalogue = read_catalogue(seed=seed)
    known = dict(zip(catalogue.sku, catalogue.popularity.tolist(), strict=True))
    # What the catalogue does not know is as popular as any other, in an order of its own.
    others = (mix(ids, salt=47) >> np.uint64(47)).astype(np.int64) + 50_000
    popularity = [
        known.get(row.sku, int(other)) for row, other in zip(products, others, strict=True)
    ]
    shelf = Shelf([row.category or "" for row in products], np.array(popularity, np.int64), stock)
    return shelf, ids


def _prices(connection: Connection) -> I64:
    """Cents of each product, by id; -1 without a price."""
    columns = select(m.products.c.unit_price).order_by(m.products.c.id)
    found = connection.scalars(columns).all()
    return np.array([-1 if price is None else int(price * 100) for price in found], dtype=np.int64)
