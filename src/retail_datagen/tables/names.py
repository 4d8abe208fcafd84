"""Identifiers as files show them: TRC…, RCP…, SHIP…, ORD…, RET…, IMP…, BLE…, AD…."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from retail_datagen.core.arrays import I64, Ints
from retail_datagen.core.ids import Digits, fixed_text, sequence_text, text_rows

TRACE_DIGITS = 10
ORDER_DIGITS = 10
DAILY_DIGITS = 6


def trace_sequence(first: int, count: int) -> pa.Array:
    """TRC0000000006, TRC0000000007 … from `first` on."""
    return sequence_text(b"TRC", first, count, TRACE_DIGITS)


def traces(numbers: Ints) -> pa.Array:
    """The trace of each number."""
    return fixed_text([b"TRC", Digits(numbers, TRACE_DIGITS)])


def trace_rows(numbers: Ints) -> NDArray[Any]:
    """Traces as rows that may be repeated before they become a column."""
    return text_rows([b"TRC", Digits(numbers, TRACE_DIGITS)])


@dataclass(frozen=True, slots=True)
class ReceiptDigits:
    """Digits of a store's id and of a receipt's number in its store, in a ReceiptId."""

    store: int
    number: int


def receipt_rows(
    digits: ReceiptDigits, day: Ints, second: Ints, store_id: Ints, number: Ints
) -> NDArray[Any]:
    """RCP, date, hour and minute, store, and the receipt's number in its store that day."""
    minute = second.astype(np.int64) // 60
    clock = minute // 60 * 100 + minute % 60
    parts: list[bytes | Digits] = [b"RCP", Digits(calendar_number(day), 8), Digits(clock, 4)]
    parts.append(Digits(store_id, digits.store))
    parts.append(Digits(number, digits.number))
    return text_rows(parts)


def daily(prefix: str, day: int, numbers: Ints) -> pa.Array:
    """`prefix`, date and a number of that day: SHIP20240101000001."""
    return fixed_text([f"{prefix}{compact_date(day)}".encode(), Digits(numbers, DAILY_DIGITS)])


def daily_sequence(prefix: str, day: int, count: int) -> pa.Array:
    """`daily` for the numbers 1 … count."""
    width = max(DAILY_DIGITS, len(str(count)))
    return sequence_text(f"{prefix}{compact_date(day)}".encode(), 1, count, width)


def order_ids(day: Ints, numbers: Ints) -> pa.Array:
    """ORD, date of order and the order's number in the history: ORD202401010000000001."""
    return fixed_text([b"ORD", Digits(calendar_number(day), 8), Digits(numbers, ORDER_DIGITS)])


def numbered(prefix: bytes, numbers: Ints, among: Ints) -> pa.Array:
    """`prefix` and a number, as wide as the widest of `among`."""
    return fixed_text([prefix, Digits(numbers, len(str(int(among.max()))))])


def compact_date(day: int) -> str:
    """20240101."""
    return str(np.datetime64(day, "D")).replace("-", "")


def calendar_number(day: Ints) -> I64:
    """20240101 as a number, for each day."""
    days, position = np.unique(day, return_inverse=True)
    numbers = np.array([int(compact_date(int(d))) for d in days], dtype=np.int64)
    return numbers[position] if len(days) else np.zeros(0, dtype=np.int64)
