"""The readers that employees carry: what they read, what is missing, what is worth keeping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from retail_datagen.core.arrays import F64, I64, Bool
from retail_datagen.store.simulation.books import Seen
from retail_datagen.store.simulation.clock import TICK_MS
from retail_datagen.store.simulation.detection import Verdict, judge
from retail_datagen.store.simulation.events import Detections
from retail_datagen.store.simulation.items import GONE, IN_BASKET, ON_SHELF, Items
from retail_datagen.store.simulation.scanner import Scanner
from retail_datagen.store.simulation.walk import Walkers

KEEP_EVERY_MS: Final = 15 * 60_000
"""Readings of an item are kept that far apart: a reader sees most items every second."""


@dataclass(frozen=True, slots=True, eq=False)
class Cycle:
    """What one cycle of one reader gave."""

    detections: Detections
    verdict: Verdict


class Readers:
    """All readers. Ask `due` and `cycle` in every step."""

    def __init__(self, scanner: Scanner, items: Items, walkers: Walkers) -> None:
        self._scanner = scanner
        self._items = items
        self._walkers = walkers
        self._ticks = scanner.model.cycle_ms // TICK_MS

    def is_due(self, number: int, now: int) -> bool:
        """Whether reader `number` begins a cycle now: they take turns."""
        return now // TICK_MS % self._ticks == number % self._ticks

    def cycle(self, number: int, place: int, now: int) -> Cycle:
        """Read around whoever is at `place` of the walkers."""
        items = self._items
        x, y = float(self._walkers.x[place]), float(self._walkers.y[place])
        rows, away, sure = self._in_range(x, y)
        read = self._scanner.read(away)
        # Where it is known to lie, an item that somebody took away cannot be read.
        read &= (items.state[rows] == ON_SHELF) | (items.state[rows] == IN_BASKET)
        seen, distance = rows[read], away[read]
        verdict = judge(items.misses, items.missing, rows, read, sure)
        detections = Detections(
            at=now,
            reader=f"reader-{number + 1}",
            x=x,
            y=y,
            items=items.id[seen],
            tags=items.tag[seen],
            rssi=self._scanner.strength(distance),
            distance=np.round(distance).astype(np.int16),
        )
        return Cycle(detections, verdict)

    def to_keep(self, detections: Detections) -> Seen | None:
        """The readings of a cycle that shall be kept."""
        items = self._items
        rows = items.rows(detections.items)
        due = items.kept_at[rows] <= detections.at - KEEP_EVERY_MS
        if not due.any():
            return None
        items.kept_at[rows[due]] = detections.at
        return Seen(
            detections.items[due],
            detections.at,
            detections.reader,
            detections.rssi[due],
            detections.distance[due],
        )

    def _in_range(self, x: float, y: float) -> tuple[I64, F64, Bool]:
        """Rows of the items in range, each once: how far, and whether their place is near.

        What is in a basket is where its holder is, but misses count at its place. An item in a
        basket out of range whose place is near comes with a distance beyond the range.
        """
        items, model = self._items, self._scanner.model
        rows, away = items.grid.within(x, y, model.range)
        here = items.state[rows] != GONE
        rows, away = rows[here], away[here]
        sure = away <= model.sure_range
        held = np.flatnonzero(items.state == IN_BASKET)
        if not len(held):
            return rows, away, sure
        dx = self._walkers.x[items.holder[held]] - x
        dy = self._walkers.y[items.holder[held]] - y
        carried = np.full(len(items), model.range + 1.0)
        carried[held] = np.sqrt(dx * dx + dy * dy)
        away = np.where(items.state[rows] == IN_BASKET, carried[rows], away)
        others = held[(carried[held] <= model.range) & ~np.isin(held, rows)]
        return (
            np.append(rows, others),
            np.append(away, carried[others]),
            np.append(sure, np.zeros(len(others), dtype=np.bool_)),
        )
