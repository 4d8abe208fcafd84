"""Order lines that are picked today, whenever they were ordered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.behaviour.online import DC, SLOWEST_DAYS
from retail_datagen.core.arrays import I64
from retail_datagen.core.calendar import DAY_SECONDS
from retail_datagen.tables.context import Day


@dataclass(frozen=True, slots=True)
class PickedLines:
    """Lines taken from a node's stock today: [lines]; `node` is a row of DCs or stores."""

    trace: I64
    second: I64
    node: I64
    product: I64
    units: I64


def picked_lines(day: Day, *, at_dc: bool) -> PickedLines:
    """Lines that DCs (or stores) pick today, of this day's orders and earlier ones."""
    found = []
    for placed in day.order_days(SLOWEST_DAYS):
        orders, lines = placed.orders, placed.lines
        picked = orders.picked.astype(np.int64) - (day.number - placed.day) * DAY_SECONDS
        here = (picked >= 0) & (picked < DAY_SECONDS) & ((orders.mode == DC) == at_dc)
        row = np.flatnonzero(here[lines.order] & placed.kept)
        order = lines.order[row]
        found.append(
            (
                placed.first_trace + order.astype(np.int64),
                picked[order],
                orders.node[order].astype(np.int64),
                lines.product[row].astype(np.int64),
                lines.quantity[row].astype(np.int64),
            )
        )
    return PickedLines(*(np.concatenate(column) for column in zip(*found, strict=True)))
