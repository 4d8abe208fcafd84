"""Which items are missing: what a reader ought to have read where the books say it is, and did not.

A cycle that reads an item sets its count of misses to none; one that passes within the sure range
of its place without reading it adds one. At `MISSES` it is called missing, and found when it is
read again; at `CONFIRMED` somebody looks, and what is not in the store is booked as stolen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from retail_datagen.core.arrays import I16, I64, Bool

MISSES: Final = 7
CONFIRMED: Final = 14
_MOST: Final = 30_000


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Rows of items that are missing from now on, found again, and worth somebody's look."""

    missing: I64
    found: I64
    to_look_for: I64


def judge(misses: I16, missing: Bool, rows: I64, read: Bool, sure: Bool) -> Verdict:
    """Take one reader's cycle into account, in place.

    `misses` and `missing` are those of all items; `rows` the items whose place was in range or that
    were read elsewhere, each once; `read` which of them were read; `sure` whose place was near.
    """
    seen, unseen = rows[read], rows[~read & sure]
    misses[seen] = 0
    misses[unseen] = np.minimum(misses[unseen] + 1, _MOST)
    found = seen[missing[seen]]
    missing[found] = False
    lost = unseen[(misses[unseen] >= MISSES) & ~missing[unseen]]
    missing[lost] = True
    return Verdict(lost, found, unseen[misses[unseen] >= CONFIRMED])
