"""How a shopper behaves: behaviour, mission, basket size and minutes, by segment."""

from __future__ import annotations

import numpy as np

from retail_datagen.config.parts import BEHAVIOURS, SEGMENTS
from retail_datagen.config.profile import Profile
from retail_datagen.core.arrays import I32, I64, U8, U64
from retail_datagen.core.calendar import month_of
from retail_datagen.core.rng import integer_weights, lookup, slots
from retail_datagen.world.model import World

MOST_LINES = 200
EXPECTED_LOSS = 0.006
"""Share of basket lines that meet an empty shelf, which baskets are drawn larger to make up for."""


class Habits:
    """Lookup tables of behaviour, the same on every day but for the missions of named days."""

    def __init__(self, world: World, profile: Profile, lines_mean: float) -> None:
        self._calendar = world.calendar
        self._profile = profile
        count = np.bincount(world.customers.segment, minlength=len(SEGMENTS)).astype(np.int64)
        self._behaviour = np.concatenate(
            [
                lookup(
                    integer_weights(
                        [profile.segments[s].behaviours.get(b, 0.0) for b in BEHAVIOURS]
                    ),
                    8,
                )
                for s in SEGMENTS
            ]
        ).astype(np.uint8)
        by_segment = self._behaviour.reshape(len(SEGMENTS), 256)
        seen = np.zeros(len(BEHAVIOURS), dtype=np.int64)
        for segment, customers in enumerate(count):
            seen += np.bincount(by_segment[segment], minlength=len(BEHAVIOURS)) * customers
        self.behaviour_share: I64 = seen
        relative = [profile.behaviours[b].lines for b in BEHAVIOURS]
        wanted = lines_mean * (1 + EXPECTED_LOSS)
        self._lines = np.concatenate(_line_tables(relative, seen, wanted))
        self.lines_mean: list[float] = [
            int(table.sum(dtype=np.int64)) / len(table)
            for table in self._lines.reshape(len(BEHAVIOURS), -1)
        ]
        self._minutes = np.array([profile.behaviours[b].minutes for b in BEHAVIOURS], np.int64)
        self.quantity = np.concatenate(
            [
                lookup(integer_weights(profile.behaviours[b].quantities), 8).astype(np.uint8) + 1
                for b in BEHAVIOURS
            ]
        ).astype(np.uint8)
        self._appeal = _seasonal_appeal(profile)
        self._mission_tables: dict[tuple[int, int], U8] = {}

    @property
    def quantity_mean(self) -> float:
        """Mean units per basket line."""
        lines = [float(s) * m for s, m in zip(self.behaviour_share, self.lines_mean, strict=True)]
        table = self.quantity.reshape(len(BEHAVIOURS), 256)
        units = [
            n * int(row.sum(dtype=np.int64)) / 256 for n, row in zip(lines, table, strict=True)
        ]
        return sum(units) / sum(lines)

    def mission_share(self, month: int) -> I64:
        """Expected basket lines per mission, relative, on an ordinary day of a month (0 … 11)."""
        table = self._missions(month, -1).reshape(len(BEHAVIOURS), 256)
        share = np.zeros(len(self._profile.missions), dtype=np.int64)
        for row, seen, mean in zip(table, self.behaviour_share, self.lines_mean, strict=True):
            per_mille = int(seen) * 1000 // max(int(self.behaviour_share.sum()), 1)
            share += np.bincount(row, minlength=len(share)) * per_mille * round(mean * 1000)
        return share

    def decide(self, day: int, segment: U8, bits: U64) -> tuple[U8, U8, U8, I32]:
        """(behaviour, mission, lines, seconds in the store) for each shopper's 64 bits."""
        parts = bits.view(np.uint8).reshape(-1, 8)
        behaviour = self._behaviour[(segment.astype(np.int64) << 8) | parts[:, 0]]
        wide = behaviour.astype(np.int64)
        named = int(self._calendar.named[self._calendar.row(day)])
        mission = self._missions(month_of(day), named)[(wide << 8) | parts[:, 1]]
        halves = bits.view(np.uint16).reshape(-1, 4)
        lines = self._lines[(wide << 16) | halves[:, 1]]
        least, most = self._minutes[wide, 0] * 60, self._minutes[wide, 1] * 60
        seconds = least + (((most - least) * halves[:, 2]) >> 16)
        return behaviour, mission, lines, seconds.astype(np.int32)

    def _missions(self, month: int, named: int) -> U8:
        """[behaviours x 256] missions: the season and a named day may favour some."""
        if (month, named) not in self._mission_tables:
            boost = self._profile.temporal.named_days[named].missions if named >= 0 else {}
            tables = []
            for behaviour in BEHAVIOURS:
                odds = self._profile.behaviours[behaviour].missions
                weights = [
                    odds.get(name, 0.0) * boost.get(name, 1.0) * appeal[month]
                    for name, appeal in self._appeal.items()
                ]
                wanted = integer_weights(weights)
                if not wanted.any():  # Season and day together leave nothing: as ever, then.
                    wanted = integer_weights([odds.get(name, 0.0) for name in self._appeal])
                tables.append(lookup(wanted, 8))
            self._mission_tables[month, named] = np.concatenate(tables).astype(np.uint8)
        return self._mission_tables[month, named]


def _seasonal_appeal(profile: Profile) -> dict[str, list[float]]:
    """Each mission's factor per month: the season of its categories, by their weight."""
    season = {category.name: category.season for category in profile.categories}
    appeal = {}
    for name, mission in profile.missions.items():
        total = sum(mission.categories.values())
        appeal[name] = [
            sum(weight * season[category][month] for category, weight in mission.categories.items())
            / total
            for month in range(12)
        ]
    return appeal


def _line_tables(relative: list[float], seen: I64, wanted: float) -> list[U8]:
    """Basket sizes per behaviour as 16-bit tables, scaled so that the whole mean is `wanted`.

    Sizes fall geometrically, which gives the many singletons and the long tail of real baskets.
    """
    low, high = 0.0, 100.0
    tables: list[U8] = []
    for _ in range(40):
        scale = (low + high) / 2
        tables = [_geometric(max(1.0, r * scale)) for r in relative]
        means = [int(t.sum(dtype=np.int64)) / len(t) for t in tables]
        mean = sum(m * int(s) for m, s in zip(means, seen, strict=True)) / int(seen.sum())
        low, high = (scale, high) if mean < wanted else (low, scale)
    return tables


def _geometric(mean: float) -> U8:
    """65,536 sizes of at least 1 and mean `mean`, before the cut at `MOST_LINES`."""
    ratio = (mean - 1) / mean
    weight, weights = 1.0, []
    for _ in range(MOST_LINES):
        weights.append(weight)
        weight *= ratio
    shares = slots(integer_weights(weights, 1_000_000_000), 1 << 16)
    return np.repeat(np.arange(1, MOST_LINES + 1, dtype=np.uint8), shares)
