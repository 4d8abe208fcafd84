"""What comes into the ledger and what it answers: columns of products and items, row by row
outcomes, and the rules that every row must keep, whoever brings it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from retail_datagen.core.arrays import F64, I64, U8, Bool
from retail_datagen.store.database.models import (
    CATEGORY_CHARS,
    MOST_CENTS,
    NAME_CHARS,
    SKU_CHARS,
    TAG_CHARS,
)

_MOST_COUNT = 2**31 - 1
UNWRITTEN = "00"
"""The header of an EPC that says that there is none."""
_UNFINDABLE = "not . or .., which no address leads to"
NO_ZONE = 0


@dataclass(frozen=True, slots=True)
class ProductRows:
    """Products to add: [products]. Prices are cents."""

    sku: Sequence[str]
    name: Sequence[str]
    category: Sequence[str]
    cents: I64
    reorder_threshold: I64
    optimal_stock_level: I64

    def __len__(self) -> int:
        return len(self.sku)

    def rows(self, start: int, end: int) -> ProductRows:
        """A part of them."""
        part = slice(start, end)
        return ProductRows(
            self.sku[part],
            self.name[part],
            self.category[part],
            self.cents[part],
            self.reorder_threshold[part],
            self.optimal_stock_level[part],
        )


@dataclass(frozen=True, slots=True)
class ItemRows:
    """Items to add: [items]. An empty EPC is none; zone 0 is none; places in cm, NaN is none."""

    rfid_tag: Sequence[str]
    epc: Sequence[str]
    sku: Sequence[str]
    x: F64
    y: F64
    zone_id: I64

    def __len__(self) -> int:
        return len(self.rfid_tag)

    def rows(self, start: int, end: int) -> ItemRows:
        """A part of them."""
        part = slice(start, end)
        return ItemRows(
            self.rfid_tag[part],
            self.epc[part],
            self.sku[part],
            self.x[part],
            self.y[part],
            self.zone_id[part],
        )


class Outcome(IntEnum):
    """What became of a row."""

    CREATED = 0
    EXISTS = 1
    """It is there, just like this."""
    ERROR = 2
    CONFLICT = 3
    """Its key is there with other values, which stay."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of each row; `errors` says why one is wrong: field, and what is allowed.

    `conflicts` says in what others differ from what is there.
    """

    outcome: U8
    errors: dict[int, str] = field(default_factory=dict)
    conflicts: dict[int, str] = field(default_factory=dict)

    def _count(self, outcome: Outcome) -> int:
        return int(np.count_nonzero(self.outcome == outcome))

    @property
    def created(self) -> int:
        return self._count(Outcome.CREATED)

    @property
    def skipped(self) -> int:
        return self._count(Outcome.EXISTS)

    @property
    def conflicting(self) -> int:
        return self._count(Outcome.CONFLICT)

    @property
    def failed(self) -> int:
        return self._count(Outcome.ERROR)


def product_errors(rows: ProductRows) -> dict[int, str]:
    """What is wrong with rows, by their number."""
    found: dict[int, str] = {}
    _note(found, _bad_text(rows.sku, SKU_CHARS), f"sku: 1 to {SKU_CHARS} characters, no NUL")
    _note(found, _unfindable(rows.sku), f"sku: {_UNFINDABLE}")
    _note(found, _bad_text(rows.name, NAME_CHARS), f"name: 1 to {NAME_CHARS} characters, no NUL")
    _note(found, _blank(rows.name), "name: it must have something other than blanks")
    _note(
        found,
        _bad_text(rows.category, CATEGORY_CHARS, least=0),
        f"category: at most {CATEGORY_CHARS} characters, no NUL",
    )
    _note(found, _outside(rows.cents, MOST_CENTS), "unit_price: 0.00 to 99999999.99")
    for name in ("reorder_threshold", "optimal_stock_level"):
        _note(found, _outside(getattr(rows, name), _MOST_COUNT), f"{name}: 0 to {_MOST_COUNT}")
    above = rows.reorder_threshold > rows.optimal_stock_level
    _note(found, above, "reorder_threshold: at most optimal_stock_level, up to which is restocked")
    return found


Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in cm."""


