"""Which visits become receipts once stock has answered, and how receipts and lines are numbered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.behaviour.baskets import Lines
from retail_datagen.behaviour.journeys import Visits
from retail_datagen.core.arrays import I32, I64, U8, Ints
from retail_datagen.core.order import stable_order


@dataclass(frozen=True, slots=True)
class Tills:
    """Receipts of a day by time, and their lines.

    Per receipt: `visit` (row of the visits), `number` (1, 2 … in its store that day).
    Per line: `line` (row of the drawn lines), `receipt` (row here), `position` (1, 2 …).
    """

    visit: I64
    number: I32
    line: I64
    receipt: I64
    position: U8


def ring_up(visits: Visits, lines: Lines, lost: Ints) -> Tills:
    """Receipts of the visits that found something; `lost` are rows of the lines not found."""
    kept = np.ones(len(lines), dtype=np.bool_)
    kept[lost] = False
    line = np.flatnonzero(kept)
    visit_of_line = lines.visit.take(line)
    opens = np.diff(visit_of_line, prepend=-1) > 0
    first = np.flatnonzero(opens)
    visit = visit_of_line[first].astype(np.int64)
    receipt = np.cumsum(opens) - 1
    position = (np.arange(1, len(line) + 1) - first.take(receipt)).astype(np.uint8)
    return Tills(visit, _numbers(visits.store[visit]), line, receipt, position)


def _numbers(store: I32) -> I32:
    """1, 2, 3 … within each store, in the order given."""
    order = stable_order(store)
    sizes = np.bincount(store)
    numbers = np.empty(len(store), dtype=np.int32)
    numbers[order] = np.arange(len(store)) - np.repeat(np.cumsum(sizes) - sizes, sizes) + 1
    return numbers
