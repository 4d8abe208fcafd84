"""A simulation's events in words, and the last of them on record."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

from retail_datagen.store.simulation.clock import wall
from retail_datagen.store.simulation.events import (
    Event,
    Found,
    Missing,
    Sale,
    SnapshotTaken,
    StockChanged,
)

_LINES: Final = 1_000
_TAGS: Final = 3


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: `number` counts from 1 without a gap, `at` is the simulated clock in ms."""

    number: int
    at: int
    text: str


class Log:
    """A listener that keeps the last lines; may be read from any thread."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=_LINES)
        self._number = 0
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        text = in_words(event)
        if text:
            self.write(event.at, text)

    def write(self, at: int, text: str) -> None:
        with self._lock:
            self._number += 1
            self._lines.append(LogLine(self._number, at, text))

    def after(self, number: int = 0, limit: int = _LINES) -> list[LogLine]:
        """The lines after that number, the last `limit` of them, oldest first."""
        with self._lock:
            found = [line for line in self._lines if line.number > number]
        return found[-limit:] if limit > 0 else []


def in_words(event: Event) -> str:
    """A line about an event; nothing for what happens all the time."""
    match event:
        case Sale():
            return (
                f"shopper {event.shopper} bought {_items(len(event.items))} for "
                f"{money(int(event.prices.sum()))} ({event.basket})"
            )
        case StockChanged(reason="restock"):
            return f"restocked {_items(int(event.change.sum()))} of {_products(event)}"
        case StockChanged(reason="stolen"):
            return f"stolen: {_items(-int(event.change.sum()))} of {_products(event)}"
        case Missing():
            return f"missing: {_some(event.tags.tolist())}"
        case Found():
            return f"found again: {_some(event.tags.tolist())}"
        case SnapshotTaken():
            return f"snapshot: {event.on_hand:,} items of {event.products:,} products on hand"
    return ""


def clock_text(at: int) -> str:
    """`2024-01-17 12:30:05` of the simulated clock."""
    return f"{wall(at):%Y-%m-%d %H:%M:%S}"


def money(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02}"


def _items(number: int) -> str:
    return f"{number:,} item" if number == 1 else f"{number:,} items"


def _products(event: StockChanged) -> str:
    n = len(event.products)
    return f"{n:,} product" if n == 1 else f"{n:,} products"


def _some(tags: list[str]) -> str:
    more = len(tags) - _TAGS
    return ", ".join(tags[:_TAGS]) + (f" and {more:,} more" if more > 0 else "")