def item_errors(rows: ItemRows, zones: Mapping[int, Box]) -> dict[int, str]:
    """What is wrong with rows by themselves, by their number; `zones` are the boxes there are."""
    found: dict[int, str] = {}
    text = f"rfid_tag: 1 to {TAG_CHARS} characters, no NUL"
    _note(found, _bad_text(rows.rfid_tag, TAG_CHARS), text)
    _note(found, _unfindable(rows.rfid_tag), f"rfid_tag: {_UNFINDABLE}")
    _note(found, _bad_text(rows.sku, SKU_CHARS), f"sku: 1 to {SKU_CHARS} characters, no NUL")
    hexadecimal = pc.match_substring_regex(_texts(rows.epc), "^([0-9A-F]{24})?$")
    _note(found, ~_flags(hexadecimal), "epc: 24 hexadecimal digits in capitals, or none")
    unwritten = pc.starts_with(_texts(rows.epc), UNWRITTEN)
    _note(found, _flags(unwritten), "epc: a tag that nothing was written to has no EPC; give none")
    for name, values in (("x_position", rows.x), ("y_position", rows.y)):
        _note(found, np.isinf(values), f"{name}: a number of centimetres, or none")
    known = np.isin(rows.zone_id, [NO_ZONE, *zones])
    _note(found, ~known, f"zone_id: one of {', '.join(map(str, zones))}, or none")
    nowhere = (rows.zone_id != NO_ZONE) & (np.isnan(rows.x) | np.isnan(rows.y))
    _note(found, nowhere, "zone_id: without a position there is no zone; give both, or none")
    outside = "zone_id: the position lies outside of the zone; give the zone that it is in, or none"
    _note(found, outside_of_zones(rows, zones), outside)
    return found


def outside_of_zones(rows: ItemRows, zones: Mapping[int, Box]) -> Bool:
    """Which rows name a zone that their position is not in; without a position none does."""
    placed = np.flatnonzero(np.isin(rows.zone_id, list(zones)))
    boxes = np.array([zones[zone] for zone in rows.zone_id[placed].tolist()]).reshape(-1, 4)
    x, y = rows.x[placed], rows.y[placed]
    wrong = np.zeros(len(rows), dtype=np.bool_)
    wrong[placed] = (x < boxes[:, 0]) | (x > boxes[:, 2]) | (y < boxes[:, 1]) | (y > boxes[:, 3])
    return wrong


def _note(found: dict[int, str], wrong: Bool, why: str) -> None:
    for row in _rows(wrong):
        found.setdefault(row, why)


def _rows(wrong: Bool) -> Iterator[int]:
    return iter(np.flatnonzero(wrong).tolist())


def _bad_text(values: Sequence[str], most: int, least: int = 1) -> Bool:
    texts = _texts(values)
    length = pc.utf8_length(texts).to_numpy()
    has_nul = _flags(pc.match_substring(texts, "\x00"))
    wrong: Bool = (length < least) | (length > most) | has_nul
    return wrong


def _blank(values: Sequence[str]) -> Bool:
    trimmed = pc.utf8_trim_whitespace(_texts(values))
    blank: Bool = pc.utf8_length(trimmed).to_numpy() == 0
    return blank


def _unfindable(values: Sequence[str]) -> Bool:
    """Path segments that clients resolve by themselves, encoded or not."""
    return np.array([value in (".", "..") for value in values], dtype=np.bool_)


def _outside(values: I64, most: int) -> Bool:
    wrong: Bool = (values < 0) | (values > most)
    return wrong


def _texts(values: Sequence[str]) -> pa.Array:
    return pa.array(values, type=pa.string())


def _flags(column: pa.Array) -> Bool:
    flags: Bool = column.to_numpy(zero_copy_only=False).astype(np.bool_)
    return flags
