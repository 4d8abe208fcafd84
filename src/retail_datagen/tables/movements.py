"""Stock movements on their way to a table: parts of several kinds, joined in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from retail_datagen.core.rng import I64, Ints

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
HANDLING_REASON = np.array([SHRINK, DAMAGE, ADJUSTMENT, ADJUSTMENT])
"""Reason of each kind of stock handling."""


@dataclass(frozen=True, slots=True)
class Movements:
    """Movements of a day: [movements]. `units` is signed; `source` is a table's own code."""

    trace: I64
    second: I64
    place: I64
    product: I64
    units: I64
    reason: I64
    source: I64

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
        count = len(trace)
        columns = (trace, second, place, product, units, reason, source)
        return cls(*(np.broadcast_to(np.asarray(c, dtype=np.int64), count) for c in columns))


def in_order(parts: Sequence[Movements]) -> Movements:
    """All parts by time; at equal times inflows first."""
    joined = Movements(
        *(np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Movements))
    )
    outflow = (joined.units < 0).astype(np.int64)
    key = (((joined.second << 1) | outflow) << 32) | np.arange(len(joined))
    order = np.sort(key) & 0xFFFFFFFF
    return Movements(*(getattr(joined, f.name)[order] for f in fields(Movements)))
