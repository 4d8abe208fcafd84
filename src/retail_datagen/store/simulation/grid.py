"""Which places lie within a range of a point: places sorted into strips, and by x within each."""

from __future__ import annotations

from typing import Final

import numpy as np

from retail_datagen.core.arrays import F64, I64

_STRIP: Final = 100.0


class Grid:
    """An index of places; x and y in cm. Built in n log n, asked in what the range covers."""

    def __init__(self, x: F64, y: F64) -> None:
        strip = np.floor(y / _STRIP).astype(np.int64)
        order = np.lexsort((x, strip))
        self._order: I64 = order.astype(np.int64)
        self._x, self._y = x[order], y[order]
        strip = strip[order]
        self._lowest = int(strip[0]) if len(strip) else 0
        highest = int(strip[-1]) if len(strip) else -1
        self._starts: I64 = np.searchsorted(strip, np.arange(self._lowest, highest + 2))

    def within(self, x: float, y: float, radius: float) -> tuple[I64, F64]:
        """Positions of the places at most `radius` cm from (x, y), and how far each is."""
        last = len(self._starts) - 2
        low = max(int((y - radius) // _STRIP) - self._lowest, 0)
        high = min(int((y + radius) // _STRIP) - self._lowest, last)
        pieces = []
        for strip in range(low, high + 1):
            start, end = int(self._starts[strip]), int(self._starts[strip + 1])
            row = self._x[start:end]
            pieces.append(
                np.arange(
                    start + int(np.searchsorted(row, x - radius)),
                    start + int(np.searchsorted(row, x + radius, side="right")),
                )
            )
        if not pieces:
            return np.empty(0, dtype=np.int64), np.empty(0)
        near = np.concatenate(pieces)
        dx, dy = self._x[near] - x, self._y[near] - y
        away = np.sqrt(dx * dx + dy * dy)
        inside = away <= radius
        return self._order[near[inside]], away[inside]
