"""A few events an hour out of many: how many a day gets, and which."""

from __future__ import annotations

import numpy as np

from retail_datagen.core.arrays import I64
from retail_datagen.core.rng import Stream
from retail_datagen.world.model import Calendar

_MILLION = 1_000_000
_SCALE = 10_000


def quota(calendar: Calendar, history_start: int, day: int, per_day: float) -> int:
    """Events of a day, `per_day` on an average day: as many more as it is busier.

    What is left of a day by rounding down is given to the next, so that no sum is off by one.
    """
    first, row = calendar.row(history_start), calendar.row(day)
    before = int(calendar.traffic_ppm[first:row].sum(dtype=np.int64))
    after = before + int(calendar.traffic_ppm[row])
    rate = round(per_day * _SCALE)
    return rate * after // (_MILLION * _SCALE) - rate * before // (_MILLION * _SCALE)


def sample(stream: Stream, count: int, wanted: int) -> I64:
    """`wanted` different rows of `count`, in order; all of them where there are no more."""
    if wanted >= count:
        return np.arange(count)
    # As many numbers as rows, each with its row so that all differ: the smallest are chosen.
    ranked = (stream.below(count, 1 << 31).astype(np.int64) << 32) | np.arange(count)
    return np.sort(np.partition(ranked, wanted)[:wanted] & 0xFFFFFFFF)
