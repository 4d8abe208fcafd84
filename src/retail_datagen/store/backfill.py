"""Backfills a store: its items are bought and restocked through past days, up to today's stock.

All of it is one transaction: a past is there whole, or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, Engine, func, insert, select, update

from retail_datagen.config.errors import UserError
from retail_datagen.config.library import profile_file, read_profile
from retail_datagen.core.arrays import I64, Bool
from retail_datagen.core.calendar import to_date, to_day
from retail_datagen.core.rng import mix
from retail_datagen.store.catalogue import PROFILE, read_catalogue
from retail_datagen.store.database import models as m
from retail_datagen.store.database.bulk import load, times
from retail_datagen.store.database.engine import writing
from retail_datagen.store.lease import refuse_beside_simulation
from retail_datagen.store.past import Past, Shelf, draw_past
from retail_datagen.store.rewrite import PRESENT_STILL, Lives, write_past
from retail_datagen.store.standing import Standing, opening_from, standing
from retail_datagen.store.takeback import take_back

MOST_DAYS = 3650
_EARLIEST = date(1970, 1, 1)
_GENERATE = "run `retail-datagen inventory generate --items 3000`"
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


@dataclass(frozen=True, slots=True)
class Replaced:
    """Earlier backfills that are taken back whole: how many, and the days from the first's first
    to the last's last; empty for none."""

    runs: int = 0
    first_day: str = ""
    last_day: str = ""

    def __str__(self) -> str:
        return f"the past of {self.first_day} to {self.last_day}" if self.runs else "nothing"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backfill wrote. `missed` purchases found nothing left to buy."""

    first_day: str
    last_day: str
    purchases: int
    restocked: int
    snapshots: int
    replaced: Replaced
    missed: int


Progress = Callable[[str, int, int], None]
"""Is told what is done, and how much of how much. May raise to stop: nothing is written then."""


def replaced_by(engine: Engine, wanted: Backfill) -> Replaced:
    """The earlier backfills that these days overlap, which `replace` takes back whole."""
    first, end = _span(wanted)
    with engine.connect() as connection:
        return describe(_overlapping(connection, first, end))


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
        lives = _lives(past, shelf, items, ids, _prices(connection), run)
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


def describe(runs: Sequence[Any]) -> Replaced:
    """What rows of runs cover."""
    if not runs:
        return Replaced()
    first, end = min(run.first_at for run in runs), max(run.last_at for run in runs)
    last = end - timedelta(microseconds=1)
    return Replaced(len(runs), f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}")


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
    replaced = describe(there)
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


def note_run(
    connection: Connection, kind: str, params: dict[str, Any], first: datetime, end: datetime
) -> int:
    """A finished run that covers `first` to `end`: its id."""
    now = datetime.now()
    row = {"kind": kind, "started_at": now, "ended_at": now, "first_at": first, "last_at": end}
    done = connection.execute(insert(m.runs).values(**row, params=json.dumps(params)))
    assert done.inserted_primary_key is not None
    return int(done.inserted_primary_key[0])


def write_snapshots(
    connection: Connection, run: int, first: datetime, days: int, each: int, tell: Progress
) -> int:
    """`each` snapshots a day of every product, as the movements have it; how many rows.

    The first of a day is at midnight. They are on record as the run's.
    """
    products = np.array(
        connection.scalars(select(m.products.c.id).order_by(m.products.c.id)).all(), np.int64
    )
    start = np.datetime64(first, "us")
    step = np.timedelta64(24 * 3_600_000_000 // each, "us")
    end = first + timedelta(days=days)
    stock = _stock_before(connection, products, first)
    moved = connection.execute(
        select(_movements.product_id, _movements.delta, _movements.occurred_at)
        .where(_movements.occurred_at >= first, _movements.occurred_at < end)
        .order_by(_movements.occurred_at)
    ).all()
    row = np.searchsorted(products, [one[0] for one in moved])
    delta = np.array([one[1] for one in moved], dtype=np.int64)
    moment = np.array([one[2] for one in moved], dtype="M8[us]")
    # A movement counts from the first snapshot on that is not before it.
    number = -((start - moment).astype(np.int64) // step.astype(np.int64))
    bounds = np.searchsorted(number, np.arange(days * each + 1))
    for day in range(days):
        taken = np.empty((each, len(products)), dtype=np.int64)
        for index in range(each):
            snapshot = day * each + index
            part = slice(int(bounds[snapshot]), int(bounds[snapshot + 1]))
            np.add.at(stock, row[part], delta[part])
            taken[index] = stock
        at = start + (day * each + np.arange(each)) * step
        columns = {
            "taken_at": times(np.repeat(at, len(products))),
            "product_id": np.tile(products, each),
            "on_hand": taken.ravel(),
        }
        load(connection, m.stock_snapshots, pa.table(columns))
        tell("snapshots", day + 1, days)
    written = days * each * len(products)
    connection.execute(update(m.runs).where(m.runs.c.id == run).values(snapshots=written))
    return written


def _stock_before(connection: Connection, products: I64, first: datetime) -> I64:
    """What each of the products (ids) had on hand."""
    stock = np.zeros(len(products), dtype=np.int64)
    before = select(_movements.product_id, func.sum(_movements.delta))
    opening = before.where(_movements.occurred_at < first).group_by(_movements.product_id)
    for product, units in connection.execute(opening):
        stock[np.searchsorted(products, product)] = units
    return stock


def _standing(connection: Connection, first: datetime, end: datetime) -> Standing:
    """The items that were there. Raises UserError for a store without any."""
    if not connection.scalar(select(func.count()).select_from(m.products)):
        raise UserError(f"No products found in database: {_GENERATE}")
    opening_from(connection, first)
    found = standing(connection, first, end)
    if len(found):
        return found
    if not connection.scalar(select(func.count()).select_from(m.inventory_items)):
        raise UserError(f"No inventory items found in database: {_GENERATE}")
    raise UserError(
        f"no item of this store stood there from {first:%Y-%m-%d} to the end of "
        f"{end - timedelta(days=1):%Y-%m-%d}: all came, were seen or left within; choose other "
        f"days, or empty the store with `retail-datagen store reset`, then {_GENERATE}"
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


def _lives(past: Past, shelf: Shelf, items: Standing, ids: I64, cents: I64, run: int) -> Lives:
    """Who is who: the first item of a product is sold first, and its successor takes its place.

    A product's items are those that were there and then those that came, in order of time; its
    k-th sale takes the k-th of them.
    """
    units = _Units(past, shelf)
    count, old, gone = len(units.product), units.old, units.gone
    item, heir_of = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    item[old] = items.item
    like = np.where(old, 0, item[units.place])
    arrived = np.full(count, np.datetime64(0, "us"))
    order = np.argsort(past.restock_product, kind="stable")
    arrived[~old] = past.restock_second[order].astype("M8[s]")
    arrived[old] = items.arrived
    # Who is known later cannot have been sold: an heir was, and he came when the successor did.
    bound = np.zeros(count, dtype=np.bool_)
    bound[old] = ~items.free
    swapped = np.flatnonzero(bound & gone)
    successor = units.successor[swapped]
    heir_of[swapped] = like[swapped] = item[swapped]
    item[successor], item[swapped], like[successor] = item[swapped], 0, 0
    departed = np.full(count, PRESENT_STILL)
    order = np.argsort(past.sale_product, kind="stable")
    departed[gone] = past.sale_second[order].astype("M8[s]")
    basket = np.full(count, None, dtype=object)
    basket[gone] = _baskets(past, run)[order]
    kept = gone | ~old
    texts = np.full(count, None, dtype=object)
    return Lives(
        item=item[kept],
        product=ids[units.product[kept]],
        like=like[kept],
        heir_of=heir_of[kept],
        arrived=arrived[kept],
        came=np.full(count, m.RESTOCK, dtype=object)[kept],
        came_by=texts[kept],
        rewritten=np.zeros(int(kept.sum()), dtype=np.bool_),
        departed=departed[kept],
        left=np.full(count, m.SALE, dtype=object)[kept],
        gone=np.full(count, m.SOLD, dtype=object)[kept],
        left_by=texts[kept],
        cents=cents[units.product[kept]],
        basket=basket[kept],
    )


class _Units:
    """Every unit that stands or comes, by product and time: [units].

    Whether it stands there first (`old`), is sold (`gone`), whose `place` it takes (a unit that is
    old), and who is there in its place at the end (`successor`, of old ones).
    """

    def __init__(self, past: Past, shelf: Shelf) -> None:
        size = len(shelf.stock)
        before = shelf.stock
        sold = np.bincount(past.sale_product, minlength=size)
        units = before + np.bincount(past.restock_product, minlength=size)
        self.product: I64 = np.repeat(np.arange(size), units)
        first = (np.cumsum(units) - units)[self.product]
        turn = np.arange(len(self.product)) - first
        slots = np.maximum(before, 1)[self.product]
        gone = sold[self.product]
        self.old: Bool = turn < before[self.product]
        self.gone: Bool = turn < gone
        self.place: I64 = first + turn % slots
        self.successor: I64 = first + gone + (turn - gone) % slots


def _baskets(past: Past, run: int) -> Any:
    """`B7-20240117-00042`: the run, the day, and the basket's number on it."""
    days = (past.sale_second // 86_400).tolist()
    named = {day: f"B{run}-{to_date(day):%Y%m%d}-" for day in set(days)}
    numbers = zip(days, past.sale_basket.tolist(), strict=True)
    return np.array([f"{named[day]}{number + 1:05d}" for day, number in numbers], dtype=object)
