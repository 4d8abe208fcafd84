"""Draws a past: who bought what when, and when it was replaced. Pure, and the same for a seed.

Days, hours and missions are the profile's, as everywhere. A sold item is replaced on one of the
next mornings; what is missing on the last evening is replaced then, so a past ends with the stock
that it began with. Nothing is sold that is not on the shelf.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from retail_datagen.behaviour.hours import arrival_seconds, open_half_hours
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I64, U16, Bool
from retail_datagen.core.calendar import DAY_SECONDS, month_of, to_date
from retail_datagen.core.rng import Stream, integer_weights, lookup, slots
from retail_datagen.world.day_factors import day_factors

OPENS, CLOSES = 9, 21
"""Whole hours of an ordinary day: those of the profile's most frequent format."""
_SHARE_BITS = 30
_ROUNDS = 8
"""How often a shopper looks for something else where a shelf is empty."""
_BASKETS = lookup(np.array([40, 28, 16, 9, 4, 3], dtype=np.int64), 8) + 1
"""Chosen: one to six items, 2.2 on average."""
_DELAYS = lookup(np.array([45, 35, 20], dtype=np.int64), 8) + 1
"""Chosen: mornings until a sold item is replaced."""
_DELIVERY = 7 * 3600
_DELIVERY_SECONDS = 5400
_LAST_DELIVERY = CLOSES * 3600 + 900


@dataclass(frozen=True, slots=True)
class Shelf:
    """What can be sold: [products]. Its category, odds within it, and how many there are."""

    category: Sequence[str]
    popularity: I64
    stock: I64


@dataclass(frozen=True, slots=True)
class Past:
    """Sales and restocks, each in order of time. Products are rows of the shelf, times seconds
    since 1970-01-01; `basket` numbers what was bought together, from 0 on each day anew.

    `missed` purchases were wanted when nothing was left.
    """

    sale_product: I64
    sale_second: I64
    sale_basket: I64
    restock_product: I64
    restock_second: I64
    missed: int


Progress = Callable[[int, int], None]
"""Is told the days drawn and the days there are; may raise to stop."""


def draw_past(
    shelf: Shelf,
    profile: Profile,
    first_day: int,
    days: int,
    purchases: int,
    seed: int,
    progress: Progress | None = None,
) -> Past:
    """`days` days from `first_day` on, with `purchases` a day on average."""
    tables = _Choice(shelf, profile)
    hours = _hours(profile)
    last = first_day + days - 1
    factors = day_factors(profile.temporal, profile.online, seed, to_date(first_day), to_date(last))
    busy = factors.traffic_ppm
    counts = slots(busy, purchases * days) if busy.any() else np.zeros(days, dtype=np.int64)
    stock = shelf.stock.astype(np.int64).copy()
    due: list[list[I64]] = [[] for _ in range(days)]
    sales: list[tuple[I64, I64, I64]] = []
    restocks: list[tuple[I64, I64]] = []
    missed = 0
    for index, wanted in enumerate(counts.tolist()):
        day = first_day + index
        came = np.concatenate(due[index]) if due[index] else np.zeros(0, dtype=np.int64)
        due[index] = []
        restocks.append((came, _mornings(seed, day, len(came))))
        stock += np.bincount(came, minlength=len(stock))
        second, basket = _visits(hours[int(_is_weekend(day))], seed, day, wanted)
        product = tables.draw(seed, day, stock, basket)
        sold = product >= 0
        missed += int(np.count_nonzero(~sold))
        product, second, basket = product[sold], second[sold], basket[sold]
        stock -= np.bincount(product, minlength=len(stock))
        sales.append((product, second + day * DAY_SECONDS, basket))
        delay = _DELAYS[Stream(seed, "store.past.delays", day).u8(len(product))]
        for step in np.unique(delay).tolist():
            if index + step < days:
                due[index + step].append(product[delay == step])
        if progress:
            progress(index + 1, days)
    restocks.append(_evening(shelf.stock - stock, seed, last))
    return _joined(sales, restocks, missed)


def _joined(
    sales: list[tuple[I64, I64, I64]], restocks: list[tuple[I64, I64]], missed: int
) -> Past:
    """The days' (product, second, basket) and (product, second), one after the other."""
    order = np.argsort(np.concatenate([second for _, second in restocks]), kind="stable")
    return Past(
        np.concatenate([product for product, _, _ in sales]),
        np.concatenate([second for _, second, _ in sales]),
        np.concatenate([basket for _, _, basket in sales]),
        np.concatenate([product for product, _ in restocks])[order],
        np.concatenate([second for _, second in restocks])[order],
        missed,
    )


