"""SGTIN-96: the Electronic Product Code that a tag carries, after GS1's EPC Tag Data Standard.

96 bits: header 0x30 (8), filter (3), partition (3), company prefix and item reference (44 together,
divided as the partition says), serial (38). The company prefix here is one that GS1 keeps for
demonstrations (952), so no tag is anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retail_datagen.core.arrays import I64

HEADER = 0x30
POINT_OF_SALE = 1
"""Filter value of items that pass a till."""
COMPANY = "952000"
ITEM_DIGITS = 6
"""Digits of an item reference beside that company's prefix; the indicator digit 0 precedes it."""
MOST_REFERENCE = 10**ITEM_DIGITS - 1
MOST_SERIAL = 2**38 - 1
_MOST_ITEM = 10 ** (ITEM_DIGITS + 1) - 1
"""With another indicator than 0, which only tags of somebody's own have."""
_COMPANY_BITS = {12: 40, 11: 37, 10: 34, 9: 30, 8: 27, 7: 24, 6: 20}
"""Bits of a company prefix by its digits; partition 0 has 12 digits, 6 has 6."""
_BOTH_BITS, _SERIAL_BITS = 44, 38


@dataclass(frozen=True, slots=True)
class Sgtin:
    """What an EPC says. `item` has the indicator digit in front; both are as long as they must."""

    filter: int
    company: str
    item: str
    serial: int


def encode(sgtin: Sgtin) -> str:
    """24 hexadecimal digits. Raises ValueError for digits or numbers that do not fit."""
    bits = _COMPANY_BITS.get(len(sgtin.company), 0)
    fits = bits and len(sgtin.item) == 13 - len(sgtin.company)
    if not fits or not (sgtin.company + sgtin.item).isdecimal():
        raise ValueError(f"{sgtin}: company prefix and item reference have 13 digits together")
    if not 0 <= sgtin.serial <= MOST_SERIAL or not 0 <= sgtin.filter < 8:
        raise ValueError(f"{sgtin}: serials have 38 bits, filters 3")
    value = HEADER << 3 | sgtin.filter
    value = value << 3 | (12 - len(sgtin.company))
    value = value << bits | int(sgtin.company)
    value = value << (_BOTH_BITS - bits) | int(sgtin.item)
    return f"{value << _SERIAL_BITS | sgtin.serial:024X}"


def decode(epc: str) -> Sgtin:
    """What 24 hexadecimal digits say. Raises ValueError when they are no SGTIN-96."""
    value = int(epc, 16) if len(epc) == 24 else 0
    if value >> 88 != HEADER or (partition := value >> 82 & 7) > 6:
        raise ValueError(f"{epc!r} is no SGTIN-96")
    digits = 12 - partition
    bits = _COMPANY_BITS[digits]
    company = value >> (82 - bits) & ((1 << bits) - 1)
    item = value >> _SERIAL_BITS & ((1 << (_BOTH_BITS - bits)) - 1)
    if company >= 10**digits or item >= 10 ** (13 - digits):
        raise ValueError(f"{epc!r} is no SGTIN-96: its numbers have too many digits")
    return Sgtin(
        value >> 85 & 7, f"{company:0{digits}}", f"{item:0{13 - digits}}", value & MOST_SERIAL
    )


def ours(epc: str) -> Sgtin | None:
    """What an EPC says that has our company prefix; None for others, and other schemes."""
    try:
        said = decode(epc)
    except ValueError:
        return None
    return said if said.company == COMPANY else None


def epcs(reference: I64, serial: I64) -> list[str]:
    """EPCs of our own items: [items], by item reference (of the product) and serial (of the tag).

    Raises ValueError when a number does not fit.
    """
    if len(reference) and (
        int(reference.min()) < 0
        or int(reference.max()) > _MOST_ITEM
        or int(serial.min()) < 0
        or int(serial.max()) > MOST_SERIAL
    ):
        raise ValueError("item references have 7 digits with their indicator, serials 38 bits")
    bits = _COMPANY_BITS[len(COMPANY)]
    head = ((HEADER << 3 | POINT_OF_SALE) << 3 | (12 - len(COMPANY))) << bits | int(COMPANY)
    # 14 + 20 bits of head, 24 of item reference and the serial's first 6 fill the upper 64.
    upper = (np.uint64(head) << np.uint64(30)) | (reference.astype(np.uint64) << np.uint64(6))
    upper |= serial.astype(np.uint64) >> np.uint64(32)
    words = np.empty(len(reference), dtype=[("upper", ">u8"), ("lower", ">u4")])
    words["upper"] = upper
    words["lower"] = serial & 0xFFFFFFFF
    text = words.tobytes().hex().upper()
    return [text[start : start + 24] for start in range(0, len(text), 24)]
