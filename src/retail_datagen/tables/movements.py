"""Stock movements on their way to a table: parts of several kinds, joined in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from retail_datagen.core.arrays import I32, I64, U8, Ints

INBOUND, OUTBOUND, SALE, RETURN, SHRINK, DAMAGE, ADJUSTMENT, INITIAL = range(8)
REASONS = (
    "INBOUND_SHIPMENT",
    "OUTBOUND_SHIPMENT",
    "SALE",
    "RETURN",
    "SHRINK",
    "DAMAGE",
    "ADJUSTMENT",
    "INITIAL_STOCK",
)
AT_DC = tuple(r for r in REASONS if r != REASONS[RETURN])
"""Reasons in distribution centers: buyers return to stores."""
IN_STORE = tuple(r for r in REASONS if r != REASONS[OUTBOUND])
"""Reasons in stores: nothing is shipped from there by truck."""
HANDLING_REASON = np.array([SHRINK, DAMAGE, ADJUSTMENT, ADJUSTMENT])
"""Reason of each kind of stock handling."""


@dataclass(frozen=True, slots=True)
class Movements:
    """Movements of a day: [movements]. `units` is signed; `source` is a table's own code."""

    trace: I64
    second: I32
    place: I32
    product: I32
    units: I32
    reason: U8
    source: I32

    def __len__(self) -> int:
        return len(self.trace)

    @classmethod
    def of(
        cls,
        trace: Ints,
        second: Ints,
        place: Ints,
        product: Ints,
        units: Ints,
        reason: Ints | int,
        source: Ints | int = 0,
    ) -> Self:
        """Movements of one kind; a single reason or source stands for all."""
        columns = (trace, second, place, product, units, reason, source)
        return cls(
            *(
                np.broadcast_to(np.asarray(column), len(trace)).astype(dtype, copy=False)
                for column, dtype in zip(columns, _DTYPES, strict=True)
            )
        )


_DTYPES = (np.int64, np.int32, np.int32, np.int32, np.int32, np.uint8, np.int32)


def in_order(parts: Sequence[Movements]) -> Movements:
    """All parts by time; at equal times inflows first."""
    joined = Movements(
        *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Movements))
    )
    moment = (joined.second.astype(np.int64) << 1) | (joined.units < 0)
    # The parts are in order each, which this way of sorting makes use of.
    order = np.argsort(moment, kind="stable")
    return Movements(*(getattr(joined, f.name).take(order) for f in fields(Movements)))


def opening(stock: I32, products: int, first_trace: int, source: int = 0) -> Movements:
    """INITIAL_STOCK of every cell that holds any, at midnight."""
    cell = np.flatnonzero(stock)
    place = cell // products
    trace = first_trace + np.arange(len(cell))
    midnight = np.zeros(len(cell), dtype=np.int32)
    return Movements.of(
        trace, midnight, place, cell - place * products, stock[cell], INITIAL, source
    )
