"""What a damage is, and what those who plant one need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from copies import Copy, Row

BOOKS = ("reorders.on_hand", "stockouts.on_hand")
"""Checks that sum up all movements: whether they notice one depends on what it was of."""
MASTER = ("files.master",)
"""Who changes master data changes its digest."""


@dataclass(frozen=True)
class Damage:
    """`plant` gives a text that the check's offending rows must show.

    `also` are checks that must notice it too, `maybe` those that do where the row happens to
    matter to them. One that is `alone` keeps other checks from looking at all.
    """

    check: str
    plant: Callable[[Copy], str]
    also: tuple[str, ...] = ()
    maybe: tuple[str, ...] = ()
    alone: bool = False

    @property
    def breaks(self) -> frozenset[str]:
        """The checks that must fail."""
        return frozenset((self.check, *self.also))

    @property
    def touches(self) -> frozenset[str]:
        """The checks that may fail."""
        return self.breaks | frozenset(self.maybe)


def later(time: str, **by: int) -> str:
    """A timestamp, moved."""
    return str(datetime.fromisoformat(time) + timedelta(**by))


def cents(amount: str, more: int) -> str:
    """An amount of money with so many cents more."""
    return f"{float(amount) + more / 100:.2f}"


def is_(**values: str) -> Callable[[Row], bool]:
    """Rows with these values."""
    return lambda row: all(row[name] == value for name, value in values.items())


def not_returned(copy: Copy) -> Callable[[Row], bool]:
    returned = {(r["ReceiptId"], r["Line"]) for r in copy.rows("store_returns")}
    return lambda r: (r["ReceiptId"], r["Line"]) not in returned
