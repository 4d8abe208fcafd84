"""Rows that are grouped, one group after the other."""

from __future__ import annotations

import numpy as np

from retail_datagen.core.arrays import I64, Ints


def starts(group: Ints, groups: int) -> I64:
    """The first row of each of `groups` groups, of rows in ascending order of their group.

    An empty group has the first row behind it.
    """
    sizes = np.bincount(group, minlength=groups)
    return np.cumsum(sizes) - sizes
