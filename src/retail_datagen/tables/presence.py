"""Where shoppers walk: the zones of a visit, which sensors and beacons see."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.core.arrays import I32, I64, Bool
from retail_datagen.core.groups import starts
from retail_datagen.core.rng import Stream, mix
from retail_datagen.tables.context import Day


@dataclass(frozen=True, slots=True)
class Walks:
    """Shoppers whose phones answer beacons, buyers and browsers: [walks].

    They pass the zones `first` … `last` of the profile, after the entrance and, if `pays`,
    before the till.
    """

    store: I32
    customer: I32
    entered: I32
    left: I32
    first: I64
    last: I64
    pays: Bool

    def __len__(self) -> int:
        return len(self.store)


def zone_of_category(day: Day) -> I64:
    """The zone, as a row of the profile's, of each category of the world."""
    by_name = {c.name: c.zone for c in day.context.profile.categories}
    zones = day.context.profile.zones
    return np.array([zones.index(by_name[name]) for name in day.world.categories])


def app_walks(day: Day) -> Walks:
    """The day's walks of app users: at least one where anybody shopped."""
    visits, browsers = day.demand.visits, day.browsers
    buyers, lookers = _uses_app(day, visits.customer), _uses_app(day, browsers.customer)
    if not len(buyers) and not len(lookers) and len(visits):
        buyers = np.zeros(1, dtype=np.int64)
    zone = zone_of_category(day).take(day.world.products.category.take(day.demand.lines.product))
    first_line = starts(day.demand.lines.visit, len(visits))
    empty = np.zeros(0, dtype=np.int64)
    nearest = np.minimum.reduceat(zone, first_line)[buyers] if len(visits) else empty
    farthest = np.maximum.reduceat(zone, first_line)[buyers] if len(visits) else empty
    first, last = _strolls(day, len(lookers))
    return Walks(
        np.concatenate([visits.store[buyers], browsers.store[lookers]]),
        np.concatenate([visits.customer[buyers], browsers.customer[lookers]]),
        np.concatenate([visits.entered[buyers], browsers.entered[lookers]]),
        np.concatenate([visits.second[buyers], browsers.second[lookers]]),
        np.concatenate([nearest, first]),
        np.concatenate([farthest, last]),
        np.arange(len(buyers) + len(lookers)) < len(buyers),
    )


def _uses_app(day: Day, customer: I32) -> I64:
    share = round(day.context.profile.traffic.app_share * 65_536)
    return np.flatnonzero((mix(customer, salt=41) >> np.uint64(48)).astype(np.int64) < share)


def _strolls(day: Day, count: int) -> tuple[I64, I64]:
    """First and last zone of shoppers who only look, between entrance and checkout."""
    aisles = max(len(day.context.profile.zones) - 2, 1)
    stream = Stream(day.market.seed, "browsers.zones", day.number)
    one, other = 1 + stream.below(count, aisles), 1 + stream.below(count, aisles)
    top = len(day.context.profile.zones) - 1
    return np.minimum(np.minimum(one, other), top), np.minimum(np.maximum(one, other), top)
