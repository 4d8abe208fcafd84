"""A handheld RFID reader: which tags in range it reads in one cycle, and how strongly.

Signal strength falls with distance as in the log-distance model of radio propagation, with fading
around it; what is not read at all grows with the cube of the distance, up to everything at the
edge of the range. Both are integer tables by centimetre: no float decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from retail_datagen.core.arrays import F64, I16, I64, Bool
from retail_datagen.core.rng import Stream

_CERTAIN: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class ReaderModel:
    """A reader's physics: distances in cm, strengths in dBm."""

    range: int = 400
    sure_range: int = 240
    """Within it a tag that is there is hardly ever missed several times on end."""
    cycle_ms: int = 1_000
    least_missed: float = 0.02
    """Share of tags right at the reader that a cycle misses: shadowed, turned away."""
    strength_at_1m: float = -52.0
    exponent: float = 2.2
    """How fast strength falls: 2 in free space, more between shelves."""
    fading: int = 40
    """Tenths of dBm around the mean, at most."""
    limits: tuple[int, int] = (-900, -250)
    """Tenths of dBm that the reader reports, least and most."""

    def missed(self, distance: float) -> float:
        """Share of cycles that miss a tag at a distance."""
        return self.least_missed + (1 - self.least_missed) * min(distance / self.range, 1.0) ** 3

    def strength(self, distance: float) -> float:
        """Mean dBm of a tag at a distance; below 10 cm as at 10 cm."""
        return self.strength_at_1m - 10 * self.exponent * math.log10(max(distance, 10.0) / 100)


class Scanner:
    """Reads for all readers, in the order that they are asked."""

    def __init__(self, seed: int, model: ReaderModel | None = None) -> None:
        self.model = model or ReaderModel()
        self._chance = Stream(seed, "store.scanner.missed")
        self._noise = Stream(seed, "store.scanner.fading")
        by_cm = range(self.model.range + 1)
        self._missed: I64 = np.array([round(self.model.missed(d) * _CERTAIN) for d in by_cm])
        self._mean: I16 = np.array(
            [round(self.model.strength(d) * 10) for d in by_cm], dtype=np.int16
        )

    def read(self, distance: F64) -> Bool:
        """Which tags that are at these distances are read; none beyond the range."""
        cm = np.minimum(distance, self.model.range).astype(np.int64)
        seen: Bool = self._chance.u16(len(cm)) >= self._missed[cm]
        return seen

    def strength(self, distance: F64) -> I16:
        """Tenths of dBm of tags that were read at these distances: triangular around the mean."""
        cm = np.minimum(distance, self.model.range).astype(np.int64)
        n, width = len(cm), self.model.fading
        noise = self._noise.below(n, width + 1) + self._noise.below(n, width + 1) - width
        strength: I16 = np.clip(self._mean[cm] + noise, *self.model.limits).astype(np.int16)
        return strength