class _Choice:
    """Chooses products: a mission for each basket, a category by mission, a product by odds."""

    def __init__(self, shelf: Shelf, profile: Profile) -> None:
        self._names = list(dict.fromkeys(shelf.category))
        row = {name: i for i, name in enumerate(self._names)}
        self._category = np.array([row[name] for name in shelf.category], dtype=np.int64)
        self._popularity = np.maximum(shelf.popularity, 1)
        self._profile = profile
        self._mission, self._weights = self._missions()
        self._ends: dict[int, I64] = {}

    def draw(self, seed: int, day: int, stock: I64, basket: I64) -> I64:
        """A product for each item of baskets that is still there, or -1; stock is not changed."""
        count = len(basket)
        product = np.full(count, -1, dtype=np.int64)
        if not count or not len(stock):
            return product
        ends = self._ends_of(month_of(day))
        bits = Stream(seed, "store.past.missions", day).u16(int(basket[-1]) + 1)
        mission = self._mission[bits].astype(np.int64)[basket]
        left = stock.copy()
        for attempt in range(_ROUNDS):
            open_rows = np.flatnonzero(product < 0)
            if not len(open_rows):
                return product
            stream = Stream(seed, f"store.past.products.{attempt}", day)
            place = (stream.u32(count)[open_rows] >> np.uint32(32 - _SHARE_BITS)).astype(np.int64)
            wanted = np.searchsorted(ends, (mission[open_rows] << _SHARE_BITS) + place, "right")
            wanted %= len(stock)
            found = _first_come(wanted, left)
            product[open_rows[found]] = wanted[found]
            left -= np.bincount(wanted[found], minlength=len(left))
        open_rows = np.flatnonzero(product < 0)
        units = np.repeat(np.arange(len(left)), np.maximum(left, 0))
        if len(units):
            order = Stream(seed, "store.past.rest", day).permutation(len(units))[: len(open_rows)]
            product[open_rows[: len(order)]] = units[order]
        return product

    def _missions(self) -> tuple[U16, I64]:
        """(lookup of missions by 16 bits, weights [missions, categories]).

        What the profile does not know is bought on a mission of its own, as often as its share of
        categories says.
        """
        profile = self._profile
        share = dict.fromkeys(profile.missions, 0.0)
        for segment in profile.segments.values():
            behaviours = sum(segment.behaviours.values())
            for name, weight in segment.behaviours.items():
                odds = profile.behaviours[name].missions
                total = sum(odds.values())
                for mission, each in odds.items():
                    share[mission] += segment.share * weight / behaviours * each / total
        weights = [
            integer_weights([mission.categories.get(name, 0.0) for name in self._names], 1000)
            for mission in profile.missions.values()
        ]
        # A store that sells nothing of a mission has nobody on it.
        odds_of = [
            value if row.any() else 0.0 for value, row in zip(share.values(), weights, strict=True)
        ]
        known = {category.name for category in profile.categories}
        strange = [float(name not in known) for name in self._names]
        if any(strange):
            rest = len(self._names) - sum(strange)
            odds_of.append(sum(odds_of) * sum(strange) / rest if rest and any(odds_of) else 1.0)
            weights.append(integer_weights(strange, 1000))
        if not any(odds_of):
            odds_of.append(1.0)
            weights.append(np.full(len(self._names), 1000, dtype=np.int64))
        return lookup(integer_weights(odds_of), 16), np.array(weights, dtype=np.int64)

    def _ends_of(self, month: int) -> I64:
        """Where each product's share of 2**30 ends, missions one after the other."""
        if month not in self._ends:
            season = {c.name: c.season[month] for c in self._profile.categories}
            factor = integer_weights([season.get(name, 1.0) for name in self._names], 1000)
            shares = []
            for number, row in enumerate(self._weights):
                weights = row * factor if (row * factor).any() else row
                if not weights.any():
                    weights = np.ones(len(row), dtype=np.int64)
                shares.append((number << _SHARE_BITS) + np.cumsum(self._shares(weights)))
            self._ends[month] = np.concatenate(shares)
        return self._ends[month]

    def _shares(self, weights: I64) -> I64:
        """The products' shares of 2**30 by their categories' weights."""
        shares = np.zeros(len(self._category), dtype=np.int64)
        for number, size in enumerate(slots(weights, 1 << _SHARE_BITS).tolist()):
            rows = np.flatnonzero(self._category == number)
            shares[rows] = slots(self._popularity[rows], size) if size else 0
        return shares


def _first_come(wanted: I64, left: I64) -> Bool:
    """Who gets what he wants, the earlier rows first."""
    order = np.argsort(wanted, kind="stable")
    ordered = wanted[order]
    before = np.arange(len(wanted)) - np.searchsorted(ordered, ordered)
    found = np.zeros(len(wanted), dtype=np.bool_)
    found[order] = before < left[ordered]
    return found


def _visits(table: U16, seed: int, day: int, count: int) -> tuple[I64, I64]:
    """(second of the day, basket) of `count` purchases, in order of time."""
    sizes = _BASKETS[Stream(seed, "store.past.baskets", day).u8(count)].astype(np.int64)
    ends = np.cumsum(sizes)
    baskets = int(np.searchsorted(ends, count)) + 1 if count else 0
    bits = Stream(seed, "store.past.times", day).u32(baskets)
    second = np.sort(arrival_seconds(table, 0, bits)).astype(np.int64)
    basket = np.searchsorted(ends, np.arange(count), side="right")
    return second[basket], basket


def _hours(profile: Profile) -> tuple[U16, U16]:
    """Arrival tables of weekdays and weekends, within opening hours."""
    is_open = open_half_hours(OPENS, CLOSES)
    tables = []
    for shape in (profile.temporal.half_hours, profile.temporal.half_hours_weekend):
        weights = np.where(is_open, integer_weights(shape, 1000), 0)
        tables.append(lookup(weights if weights.any() else is_open.astype(np.int64), 12))
    return tables[0], tables[1]


def _is_weekend(day: int) -> bool:
    return (day + 3) % 7 >= 5


def _mornings(seed: int, day: int, count: int) -> I64:
    drawn = Stream(seed, "store.past.deliveries", day).below(count, _DELIVERY_SECONDS)
    return np.sort(drawn) + _DELIVERY + day * DAY_SECONDS


def _evening(lacking: I64, seed: int, day: int) -> tuple[I64, I64]:
    """What is replaced after the last day, in the order of products."""
    product = np.repeat(np.arange(len(lacking)), lacking)
    drawn = Stream(seed, "store.past.evening", day).below(len(product), 1800)
    return product, np.sort(drawn) + _LAST_DELIVERY + day * DAY_SECONDS
